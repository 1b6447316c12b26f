// Reading runs with the official JavaScript SDK, unmodified.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { RunTree } from "langsmith";
import { all, apiKey, apiUrl, newClient, project, sendTree } from "./server.js";

const send = async (client, projectName, count, fields = () => ({})) => {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const [i, id] of ids.entries()) {
    const start = Date.parse("2026-01-01T00:00:00Z") + i * 1000;
    const stamp = new Date(start).toISOString().replace(/[-:]/g, "").replace(/\.\d+Z/, "000000Z");
    await client.createRun({ id, trace_id: id, dotted_order: `${stamp}${id}`, name: `run ${i}`, run_type: "chain", inputs: { i }, project_name: projectName, start_time: start, end_time: start + i, ...fields(i) });
  }
  await client.awaitPendingTraceBatches();
  return ids;
};

test("more than one page of runs comes back whole and in order", async () => {
  const client = newClient();
  const projectName = project();
  const ids = await send(client, projectName, 230);
  const found = (await all(client.listRuns({ projectName }))).map((r) => r.id);
  assert.deepEqual(found, [...ids].reverse());
  assert.deepEqual((await all(client.listRuns({ projectName, order: "asc", limit: 150 }))).map((r) => r.id), ids.slice(0, 150));
  assert.equal((await all(client.listRuns({ projectName, limit: 1000 }))).length, 230);
});

test("every parameter of listRuns narrows", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName, { name: "first" });
  const other = await sendTree(client, projectName, { name: "second" });
  const { id: projectId } = await client.readProject({ projectName });
  const ids = async (query) => (await all(client.listRuns({ projectName, ...query }))).map((r) => r.id).sort();
  assert.deepEqual(await ids({ runType: "llm" }), [model.id, other.model.id].sort());
  assert.deepEqual(await ids({ isRoot: true }), [root.id, other.root.id].sort());
  assert.deepEqual(await ids({ isRoot: false, traceId: root.id }), [model.id, tool.id].sort());
  assert.deepEqual(await ids({ executionOrder: 1 }), [root.id, other.root.id].sort());
  assert.deepEqual(await ids({ parentRunId: root.id }), [model.id, tool.id].sort());
  assert.deepEqual(await ids({ traceId: other.root.id }), [other.root.id, other.model.id, other.tool.id].sort());
  assert.deepEqual(await ids({ error: true }), [tool.id, other.tool.id].sort());
  assert.deepEqual(await ids({ error: false, isRoot: false }), [model.id, other.model.id].sort());
  assert.deepEqual(await ids({ id: [tool.id] }), [tool.id]);
  assert.deepEqual(await ids({ traceFilter: 'eq(name, "second")', runType: "tool" }), [other.tool.id]);
  assert.deepEqual(await ids({ treeFilter: 'eq(name, "model")', isRoot: true }), [root.id, other.root.id].sort());
  assert.deepEqual(await ids({ filter: 'has(tags, "tree")' }), [root.id, other.root.id].sort());
  assert.deepEqual(await ids({ filter: 'and(eq(run_type, "llm"), gte(total_tokens, 120))' }), [model.id, other.model.id].sort());
  assert.deepEqual(await ids({ startTime: new Date(Date.now() + 60_000) }), []);
  assert.equal((await ids({ startTime: new Date(Date.now() - 600_000) })).length, 6);
  assert.equal((await all(client.listRuns({ projectId }))).length, 6);
  assert.equal((await all(client.listRuns({ projectName: [projectName] }))).length, 6);
});

test("a selection keeps the cheap fields and drops the heavy ones it does not name", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName);
  const runs = await all(client.listRuns({ projectName, select: ["id", "name", "child_run_ids", "parent_run_ids"] }));
  const top = runs.find((r) => r.id === root.id);
  assert.deepEqual(top.inputs, {});
  assert.equal(top.total_tokens, 120);
  assert.deepEqual([...top.child_run_ids].sort(), [model.id, tool.id].sort());
  assert.deepEqual(runs.find((r) => r.id === tool.id).parent_run_ids, [root.id]);
  const withInputs = await all(client.listRuns({ projectName, select: ["inputs"], isRoot: true }));
  assert.deepEqual(withInputs[0].inputs, { question: "question of agent" });
});

test("a run read by id has every computed field", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName, { metadata: { conversation_id: "c-1" } });
  await client.createFeedback(root.id, "quality", { score: 0.25, value: "poor", comment: "no" });
  const run = await client.readRun(root.id, { loadChildRuns: true });
  assert.deepEqual(run.child_runs.map((r) => r.id), [model.id, tool.id]);
  assert.deepEqual([...run.child_run_ids].sort(), [model.id, tool.id].sort());
  assert.deepEqual([...run.direct_child_run_ids].sort(), [model.id, tool.id].sort());
  assert.equal(run.thread_id, "c-1");
  assert.equal(run.feedback_stats.quality.avg, 0.25);
  assert.deepEqual(run.feedback_stats.quality.values, { poor: 1 });
  assert.deepEqual(run.feedback_stats.quality.comments, ["no"]);
  assert.match(run.app_path, new RegExp(`^/o/[0-9a-f-]{36}/projects/p/${run.session_id}/r/${root.id}`));
  for (const field of ["share_token", "in_dataset", "last_queued_at", "trace_tier", "ttl_seconds", "trace_upgrade", "trace_first_received_at", "reference_dataset_id", "reference_example_id", "price_model_id", "first_token_time", "manifest_id", "trace_min_start_time", "trace_max_start_time", "prompt_cost_details", "completion_cost_details", "execution_order", "s3_urls"]) {
    assert.ok(field in run, field);
  }
  assert.ok(Math.abs(Date.parse(`${run.trace_first_received_at}Z`) - Date.now()) < 600_000);
  const below = await client.readRun(model.id);
  assert.equal(below.trace_first_received_at, run.trace_first_received_at);
  assert.equal(below.prompt_tokens, 100);
  assert.equal(below.completion_tokens, 20);
  assert.deepEqual(below.prompt_token_details, { cache_read: 40 });
  assert.deepEqual(below.completion_token_details, { reasoning: 5 });
  assert.equal(below.thread_id, "c-1");
  assert.equal((await client.readRun(tool.id)).status, "error");
});

test("a run tells when it was put into a queue and that an example was made from it", async () => {
  const client = newClient();
  const projectName = project();
  const { root } = await sendTree(client, projectName);
  assert.equal((await client.readRun(root.id)).last_queued_at, null);
  const queue = await client.createAnnotationQueue({ name: projectName });
  await client.addRunsToAnnotationQueue(queue.id, [root.id]);
  const dataset = await client.createDataset(projectName);
  await client.createExample({ dataset_id: dataset.id, inputs: { a: 1 }, source_run_id: root.id });
  const run = await client.readRun(root.id);
  assert.ok(Math.abs(Date.parse(`${run.last_queued_at}Z`) - Date.now()) < 600_000);
  assert.equal(run.in_dataset, true);
});

test("the first token of a stream is the first new_token event", async () => {
  const client = newClient();
  const projectName = project();
  const run = new RunTree({ name: "stream", run_type: "llm", inputs: {}, project_name: projectName, client, tracingEnabled: true });
  await run.postRun();
  const at = new Date(Date.now() + 50).toISOString();
  run.addEvent({ name: "new_token", time: at, kwargs: { token: "a" } });
  await run.end({ text: "a" });
  await run.patchRun();
  await client.awaitPendingTraceBatches();
  const found = await client.readRun(run.id);
  assert.equal(Date.parse(found.first_token_time + (found.first_token_time.endsWith("Z") ? "" : "Z")), Date.parse(at));
});

test("costs that the client reports are kept as decimal strings", async () => {
  const client = newClient();
  const projectName = project();
  const run = new RunTree({ name: "paid", run_type: "llm", inputs: {}, project_name: projectName, client, tracingEnabled: true });
  await run.postRun();
  await run.end({ usage_metadata: { input_tokens: 10, output_tokens: 5, total_tokens: 15, input_cost: 0.001, output_cost: 0.0025, total_cost: 0.0035, input_cost_details: { cache_read: 0.0004 } } });
  await run.patchRun();
  await client.awaitPendingTraceBatches();
  const found = await client.readRun(run.id);
  assert.equal(Number(found.total_cost), 0.0035);
  assert.equal(typeof found.total_cost, "string");
  assert.equal(Number(found.prompt_cost_details.cache_read), 0.0004);
});

test("statistics answer for a project and for a condition", async () => {
  const client = newClient();
  const projectName = project();
  await sendTree(client, projectName);
  await sendTree(client, projectName, { name: "again" });
  const stats = await client.getRunStats({ projectNames: [projectName] });
  assert.equal(stats.run_count, 6);
  assert.equal(stats.total_tokens, 240);
  assert.ok(Math.abs(stats.error_rate - 1 / 3) < 1e-9);
  const roots = await client.getRunStats({ projectNames: [projectName], isRoot: true, filter: 'eq(name, "again")' });
  assert.equal(roots.run_count, 1);
  assert.equal(typeof stats.latency_p50, "number");
  assert.deepEqual(stats.prompt_token_details, { cache_read: 80 });
  assert.deepEqual(stats.completion_token_details, { reasoning: 10 });
});

test("threads are grouped, listed and read in order", async () => {
  const client = newClient();
  const projectName = project();
  for (const name of ["one", "two", "three"]) await sendTree(client, projectName, { name, metadata: { session_id: name === "three" ? "t-b" : "t-a" } });
  const groups = await all(client.listGroupRuns({ projectName, groupBy: "conversation" }));
  assert.deepEqual(groups.map((g) => [g.group_key ?? g.thread_id, g.count]).sort(), [["t-a", 2], ["t-b", 1]]);
  const threads = await client.listThreads({ projectName });
  assert.deepEqual(threads.map((t) => [t.thread_id, t.count]).sort(), [["t-a", 2], ["t-b", 1]]);
  assert.deepEqual((await all(client.readThread({ projectName, threadId: "t-a" }))).map((r) => r.name), ["one", "two"]);
  assert.deepEqual((await all(client.readThread({ projectName, threadId: "t-a", order: "desc", limit: 1 }))).map((r) => r.name), ["two"]);
});

test("without multipart the batch route takes the runs", async () => {
  const client = newClient();
  const projectName = project();
  const [id] = [randomUUID()];
  await client.batchIngestRuns({ runCreates: [{ id, trace_id: id, dotted_order: `20260101T000000000000Z${id}`, name: "batched", run_type: "chain", inputs: { a: 1 }, session_name: projectName, start_time: "2026-01-01T00:00:00.000000Z" }], runUpdates: [] });
  await client.batchIngestRuns({ runCreates: [], runUpdates: [{ id, trace_id: id, dotted_order: `20260101T000000000000Z${id}`, outputs: { b: 2 }, end_time: "2026-01-01T00:00:01Z" }] });
  const run = await client.readRun(id);
  assert.equal(run.name, "batched");
  assert.deepEqual(run.outputs, { b: 2 });
});

test("an old server version that knows only single runs works too", async () => {
  const client = newClient({ autoBatchTracing: false });
  const projectName = project();
  const run = new RunTree({ name: "single", run_type: "chain", inputs: { q: 1 }, project_name: projectName, client, tracingEnabled: true });
  await run.postRun();
  await run.end({ a: 1 });
  await run.patchRun();
  const found = await client.readRun(run.id);
  assert.deepEqual(found.outputs, { a: 1 });
  assert.equal(found.status, "success");
});

test("feedback given with a trace travels and sums up", async () => {
  const client = newClient();
  const projectName = project();
  const { root, tool } = await sendTree(client, projectName);
  for (const score of [0, 0.5, 1]) await client.createFeedback(root.id, "helpful", { score });
  await client.createFeedback(tool.id, "label", { value: "blue", feedbackSourceType: "model" });
  const run = await client.readRun(root.id);
  assert.deepEqual([run.feedback_stats.helpful.n, run.feedback_stats.helpful.avg, run.feedback_stats.helpful.min, run.feedback_stats.helpful.max], [3, 0.5, 0, 1]);
  assert.deepEqual((await all(client.listFeedback({ runIds: [tool.id] }))).map((f) => [f.key, f.value, f.feedback_source.type]), [["label", "blue", "model"]]);
  assert.equal((await all(client.listFeedback({ runIds: [root.id], feedbackKeys: ["helpful"] }))).length, 3);
});

test("every spelling of the address answers", async () => {
  for (const prefix of ["", "/api", "/api/v1"]) {
    const client = newClient({ apiUrl: `${process.env.ASSAY_URL}${prefix}` });
    const projectName = project();
    const { root } = await sendTree(client, projectName);
    assert.equal((await client.readRun(root.id)).name, "agent", prefix);
    const { id } = await client.readProject({ projectName });
    assert.equal((await all(client.runs.query({ project_ids: [id] }))).length, 3, prefix);
  }
  assert.ok(apiUrl.endsWith("/api/v1") && apiKey);
});
