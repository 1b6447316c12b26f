// Instrumentations of the openai package: OpenInference and Traceloop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { OpenAIInstrumentation as OpenInference } from "@arizeai/openinference-instrumentation-openai";
import { OpenAIInstrumentation as Traceloop } from "@traceloop/instrumentation-openai";
import { assertTokens, headers, newProject, otlpHttp, readProject, text } from "./assay.js";
import { answerText, startModel } from "./model.js";

const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

const instrumentations = {
  OpenInference: (provider) => { const i = new OpenInference({ tracerProvider: provider }); i.manuallyInstrument(OpenAI); return i; },
  Traceloop: (provider) => { const i = new Traceloop({ enrichTokens: false }); i.setTracerProvider(provider); i.manuallyInstrument(OpenAI); return i; },
};

for (const [name, instrument] of Object.entries(instrumentations)) {
  test(name, async () => {
    const project = newProject();
    const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${otlpHttp}/v1/traces`, headers }))] });
    provider.register();
    const instrumentation = instrument(provider);
    const client = new OpenAI({ apiKey: "none", baseURL: model.url, maxRetries: 0 });
    const tracer = trace.getTracer("app");
    await tracer.startActiveSpan("question", async (span) => {
      await client.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Weather in Paris?" }], tools });
      const stream = await client.chat.completions.create({ model: "gpt-4o-mini", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "And again?" }] });
      for await (const part of stream) assert.ok(part);
      span.end();
    });
    await provider.forceFlush();
    await provider.shutdown();
    instrumentation.disable();
    trace.disable();
    context.disable();
    const read = await readProject(project);
    assert.deepEqual(read.roots.map((r) => r.name), ["question"]);
    const calls = read.ofType("llm");
    assert.equal(calls.length, 2);
    for (const call of calls) assert.equal(call.parent_run_id, read.roots[0].id);
    const [tool, streamed] = calls;
    assertTokens(tool);
    assert.deepEqual(tool.inputs.messages.map((m) => m.role), ["system", "user"]);
    assert.match(text(tool.inputs), /Weather in Paris\?/);
    assert.match(text(tool.outputs), /get_weather/);
    assert.match(text(streamed.outputs), new RegExp(answerText));
    assert.equal(tool.status, "success");
  });
}
