// Evaluations written as Vitest and Jest suites with LangSmith's own integrations, unmodified, run by the real runners (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client } from "langsmith";

const apiUrl = `${process.env.ASSAY_URL}/api/v1`;
const apiKey = process.env.ASSAY_KEY;
const folder = fileURLToPath(new URL(".", import.meta.url));
const all = async (iterator) => {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
};
const start = (suite, script, ...args) =>
  new Promise((resolve) => {
    const env = { ...process.env, ASSAY_SUITE: suite, LANGSMITH_ENDPOINT: apiUrl, LANGSMITH_API_KEY: apiKey, LANGSMITH_TRACING: "true", CI: "true" };
    delete env.NODE_TEST_CONTEXT;
    execFile(process.execPath, [`node_modules/${script}`, ...args], { cwd: folder, env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }));
  });

for (const [runner, script, ...args] of [
  ["vitest", "vitest/vitest.mjs", "run"],
  ["jest", "jest/bin/jest.js", "--config", "jest.config.json"],
]) {
  test(`a ${runner} suite is a dataset, its run an experiment with pass, scores and repetitions`, async () => {
    const suite = `${runner} suite ${randomUUID()}`;
    const { code, output } = await start(suite, script, ...args);
    // One of the cases is wrong on purpose.
    assert.equal(code, 1, output);
    const client = new Client({ apiUrl, apiKey });
    const dataset = await client.readDataset({ datasetName: suite });
    assert.equal(dataset.metadata.__ls_runner, runner);
    const examples = await all(client.listExamples({ datasetId: dataset.id }));
    assert.equal(examples.length, runner === "vitest" ? 4 : 3, output);
    const easy = examples.find((e) => e.inputs.a === 1);
    assert.deepEqual(easy.outputs, { sum: 3 });
    assert.deepEqual(easy.metadata.dataset_split, ["easy"]);

    const experiments = await all(client.listProjects({ referenceDatasetId: dataset.id }));
    assert.equal(experiments.length, 1);
    const experiment = await client.readProject({ projectId: experiments[0].id, includeStats: true });
    assert.equal(experiment.extra.metadata.model, "abacus");
    assert.ok(experiment.extra.metadata.commit, "the runner says which commit it ran");
    assert.equal(experiment.run_count, runner === "vitest" ? 6 : 5);
    assert.equal(experiment.feedback_stats.pass.n, experiment.run_count);
    assert.ok(experiment.feedback_stats.pass.avg < 1 && experiment.feedback_stats.pass.avg > 0.7);
    assert.equal(experiment.feedback_stats.digits.avg, 1);
    const rows = await (
      await fetch(`${apiUrl}/datasets/${dataset.id}/runs`, { method: "POST", headers: { "x-api-key": apiKey }, body: JSON.stringify({ session_ids: [experiment.id], sort_params: { sort_by: "pass", sort_order: "ASC" } }) })
    ).json();
    assert.equal(rows[0].inputs.a, 5, "the wrong case sorts first by its score");
    assert.equal(rows[0].runs[0].feedback_stats.pass.avg, 0);
    assert.equal(rows.find((r) => r.inputs.a === 0).runs.length, 3);
    if (runner === "vitest") assert.equal(experiment.feedback_stats.exact.n, 3);

    // The same suite again is another experiment on the same examples.
    await start(suite, script, ...args);
    assert.equal((await all(client.listProjects({ referenceDatasetId: dataset.id }))).length, 2);
    assert.equal((await all(client.listExamples({ datasetId: dataset.id }))).length, examples.length);
  });
}
