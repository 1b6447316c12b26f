// The generated v2 client inside the official JavaScript SDK, unmodified.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { all, newClient, project, sendTree } from "./server.js";

const selects = ["ID", "NAME", "RUN_TYPE", "STATUS", "START_TIME", "END_TIME", "LATENCY_SECONDS", "ERROR", "ERROR_PREVIEW", "EXTRA", "METADATA", "INPUTS", "INPUTS_PREVIEW", "OUTPUTS", "OUTPUTS_PREVIEW", "PARENT_RUN_IDS", "PROJECT_ID", "TRACE_ID", "THREAD_ID", "DOTTED_ORDER", "IS_ROOT", "TOTAL_TOKENS", "PROMPT_TOKENS", "COMPLETION_TOKENS", "TOTAL_COST", "PROMPT_TOKEN_DETAILS", "COMPLETION_TOKEN_DETAILS", "TAGS", "APP_PATH", "ATTACHMENTS", "SHARE_URL", "FEEDBACK_STATS", "EVENTS", "MANIFEST", "REFERENCE_EXAMPLE_ID", "REFERENCE_DATASET_ID", "IS_IN_DATASET", "LAST_QUEUED_AT", "PRICE_MODEL_ID", "FIRST_TOKEN_TIME"];

test("runs are queried and retrieved with their selection", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName, { metadata: { n: 1, nested: { a: [1, "x"] } } });
  const { id: projectId } = await client.readProject({ projectName });

  const bare = await all(client.runs.query({ project_ids: [projectId] }));
  assert.equal(bare.length, 3);
  assert.ok(bare.every((r) => Object.keys(r).join() === "id"));

  const runs = await all(client.runs.query({ project_ids: [projectId], selects, page_size: 2 }));
  assert.equal(runs.length, 3);
  const top = runs.find((r) => r.id === root.id);
  assert.equal(top.run_type, "CHAIN");
  assert.equal(top.status, "SUCCESS");
  assert.equal(top.project_id, projectId);
  assert.equal(top.is_root, true);
  assert.deepEqual(top.parent_run_ids, []);
  assert.deepEqual(top.metadata.nested, { a: [1, "x"] });
  assert.equal(top.metadata.n, 1);
  assert.equal(top.total_tokens, 120);
  assert.ok(top.latency_seconds >= 0);
  assert.match(top.start_time, /\.\d{6}Z$/);
  assert.ok(!("session_id" in top));
  const below = runs.find((r) => r.id === model.id);
  assert.deepEqual(below.parent_run_ids, [root.id]);
  assert.deepEqual(below.prompt_token_details, { raw: { cache_read: 40 } });
  assert.deepEqual(below.completion_token_details, { raw: { reasoning: 5 } });

  const ids = async (query) => (await all(client.runs.query({ project_ids: [projectId], ...query }))).map((r) => r.id);
  assert.deepEqual(await ids({ run_type: "LLM" }), [model.id]);
  assert.deepEqual(await ids({ is_root: true }), [root.id]);
  assert.deepEqual(await ids({ has_error: true }), [tool.id]);
  assert.deepEqual(await ids({ ids: [model.id, randomUUID()] }), [model.id]);
  assert.deepEqual(await ids({ filter: 'eq(name, "tool")' }), [tool.id]);
  assert.deepEqual(await ids({ trace_filter: 'eq(name, "nothing")' }), []);
  assert.equal((await ids({ tree_filter: 'eq(name, "tool")' })).length, 3);
  assert.equal((await ids({ trace_id: root.id })).length, 3);
  assert.deepEqual(await ids({ max_start_time: "2020-01-01T00:00:00Z", min_start_time: "2019-01-01T00:00:00Z" }), []);

  const one = await client.runs.retrieve(tool.id, { project_id: projectId, selects: ["NAME", "ERROR", "STATUS"] });
  assert.deepEqual(one, { name: "tool", status: "ERROR", error: "boom: no such city" });
  const { url } = await client.runs.getURL(root.id, { project_id: projectId, trace_id: root.id });
  assert.match(url, new RegExp(`/projects/p/${projectId}/r/${root.id}`));
});

test("a run that started before yesterday is outside the default window", async () => {
  const client = newClient();
  const projectName = project();
  await client.createRun({ id: randomUUID(), name: "old", run_type: "chain", inputs: {}, project_name: projectName, start_time: Date.now() - 3 * 86_400_000 });
  await client.awaitPendingTraceBatches();
  const { id: projectId } = await client.readProject({ projectName });
  assert.equal((await all(client.runs.query({ project_ids: [projectId] }))).length, 0);
  assert.equal((await all(client.runs.query({ project_ids: [projectId], min_start_time: new Date(Date.now() - 7 * 86_400_000).toISOString() }))).length, 1);
});

test("traces come with their root and their totals", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName);
  await sendTree(client, projectName, { name: "second" });
  const { id: projectId } = await client.readProject({ projectName });
  const traces = await all(client.traces.query({ project_id: projectId, selects: ["ID", "NAME"], page_size: 1 }));
  assert.deepEqual(traces.map((t) => t.root_run.name), ["second", "agent"]);
  assert.equal(traces[1].trace_aggregates.total_tokens, 120);
  assert.equal((await all(client.traces.query({ project_id: projectId, trace_ids: [root.id] }))).length, 1);
  assert.equal((await all(client.traces.query({ project_id: projectId, trace_filter: 'eq(name, "second")' }))).length, 1);
  const { items } = await client.traces.listRuns(root.id, { project_id: projectId, selects: ["ID", "NAME"] });
  assert.deepEqual(items.map((r) => r.id).sort(), [root.id, model.id, tool.id].sort());
  assert.deepEqual((await client.traces.listRuns(root.id, { project_id: projectId, filter: 'eq(run_type, "tool")' })).items, [{ id: tool.id }]);
});

test("threads are listed, read and summed up", async () => {
  const client = newClient();
  const projectName = project();
  const thread = "support/7 ü";
  await sendTree(client, projectName, { name: "turn 1", metadata: { thread_id: thread } });
  await sendTree(client, projectName, { name: "turn 2", metadata: { thread_id: thread } });
  await sendTree(client, projectName, { name: "other", metadata: { session_id: "another" } });
  const { id: projectId } = await client.readProject({ projectName });

  const threads = await all(client.threads.query({ project_id: projectId, page_size: 1 }));
  assert.deepEqual(threads.map((t) => t.thread_id), ["another", thread]);
  assert.equal(threads[1].count, 2);
  assert.equal(threads[1].total_tokens, 240);
  assert.equal(threads[1].num_errored_turns, 0);
  assert.match(threads[1].first_inputs, /turn 1/);
  assert.match(threads[1].last_outputs, /turn 2/);
  assert.deepEqual((await all(client.threads.query({ project_id: projectId, filter: 'eq(name, "other")' }))).map((t) => t.thread_id), ["another"]);

  assert.deepEqual(threads[1].total_token_details, { cache_read: 80, reasoning: 10 });
  const passing = async (thread_filter) => (await all(client.threads.query({ project_id: projectId, thread_filter, page_size: 1 }))).map((t) => t.thread_id);
  assert.deepEqual(await passing("gt(count, 1)"), [thread]);
  assert.deepEqual(await passing("lt(turns, 2)"), ["another"]);
  assert.deepEqual(await passing("and(gte(total_tokens, 100), eq(num_errored_turns, 0))"), ["another", thread]);
  assert.deepEqual(await passing('or(eq(thread_id, "another"), gt(latency_p50, "1h"))'), ["another"]);
  assert.deepEqual(await passing('lt(max_start_time, "2020-01-01T00:00:00Z")'), []);

  const turns = await all(client.threads.listTraces(thread, { project_id: projectId, selects: ["NAME", "TRACE_ID", "INPUTS", "TOTAL_TOKENS"], page_size: 1 }));
  assert.deepEqual(turns.map((t) => t.name), ["turn 1", "turn 2"]);
  assert.equal(turns[0].total_tokens, 120);
  const stats = await client.threads.stats(thread, { session_id: projectId, selects: ["TURNS", "TOTAL_TOKENS", "PROMPT_TOKENS", "LATENCY_P50", "FIRST_START_TIME", "PROMPT_TOKEN_DETAILS", "COMPLETION_TOKEN_DETAILS"] });
  assert.equal(stats.turns, 2);
  assert.equal(stats.prompt_tokens, 200);
  assert.deepEqual(stats.prompt_token_details, { raw: { cache_read: 80 } });
  assert.deepEqual(stats.completion_token_details, { raw: { reasoning: 10 } });
});

test("a trace is shared and taken back", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model } = await sendTree(client, projectName);
  const { id: projectId } = await client.readProject({ projectName });
  const share = () => client.runs.share.create(model.id, { session_id: projectId, trace_id: root.id });
  const { share_token } = await share();
  assert.match(share_token, /^[0-9a-f-]{36}$/);
  assert.equal((await share()).share_token, share_token);
  const { share_url } = await client.runs.retrieve(root.id, { project_id: projectId, selects: ["SHARE_URL"] });
  assert.equal(share_url, `${process.env.ASSAY_URL}/public/${share_token}/r`);

  const stranger = newClient({ apiKey: "nobody" });
  const { items } = await stranger.public.runs.query(share_token, { selects: ["ID", "NAME", "PROJECT_ID"] });
  assert.equal(items.length, 3);
  assert.ok(items.every((r) => !("project_id" in r)));
  const shared = await stranger.public.runs.retrieve(root.id, { share_token, selects: ["NAME", "INPUTS"], start_time: new Date().toISOString() });
  assert.deepEqual(shared.inputs, { question: "question of agent" });

  await client.runs.share.delete(root.id, { session_id: projectId });
  await client.runs.share.delete(root.id, { session_id: projectId });
  await assert.rejects(stranger.public.runs.query(share_token, {}), { status: 404 });
});

test("v2 errors are problem documents with the right status", async () => {
  const client = newClient();
  const projectName = project();
  await client.createProject({ projectName });
  const { id: projectId } = await client.readProject({ projectName });
  await assert.rejects(client.runs.retrieve(randomUUID(), { project_id: projectId }), { status: 404 });
  await assert.rejects(all(client.runs.query({})), { status: 422 });
  await assert.rejects(all(client.runs.query({ project_ids: [projectId], filter: "eq(" })), { status: 400 });
  await assert.rejects(all(client.runs.query({ project_ids: [projectId], cursor: "?" })), { status: 400 });
  await assert.rejects(all(client.runs.query({ project_ids: [projectId], run_type: "X" })), { status: 422 });
  await assert.rejects(all(client.traces.query({ project_id: randomUUID() })), { status: 404 });
  await assert.rejects(all(client.threads.query({ project_id: projectId, thread_filter: "gt(colour, 1)" })), { status: 400 });
  const response = await fetch(`${process.env.ASSAY_URL}/v2/runs/query`, { method: "POST", body: "{}" });
  assert.equal(response.status, 401);
  assert.match(response.headers.get("content-type"), /application\/problem\+json/);
  assert.equal((await response.json()).status, 401);
});

test("v2 lists come as events when the client accepts them", async () => {
  const client = newClient();
  const projectName = project();
  const { root, model, tool } = await sendTree(client, projectName);
  const { id: projectId } = await client.readProject({ projectName });
  const events = async (path, body) => {
    const response = await fetch(`${process.env.ASSAY_URL}${path}`, { method: body ? "POST" : "GET", headers: { "x-api-key": process.env.ASSAY_KEY, accept: "text/event-stream", "content-type": "application/json" }, body: body && JSON.stringify(body) });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const blocks = (await response.text()).split("\n\n").filter((b) => b).map((b) => Object.fromEntries(b.split("\n").map((l) => [l.slice(0, l.indexOf(":")), l.slice(l.indexOf(":") + 2)])));
    assert.equal(blocks.pop().event, "end");
    const page = { items: [] };
    for (const { data } of blocks) {
      for (const { path, value } of JSON.parse(data)) {
        if (path === "") Object.assign(page, value);
        else if (path === "/items/-") page.items.push(value);
        else page[path.slice(1)] = value;
      }
    }
    return page;
  };
  const first = await events("/api/v2/runs/query", { project_ids: [projectId], selects: ["ID", "NAME"], page_size: 2 });
  assert.equal(first.items.length, 2);
  assert.equal(first.has_more, true);
  const second = await events("/api/v2/runs/query", { project_ids: [projectId], selects: ["ID", "NAME"], page_size: 2, cursor: first.next_cursor });
  assert.equal(second.next_cursor, null);
  assert.deepEqual([...first.items, ...second.items].map((r) => r.id).sort(), [root.id, model.id, tool.id].sort());
  assert.equal((await events("/api/v2/traces/query", { project_id: projectId })).items[0].trace_aggregates.total_tokens, 120);
  assert.equal((await events(`/api/v2/traces/${root.id}/runs?project_id=${projectId}`)).items.length, 3);
  assert.equal((await events("/api/v2/threads/query", { project_id: projectId })).items.length, 0);
});
