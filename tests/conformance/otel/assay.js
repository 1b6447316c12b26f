// The server under test (ASSAY_URL, ASSAY_KEY, ASSAY_OTLP_HTTP, ASSAY_OTLP_GRPC) and how to read a project back through its API.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const url = process.env.ASSAY_URL;
export const key = process.env.ASSAY_KEY;
export const otlpHttp = process.env.ASSAY_OTLP_HTTP;
export const otlpGrpc = process.env.ASSAY_OTLP_GRPC;
export const headers = { "x-api-key": key };
export const newProject = () => `otel-${randomUUID()}`;

const api = async (path, body) => {
  const response = await fetch(`${url}/api/v1${path}`, { method: body ? "POST" : "GET", headers: { ...headers, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
};

/** All runs of a project by start, each with its `children`; the roots come first in `roots`. */
export const readProject = async (name) => {
  const [session] = await api(`/sessions?name=${encodeURIComponent(name)}`);
  assert.ok(session, `there is no project ${name}`);
  const { runs } = await api("/runs/query", { session: [session.id], limit: 100 });
  const at = (run) => run.start_time + run.dotted_order;
  runs.sort((a, b) => (at(a) < at(b) ? -1 : 1));
  for (const run of runs) run.children = runs.filter((r) => r.parent_run_id === run.id);
  return { runs, roots: runs.filter((r) => !runs.some((p) => p.id === r.parent_run_id)), named: (n) => runs.find((r) => r.name === n) ?? assert.fail(`no run ${n} among ${runs.map((r) => r.name)}`), ofType: (t) => runs.filter((r) => r.run_type === t) };
};

/** The text of a run's inputs or outputs, for a look whether something was said at all. */
export const text = (value) => JSON.stringify(value);

export const assertTokens = (run, prompt = 24, completion = 9) => {
  assert.equal(run.prompt_tokens, prompt, `prompt tokens of ${run.name}`);
  assert.equal(run.completion_tokens, completion, `completion tokens of ${run.name}`);
};
