// The samples in JavaScript run as they stand, and the README shows one of them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
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

test("the README shows hello.mjs as it is", async () => {
  const readme = (await readFile(join(root, "README.md"), "utf8")).replaceAll(/^ {3}/gm, "");
  assert.ok(readme.includes(await readFile(join(samples, "hello.mjs"), "utf8")));
});
