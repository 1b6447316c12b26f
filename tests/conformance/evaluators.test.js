// Evaluators through the generated client of the official package, with a structured prompt of LangChain as the judge.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { StructuredPrompt } from "@langchain/core/prompts";
import { all, newClient } from "./server.js";

const client = newClient();
const evaluators = client.evaluators ?? client.onlineEvaluators;
const named = (what) => `${what}-${randomUUID().slice(0, 8)}`;
const isStatus = (status) => (error) => error.status === status;

const judge = async (key) => {
  const handle = named("judge");
  const prompt = StructuredPrompt.fromMessagesAndSchema([["system", "Judge politeness."], ["human", "{question} {answer}"]], { title: "grade", description: "a grade", type: "object", properties: { comment: { type: "string" }, [key]: { type: "boolean" } } });
  await client.pushPrompt(handle, { object: prompt });
  return handle;
};

test("a judge is made of a prompt, listed, changed and deleted", async () => {
  const key = named("polite").replaceAll("-", "_");
  const handle = await judge(key);
  const name = named("Politeness");
  const { evaluator } = await evaluators.create({ name, type: "llm", llm_evaluator: { prompt_repo_handle: handle, variable_mapping: { question: "input.question", answer: "output.answer" } } });
  assert.equal(evaluator.type, "llm");
  assert.deepEqual(evaluator.feedback_keys, [key]);
  assert.equal(evaluator.llm_evaluator.prompt_repo_handle, handle);
  assert.deepEqual(evaluator.llm_evaluator.variable_mapping, { question: "inputs.question", answer: "outputs.answer" });
  assert.equal((await evaluators.retrieve(evaluator.id)).name, name);
  const listed = await all(evaluators.list({ name_contains: name, type: "llm" }));
  assert.deepEqual(listed.map((e) => e.id), [evaluator.id]);
  const changed = await evaluators.update(evaluator.id, { name: `${name}!`, llm_evaluator: { variable_mapping: { question: "input" } } });
  assert.equal(changed.evaluator.name, `${name}!`);
  await assert.rejects(evaluators.create({ name: named("other"), type: "llm", llm_evaluator: { prompt_repo_handle: handle } }), isStatus(409));
  await evaluators.delete(evaluator.id);
  await assert.rejects(evaluators.retrieve(evaluator.id), isStatus(404));
});

test("several are deleted at once, and what is not there is told", async () => {
  const made = [];
  for (let i = 0; i < 2; i++) made.push((await evaluators.create({ name: named("many"), type: "llm", llm_evaluator: { prompt_repo_handle: await judge(named("k").replaceAll("-", "_")) } })).evaluator.id);
  const unknown = randomUUID();
  const { succeeded, failed } = await evaluators.bulkDelete({ evaluator_ids: [...made, unknown] });
  assert.deepEqual(new Set(succeeded), new Set(made));
  assert.deepEqual(failed.map((f) => f.id), [unknown]);
});

test("what cannot run here is refused with the field", async () => {
  await assert.rejects(evaluators.create({ name: named("py"), type: "code", code_evaluator: { code: "def f(run): return 1", language: "python" } }), (e) => e.status === 422 && /javascript/.test(e.message));
  // The platform's own words for an error, beside those of the rest.
  await assert.rejects(evaluators.retrieve(randomUUID()), (e) => e.status === 404 && e.error.error === e.error.detail && /not found/.test(e.error.error));
  await assert.rejects(evaluators.create({ name: named("none"), type: "llm", llm_evaluator: { prompt_repo_handle: "no-such-prompt" } }), isStatus(404));
});

test("evaluators are found by their metadata, which is kept, changed and taken away", async () => {
  const team = randomUUID();
  const make = async (name, metadata) => (await evaluators.create({ name: `${name} ${team}`, type: "code", metadata, code_evaluator: { code: "function performEval() { return { score: 1 } }", language: "javascript" } })).evaluator;
  const one = await make("one", { team, level: { a: 1 } });
  const two = await make("two", { team });
  assert.deepEqual(one.metadata, { team, level: { a: 1 } });
  const found = async (metadata) => (await all(evaluators.list({ metadata: JSON.stringify(metadata) }))).map((e) => e.name.split(" ")[0]).sort();
  assert.deepEqual(await found({ team }), ["one", "two"]);
  assert.deepEqual(await found({ team, level: { a: 1 } }), ["one"]);
  await evaluators.update(two.id, { name: `three ${team}` });
  assert.deepEqual(await found({ team }), ["one", "three"]);
  await evaluators.update(one.id, { metadata: null });
  assert.deepEqual(await found({ team }), ["three"]);
  await assert.rejects(all(evaluators.list({ metadata: "[" })), /metadata/);
});
