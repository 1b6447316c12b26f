// OpenLIT's SDK with its own exporters.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as openai from "openai";
import { trace } from "@opentelemetry/api";
import Openlit from "openlit";
import { assertTokens, headers, newProject, otlpHttp, readProject, text } from "./assay.js";
import { answerText, startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("calls with cost, streamed and refused ones", async () => {
  const project = newProject();
  const sdk = Openlit.default ?? Openlit;
  // Prices at hand, so that it asks nobody for them.
  sdk.init({ otlpEndpoint: otlpHttp, otlpHeaders: headers, applicationName: project, environment: "test", disableBatch: true, disableMetrics: true, pricingJson: { chat: { "gpt-4o-mini": { promptPrice: 0.15, completionPrice: 0.6 } } }, instrumentations: { openai } });
  const client = new openai.OpenAI({ apiKey: "none", baseURL: model.url, maxRetries: 0 });
  const ask = (more) => client.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Weather in Paris?" }], ...more });
  await trace.getTracer("app").startActiveSpan("question", async (span) => {
    await ask({ tools: [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }] });
    for await (const part of await ask({ stream: true, stream_options: { include_usage: true } })) assert.ok(part);
    await assert.rejects(ask({ model: "error-model" }));
    span.end();
  });
  const provider = trace.getTracerProvider();
  await (provider.getDelegate?.() ?? provider).forceFlush();
  const read = await readProject(project);
  assert.deepEqual(read.roots.map((r) => r.name), ["question"]);
  // Its spans start at whole milliseconds, so that their order says nothing.
  const calls = read.ofType("llm");
  assert.equal(calls.length, 3);
  const asking = calls.find((r) => text(r.outputs).includes("get_weather")) ?? assert.fail(`no call of a tool among ${text(calls.map((r) => r.outputs))}`);
  const refused = calls.find((r) => r.status === "error") ?? assert.fail("no refused call");
  const streamed = calls.find((r) => r !== asking && r !== refused);
  for (const call of [asking, streamed]) assert.equal(call.parent_run_id, read.roots[0].id);
  assertTokens(asking);
  assert.deepEqual(asking.inputs.messages.map((m) => [m.role, m.content]), [["system", "Be brief."], ["user", "Weather in Paris?"]]);
  assert.match(text(streamed.outputs), new RegExp(answerText));
  assert.equal(asking.extra.metadata.environment, "test");
  assert.equal(refused.status, "error");
  assert.match(refused.error, /not available/);
});
