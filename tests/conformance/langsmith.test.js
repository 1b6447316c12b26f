// The official JavaScript SDK, unmodified, against a running server (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { RunTree } from "langsmith";
import { traceable } from "langsmith/traceable";
import { all, newClient, project } from "./server.js";

test("traceable sends a tree that reads back as sent", async () => {
  const client = newClient();
  const projectName = project();
  const inner = traceable(async (q) => ({ answer: `re: ${q}` }), { name: "inner", run_type: "llm", client, project_name: projectName, tracingEnabled: true });
  const outer = traceable(async (q) => inner(q), { name: "outer", client, project_name: projectName, tracingEnabled: true, tags: ["blue"], metadata: { customer: "c-7" } });
  assert.deepEqual(await outer("hello wörld 🌍"), { answer: "re: hello wörld 🌍" });
  await client.awaitPendingTraceBatches();

  const runs = await all(client.listRuns({ projectName }));
  assert.equal(runs.length, 2);
  const root = runs.find((r) => r.name === "outer");
  const child = runs.find((r) => r.name === "inner");
  assert.equal(child.parent_run_id, root.id);
  assert.equal(child.trace_id, root.id);
  assert.equal(child.run_type, "llm");
  assert.equal(root.parent_run_id, null);
  assert.equal(root.status, "success");
  assert.deepEqual(root.outputs, { answer: "re: hello wörld 🌍" });
  assert.deepEqual(root.tags, ["blue"]);
  assert.equal(root.extra.metadata.customer, "c-7");
  assert.ok(child.dotted_order.startsWith(root.dotted_order));

  const again = await client.readRun(root.id, { loadChildRuns: true });
  assert.deepEqual(again.child_runs.map((r) => r.id), [child.id]);
});

test("filters find what they should and nothing else", async () => {
  const client = newClient();
  const projectName = project();
  for (const [name, extra] of [["good", {}], ["bad", { error: "boom: quota exceeded" }]]) {
    const run = new RunTree({ name, run_type: "chain", inputs: { text: `text of ${name}` }, project_name: projectName, client, tracingEnabled: true, metadata: { tier: name === "good" ? "gold" : "iron" } });
    await run.postRun();
    await run.end({ out: name }, extra.error);
    await run.patchRun();
  }
  await client.awaitPendingTraceBatches();
  const names = async (query) => (await all(client.listRuns({ projectName, ...query }))).map((r) => r.name).sort();
  assert.deepEqual(await names({ filter: 'eq(name, "good")' }), ["good"]);
  assert.deepEqual(await names({ error: true }), ["bad"]);
  assert.deepEqual(await names({ filter: "eq(status, 'error')" }), ["bad"]);
  assert.deepEqual(await names({ filter: "neq(error, null)" }), ["bad"]);
  assert.deepEqual(await names({ filter: 'and(eq(metadata_key, "tier"), eq(metadata_value, "gold"))' }), ["good"]);
  assert.deepEqual(await names({ filter: 'and(eq(metadata_key, "tier"), neq(metadata_value, "gold"))' }), ["bad"]);
  assert.deepEqual(await names({ filter: 'has(metadata, \'{"tier": "iron"}\')' }), ["bad"]);
  assert.deepEqual(await names({ filter: 'search("quota")' }), ["bad"]);
  assert.deepEqual(await names({ filter: 'or(eq(name, "good"), like(error, "%boom%"))' }), ["bad", "good"]);
  assert.deepEqual(await names({ filter: 'gt(latency, "1h")' }), []);
  assert.deepEqual(await names({ filter: 'and(eq(input_key, "text"), eq(input_value, "text of good"))' }), ["good"]);
  assert.deepEqual(await names({ isRoot: true, limit: 1 }).then((n) => n.length), 1);
  assert.deepEqual(await names({ traceFilter: 'eq(name, "bad")' }), ["bad"]);
  await assert.rejects(all(client.listRuns({ projectName, filter: 'eq(nam, "x")' })), /nam/);
});

test("attachments come back byte for byte without a key", async () => {
  const client = newClient();
  const projectName = project();
  const id = randomUUID();
  const bytes = new Uint8Array([0, 255, 13, 10, 45, 45, 200]);
  const start = new Date().toISOString().replace(/[-:.Z]/g, "").slice(0, 15);
  await client.createRun({
    id,
    trace_id: id,
    dotted_order: `${start}000000Z${id}`,
    name: "with file",
    run_type: "tool",
    inputs: {},
    project_name: projectName,
    attachments: { photo: ["image/png", bytes] },
  });
  await client.awaitPendingTraceBatches();
  const run = await client.readRun(id);
  const file = run.s3_urls["attachment.photo"];
  assert.equal(file.mime_type, "image/png");
  const response = await fetch(file.presigned_url);
  assert.equal(response.status, 200);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
});

test("usage is counted once, at the leaf, and shown on every parent", async () => {
  const client = newClient();
  const projectName = project();
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const root = new RunTree({ name: "agent", run_type: "chain", inputs: {}, project_name: projectName, client, tracingEnabled: true });
  await root.postRun();
  const llm = root.createChild({ name: "model", run_type: "llm", inputs: {}, metadata: { ls_model_name: "gpt-x", ls_provider: "openai" } });
  await llm.postRun();
  await llm.end({ usage_metadata: usage });
  await llm.patchRun();
  await root.end({ usage_metadata: usage });
  await root.patchRun();
  await client.awaitPendingTraceBatches();
  const runs = await all(client.listRuns({ projectName }));
  assert.deepEqual(runs.map((r) => r.total_tokens), [15, 15]);
  const found = await client.readProject({ projectName, includeStats: true });
  assert.equal(found.total_tokens, 15);
  assert.equal(found.run_count, 1);
});

test("projects are created, found, changed and deleted", async () => {
  const client = newClient();
  const projectName = project();
  const made = await client.createProject({ projectName, description: "first", metadata: { team: "x" } });
  await assert.rejects(client.createProject({ projectName }), /exists/);
  assert.equal(await client.hasProject({ projectName }), true);
  await client.updateProject(made.id, { description: "second" });
  assert.equal((await client.readProject({ projectId: made.id })).description, "second");
  assert.ok((await all(client.listProjects({ nameContains: projectName.slice(0, 30) }))).some((p) => p.id === made.id));
  await client.deleteProject({ projectName });
  assert.equal(await client.hasProject({ projectName }), false);
});

test("feedback may come before its run and is summed up on it", async () => {
  const client = newClient();
  const projectName = project();
  const id = randomUUID();
  const feedback = await client.createFeedback(id, "correctness", { score: 0.5, comment: "half" });
  await client.createFeedback(id, "correctness", { score: 1 });
  await client.createRun({ id, name: "late", run_type: "chain", inputs: {}, project_name: projectName });
  await client.awaitPendingTraceBatches();
  const run = await client.readRun(id);
  assert.equal(run.feedback_stats.correctness.n, 2);
  assert.equal(run.feedback_stats.correctness.avg, 0.75);
  await client.updateFeedback(feedback.id, { score: 1 });
  assert.equal((await client.readFeedback(feedback.id)).score, 1);
  await client.deleteFeedback(feedback.id);
  assert.equal((await all(client.listFeedback({ runIds: [id] }))).length, 1);
});

test("a wrong key and an unknown run are told apart", async () => {
  await assert.rejects(newClient({ apiKey: "wrong", callerOptions: { maxRetries: 0 } }).readRun(randomUUID()), /401|API key/);
  await assert.rejects(newClient().readRun(randomUUID()), /404|not found/i);
});
