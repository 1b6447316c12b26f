// What LangSmith's wire has no words for, beside experiments that the official client made: metrics over steps, artifacts, views of columns (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "langsmith";

const apiUrl = `${process.env.ASSAY_URL}/api/v1`;
const apiKey = process.env.ASSAY_KEY;
const client = new Client({ apiUrl, apiKey });
const call = async (method, path, body, headers = {}) => {
  const isJson = body !== undefined && !(body instanceof Uint8Array);
  const response = await fetch(`${apiUrl}${path}`, { method, headers: { "x-api-key": apiKey, ...(isJson && { "content-type": "application/json" }), ...headers }, body: isJson ? JSON.stringify(body) : body });
  const text = await response.text();
  return { status: response.status, json: text ? JSON.parse(text) : null };
};
const experiment = async () => {
  const dataset = await client.createDataset(`tracked ${randomUUID()}`);
  return { dataset, session: await client.createProject({ projectName: `tracked ${randomUUID()}`, referenceDatasetId: dataset.id, metadata: { model: "m", learning_rate: 0.1 } }) };
};

test("metrics are series: logged by step or in bulk, replaced by step, thinned, refused whole", async () => {
  const { session } = await experiment();
  const path = `/sessions/${session.id}/metrics`;
  for (let step = 0; step < 3; step++) assert.equal((await call("POST", path, { step, metrics: { loss: 1 / (step + 1), "acc/train": step } })).status, 200);
  assert.equal((await call("POST", path, { points: Array.from({ length: 1000 }, (_, step) => ({ key: "loss", step, value: step })) })).json.written, 1000);
  const read = (await call("GET", path)).json.series;
  assert.deepEqual(read.map((s) => [s.key, s.count]), [["acc/train", 3], ["loss", 1000]]);
  assert.deepEqual(read[1].points[2].value, 2, "a step that is written again has the new value");
  const thin = (await call("GET", `${path}?key=loss&max_points=5`)).json.series;
  assert.deepEqual(thin[0].points.map((p) => p.step), [0, 1, 998, 999], "the ends and the lowest and highest between");
  await call("POST", path, { points: [{ key: "loss", step: 500, value: -7 }, { key: "loss", step: 501, value: 1e6 }] });
  const peaks = (await call("GET", `${path}?key=loss&max_points=20`)).json.series[0].points;
  assert.ok(peaks.length <= 20);
  assert.ok(peaks.some((p) => p.value === -7) && peaks.some((p) => p.value === 1e6), "no peak is lost");
  const many = Array.from({ length: 205 }, (_, i) => ({ key: `m${String(i).padStart(3, "0")}`, step: 0, value: i }));
  await call("POST", path, { points: many });
  const bounded = (await call("GET", path)).json;
  assert.deepEqual([bounded.series.length, bounded.total_series], [200, 207]);
  assert.equal((await call("GET", `${path}?key=m204`)).json.series[0].points[0].value, 204);

  for (const body of [{}, { step: 1.5, metrics: { a: 1 } }, { metrics: { a: 1 } }, { step: 1, metrics: { a: "1" } }, { step: 1, metrics: { "": 1 } }, { points: [{ key: "b", step: 1, value: 1 }, { key: "b", step: 2 }] }, { points: 5 }, []]) {
    const { status, json } = await call("POST", path, body);
    assert.equal(status, 422, JSON.stringify(body));
    assert.ok(json.detail);
  }
  assert.equal((await call("GET", path)).json.total_series, 207, "nothing of a refused call is kept");
  assert.equal((await call("POST", `/sessions/${randomUUID()}/metrics`, { step: 1, metrics: { a: 1 } })).status, 404);
});

test("artifacts come back byte for byte, are replaced, listed, deleted, and go with their experiment", async () => {
  const { session } = await experiment();
  const path = `/sessions/${session.id}/artifacts`;
  const bytes = new Uint8Array(randomBytes(300_000));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const put = await call("PUT", `${path}/models/wörld%20one.bin`, bytes, { "content-type": "application/x-model" });
  assert.equal(put.status, 200, JSON.stringify(put.json));
  assert.deepEqual([put.json.name, put.json.size, put.json.sha256, put.json.content_type], ["models/wörld one.bin", 300_000, sha256, "application/x-model"]);
  await call("PUT", `${path}/report.html`, new TextEncoder().encode("<script>alert(1)</script>"), { "content-type": "text/html" });
  assert.deepEqual((await call("GET", path)).json.map((a) => a.name), ["models/wörld one.bin", "report.html"]);
  const back = await fetch(`${apiUrl}${path}/models/wörld%20one.bin`, { headers: { "x-api-key": apiKey } });
  assert.deepEqual(new Uint8Array(await back.arrayBuffer()), bytes);
  const page = await fetch(`${apiUrl}${path}/report.html`, { headers: { "x-api-key": apiKey } });
  assert.match(page.headers.get("content-security-policy"), /sandbox/);
  assert.match(page.headers.get("content-disposition"), /attachment/);
  await call("PUT", `${path}/report.html`, new TextEncoder().encode("second"));
  assert.equal(await (await fetch(`${apiUrl}${path}/report.html`, { headers: { "x-api-key": apiKey } })).text(), "second");
  assert.equal((await fetch(`${apiUrl}${path}/report.html`)).status, 401);
  assert.equal((await call("DELETE", `${path}/report.html`)).status, 200);
  assert.equal((await call("DELETE", `${path}/report.html`)).status, 404);
  assert.equal((await call("PUT", `/sessions/${randomUUID()}/artifacts/x`, bytes)).status, 404);
  await client.deleteProject({ projectId: session.id });
  assert.deepEqual((await call("GET", path)).json, []);
});

test("views of columns are kept per dataset", async () => {
  const { dataset } = await experiment();
  const path = `/datasets/${dataset.id}/experiment-view-overrides`;
  const made = await call("POST", path, { column_overrides: [{ column: "feedback.correct", precision: 2, color_map: { yes: "green" } }, { column: "latency", hide: true }] });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  assert.equal(made.json.dataset_id, dataset.id);
  assert.deepEqual((await call("GET", path)).json, [made.json]);
  const changed = await call("PATCH", `${path}/${made.json.id}`, { column_overrides: [{ column: "latency" }] });
  assert.deepEqual(changed.json.column_overrides, [{ column: "latency" }]);
  assert.deepEqual((await call("GET", `${path}/${made.json.id}`)).json, changed.json);
  for (const body of [{}, { column_overrides: [] }, { column_overrides: [{}] }, { column_overrides: [{ column: "a", precision: 9 }] }]) assert.equal((await call("POST", path, body)).status, 422);
  assert.equal((await call("DELETE", `${path}/${made.json.id}`)).status, 204);
  assert.equal((await call("GET", `${path}/${made.json.id}`)).status, 404);
});
