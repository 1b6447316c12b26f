// Instrumentations of Anthropic's package: OpenInference and Traceloop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as anthropic from "@anthropic-ai/sdk";
import { context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { AnthropicInstrumentation as OpenInference } from "@arizeai/openinference-instrumentation-anthropic";
import { AnthropicInstrumentation as Traceloop } from "@traceloop/instrumentation-anthropic";
import { assertTokens, headers, newProject, otlpHttp, readProject, text } from "./assay.js";
import { answerText, startModel } from "./model.js";

const tools = [{ name: "get_weather", description: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }];
let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

const instrumentations = {
  OpenInference: (provider) => { const i = new OpenInference({ tracerProvider: provider }); i.manuallyInstrument(anthropic.default); return i; },
  Traceloop: (provider) => { const i = new Traceloop(); i.setTracerProvider(provider); i.manuallyInstrument(anthropic); return i; },
};

for (const [name, instrument] of Object.entries(instrumentations)) {
  test(name, async () => {
    const project = newProject();
    const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${otlpHttp}/v1/traces`, headers }))] });
    provider.register();
    const instrumentation = instrument(provider);
    const client = new anthropic.default({ apiKey: "none", baseURL: model.anthropic, maxRetries: 0 });
    const ask = (more) => client.messages.create({ model: "claude-sonnet-4-5", max_tokens: 100, ...more });
    const asked = { role: "user", content: "Weather in Paris?" };
    await trace.getTracer("app").startActiveSpan("question", async (span) => {
      const first = await ask({ system: "Be brief.", messages: [asked], tools });
      await ask({ messages: [asked, { role: "assistant", content: first.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "18C" }] }], tools });
      for await (const event of await ask({ stream: true, messages: [{ role: "user", content: "And again?" }] })) assert.ok(event);
      await assert.rejects(ask({ model: "error-model", messages: [asked] }));
      await ask({ messages: [{ role: "user", content: "a long one" }] });
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
    for (const call of calls) assert.equal(call.parent_run_id, read.roots[0].id);
    const [asking, answering, streamed, refused, long] = calls;
    for (const call of [asking, answering, streamed]) assertTokens(call);
    assert.deepEqual(asking.inputs.messages.map((m) => m.role), ["system", "user"]);
    assert.equal(asking.inputs.messages[0].content, "Be brief.");
    const [called] = asking.outputs.messages.flatMap((m) => m.tool_calls ?? []);
    assert.equal(called.function.name, "get_weather");
    assert.deepEqual(JSON.parse(called.function.arguments), { city: "Paris" });
    const result = answering.inputs.messages.find((m) => m.role === "tool");
    assert.equal(result.tool_call_id, called.id);
    assert.match(text(result.content), /18C/);
    assert.match(text(answering.outputs), new RegExp(answerText));
    assert.match(text(streamed.outputs), new RegExp(answerText));
    assert.equal(asking.extra.metadata.ls_provider, "anthropic");
    assert.equal(asking.extra.metadata.ls_model_name, "claude-sonnet-4-5");
    assert.equal(refused.status, "error");
    assert.match(refused.error, /not available/);
    assertTokens(long, 116);
  });
}
