// The samples in JavaScript run as they stand, and the README shows one of them.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { all, apiKey, apiUrl, newClient, project } from "./server.js";

const root = join(import.meta.dirname, "..", "..");
const samples = join(root, "samples", "javascript");
// Below this folder, because that is where the package `langsmith` is found.
const folder = await mkdtemp(join(import.meta.dirname, "samples-"));
after(() => rm(folder, { recursive: true }));

const run = async (name, args, env = {}) => {
  await copyFile(join(samples, name), join(folder, name));
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name), ...args], {
    env: { ...process.env, LANGSMITH_TRACING: "true", LANGSMITH_ENDPOINT: apiUrl, LANGSMITH_API_KEY: apiKey, ...env },
  });
  return stdout;
};

test("hello.mjs leaves a trace of two runs", async () => {
  const name = project();
  assert.match(await run("hello.mjs", [], { LANGSMITH_PROJECT: name }), /Refunds take five days/);
  const runs = await all(newClient().listRuns({ projectName: name }));
  assert.deepEqual(runs.map((r) => [r.name, r.run_type]).sort(), [["answer", "chain"], ["search", "retriever"]]);
});

test("evaluate.mjs makes two experiments on one dataset", async () => {
  const name = `capitals ${project()}`;
  const said = await run("evaluate.mjs", [name]);
  assert.match(said, /atlas-\S+: 5 of 6 correct/);
  assert.match(said, /guess-\S+: 1 of 6 correct/);
  const experiments = await all(newClient().listProjects({ referenceDatasetName: name }));
  assert.equal(experiments.length, 2);
});

test("webhook-receiver.mjs takes what the server signed, and nothing that somebody else did; the docs show it as it is", async () => {
  const text = await readFile(join(samples, "webhook-receiver.mjs"), "utf8");
  assert.ok((await readFile(join(root, "docs", "concepts", "prompts.md"), "utf8")).includes(text));
  const api = async (method, path, body) => (await fetch(`${apiUrl}${path}`, { method, headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: body && JSON.stringify(body) })).json();
  const client = newClient();
  const name = `told-${randomUUID().slice(0, 8)}`;
  const { id: prompt } = await client.createPrompt(name);
  const webhook = await api("POST", "/prompt-webhooks", { url: "http://127.0.0.1:1/hook", include_prompts: [prompt], triggers: ["commit"] });
  const receiver = spawn(process.execPath, [join(samples, "webhook-receiver.mjs")], { env: { ...process.env, PORT: "0", WEBHOOK_SECRET: webhook.secret } });
  try {
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    const port = /\d+/.exec((await lines.next()).value)[0];
    await api("PATCH", `/prompt-webhooks/${webhook.id}`, { url: `http://127.0.0.1:${port}/hook` });
    await client.createCommit(name, { lc: 1, type: "constructor", id: ["langchain_core", "prompts", "prompt", "PromptTemplate"], kwargs: { template: "Hello" } });
    assert.equal((await lines.next()).value.trim(), `commit ${name}`);
    const forged = await fetch(`http://127.0.0.1:${port}/hook`, { method: "POST", headers: { "x-assay-signature": `t=${Math.floor(Date.now() / 1000)},v1=${"0".repeat(64)}` }, body: "{}" });
    assert.equal(forged.status, 401);
    assert.equal((await fetch(`http://127.0.0.1:${port}/hook`, { method: "POST", body: "{}" })).status, 401);
  } finally {
    receiver.kill();
    await api("DELETE", `/prompt-webhooks/${webhook.id}`);
  }
});

test("the README shows hello.mjs as it is", async () => {
  const readme = (await readFile(join(root, "README.md"), "utf8")).replaceAll(/^ {3}/gm, "");
  assert.ok(readme.includes(await readFile(join(samples, "hello.mjs"), "utf8")));
});
