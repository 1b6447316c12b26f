// Every operator and field of docs/filters.md through listRuns of the official JavaScript SDK, unmodified: one data set, one table.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { RunTree } from "langsmith";
import { all, newClient, project } from "./server.js";

const client = newClient();
const projectName = project();
const at = (second) => Date.parse("2026-02-03T10:00:00Z") + second * 1000;
const ids = {};

const run = async (parent, key, fields, end) => {
  const made = parent ? parent.createChild({ name: key, ...fields }) : new RunTree({ name: key, project_name: projectName, client, tracingEnabled: true, ...fields });
  ids[key] = made.id;
  await made.postRun();
  if (end) {
    await made.end(end.outputs, end.error, at(end.second));
    await made.patchRun();
  }
  return made;
};

before(async () => {
  const agent = await run(null, "agent", { run_type: "chain", start_time: at(0), tags: ["prod", "eu"], inputs: { question: "What is the refund policy?", user: { name: "Ada" }, list: [{ id: 7 }, { id: 8 }] }, metadata: { customer: "acme", turn: 2, thread_id: "thread-1", nested: { a: [1, "x"] } } }, { outputs: { answer: "Thirty days", score: 0.5 }, second: 8 });
  const model = await run(agent, "model", { run_type: "llm", start_time: at(1), inputs: { messages: [{ role: "user", content: "hello there" }] }, metadata: { ls_model_name: "gpt-x", ls_provider: "openai" } });
  model.addEvent({ name: "new_token", time: new Date(at(1) + 500).toISOString(), kwargs: { token: "a" } });
  await model.end({ usage_metadata: { input_tokens: 100, output_tokens: 20, total_tokens: 120, input_cost: 0.001, output_cost: 0.002, total_cost: 0.003 } }, undefined, at(4));
  await model.patchRun();
  await run(agent, "tool", { run_type: "tool", start_time: at(5), inputs: { city: "Paris" } }, { error: "Timeout: no such city", second: 6 });
  await run(null, "batch", { run_type: "chain", start_time: at(60), tags: ["eu"], inputs: { question: "invoice" }, metadata: { customer: "initech", turn: 10 } }, { outputs: { answer: "yes" }, second: 61 });
  await run(null, "open", { run_type: "chain", start_time: at(120), inputs: {} });
  await client.awaitPendingTraceBatches();
  await client.createFeedback(ids.agent, "correctness", { score: 0.25, value: "poor", comment: "not quite right", feedbackSourceType: "model" });
  await client.createFeedback(ids.batch, "correctness", { score: 1 });
});

const roots = ["agent", "batch", "open"];
const everything = ["agent", "model", "tool", "batch", "open"];

// Children of a run tree inherit its metadata. [what is asked, which runs answer]; a text is `filter`.
const table = [
  ['and(eq(run_type, "chain"), neq(name, "open"))', ["agent", "batch"]],
  ['or(eq(name, "tool"), eq(name, "model"))', ["tool", "model"]],
  ['not(eq(run_type, "chain"))', ["tool", "model"]],
  ["eq(is_root, true)", roots],
  ["neq(is_root, true)", ["model", "tool"]],
  ["eq(error, null)", ["agent", "model", "batch", "open"]],
  ["neq(error, null)", ["tool"]],
  ['gt(name, "model")', ["open", "tool"]],
  ['in(name, ["agent", "tool", "nobody"])', ["agent", "tool"]],
  ["in(thread_id, [null])", ["batch", "open"]],
  ['like(name, "%o%l%")', ["model", "tool"]],
  ['nlike(name, "%o%")', ["agent", "batch"]],
  ['contains(error, "no such")', ["tool"]],
  ['like(run_type, "ch%")', roots],
  ['has(tags, "prod")', ["agent"]],
  ['has(metadata, \'{"customer": "acme"}\')', ["agent", "model", "tool"]],
  ['has(metadata, \'{"nested": {"a": [1, "x"]}}\')', ["agent", "model", "tool"]],
  ['exists(metadata, "turn")', ["agent", "model", "tool", "batch"]],
  ['exists(inputs, "city")', ["tool"]],
  ['exists(outputs, "score")', ["agent"]],
  ['exists(feedback, "correctness")', ["agent", "batch"]],
  ['search("refund policy")', ["agent"]],
  ['search("policy refund")', ["agent"]],
  ['search(inputs, "invoice")', ["batch"]],
  ['search(outputs, "thirty")', ["agent"]],
  ['search(name, "tool")', ["tool"]],
  ['search(error, "timeout")', ["tool"]],
  [() => `eq(id, "${ids.tool}")`, ["tool"]],
  [() => `eq(trace_id, "${ids.agent}")`, ["agent", "model", "tool"]],
  [() => `eq(parent_run_id, "${ids.agent}")`, ["model", "tool"]],
  ["eq(reference_example_id, null)", everything],
  ['eq(status, "error")', ["tool"]],
  ['eq(status, "pending")', ["open"]],
  ['in(status, ["success", "pending"])', ["agent", "model", "batch", "open"]],
  ['eq(thread_id, "thread-1")', ["agent", "model", "tool"]],
  ['eq(model, "gpt-x")', ["model"]],
  ['eq(provider, "openai")', ["model"]],
  ['gte(start_time, "2026-02-03T10:01:00Z")', ["batch", "open"]],
  ['lt(end_time, "2026-02-03T10:00:05Z")', ["model"]],
  ["neq(first_token_time, null)", ["model"]],
  ["gt(latency, 5)", ["agent"]],
  ['gt(latency, "5s")', ["agent"]],
  ['lte(latency, "1000ms")', ["tool", "batch"]],
  ['lt(first_token_latency, "1m")', ["model"]],
  ["gte(total_tokens, 120)", ["agent", "model"]],
  ["eq(prompt_tokens, 100)", ["agent", "model"]],
  ["gt(completion_tokens, 19)", ["agent", "model"]],
  ["gt(total_cost, 0.0029)", ["agent", "model"]],
  ["eq(prompt_cost, 0.001)", ["agent", "model"]],
  ["gte(completion_cost, 0.002)", ["agent", "model"]],
  ["eq(execution_order, 1)", roots],
  ["gt(execution_order, 1)", ["model", "tool"]],
  ['and(eq(metadata_key, "customer"), eq(metadata_value, "acme"))', ["agent", "model", "tool"]],
  ['and(eq(metadata_key, "customer"), neq(metadata_value, "acme"))', ["batch"]],
  ['and(eq(metadata_key, "turn"), gt(metadata_value, 5))', ["batch"]],
  ['and(eq(metadata_key, "customer"), eq(metadata_value, "acme"), eq(metadata_key, "turn"), eq(metadata_value, "2"))', ["agent", "model", "tool"]],
  ['and(eq(metadata_key, "customer"), eq(metadata_value, "acme"), eq(metadata_key, "turn"), eq(metadata_value, "10"))', []],
  ['neq(metadata_key, "customer")', ["open"]],
  ['eq(metadata.customer, "initech")', ["batch"]],
  ["eq(metadata.customer, null)", ["open"]],
  ['and(eq(input_key, "question"), like(input_value, "%refund%"))', ["agent"]],
  ['and(eq(input_key, "list.id"), eq(input_value, "8"))', ["agent"]],
  ['eq(inputs.user.name, "Ada")', ["agent"]],
  ['and(eq(output_key, "answer"), eq(output_value, "yes"))', ["batch"]],
  ['contains(outputs.answer, "thirty")', ["agent"]],
  ['and(eq(feedback_key, "correctness"), lt(feedback_score, 0.5))', ["agent"]],
  ['and(eq(feedback_key, "correctness"), gte(feedback_score, 1))', ["batch"]],
  ['eq(feedback_value, "poor")', ["agent"]],
  ['contains(feedback_comment, "quite")', ["agent"]],
  ['eq(feedback_source, "model")', ["agent"]],
  [{ traceFilter: 'eq(name, "agent")' }, ["agent", "model", "tool"]],
  [{ traceFilter: 'and(eq(feedback_key, "correctness"), gte(feedback_score, 1))' }, ["batch"]],
  [{ treeFilter: 'eq(status, "error")' }, ["agent", "model", "tool"]],
  [{ filter: 'eq(run_type, "llm")', traceFilter: 'has(tags, "prod")', treeFilter: 'eq(name, "tool")' }, ["model"]],
  [{ filter: 'eq(run_type, "llm")', traceFilter: 'has(tags, "prod")', treeFilter: 'eq(name, "nobody")' }, []],
  [{ treeFilter: 'gt(total_tokens, 100)', isRoot: true }, ["agent"]],
  [{ query: "refund policy" }, ["agent"]],
];

for (const [asked, answer] of table) {
  const title = typeof asked === "function" ? asked.toString() : JSON.stringify(asked);
  test(`listRuns ${title}`, async () => {
    const question = typeof asked === "function" ? { filter: asked() } : typeof asked === "string" ? { filter: asked } : asked;
    const found = await all(client.listRuns({ projectName, ...question }));
    assert.deepEqual(found.map((r) => r.name).sort(), [...answer].sort());
  });
}

for (const [filter, message] of [["eq(metadata_kee, 1)", /metadata_key/], ["eq(name", /ends too early|Expected/], ['gt(status, "error")', /no order/], ["eq(latency, soon)", /duration/]]) {
  test(`listRuns refuses ${filter}`, () => assert.rejects(all(client.listRuns({ projectName, filter })), (e) => message.test(e.message) && /400/.test(`${e.status} ${e.message}`)));
}
