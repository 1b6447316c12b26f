// OpenTelemetry's own instrumentation of openai: messages as log records on a route of their own.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { metrics, trace } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { OpenAIInstrumentation } from "@opentelemetry/instrumentation-openai";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { assertTokens, headers, newProject, otlpHttp, readProject, text } from "./assay.js";
import { answerText, startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("messages in log records join their spans", async () => {
  const project = newProject();
  const resource = resourceFromAttributes({ "service.name": project });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${otlpHttp}/v1/traces`, headers }))] });
  provider.register();
  const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${otlpHttp}/v1/logs`, headers }) })] });
  const instrumentation = new OpenAIInstrumentation({ captureMessageContent: true });
  instrumentation.setTracerProvider(provider);
  instrumentation.setLoggerProvider(logs);
  instrumentation.setMeterProvider(metrics.getMeterProvider());
  // It hooks into require, not into import.
  const OpenAI = createRequire(import.meta.url)("openai");
  const client = new OpenAI({ apiKey: "none", baseURL: model.url, maxRetries: 0 });
  const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
  await trace.getTracer("app").startActiveSpan("question", async (span) => {
    await client.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Weather in Paris?" }], tools });
    const stream = await client.chat.completions.create({ model: "gpt-4o-mini", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "And again?" }] });
    for await (const part of stream) assert.ok(part);
    await client.embeddings.create({ model: "text-embedding-3-small", input: "Paris" });
    await assert.rejects(client.chat.completions.create({ model: "error-model", messages: [{ role: "user", content: "no" }] }));
    span.end();
  });
  await provider.forceFlush();
  await logs.forceFlush();
  await provider.shutdown();
  await logs.shutdown();
  const read = await readProject(project);
  assert.deepEqual(read.roots.map((r) => r.name), ["question"]);
  const [asking, streamed, refused] = read.ofType("llm");
  for (const call of [asking, streamed]) assertTokens(call);
  assert.deepEqual(asking.inputs.messages.map((m) => [m.role, m.content]), [["system", "Be brief."], ["user", "Weather in Paris?"]]);
  assert.match(text(asking.outputs), /get_weather/);
  assert.match(text(streamed.outputs), new RegExp(answerText));
  const [embedded] = read.ofType("embedding");
  assert.equal(embedded.prompt_tokens, 5);
  assert.equal(refused.status, "error");
  assert.match(refused.error, /not available/);
});
