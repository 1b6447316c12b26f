// Datasets, examples and experiments with the official JavaScript SDK, unmodified (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "langsmith";
import { evaluate, evaluateComparative } from "langsmith/evaluation";

const apiUrl = `${process.env.ASSAY_URL}/api/v1`;
const apiKey = process.env.ASSAY_KEY;
const newClient = (options = {}) => new Client({ apiUrl, apiKey, autoBatchTracing: true, ...options });
const all = async (iterator) => {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
};
const named = (prefix) => `${prefix} ${randomUUID()} wörld`;
const raw = async (method, path, body) => {
  const response = await fetch(`${apiUrl}${path}`, { method, headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, json: text ? JSON.parse(text) : null };
};

test("datasets are made, found, changed and deleted", async () => {
  const client = newClient();
  const name = named("dataset");
  const made = await client.createDataset(name, { description: "first", metadata: { team: "blue" } });
  assert.equal(made.name, name);
  assert.equal(made.data_type, "kv");
  assert.equal(made.metadata.team, "blue");
  await assert.rejects(client.createDataset(name), /already exists/);
  assert.equal(await client.hasDataset({ datasetName: name }), true);
  assert.equal(await client.hasDataset({ datasetName: name + "x" }), false);
  assert.equal((await client.readDataset({ datasetName: name })).id, made.id);
  await client.updateDataset({ datasetId: made.id, description: "second" });
  assert.equal((await client.readDataset({ datasetId: made.id })).description, "second");
  assert.deepEqual((await all(client.listDatasets({ datasetName: name }))).map((d) => d.id), [made.id]);
  assert.deepEqual((await all(client.listDatasets({ datasetIds: [made.id] }))).map((d) => d.id), [made.id]);
  assert.deepEqual((await all(client.listDatasets({ metadata: { team: "blue" }, datasetNameContains: name.slice(0, 20) }))).map((d) => d.id), [made.id]);
  await client.deleteDataset({ datasetId: made.id });
  assert.equal(await client.hasDataset({ datasetId: made.id }), false);
});

test("examples are made, changed, filtered, split and deleted", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("examples"));
  const one = await client.createExample({ dataset_id: dataset.id, inputs: { q: "one" }, outputs: { a: 1 }, metadata: { level: "easy" }, split: "train" });
  assert.deepEqual(one.metadata.dataset_split, ["train"]);
  assert.deepEqual(one.inputs, { q: "one" });
  await client.createExamples([
    { dataset_id: dataset.id, inputs: { q: "two" }, outputs: { a: 2 }, metadata: { level: "hard" } },
    { dataset_id: dataset.id, inputs: { q: "three" }, metadata: { level: "hard" }, split: ["test", "x"] },
  ]);
  const read = (query = {}) => all(client.listExamples({ datasetId: dataset.id, ...query }));
  const questions = async (query) => (await read(query)).map((e) => e.inputs.q).sort();
  assert.deepEqual(await questions(), ["one", "three", "two"]);
  assert.deepEqual(await questions({ splits: ["train", "test"] }), ["one", "three"]);
  assert.deepEqual(await questions({ metadata: { level: "hard" } }), ["three", "two"]);
  assert.deepEqual(await questions({ filter: 'exists(metadata, "level")' }), ["one", "three", "two"]);
  assert.deepEqual(await questions({ filter: 'has("metadata", \'{"level": "easy"}\')' }), ["one"]);
  assert.deepEqual(await questions({ filter: 'not(has(metadata, \'{"level": "easy"}\'))' }), ["three", "two"]);
  assert.deepEqual(await questions({ filter: 'and(eq(metadata_key, "level"), eq(metadata_value, "hard"), search("three"))' }), ["three"]);
  assert.equal((await questions({ limit: 2 })).length, 2);
  await assert.rejects(read({ filter: "exists(nothing, 'x')" }), /nothing/);

  await client.updateExample({ id: one.id, metadata: { level: "medium" } });
  const changed = await client.readExample(one.id);
  assert.deepEqual(changed.inputs, { q: "one" });
  assert.deepEqual(changed.outputs, { a: 1 });
  assert.equal(changed.metadata.level, "medium");
  assert.deepEqual(changed.metadata.dataset_split, ["train"]);

  assert.deepEqual(await client.listDatasetSplits({ datasetId: dataset.id }), ["base", "test", "train", "x"]);
  await client.updateDatasetSplits({ datasetId: dataset.id, splitName: "gold", exampleIds: [one.id] });
  assert.deepEqual(await questions({ splits: ["gold"] }), ["one"]);
  await client.updateDatasetSplits({ datasetId: dataset.id, splitName: "gold", exampleIds: [one.id], remove: true });
  assert.deepEqual(await questions({ splits: ["gold"] }), []);

  await client.deleteExample(one.id);
  await assert.rejects(client.readExample(one.id), /not found/i);
  assert.deepEqual(await questions(), ["three", "two"]);
  assert.equal((await raw("GET", `/examples/count?dataset=${dataset.id}`)).json, 2);
  await assert.rejects(client.createExample({ dataset_id: randomUUID(), inputs: {} }), /not found/i);
});

test("a version read again is exactly that version", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("versions"));
  const first = await client.createExample({ dataset_id: dataset.id, inputs: { n: 1 } });
  const v1 = (await client.readDatasetVersion({ datasetId: dataset.id, tag: "latest" })).as_of;
  assert.equal(v1, first.modified_at);
  await client.updateDatasetTag({ datasetId: dataset.id, asOf: v1, tag: "prod" });
  const second = await client.createExample({ dataset_id: dataset.id, inputs: { n: 2 } });
  await client.updateExample({ id: first.id, inputs: { n: 10 } });
  await client.deleteExample(second.id);
  const at = async (asOf) => (await all(client.listExamples({ datasetId: dataset.id, asOf }))).map((e) => e.inputs.n).sort();
  assert.deepEqual(await at(v1), [1]);
  assert.deepEqual(await at("prod"), [1]);
  assert.deepEqual(await at(second.modified_at), [1, 2]);
  assert.deepEqual(await at("latest"), [10]);
  assert.deepEqual(await at(undefined), [10]);
  assert.deepEqual((await client.readDatasetVersion({ datasetId: dataset.id, tag: "prod" })).as_of, v1);
  const diff = await client.diffDatasetVersions({ datasetId: dataset.id, fromVersion: "prod", toVersion: second.modified_at });
  assert.deepEqual(diff, { examples_added: [second.id], examples_removed: [], examples_modified: [] });
  const later = await client.diffDatasetVersions({ datasetId: dataset.id, fromVersion: second.modified_at, toVersion: "latest" });
  assert.deepEqual(later, { examples_added: [], examples_removed: [second.id], examples_modified: [first.id] });
  const versions = (await raw("GET", `/datasets/${dataset.id}/versions`)).json;
  assert.equal(versions.length, 4);
  assert.deepEqual(versions[0].tags, ["latest"]);
  assert.deepEqual(versions[3].tags, ["prod"]);
  await assert.rejects(at("no-such-tag"), /no-such-tag/);
});

test("attachments of examples come back byte for byte, are kept, renamed and replaced", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("attachments"));
  const bytes = new Uint8Array([0, 255, 13, 10, 45, 45, 200]);
  const id = randomUUID();
  const made = await client.uploadExamplesMultipart(dataset.id, [
    { id, inputs: { q: "ü" }, outputs: { a: 1 }, attachments: { "photo.png": { mimeType: "image/png", data: bytes }, notes: ["text/plain", new TextEncoder().encode("hi")] } },
  ]);
  assert.equal(made.count, 1);
  assert.deepEqual(made.example_ids, [id]);
  const files = async () => {
    const [example] = await all(client.listExamples({ datasetId: dataset.id, includeAttachments: true }));
    assert.deepEqual(example.inputs, { q: "ü" });
    return example.attachments;
  };
  const first = await files();
  assert.deepEqual(Object.keys(first), ["photo.png", "notes"]);
  assert.equal(first["photo.png"].mime_type, "image/png");
  assert.deepEqual(new Uint8Array(await (await fetch(first["photo.png"].presigned_url)).arrayBuffer()), bytes);
  await client.updateExamplesMultipart(dataset.id, [{ id, attachments_operations: { retain: ["notes"], rename: { "photo.png": "image" } } }]);
  assert.deepEqual(Object.keys(await files()).sort(), ["image", "notes"]);
  await client.updateExamplesMultipart(dataset.id, [{ id, attachments: { other: { mimeType: "text/plain", data: new TextEncoder().encode("x") } } }]);
  assert.deepEqual(Object.keys(await files()), ["other"]);
  await assert.rejects(client.updateExamplesMultipart(dataset.id, [{ id, attachments_operations: { retain: ["other"], rename: { other: "y" } } }]), /both retained and renamed/);
  await assert.rejects(client.updateExamplesMultipart(dataset.id, [{ id: randomUUID(), inputs: {} }]), /not found/i);
  const elsewhere = await client.createDataset(named("elsewhere"));
  await assert.rejects(client.updateExamplesMultipart(elsewhere.id, [{ id, inputs: {} }]), /another dataset/);
  await assert.rejects(client.uploadExamplesMultipart(dataset.id, [{ id, inputs: {} }]), /already exists/);
  await assert.rejects(client.uploadExamplesMultipart(randomUUID(), [{ inputs: {} }]), /not found/i);
});

test("a schema refuses what does not meet it and says where", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("schema"), {
    inputsSchema: { type: "object", properties: { user: { $ref: "#/$defs/U" } }, required: ["user"], $defs: { U: { type: "object", properties: { age: { type: "integer" } } } } },
  });
  await client.createExample({ dataset_id: dataset.id, inputs: { user: { age: 3 } } });
  await assert.rejects(client.createExample({ dataset_id: dataset.id, inputs: { user: { age: "x" } } }), /\/user\/age: must be integer/);
  await assert.rejects(client.createExamples([{ dataset_id: dataset.id, inputs: { user: {} } }, { dataset_id: dataset.id, inputs: {} }]), /examples\[1\]/);
  assert.equal((await all(client.listExamples({ datasetId: dataset.id }))).length, 1);
  await assert.rejects(client.createDataset(named("bad"), { inputsSchema: { type: "nonsense" } }), /nonsense/);
});

test("a dataset is shared, read without rights of its own, and cloned", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("shared"));
  await client.createExamples([{ dataset_id: dataset.id, inputs: { q: 1 } }, { dataset_id: dataset.id, inputs: { q: 2 } }]);
  assert.equal(await client.readDatasetSharedSchema(dataset.id).catch(() => null), null);
  const { share_token } = await client.shareDataset(dataset.id);
  assert.equal((await client.shareDataset(dataset.id)).share_token, share_token);
  const stranger = newClient({ apiKey: "not a key" });
  assert.equal((await stranger.readSharedDataset(share_token)).name, dataset.name);
  assert.equal((await stranger.listSharedExamples(share_token)).length, 2);
  const clone = await client.clonePublicDataset(share_token, { sourceApiUrl: apiUrl, datasetName: named("clone") });
  await client.unshareDataset(dataset.id);
  await assert.rejects(stranger.readSharedDataset(share_token), /404|not found/i);
  void clone;
});

test("csv goes in, chat lines come out", async () => {
  const client = newClient();
  const csv = 'question,answer\n"What, me?","Yes\nyou"\nzwei,2\n';
  const dataset = await client.uploadCsv({ csvFile: new Blob([csv], { type: "text/csv" }), fileName: `${named("csv")}.csv`, inputKeys: ["question"], outputKeys: ["answer"], description: "from csv" });
  const examples = await all(client.listExamples({ datasetId: dataset.id }));
  assert.deepEqual(examples.map((e) => [e.inputs, e.outputs]), [[{ question: "What, me?" }, { answer: "Yes\nyou" }], [{ question: "zwei" }, { answer: "2" }]]);
  const chat = await client.createDataset(named("chat"), { dataType: "chat" });
  await client.createChatExample([{ type: "human", data: { content: "hi" } }], { type: "ai", data: { content: "hello" } }, { datasetId: chat.id });
  const lines = await client.readDatasetOpenaiFinetuning({ datasetId: chat.id });
  assert.deepEqual(lines, [{ messages: [{ role: "user", content: "hi" }, { role: "assistant", content: "hello" }] }]);
});

test("bad input is a clear error, never a 500", async () => {
  for (const [method, path, body, status] of [
    ["POST", "/datasets", {}, 422],
    ["POST", "/datasets", { name: 5 }, 422],
    ["POST", "/datasets", { name: "x", data_type: "nonsense" }, 422],
    ["POST", "/datasets", { name: "y", id: "nonsense" }, 422],
    ["GET", "/datasets?id=nonsense", undefined, 422],
    ["GET", `/datasets/${randomUUID()}`, undefined, 404],
    ["GET", `/datasets/${randomUUID()}/versions`, undefined, 404],
    ["GET", "/examples", undefined, 422],
    ["GET", `/examples?dataset=${randomUUID()}`, undefined, 404],
    ["GET", `/examples/${randomUUID()}`, undefined, 404],
    ["POST", "/examples", { inputs: {} }, 422],
    ["POST", "/examples", [], 422],
    ["POST", "/examples/bulk", {}, 422],
    ["POST", "/examples/bulk", [], 422],
    ["PATCH", `/examples/${randomUUID()}`, { inputs: [] }, 422],
    ["PATCH", `/examples/${randomUUID()}`, { inputs: {} }, 404],
    ["DELETE", `/examples/${randomUUID()}`, undefined, 404],
    ["DELETE", "/examples", undefined, 422],
    ["POST", "/platform/datasets/examples/delete", { example_ids: ["x"] }, 422],
    ["POST", `/platform/datasets/${randomUUID()}/examples`, {}, 422],
  ]) {
    const answer = await raw(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.json)}`);
    assert.ok(answer.json.detail, `${method} ${path}`);
  }
});

const target = (input) => ({ answer: String(input.q * 2) });
const correct = ({ outputs, referenceOutputs }) => ({ key: "correct", score: outputs.answer === referenceOutputs.answer });
const length = ({ outputs }) => ({ key: "length", score: outputs.answer.length, comment: "counted" });
const seeded = async (client, count = 3) => {
  const dataset = await client.createDataset(named("evaluate"));
  await client.createExamples(Array.from({ length: count }, (_, i) => ({ dataset_id: dataset.id, inputs: { q: i }, outputs: { answer: String(i * 2) } })));
  return dataset;
};

test("evaluate runs with several evaluators, repetitions and a summary", async () => {
  const client = newClient();
  const dataset = await seeded(client);
  const results = await evaluate(target, {
    data: dataset.name,
    evaluators: [correct, length],
    summaryEvaluators: [({ outputs }) => ({ key: "rows", score: outputs.length })],
    experimentPrefix: "first",
    metadata: { model: "m-1" },
    numRepetitions: 2,
    maxConcurrency: 4,
    client,
  });
  assert.equal(results.results.length, 6);
  await client.awaitPendingTraceBatches();
  const experiment = await client.readProject({ projectName: results.experimentName, includeStats: true });
  assert.equal(experiment.reference_dataset_id, dataset.id);
  assert.equal(experiment.test_run_number, 1);
  assert.equal(experiment.run_count, 6);
  assert.equal(experiment.feedback_stats.correct.n, 6);
  assert.equal(experiment.feedback_stats.correct.avg, 1);
  assert.equal(experiment.session_feedback_stats.rows.avg, 6);
  assert.ok(experiment.extra.metadata.dataset_version);

  const rows = (await raw("POST", `/datasets/${dataset.id}/runs`, { session_ids: [experiment.id], limit: 2 })).json;
  assert.equal(rows.length, 2);
  for (const row of rows) {
    assert.equal(row.runs.length, 2);
    for (const run of row.runs) {
      assert.equal(run.reference_example_id, row.id);
      assert.equal(run.session_id, experiment.id);
      assert.equal(run.outputs.answer, row.outputs.answer);
      assert.equal(run.feedback_stats.correct.avg, 1);
    }
  }
  const page = await fetch(`${process.env.ASSAY_URL}/api/v2/datasets/${dataset.id}/experiment-runs`, { method: "POST", headers: { "x-api-key": apiKey }, body: JSON.stringify({ experiment_ids: [experiment.id], page_size: 2, selects: ["NAME", "OUTPUTS", "STATUS"] }) }).then((r) => r.json());
  assert.equal(page.items.length, 2);
  assert.equal(page.items[0].runs[0].status, "SUCCESS");
  assert.equal(page.next_cursor, "2");
});

test("two experiments are compared, pairwise and by delta", async () => {
  const client = newClient();
  const dataset = await seeded(client);
  const run = (experimentPrefix, fn) => evaluate(fn, { data: dataset.name, evaluators: [correct], experimentPrefix, client });
  const good = await run("good", target);
  const bad = await run("bad", (input) => ({ answer: input.q === 1 ? "wrong" : String(input.q * 2) }));
  await client.awaitPendingTraceBatches();
  const compared = await evaluateComparative([good.experimentName, bad.experimentName], {
    client,
    evaluators: [({ runs }) => ({ key: "preferred", scores: Object.fromEntries(runs.map((r, i) => [r.id, i === 0 ? 1 : 0])) })],
  });
  assert.equal(compared.results.length, 3);
  const list = (await raw("GET", `/datasets/${dataset.id}/comparative`)).json;
  assert.equal(list.length, 1);
  assert.equal(list[0].experiments_info.length, 2);
  assert.equal(list[0].feedback_stats.preferred.n, 6);
  const ids = await Promise.all([good, bad].map(async (e) => (await client.readProject({ projectName: e.experimentName })).id));
  const delta = (await raw("POST", `/datasets/${dataset.id}/runs/delta`, { baseline_session_id: ids[0], comparison_session_ids: [ids[1]], feedback_key: "correct" })).json;
  assert.equal(delta.feedback_deltas[ids[1]].regressed_examples.length, 1);
  assert.equal(delta.feedback_deltas[ids[1]].improved_examples.length, 0);
  const rows = (await raw("POST", `/datasets/${dataset.id}/runs`, { session_ids: ids, comparative_experiment_id: list[0].id })).json;
  assert.deepEqual(rows[0].runs.map((r) => r.session_id), ids);
  assert.equal(rows[0].runs[0].feedbacks.length, 1);
  const lines = async (path) => (await (await fetch(`${apiUrl}/datasets/${dataset.id}/${path}`, { headers: { "x-api-key": apiKey } })).text()).trim().split("\n").map((l) => l && JSON.parse(l));
  const preferred = (await lines("preference?key=preferred")).filter((p) => p.rejected[0].content === "wrong");
  assert.deepEqual(preferred.map((p) => [p.chosen, p.prompt[0].role]), [[[{ role: "assistant", content: "2" }], "user"]]);
  assert.equal((await lines("openai_preference")).length, 3);
  assert.deepEqual(await lines("preference?key=other"), [""]);
  const grouped = (await raw("POST", `/datasets/${dataset.id}/experiments/grouped`, { metadata_keys: ["model"] })).json;
  assert.equal(grouped.groups[0].count, 2);
  assert.equal((await raw("DELETE", `/datasets/comparative/${list[0].id}`)).status, 200);
});

test("an experiment that has run is evaluated again", async () => {
  const client = newClient();
  const dataset = await seeded(client);
  const first = await evaluate(target, { data: dataset.name, evaluators: [correct], experimentPrefix: "judged later", numRepetitions: 2, client });
  await client.awaitPendingTraceBatches();
  const experiment = await client.readProject({ projectName: first.experimentName });
  // As evaluate_existing does: the runs, their examples as they were, a new evaluator, a summary, the project's metadata.
  const runs = await all(client.listRuns({ projectId: experiment.id, isRoot: true }));
  assert.equal(runs.length, 6);
  const examples = new Map((await all(client.listExamples({ datasetId: dataset.id, asOf: experiment.extra.metadata.dataset_version }))).map((e) => [e.id, e]));
  for (const run of runs) {
    const example = examples.get(run.reference_example_id);
    await client.logEvaluationFeedback({ key: "later", score: run.outputs.answer === example.outputs.answer ? 1 : 0, comment: "again" }, run);
  }
  await client.awaitPendingTraceBatches();
  await client.createFeedback(null, "overall", { projectId: experiment.id, score: 0.5 });
  await client.updateProject(experiment.id, { metadata: { ...experiment.extra.metadata, judged: "twice" } });
  const read = await client.readProject({ projectId: experiment.id, includeStats: true });
  assert.equal(read.feedback_stats.later.n, 6);
  assert.equal(read.feedback_stats.later.avg, 1);
  assert.equal(read.feedback_stats.correct.n, 6);
  assert.equal(read.session_feedback_stats.overall.avg, 0.5);
  assert.equal(read.run_count, 6);
  assert.ok(read.extra.metadata.dataset_version);
  assert.equal(read.extra.metadata.judged, "twice");
});

test("rows of experiments are sorted, grouped, streamed as deltas, written as CSV", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("rows"));
  await client.createExamples(Array.from({ length: 4 }, (_, i) => ({ dataset_id: dataset.id, inputs: { q: i }, outputs: { answer: String(i * 2) }, metadata: { level: i < 2 ? "easy" : "hard" } })));
  const run = (experimentPrefix, fn) => evaluate(fn, { data: dataset.name, evaluators: [correct, length], experimentPrefix, client });
  const good = await run("good", target);
  const bad = await run("bad", (input) => ({ answer: input.q === 1 ? "far too long" : String(input.q * 2) }));
  await client.awaitPendingTraceBatches();
  const ids = await Promise.all([good, bad].map(async (e) => (await client.readProject({ projectName: e.experimentName })).id));

  const questions = async (sort_params, more = {}) => (await raw("POST", `/datasets/${dataset.id}/runs`, { session_ids: [...ids].reverse(), sort_params, ...more })).json.map((r) => r.inputs.q);
  assert.equal((await questions({ sort_by: "feedback.length" }))[0], 1, "descending unless said otherwise");
  assert.equal((await questions({ sort_by: "correct", sort_order: "ASC" }))[0], 1);
  assert.deepEqual(new Set(await questions({ sort_by: "latency", sort_order: "ASC" }, { offset: 1, limit: 2 })).size, 2);
  assert.equal((await raw("POST", `/datasets/${dataset.id}/runs`, { session_ids: ids, sort_params: { sort_by: "correct", sort_order: "SIDEWAYS" } })).status, 422);
  const v2 = await fetch(`${process.env.ASSAY_URL}/api/v2/datasets/${dataset.id}/experiment-runs`, { method: "POST", headers: { "x-api-key": apiKey }, body: JSON.stringify({ experiment_ids: [ids[1]], sort: { by: "length", order: "DESC" }, page_size: 1 }) }).then((r) => r.json());
  assert.equal(v2.items[0].inputs.q, 1);

  const grouped = (await raw("POST", `/datasets/${dataset.id}/group/runs`, { session_ids: ids, group_by: "example_metadata", metadata_key: "level", per_group_limit: 1 })).json.groups;
  assert.deepEqual(grouped.map((g) => [g.group_key, g.example_count, g.count, g.examples.length]), [["easy", 2, 4, 1], ["hard", 2, 4, 1]]);
  assert.deepEqual(grouped[0].sessions.map((s) => [s.id, s.run_count, s.feedback_stats.correct.avg]), [[ids[0], 2, 1], [ids[1], 2, 0.5]]);
  assert.equal(grouped[0].examples[0].runs.length, 2);
  const found = (await raw("POST", "/runs/query", { session: ids, filter: grouped[0].filter })).json.runs;
  assert.equal(found.length, 4, "the filter of a group finds its runs");
  assert.equal((await raw("POST", `/datasets/${dataset.id}/group/runs`, { session_ids: ids, group_by: "moon", metadata_key: "level" })).status, 422);

  const streamed = await fetch(`${apiUrl}/datasets/${dataset.id}/runs/delta/stream`, { method: "POST", headers: { "x-api-key": apiKey }, body: JSON.stringify({ baseline_session_id: ids[0], comparison_session_ids: [ids[1]], feedback_keys: ["correct", "length"] }) });
  assert.match(streamed.headers.get("content-type"), /text\/event-stream/);
  const events = (await streamed.text()).trim().split("\n\n");
  assert.equal(events.at(-1), "event: end");
  const deltas = events.slice(0, -1).map((e) => JSON.parse(e.split("data: ")[1]));
  assert.deepEqual(deltas.map((d) => [d.feedback_key, d.feedback_deltas[ids[1]].improved_examples.length, d.feedback_deltas[ids[1]].regressed_examples.length]), [["correct", 0, 1], ["length", 1, 0]]);

  const csv = await (await fetch(`${apiUrl}/datasets/${dataset.id}/runs?format=csv`, { method: "POST", headers: { "x-api-key": apiKey }, body: JSON.stringify({ session_ids: ids }) })).text();
  assert.equal(csv.trim().split("\r\n").length, 9);
  assert.match(csv, /far too long/);

  // Everything of it is read by whoever has the link, and nothing else.
  const { share_token: token } = await client.shareDataset(dataset.id);
  const open = async (method, path, body) => {
    const response = await fetch(`${apiUrl}/public/${path}`, { method, body: body && JSON.stringify(body) });
    return { status: response.status, json: await response.json() };
  };
  const rows = (await open("POST", `${token}/examples/runs`, { session_ids: ids })).json;
  assert.equal(rows.length, 4);
  assert.deepEqual(rows[0].runs.map((r) => r.session_id), ids);
  assert.equal(rows[0].runs[0].app_path, undefined);
  const one = rows[0].runs[0].id;
  assert.equal((await open("GET", `${token}/datasets/runs/${one}`)).json.id, one);
  assert.equal((await open("POST", `${token}/datasets/runs/query`, { session: ids, is_root: true })).json.runs.length, 8);
  assert.equal((await open("POST", `${token}/datasets/runs/stats`, { session: [ids[0]], is_root: true })).json.run_count, 4);
  assert.equal((await open("GET", `${token}/datasets/feedback?run=${one}&key=correct`)).json.length, 1);
  assert.equal((await open("POST", `${token}/datasets/runs/delta`, { baseline_session_id: ids[0], comparison_session_ids: [ids[1]], feedback_key: "correct" })).json.feedback_deltas[ids[1]].regressed_examples.length, 1);
  assert.deepEqual((await open("GET", `${token}/datasets/comparative`)).json, []);
  assert.equal((await open("GET", `datasets/sessions-bulk?share_tokens=${token}`)).json.length, 2);

  // Who ran it, where and in which workspace is nobody's business.
  const git = { commit: "0123456789abcdef0123456789abcdef01234567", dirty: true, branch: "ada/secret", authorName: "Ada L", authorEmail: "ada@example.com", author_email: "ada@example.com", remote_url: "git@code.example.com:a/b.git" };
  await client.createProject({ projectName: named("with git"), referenceDatasetId: dataset.id, metadata: { model: "m-1", temperature: 0.2, git, LANGSMITH_ENDPOINT: "http://inside", contact: "Ada <ada@example.com>", nested: { owner: "ada@example.com", size: 3 } } });
  await client.createFeedback(one, "helpful", { score: 1, sourceInfo: { reviewer: "ada-l" } });
  await client.awaitPendingTraceBatches();
  for (const path of [`${token}/datasets/sessions`, `datasets/sessions-bulk?share_tokens=${token}`]) {
    const { json } = await open("GET", path);
    assert.equal(json.length, 3);
    const shown = json.find((s) => s.extra.metadata.model === "m-1").extra.metadata;
    assert.deepEqual(shown, { model: "m-1", temperature: 0.2, git: { commit: git.commit, dirty: true }, nested: { size: 3 } });
    assert.doesNotMatch(JSON.stringify(json), /Ada L|ada@|ada\/|inside/);
    assert.ok(json.every((s) => s.tenant_id === "00000000-0000-0000-0000-000000000000"));
  }
  const said = (await open("GET", `${token}/datasets/feedback?run=${one}&key=helpful`)).json;
  assert.equal(said[0].score, 1);
  assert.doesNotMatch(JSON.stringify([said, (await open("GET", `${token}/datasets/runs/${one}`)).json]), /ada-l/);
  assert.equal((await open("GET", `${token}/datasets`)).json.tenant_id, undefined);
  for (const [method, path] of [["GET", "datasets"], ["GET", "datasets/sessions"], ["POST", "examples/runs"], ["POST", "datasets/runs/delta/stream"]]) {
    assert.equal((await open(method, `${randomUUID()}/${path}`, method === "POST" ? {} : undefined)).status, 404);
  }

  const secret = randomUUID();
  await client.createRun({ id: secret, name: "elsewhere", run_type: "chain", inputs: {}, project_name: named("elsewhere") });
  await client.createFeedback(secret, "correct", { score: 1 });
  await client.awaitPendingTraceBatches();
  const other = await client.readRun(secret);
  assert.equal((await open("GET", `${token}/datasets/runs/${secret}`)).status, 404);
  assert.deepEqual((await open("POST", `${token}/datasets/runs/query`, { id: [secret] })).json.runs, []);
  assert.deepEqual((await open("POST", `${token}/datasets/runs/query`, { session: [other.session_id] })).json.runs, []);
  assert.deepEqual((await open("GET", `${token}/datasets/feedback?run=${secret}`)).json, []);
  assert.deepEqual((await open("GET", `${token}/datasets/feedback?session=${other.session_id}`)).json, []);
  assert.equal((await open("POST", `${token}/datasets/runs/stats`, { session: [other.session_id] })).json.run_count, 0);
  assert.notEqual((await open("POST", `${token}/examples/runs`, { session_ids: [other.session_id] })).status, 200);
  await client.unshareDataset(dataset.id);
  assert.equal((await open("GET", `${token}/datasets/runs/${one}`)).status, 404);
});

test("an experiment that ran elsewhere is uploaded whole", async () => {
  const client = newClient();
  const time = new Date().toISOString();
  const answer = await raw("POST", "/datasets/upload-experiment", {
    experiment_name: named("uploaded"),
    dataset_name: named("from upload"),
    experiment_start_time: time,
    experiment_end_time: time,
    experiment_metadata: { model: "m" },
    summary_experiment_scores: [{ key: "total", score: 0.5 }],
    results: [{ inputs: { q: 1 }, expected_outputs: { a: 1 }, actual_outputs: { a: 1 }, start_time: time, end_time: time, evaluation_scores: [{ key: "ok", score: 1 }] }],
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  assert.equal(answer.json.dataset.example_count, 1);
  const read = await client.readProject({ projectId: answer.json.experiment.id, includeStats: true });
  assert.equal(read.run_count, 1);
  assert.equal(read.feedback_stats.ok.avg, 1);
  assert.equal(read.session_feedback_stats.total.avg, 0.5);
});

test("feedback comes through links without a key until they expire", async () => {
  const client = newClient();
  const runId = randomUUID();
  const token = await client.createPresignedFeedbackToken(runId, "thumbs");
  assert.ok(token.url.startsWith(`${apiUrl}/feedback/tokens/`));
  assert.equal((await fetch(token.url, { method: "POST", body: JSON.stringify({ score: 1, comment: "via post" }) })).status, 200);
  assert.equal((await fetch(`${token.url}?score=0&comment=via%20get`)).status, 200);
  await client.createRun({ id: runId, name: "judged", run_type: "chain", inputs: {}, project_name: named("links") });
  await client.awaitPendingTraceBatches();
  const given = await all(client.listFeedback({ runIds: [runId], feedbackKeys: ["thumbs"] }));
  assert.deepEqual(given.map((f) => [f.score, f.comment]).sort(), [[0, "via get"], [1, "via post"]]);
  assert.equal((await all(client.listPresignedFeedbackTokens(runId))).length, 1);
  const old = await client.createPresignedFeedbackToken(runId, "thumbs", { expiration: "2020-01-01T00:00:00Z" });
  assert.equal((await fetch(old.url, { method: "POST", body: "{}" })).status, 403);
  assert.equal((await fetch(`${apiUrl}/feedback/tokens/${randomUUID()}`, { method: "POST", body: "{}" })).status, 404);
});

test("feedback keys have settings and formulas", async () => {
  const client = newClient();
  const feedbackKey = named("key");
  const feedbackConfig = { type: "continuous", min: 0, max: 1 };
  const made = await client.createFeedbackConfig({ feedbackKey, feedbackConfig, isLowerScoreBetter: true });
  assert.equal(made.is_lower_score_better, true);
  await client.createFeedbackConfig({ feedbackKey, feedbackConfig, isLowerScoreBetter: true });
  await assert.rejects(client.createFeedbackConfig({ feedbackKey, feedbackConfig: { type: "freeform" } }), /already exists/);
  await client.updateFeedbackConfig(feedbackKey, { isLowerScoreBetter: false });
  const [found] = await all(client.listFeedbackConfigs({ feedbackKeys: [feedbackKey] }));
  assert.equal(found.is_lower_score_better, false);
  await client.deleteFeedbackConfig(feedbackKey);
  assert.equal((await all(client.listFeedbackConfigs({ feedbackKeys: [feedbackKey] }))).length, 0);
  const dataset = await client.createDataset(named("formula"));
  const formula = await raw("POST", "/feedback/formulas", { dataset_id: dataset.id, feedback_key: "both", aggregation_type: "avg", formula_parts: [{ part_type: "weighted_key", weight: 1, key: "a" }] });
  assert.equal(formula.status, 200);
  assert.equal((await raw("GET", `/feedback/formulas?dataset_id=${dataset.id}`)).json.length, 1);
  assert.equal((await raw("DELETE", `/feedback/formulas/${formula.json.id}`)).status, 200);
});

test("synthetic examples are made after those of the dataset, shown or written, and meet its schema", async () => {
  const client = newClient();
  const dataset = await client.createDataset(named("synthetic"));
  assert.equal((await raw("POST", `/datasets/${dataset.id}/generate`, { num_examples: 2 })).status, 422, "nothing to go by");
  const example = await client.createExample({ dataset_id: dataset.id, inputs: { question: "Who?", n: 1 }, outputs: { answer: "She." } });
  const ask = (body) => raw("POST", `/datasets/${dataset.id}/generate`, { model: "simulated/sim-chat", example_ids: [example.id], ...body });
  const shown = await ask({ num_examples: 2, preview: true });
  assert.equal(shown.status, 200, JSON.stringify(shown.json));
  assert.equal(shown.json.length, 2);
  assert.equal((await client.readDataset({ datasetId: dataset.id })).example_count, 1, "a preview writes nothing");
  const { json: made } = await ask({ num_examples: 3 });
  assert.equal(made.length, 3);
  for (const m of made) {
    assert.deepEqual([typeof m.inputs.question, typeof m.inputs.n, typeof m.outputs.answer], ["string", "number", "string"]);
    assert.deepEqual([m.metadata.synthetic, m.metadata.synthetic_model], [true, "Simulated/sim-chat"]);
  }
  assert.equal((await client.readDataset({ datasetId: dataset.id })).example_count, 4);
  for (const body of [{ num_examples: 0 }, { num_examples: 51 }, {}, { num_examples: 1, model: "nobody/x" }]) {
    const { status, json } = await ask(body);
    assert.equal(status, 422, JSON.stringify(body));
    assert.ok(json.detail);
  }
});

test("annotation queues hold runs for review", async () => {
  const client = newClient();
  const queue = await client.createAnnotationQueue({ name: named("queue"), description: "d" });
  assert.equal(queue.rubric_instructions, undefined);
  assert.equal((await client.readAnnotationQueue(queue.id)).rubric_instructions, null);
  await client.updateAnnotationQueue(queue.id, { name: queue.name, description: "e", rubricInstructions: "be kind" });
  assert.equal((await client.readAnnotationQueue(queue.id)).rubric_instructions, "be kind");
  const ids = [randomUUID(), randomUUID()];
  for (const id of ids) await client.createRun({ id, name: `run ${id}`, run_type: "chain", inputs: {}, project_name: named("queued") });
  await client.awaitPendingTraceBatches();
  await client.addRunsToAnnotationQueue(queue.id, ids);
  await client.addRunsToAnnotationQueue(queue.id, ids);
  assert.equal((await client.getSizeFromAnnotationQueue(queue.id)).size, 2);
  const first = await client.getRunFromAnnotationQueue(queue.id, 0);
  assert.equal(first.id, ids[0]);
  await assert.rejects(client.getRunFromAnnotationQueue(queue.id, 2), /404|not found/i);
  assert.equal((await raw("POST", `/annotation-queues/status/${first.queue_run_id}`, { status: "completed" })).status, 200);
  assert.equal((await client.getSizeFromAnnotationQueue(queue.id)).size, 1);
  assert.deepEqual((await raw("GET", `/annotation-queues/${queue.id}/runs?status=completed`)).json.map((r) => r.id), [ids[0]]);
  await client.deleteRunFromAnnotationQueue(queue.id, ids[1]);
  assert.equal((await client.getSizeFromAnnotationQueue(queue.id)).size, 0);
  assert.ok((await all(client.listAnnotationQueues({ name: queue.name }))).length === 1);
  await client.deleteAnnotationQueue(queue.id);
  await assert.rejects(client.readAnnotationQueue(queue.id), /404|not found/i);
});

test("newer clients list datasets by cursor and change the metadata of many examples at once", async () => {
  const client = newClient();
  const prefix = named("cursor");
  const made = [];
  for (let i = 0; i < 3; i++) made.push(await client.createDataset(`${prefix} ${i}`));
  const v2 = async (query) => (await fetch(`${process.env.ASSAY_URL}/api/v2/datasets?${new URLSearchParams(query)}`, { headers: { "x-api-key": apiKey } })).json();
  const first = await v2({ name_contains: prefix, page_size: 2, sort_by: "name", sort_order: "asc" });
  const second = await v2({ name_contains: prefix, page_size: 2, sort_by: "name", sort_order: "asc", cursor: first.next_cursor });
  assert.deepEqual([...first.items, ...second.items].map((d) => d.id), made.map((d) => d.id));
  assert.equal(second.next_cursor, null);

  const dataset = made[0];
  await client.createExamples([1, 2].map((n) => ({ dataset_id: dataset.id, inputs: { n }, metadata: { keep: n, tags: ["a"] }, split: "train" })));
  const ids = (await all(client.listExamples({ datasetId: dataset.id }))).map((e) => e.id);
  const gone = randomUUID();
  const versions = async () => (await raw("GET", `/datasets/${dataset.id}/versions`)).json.length;
  const before = await versions();
  const answer = await raw("PATCH", `/platform/datasets/${dataset.id}/examples/metadata`, {
    example_ids: [...ids, gone],
    operations: [
      { key: "level", operation: "SET", value: { deep: 1 } },
      { key: "tags", operation: "ARRAY_ADD", values: ["b", "a"] },
      { key: "tags", operation: "ARRAY_REMOVE", values: ["a"] },
      { key: "dataset_split", operation: "ARRAY_ADD", values: ["gold"] },
    ],
  });
  assert.equal(answer.status, 207, JSON.stringify(answer.json));
  assert.deepEqual(answer.json.statuses.map((s) => s.status), ["UPDATED", "UPDATED", "NOT_FOUND"]);
  assert.equal(await versions(), before + 1);
  for (const e of await all(client.listExamples({ datasetId: dataset.id }))) assert.deepEqual(e.metadata, { keep: e.inputs.n, tags: ["b"], level: { deep: 1 }, dataset_split: ["train", "gold"] });
  for (const body of [{}, { example_ids: ids }, { example_ids: ids, operations: [{ key: "a", operation: "DROP" }] }, { example_ids: ids, operations: [{ key: "a", operation: "ARRAY_ADD", values: [] }] }]) assert.equal((await raw("PATCH", `/platform/datasets/${dataset.id}/examples/metadata`, body)).status, 422);
});
