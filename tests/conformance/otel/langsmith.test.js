// The langsmith package in its OpenTelemetry mode.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertTokens, key, newProject, readProject, text, url } from "./assay.js";
import { answerText, startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("traceable functions around a wrapped client", async () => {
  const project = newProject();
  Object.assign(process.env, { LANGSMITH_TRACING: "true", LANGSMITH_OTEL_ENABLED: "true", LANGSMITH_ENDPOINT: `${url}/api/v1`, LANGSMITH_API_KEY: key, LANGSMITH_PROJECT: project, OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/otel/v1/traces` });
  const { initializeOTEL } = await import("langsmith/experimental/otel/setup");
  const { DEFAULT_LANGSMITH_SPAN_PROCESSOR } = initializeOTEL();
  const { traceable } = await import("langsmith/traceable");
  const { wrapOpenAI } = await import("langsmith/wrappers");
  const { default: OpenAI } = await import("openai");
  const client = wrapOpenAI(new OpenAI({ apiKey: "none", baseURL: model.url, maxRetries: 0 }));
  const weather = traceable(async (city) => `18C in ${city}`, { name: "get_weather", run_type: "tool" });
  const agent = traceable(async (question) => {
    const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "user", content: question }] });
    await weather("Paris");
    await assert.rejects(client.chat.completions.create({ model: "error-model", messages: [{ role: "user", content: "no" }] }));
    return answer.choices[0].message.content;
  }, { name: "agent", tags: ["demo"], metadata: { session_id: "thread-3" } });
  await agent("Weather in Paris?");
  await DEFAULT_LANGSMITH_SPAN_PROCESSOR.forceFlush();
  await DEFAULT_LANGSMITH_SPAN_PROCESSOR.shutdown();
  const read = await readProject(project);
  assert.deepEqual(read.roots.map((r) => r.name), ["agent"]);
  const [root] = read.roots;
  assert.deepEqual(root.tags, ["demo"]);
  assert.match(text(root.outputs), new RegExp(answerText));
  assert.equal(root.children.length, 3);
  const [asked, refused] = read.ofType("llm");
  assertTokens(asked);
  assert.match(text(asked.inputs), /Weather in Paris\?/);
  assert.equal(refused.status, "error");
  assert.match(text(read.named("get_weather").outputs), /18C in Paris/);
});
