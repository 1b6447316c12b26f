// Everything about feedback and annotation queues that the real package calls, and what its types promise beyond.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { all, apiKey, apiUrl, newClient, project, sendTree } from "./server.js";

const named = (what) => `${what}-${randomUUID()}`;
const raw = async (method, path, body) => {
  const response = await fetch(`${apiUrl}${path}`, { method, headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, json: text ? JSON.parse(text) : null };
};

test("feedback of every kind is created, listed, changed and deleted", async () => {
  const client = newClient();
  const { root, tool } = await sendTree(client, project());
  const score = await client.createFeedback(root.id, "quality", { score: 0.5, comment: "half", sourceInfo: { by: "me" } });
  await client.createFeedback(root.id, "label", { value: "blue", feedbackSourceType: "model", sourceRunId: tool.id });
  await client.createFeedback(root.id, "correction", { correction: { answer: "better" } });
  await client.createFeedback(root.id, "flag", { score: true });
  await client.createFeedback(tool.id, "quality", { score: 1 });
  const given = Object.fromEntries((await all(client.listFeedback({ runIds: [root.id] }))).map((f) => [f.key, f]));
  assert.deepEqual(Object.keys(given).sort(), ["correction", "flag", "label", "quality"]);
  assert.deepEqual(given.correction.correction, { answer: "better" });
  assert.equal(given.flag.score, true);
  assert.equal(given.label.feedback_source.type, "model");
  assert.equal(given.label.feedback_source.metadata.__run.run_id, tool.id);
  assert.equal((await all(client.listFeedback({ runIds: [root.id, tool.id], feedbackKeys: ["quality"] }))).length, 2);
  assert.equal((await all(client.listFeedback({ runIds: [root.id], feedbackSourceTypes: ["model"] }))).length, 1);
  await client.updateFeedback(score.id, { score: 0.75, comment: "more", correction: { answer: "x" }, value: "v" });
  const read = await client.readFeedback(score.id);
  assert.deepEqual([read.score, read.comment, read.value, read.correction], [0.75, "more", "v", { answer: "x" }]);
  await client.deleteFeedback(score.id);
  await assert.rejects(client.readFeedback(score.id), /404|not found/i);
  await client.logEvaluationFeedback({ results: [{ key: "judged", score: 1, comment: "good" }, { key: "kind", value: "short" }] }, await client.readRun(root.id));
  await client.awaitPendingTraceBatches();
  assert.equal((await all(client.listFeedback({ runIds: [root.id], feedbackKeys: ["judged", "kind"] }))).length, 2);
});

test("feedback for a run that has not arrived waits for it", async () => {
  const client = newClient();
  const [runId, projectName] = [randomUUID(), project()];
  await client.createFeedback(runId, "early", { score: 1 });
  assert.equal((await raw("POST", "/feedback/eager", { run_id: runId, key: "eager", score: 0 })).status, 200);
  assert.equal((await all(client.listFeedback({ runIds: [runId] }))).length, 2);
  await client.createRun({ id: runId, name: "late", run_type: "chain", inputs: { q: 1 }, project_name: projectName });
  await client.awaitPendingTraceBatches();
  const run = await client.readRun(runId);
  assert.equal(run.feedback_stats.early.avg, 1);
  assert.equal(run.feedback_stats.eager.n, 1);
  const filtered = await all(client.listRuns({ projectName, filter: 'and(eq(feedback_key, "early"), gte(feedback_score, 1))' }));
  assert.deepEqual(filtered.map((r) => r.id), [runId]);
});

test("links take feedback by GET and POST until they expire", async () => {
  const client = newClient();
  const { root } = await sendTree(client, project());
  const token = await client.createPresignedFeedbackToken(root.id, "thumbs", { feedbackConfig: { type: "continuous", min: 0, max: 1 } });
  assert.ok(Date.parse(token.expires_at) > Date.now());
  assert.equal((await fetch(`${token.url}?score=1&comment=by+link`)).status, 200);
  assert.equal((await fetch(token.url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ score: 0, value: "no", correction: { answer: "c" }, metadata: { page: "help" } }) })).status, 200);
  const given = await all(client.listFeedback({ runIds: [root.id], feedbackKeys: ["thumbs"] }));
  assert.deepEqual(given.map((f) => f.score).sort(), [0, 1]);
  assert.deepEqual(given.find((f) => f.score === 0).correction, { answer: "c" });
  assert.equal((await all(client.listPresignedFeedbackTokens(root.id))).length, 1);
  const many = await raw("POST", "/feedback/tokens", [{ run_id: root.id, feedback_key: "a" }, { run_id: root.id, feedback_key: "b", expires_in: { minutes: 5 } }]);
  assert.deepEqual(many.json.map((t) => t.feedback_key), ["a", "b"]);
  const old = await client.createPresignedFeedbackToken(root.id, "thumbs", { expiration: "2020-01-01T00:00:00Z" });
  assert.equal((await fetch(`${old.url}?score=1`)).status, 403);
  assert.equal((await fetch(old.url, { method: "POST", body: "{}" })).status, 403);
  for (const body of [{}, { run_id: "x", feedback_key: "k" }, { run_id: root.id }, { run_id: root.id, feedback_key: "k", expires_in: { minutes: -1 } }]) assert.equal((await raw("POST", "/feedback/tokens", body)).status, 422, JSON.stringify(body));
});

test("configs say what keys mean; asking for the same at once makes one", async () => {
  const client = newClient();
  const feedbackKey = named("key");
  const feedbackConfig = { type: "categorical", categories: [{ value: 1, label: "good" }, { value: 0, label: "bad" }] };
  const made = await Promise.all([1, 2, 3, 4].map(() => client.createFeedbackConfig({ feedbackKey, feedbackConfig })));
  assert.deepEqual(made[0].feedback_config, feedbackConfig);
  assert.deepEqual((await all(client.listFeedbackConfigs({ feedbackKeys: [feedbackKey] }))).map((c) => c.feedback_key), [feedbackKey]);
  assert.deepEqual((await all(client.listFeedbackConfigs({ nameContains: feedbackKey.slice(0, 12) }))).map((c) => c.feedback_key), [feedbackKey]);
  await client.updateFeedbackConfig(feedbackKey, { feedbackConfig: { type: "freeform" }, isLowerScoreBetter: true });
  assert.equal((await all(client.listFeedbackConfigs({ feedbackKeys: [feedbackKey] })))[0].feedback_config.type, "freeform");
  await client.deleteFeedbackConfig(feedbackKey);
  assert.deepEqual(await all(client.listFeedbackConfigs({ feedbackKeys: [feedbackKey] })), []);
});

test("every field of feedback that is sent comes back, and what cannot be read is refused with its name", async () => {
  const client = newClient();
  const { root } = await sendTree(client, project());
  const { session_id, start_time } = await client.readRun(root.id);
  // As the Python client sends it, with everything it can say.
  const sent = { id: randomUUID(), run_id: root.id, trace_id: root.id, session_id, start_time, key: "all", score: 0.12345, value: { label: "x" }, comment: "c", correction: "better", feedback_source: { type: "model", metadata: { __run: { run_id: randomUUID() }, a: 1 } }, comparative_experiment_id: randomUUID(), feedback_group_id: randomUUID(), extra: { e: [1] }, error: true, created_at: "2026-01-02T03:04:05.678901+00:00", modified_at: "2026-01-02T03:04:05.678901+00:00", extend_trace_retention: false };
  assert.equal((await raw("POST", "/feedback", sent)).status, 200);
  const read = (await raw("GET", `/feedback/${sent.id}?include_user_names=true`)).json;
  for (const name of ["id", "run_id", "trace_id", "session_id", "key", "score", "value", "comment", "correction", "comparative_experiment_id", "feedback_group_id", "extra"]) assert.deepEqual(read[name], sent[name], name);
  for (const name of ["start_time", "created_at"]) assert.equal(Date.parse(read[name]), Date.parse(sent[name]), name);
  assert.deepEqual({ ...read.feedback_source, metadata: null }, { type: "model", metadata: null, user_id: null, ls_user_id: null, user_name: null });
  assert.deepEqual(read.feedback_source.metadata, sent.feedback_source.metadata);
  assert.deepEqual([read.is_root, read.feedback_thread_id], [true, null]);
  assert.equal((await client.readRun(root.id)).feedback_stats.all.errors, 1);
  assert.deepEqual((await raw("GET", `/feedback?comparative_experiment_id=${sent.comparative_experiment_id}`)).json.map((f) => f.id), [sent.id]);
  assert.deepEqual((await raw("GET", `/feedback?run=${root.id}&min_created_at=2026-01-02T03:04:05Z&max_created_at=2026-01-02T03:04:06Z&has_comment=true&has_score=true&level=run&source=model&session=${session_id}&key=all&key=none`)).json.map((f) => f.id), [sent.id]);
  assert.deepEqual((await raw("GET", `/feedback?run=${root.id}&user=${randomUUID()}&user=${randomUUID()}`)).json, []);
  // The same id again replaces; a trace alone means its root; a project alone is judged itself.
  await raw("POST", "/feedback", { ...sent, score: 1, comment: null });
  assert.deepEqual([(await raw("GET", `/feedback/${sent.id}`)).json].map((f) => [f.score, f.comment]), [[1, null]]);
  assert.equal((await raw("POST", "/feedback", { trace_id: root.id, key: "root" })).json.run_id, root.id);
  assert.equal((await raw("POST", "/feedback", { session_id, key: "summary", score: 1 })).json.run_id, null);
  assert.deepEqual((await raw("GET", `/feedback?session=${session_id}&level=session`)).json.map((f) => f.key), ["summary"]);

  for (const [field, wrong] of Object.entries({ key: "", score: "high", comment: 5, correction: 5, run_id: "x", trace_id: 1, session_id: "x", id: "x", created_at: "yesterday", error: "no", extra: [], feedback_source: "me", feedback_config: { type: "stars" } })) {
    for (const path of ["/feedback", "/feedback/eager"]) {
      const answer = await raw("POST", path, { run_id: root.id, key: "wrong", [field]: wrong });
      assert.equal(answer.status, 422, field);
      assert.match(JSON.stringify(answer.json.detail), new RegExp(field), field);
    }
  }
  assert.equal((await raw("POST", "/feedback", { run_id: root.id, key: "k".repeat(181) })).status, 422);
  assert.equal((await raw("POST", "/feedback", { key: "nowhere", score: 1 })).status, 422);
  for (const body of [{ score: "x" }, { comment: {} }, { correction: [1] }, []]) assert.equal((await raw("PATCH", `/feedback/${sent.id}`, body)).status, 422, JSON.stringify(body));
  for (const query of ["level=all", "has_score=maybe", "run=x", "min_created_at=soon"]) assert.equal((await raw("GET", `/feedback?${query}`)).status, 422, query);
  const token = await client.createPresignedFeedbackToken(root.id, "link");
  assert.equal((await fetch(`${token.url}?score=high`)).status, 422);
  assert.equal((await fetch(token.url, { method: "POST", body: JSON.stringify({ score: {} }) })).status, 422);
  assert.deepEqual((await raw("GET", `/feedback?run=${root.id}&key=link&key=wrong&key=nowhere`)).json, []);
});

test("what configs and formulas say is checked, and a link brings the config of its key", async () => {
  const client = newClient();
  const { root } = await sendTree(client, project());
  const key = named("stars");
  const [token] = (await raw("POST", "/feedback/tokens", [{ run_id: root.id, feedback_key: key, feedback_config: { type: "continuous", min: 1, max: 5 }, expires_in: { days: 1, hours: 2 } }])).json;
  assert.ok(Math.abs(Date.parse(token.expires_at) - Date.now() - 26 * 3600e3) < 60e3);
  assert.deepEqual((await raw("GET", `/feedback-configs?key=${key}`)).json[0].feedback_config, { type: "continuous", min: 1, max: 5 });
  for (const feedback_config of [{ type: "continuous", min: 2, max: 1 }, { type: "continuous", min: "a" }, { type: "categorical", categories: [{ label: "a" }] }, { type: "categorical", categories: [{ value: 1, label: "" }] }, { type: "categorical", categories: 5 }]) assert.equal((await raw("POST", "/feedback-configs", { feedback_key: named("k"), feedback_config })).status, 422, JSON.stringify(feedback_config));
  const { session_id } = await client.readRun(root.id);
  const part = { part_type: "weighted_key", weight: 1, key: "a" };
  for (const formula_parts of [[], Array(51).fill(part), [{ ...part, part_type: "other" }], [{ weight: 1 }]]) assert.equal((await raw("POST", "/feedback/formulas", { session_id, feedback_key: "f", aggregation_type: "avg", formula_parts })).status, 422, JSON.stringify(formula_parts));
  const made = (await raw("POST", "/feedback/formulas", { session_id, feedback_key: "f", aggregation_type: "avg", formula_parts: [part, { ...part, key: "b", weight: 3 }] })).json;
  await client.createFeedback(root.id, "a", { score: 1 });
  await client.createFeedback(root.id, "b", { score: 0 });
  const session = (await raw("GET", `/sessions/${session_id}?include_stats=true`)).json;
  assert.equal(session.feedback_stats.f.avg, 0.25);
  assert.equal(session.feedback_stats.a.n, 1);
  assert.deepEqual((await raw("GET", `/feedback/formulas?session_id=${session_id}`)).json.map((f) => f.id), [made.id]);
  assert.equal((await raw("PUT", `/feedback/formulas/${made.id}`, { feedback_key: "f", aggregation_type: "sum", formula_parts: [part, { ...part, key: "b", weight: 3 }] })).json.aggregation_type, "sum");
  assert.equal((await raw("DELETE", `/feedback/formulas/${made.id}`)).status, 200);
  assert.equal((await raw("GET", `/feedback/formulas/${made.id}`)).status, 404);
});

test("the queue methods of the client", async () => {
  const client = newClient();
  const projectName = project();
  const trees = [await sendTree(client, projectName), await sendTree(client, projectName)];
  const queue = await client.createAnnotationQueue({ name: named("queue"), description: "d", rubricInstructions: "look", rubricItems: [{ feedback_key: "quality", description: "how good", is_required: true }] });
  assert.equal((await client.readAnnotationQueue(queue.id)).rubric_items[0].feedback_key, "quality");
  await client.updateAnnotationQueue(queue.id, { name: queue.name, description: "e" });
  assert.ok((await all(client.listAnnotationQueues({ queueIds: [queue.id] }))).length === 1);
  assert.ok((await all(client.listAnnotationQueues({ nameContains: queue.name.slice(3) }))).length === 1);
  const { session_id, start_time } = await client.readRun(trees[1].root.id);
  await client.addRunsToAnnotationQueue(queue.id, [trees[0].root.id]);
  await client.addRunsToAnnotationQueue(queue.id, [{ runId: trees[1].root.id, sessionId: session_id, startTime: start_time }]);
  const listed = await all(client.listRunsFromAnnotationQueue(queue.id));
  assert.deepEqual(listed.map((r) => r.id), trees.map((t) => t.root.id));
  assert.equal((await client.getRunFromAnnotationQueue(queue.id, 1)).id, trees[1].root.id);
  assert.equal((await client.getSizeFromAnnotationQueue(queue.id)).size, 2);
  await client.deleteRunFromAnnotationQueue(queue.id, listed[0].queue_run_id);
  assert.equal((await client.getSizeFromAnnotationQueue(queue.id)).size, 1);
  await client.deleteAnnotationQueue(queue.id);
  await assert.rejects(client.readAnnotationQueue(queue.id), /404|not found/i);
});

test("runs and threads are items, reserved, done, moved and removed", async () => {
  const client = newClient();
  const { root } = await sendTree(client, project(), { metadata: { thread_id: "t-1" } });
  const { session_id } = await client.readRun(root.id);
  const queue = (await raw("POST", "/annotation-queues", { name: named("items"), reservation_minutes: 5 })).json;
  const items = `/platform/annotation-queues/${queue.id}/items`;
  const added = await raw("POST", items, { items: [{ item_type: "RUN", run_id: root.id, project_id: session_id }, { item_type: "THREAD", thread_id: "t-1", project_id: session_id }, { item_type: "RUN", run_id: randomUUID() }] });
  assert.equal(added.status, 200);
  const [run, thread, other] = added.json.items;
  assert.deepEqual([run.item_type, thread.item_type, thread.thread_id], ["RUN", "THREAD", "t-1"]);
  assert.equal(thread.last_reviewed_time, null);

  const first = (await raw("GET", `${items}?status=needs_my_review&limit=2`)).json;
  assert.deepEqual(first.items.map((i) => i.id), [run.id, thread.id]);
  const rest = (await raw("GET", `${items}?status=needs_my_review&limit=2&cursor=${first.next_cursor}`)).json;
  assert.deepEqual(rest.items.map((i) => i.id), [other.id]);
  assert.equal(rest.next_cursor, null);
  assert.deepEqual((await raw("GET", `${items}?status=needs_my_review&direction=backward&cursor=${first.next_cursor}`)).json.items.map((i) => i.id), [run.id]);
  assert.deepEqual((await raw("GET", `${items}?status=needs_my_review&item_type=THREAD`)).json.items.map((i) => i.id), [thread.id]);

  const status = (id, body) => raw("POST", `/platform/annotation-queues/items/${id}/status`, body);
  assert.equal((await status(run.id, { status: "viewed" })).json.is_archived, false);
  assert.equal((await raw("GET", `${items}?status=needs_my_review`)).json.items[0].reserved_by.length, 1);
  const done = (await status(run.id, { status: "completed" })).json;
  assert.deepEqual([done.queue_item_id, done.status, done.is_archived], [run.id, "completed", true]);
  assert.equal((await raw("GET", `${items}/count?status=archived`)).json.count, 1);
  assert.equal((await raw("GET", `${items}/count?status=all`)).json.count, 3);
  assert.equal((await status(run.id, { status: null })).json.is_archived, false);
  await status(run.id, { override_added_at: new Date(Date.now() + 60_000).toISOString() });
  assert.deepEqual((await raw("GET", `${items}?status=needs_my_review`)).json.items.map((i) => i.id), [thread.id, other.id, run.id]);
  assert.deepEqual((await raw("GET", `${items}/${run.id}/placement`)).json.position, 2);
  assert.equal((await raw("PATCH", `${items}/${other.id}`, { added_at: "2020-01-01T00:00:00Z" })).json.added_at.slice(0, 4), "2020");
  assert.equal((await raw("GET", `${items}?status=needs_my_review`)).json.items[0].id, other.id);
  assert.equal((await raw("POST", `${items}/delete`, { item_ids: [other.id, thread.id] })).status, 200);
  assert.equal((await raw("GET", `${items}/count?status=all`)).json.count, 1);

  for (const [method, path, body, expected] of [
    ["POST", items, { items: [{ item_type: "THREAD", project_id: session_id }] }, 422],
    ["POST", items, { items: [{ item_type: "THREAD", thread_id: "x" }] }, 422],
    ["POST", items, { items: [{}] }, 422],
    ["POST", items, { items: [] }, 422],
    ["POST", items, [], 422],
    ["GET", `${items}?status=what`, undefined, 422],
    ["GET", `${items}?status=archived&cursor=%00`, undefined, 422],
    ["GET", `${items}?status=archived&direction=backward`, undefined, 422],
    ["POST", `/platform/annotation-queues/items/${randomUUID()}/status`, { status: "completed" }, 404],
    ["POST", `/platform/annotation-queues/items/${run.id}/status`, { status: "almost" }, 422],
    ["GET", `${items}/${randomUUID()}/placement`, undefined, 404],
    ["PATCH", `/platform/annotation-queues/${randomUUID()}/items/${run.id}`, {}, 404],
    ["POST", `${items}/delete`, {}, 422],
  ])
    assert.equal((await raw(method, path, body)).status, expected, `${method} ${path} ${JSON.stringify(body)}`);
});
