// Projects and errors with the official JavaScript SDK, unmodified.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { all, apiKey, apiUrl, newClient, project, sendTree } from "./server.js";

test("a project has its figures", async () => {
  const client = newClient();
  const projectName = project();
  await sendTree(client, projectName);
  const found = await client.readProject({ projectName, includeStats: true });
  assert.equal(found.run_count, 1);
  assert.equal(found.total_tokens, 120);
  assert.equal(typeof found.latency_p50, "number");
  assert.equal(found.error_rate, 0);
  assert.ok("reference_dataset_id" in found);
  assert.ok("feedback_stats" in found && "session_feedback_stats" in found && "run_facets" in found);
  assert.ok(Math.abs(Date.parse(found.start_time) - Date.now()) < 3_600_000, "start_time names its zone");
  const byId = await client.readProject({ projectId: found.id });
  assert.equal(byId.name, projectName);
});

test("projects are listed by name, part of a name and metadata, in pages", async () => {
  const client = newClient();
  const stem = `list-${randomUUID()}`;
  for (let i = 0; i < 3; i++) await client.createProject({ projectName: `${stem}-${i}`, metadata: { i, team: stem } });
  assert.equal((await all(client.listProjects({ nameContains: stem }))).length, 3);
  assert.deepEqual((await all(client.listProjects({ name: `${stem}-1` }))).map((p) => p.name), [`${stem}-1`]);
  assert.equal((await all(client.listProjects({ metadata: { team: stem, i: 2 } }))).length, 1);
  assert.equal((await all(client.listProjects({ referenceFree: true, nameContains: stem }))).length, 3);
  assert.equal((await all(client.listProjects({ datasetVersion: "none", nameContains: stem }))).length, 0);
});

test("create with upsert takes the project that is there; without, it is a conflict", async () => {
  const client = newClient();
  const projectName = project();
  const made = await client.createProject({ projectName, description: "first", metadata: { a: 1 } });
  const again = await client.createProject({ projectName, upsert: true, description: "second" });
  assert.equal(again.id, made.id);
  await assert.rejects(client.createProject({ projectName }), (e) => e.name === "LangSmithConflictError" || /409|already exists/.test(e.message));
});

test("an update leaves what it does not name", async () => {
  const client = newClient();
  const projectName = project();
  const made = await client.createProject({ projectName, description: "kept", metadata: { a: 1 } });
  const renamed = `${projectName}-renamed`;
  await client.updateProject(made.id, { name: renamed, endTime: "2026-02-01T00:00:00Z" });
  const found = await client.readProject({ projectName: renamed });
  assert.equal(found.description, "kept");
  assert.equal(found.extra.metadata.a, 1);
  assert.equal(Date.parse(found.end_time), Date.parse("2026-02-01T00:00:00Z"));
  assert.equal(await client.hasProject({ projectName }), false);
});

test("a deleted project takes its runs with it and may be made again", async () => {
  const client = newClient();
  const projectName = project();
  const { root } = await sendTree(client, projectName);
  await client.deleteProject({ projectName });
  await assert.rejects(client.readRun(root.id), /404|not found/i);
  await sendTree(client, projectName, { name: "new life" });
  assert.deepEqual((await all(client.listRuns({ projectName, isRoot: true }))).map((r) => r.name), ["new life"]);
});

test("addresses of pages lead to this server's pages", async () => {
  const client = newClient();
  const projectName = project();
  const { root } = await sendTree(client, projectName);
  const { id } = await client.readProject({ projectName });
  assert.match(await client.getProjectUrl({ projectName }), new RegExp(`/o/[0-9a-f-]{36}/projects/p/${id}`));
  const url = new URL(await client.getRunUrl({ runId: root.id }));
  const response = await fetch(process.env.ASSAY_URL + url.pathname + url.search, { headers: { "x-api-key": apiKey }, redirect: "manual" });
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("location"), `/projects/${id}/traces/${root.id}?run=${root.id}`);
});

test("errors have LangSmith's shape and status", async () => {
  const ask = async (method, path, body, headers = { "x-api-key": apiKey }) => {
    const response = await fetch(apiUrl + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  };
  const unknown = randomUUID();
  for (const [status, method, path, body, headers] of [
    [401, "GET", `/runs/${unknown}`, undefined, {}],
    [401, "GET", `/runs/${unknown}`, undefined, { "x-api-key": "wrong" }],
    [403, "GET", "/sessions", undefined, { "x-api-key": apiKey, "X-Tenant-Id": unknown }],
    [404, "GET", `/runs/${unknown}`],
    [404, "PUT", `/runs/${unknown}/share`, {}],
    [404, "GET", `/sessions/${unknown}`],
    [404, "PATCH", `/sessions/${unknown}`, {}],
    [404, "DELETE", `/sessions/${unknown}`],
    [404, "DELETE", `/runs/${unknown}`],
    [404, "GET", `/feedback/${unknown}`],
    [404, "GET", "/no/such/route"],
    [404, "GET", "/runs/not-a-uuid"],
    [405, "PUT", "/runs/query", {}],
    [422, "POST", "/runs", { id: unknown, name: "x", run_type: "nonsense" }],
    [422, "POST", "/runs/query", {}],
    [422, "POST", "/runs/query", { session: ["x"] }],
    [422, "POST", "/runs/query", []],
    [400, "POST", "/runs/query", { session: [unknown], filter: "eq(name" }],
    [422, "POST", "/sessions", { name: "" }],
    [422, "POST", "/sessions", { name: "x", id: "no" }],
    [422, "GET", "/sessions?metadata=%7B"],
    [422, "GET", "/sessions?id=x"],
    [422, "POST", "/runs/group", { group_by: "conversation" }],
  ]) {
    const [got, answer] = await ask(method, path, body, headers);
    assert.equal(got, status, `${method} ${path}: ${JSON.stringify(answer)}`);
    assert.ok(answer?.detail, `${method} ${path} says why`);
  }
  assert.deepEqual(await ask("GET", `/runs/${unknown}/share`), [200, null]);
});

test("the secret of another workspace's key opens nothing here", async () => {
  const client = newClient({ apiKey: `lsv2_pt_${randomUUID()}` });
  await assert.rejects(all(client.listProjects()), /401|API key/);
});

test("newer clients list projects by cursor, type and figures, and resolve experiments and evaluators", async () => {
  const client = newClient();
  const mark = `v2-${randomUUID()}`;
  for (const name of ["a", "b", "c"]) await sendTree(client, `${mark}-${name}`, { name });
  const dataset = await client.createDataset(`${mark}-data`);
  const experiment = await client.createProject({ projectName: `${mark}-experiment`, referenceDatasetId: dataset.id });
  const names = async (query) => (await all(client.sessions.listV2({ name_contains: mark, ...query }))).map((s) => s.name.slice(mark.length + 1));
  assert.deepEqual(await names({ page_size: 1, sort_by: "NAME", sort_order: "asc" }), ["a", "b", "c", "experiment"]);
  assert.deepEqual(await names({ type: ["EXPERIMENT"] }), ["experiment"]);
  assert.deepEqual(await names({ type: ["PROJECT", "AGENT"], sort_by: "NAME" }), ["c", "b", "a"]);
  assert.deepEqual(await names({ reference_dataset_id: [dataset.id] }), ["experiment"]);
  assert.deepEqual((await names({ name: `${mark}-b`, id: undefined })), ["b"]);
  const [counted] = await all(client.sessions.listV2({ name: `${mark}-a`, include_stats: true }));
  assert.deepEqual([counted.type, counted.trace_tier, counted.run_count, counted.total_tokens, counted.error_rate], ["PROJECT", "LONG_LIVED", 1, 120, 0]);
  assert.equal(typeof (counted.total_cost ?? 0), "number");
  const [plain] = await all(client.sessions.listV2({ name: `${mark}-a` }));
  assert.equal(plain.run_count, undefined);
  assert.equal((await client.sessions.resolve({ kind: "EXPERIMENT", id: experiment.id })).session_id, experiment.id);
  await assert.rejects(client.sessions.resolve({ kind: "AGENT", id: "nobody", environment: "PRODUCTION" }), { status: 404 });
  await assert.rejects(client.sessions.resolve({ kind: "EXPERIMENT", id: "no" }), { status: 422 });
  await assert.rejects(all(client.sessions.listV2({ sort_by: "FEEDBACK" })), { status: 422 });
  await assert.rejects(all(client.sessions.listV2({ cursor: "x" })), { status: 400 });
});
