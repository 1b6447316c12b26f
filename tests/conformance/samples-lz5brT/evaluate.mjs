import { Client } from "langsmith";
import { evaluate } from "langsmith/evaluation";

const client = new Client();
const name = process.argv[2] ?? "sample: capitals";
if (!(await client.hasDataset({ datasetName: name }))) {
  const dataset = await client.createDataset(name);
  const capitals = { France: "Paris", Norway: "Oslo", Japan: "Tokyo", Kenya: "Nairobi", Peru: "Lima", Canada: "Ottawa" };
  await client.createExamples(Object.entries(capitals).map(([country, capital]) => (
    { dataset_id: dataset.id, inputs: { country }, outputs: { capital } }
  )));
}

const correct = ({ outputs, referenceOutputs }) => ({ key: "correct", score: outputs.capital === referenceOutputs.capital ? 1 : 0 });
const versions = {
  atlas: ({ country }) => ({ capital: { France: "Paris", Norway: "Oslo", Japan: "Tokyo", Kenya: "Nairobi", Peru: "Lima" }[country] ?? "?" }),
  guess: () => ({ capital: "Paris" }),
};
for (const [experimentPrefix, version] of Object.entries(versions)) {
  const results = await evaluate(version, { data: name, experimentPrefix, evaluators: [correct], client });
  console.log(`${results.experimentName}: ${results.results.filter((r) => r.evaluationResults.results[0].score === 1).length} of ${results.results.length} correct`);
}
