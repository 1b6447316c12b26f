// The addresses that the official JavaScript SDK prints, and where they lead here.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "langsmith";
import { evaluate, evaluateComparative } from "langsmith/evaluation";
import { apiKey, newClient, project, sendTree } from "./server.js";

const server = process.env.ASSAY_URL;
const open = async (url, headers = { "x-api-key": apiKey }) => {
  const response = await fetch(url, { headers: { accept: "text/html", ...headers } });
  return { status: response.status, path: new URL(response.url).pathname, html: await response.text() };
};

test("an address that is not this machine's needs no setting; on localhost webUrl says where the pages are", () => {
  const hostOf = (options) => new Client({ apiKey, ...options }).getHostUrl();
  assert.equal(hostOf({ apiUrl: "http://assay.internal:5080/api/v1" }), "http://assay.internal:5080");
  assert.equal(hostOf({ apiUrl: "https://assay.example.com/api/v1" }), "https://assay.example.com");
  assert.equal(hostOf({ apiUrl: "http://localhost:5080/api/v1" }), "http://localhost:3000", "what it guesses");
  assert.equal(hostOf({ apiUrl: "http://localhost:5080/api/v1", webUrl: "http://localhost:5080" }), "http://localhost:5080");
});

test("every address the SDK prints leads to its page", async (t) => {
  const client = newClient({ webUrl: server });
  const name = `linked ${randomUUID()}`;
  const dataset = await client.createDataset(name);
  await client.createExamples([{ dataset_id: dataset.id, inputs: { q: "1 + 1" }, outputs: { a: "2" } }]);
  const lines = [];
  t.mock.method(console, "log", (line) => lines.push(line));
  const experiments = [];
  for (const prefix of ["first", "second"]) {
    experiments.push(await evaluate(async () => ({ a: "2" }), { data: name, client, experimentPrefix: prefix, evaluators: [() => ({ key: "ok", score: 1 })] }));
  }
  await evaluateComparative(experiments.map((e) => e.experimentName), { client, evaluators: [({ runs }) => ({ key: "pick", scores: { [runs[0].id]: 1, [runs[1].id]: 0 } })] });
  t.mock.restoreAll();
  const printed = lines.flatMap((line) => String(line).match(/https?:\S+/g) ?? []);
  assert.equal(printed.length, 3, lines.join("\n"));
  for (const [i, url] of printed.entries()) {
    assert.ok(url.startsWith(`${server}/o/`), url);
    const page = await open(url);
    assert.deepEqual([page.status, page.path], [200, `/data/${dataset.id}/compare`], url);
    for (const experiment of i < 2 ? [experiments[i]] : experiments) assert.ok(page.html.includes(experiment.experimentName), url);
  }

  const traced = project();
  const { root } = await sendTree(client, traced);
  const session = await client.readProject({ projectName: traced });
  const tenant = session.tenant_id;
  const led = async (url, path, words) => {
    const page = await open(url);
    assert.deepEqual([page.status, page.path], [200, path], url);
    assert.ok(page.html.includes(words), `${url} shows ${words}`);
  };
  await led(await client.getDatasetUrl({ datasetName: name }), `/data/${dataset.id}`, name);
  await led(await client.getProjectUrl({ projectName: traced }), `/projects/${session.id}`, traced);
  await led(await client.getRunUrl({ runId: root.id }), `/t/${root.id}`, "agent");
  await led(`${server}${(await client.readRun(root.id)).app_path}`, `/t/${root.id}`, "agent");
  await led(`${server}/o/${tenant}/projects/p/${session.id}/r/${randomUUID()}?poll=true`, `/projects/${session.id}`, traced);
  const queue = await client.createAnnotationQueue({ name: `queue ${name}` });
  await led(`${server}/o/${tenant}/annotation-queues/${queue.id}`, `/queues/${queue.id}`, name);
  await led(`${server}/o/${tenant}/datasets`, "/data", "Datasets");
  await led(`${server}/o/${tenant}`, "/", "Projects");

  const prompt = `linked-${randomUUID()}`;
  const pushed = await client.pushPrompt(prompt, { object: { lc: 1, type: "constructor", id: ["langchain_core", "prompts", "prompt", "PromptTemplate"], kwargs: { template: "Say {x}", input_variables: ["x"], template_format: "f-string" } } });
  await led(pushed, new URL(pushed).pathname, prompt);

  // Links for everybody need no key.
  const run = await client.shareRun(root.id);
  const shared = await client.shareDataset(dataset.id);
  for (const [url, words] of [[run, "agent"], [shared.url, name]]) {
    assert.ok(url.startsWith(`${server}/public/`), url);
    const page = await open(url, {});
    assert.equal(page.status, 200);
    assert.ok(page.html.includes(words), url);
  }
  const stranger = await open(await client.getDatasetUrl({ datasetName: name }), {});
  assert.equal(stranger.path, "/login", "whoever is not signed in is asked to");
});
