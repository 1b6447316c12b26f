// Datasets, examples and experiments with the official JavaScript SDK, unmodified (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "langsmith";

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
