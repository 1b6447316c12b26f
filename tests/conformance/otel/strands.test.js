// Strands' agents, which carry messages as span events.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Agent, tool } from "@strands-agents/sdk";
import { OpenAIModel } from "@strands-agents/sdk/models/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { z } from "zod";
import { assertTokens, headers, newProject, otlpHttp, readProject, text } from "./assay.js";
import { answerText, startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("an agent with a tool, and one that fails", async () => {
  const project = newProject();
  const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlpHttp}/v1/traces`, headers }))] });
  provider.register();
  const weather = tool({ name: "get_weather", description: "weather", inputSchema: z.object({ city: z.string() }), callback: ({ city }) => `18C in ${city}` });
  const agentOf = (modelId) => new Agent({ name: "WeatherAgent", model: new OpenAIModel({ api: "chat", modelId, apiKey: "none", clientConfig: { baseURL: model.url, maxRetries: 0 } }), tools: [weather], systemPrompt: "Be brief.", printer: false, traceAttributes: { "session.id": "thread-3", "user.id": "ada" } });
  await agentOf("gpt-4o-mini").invoke("Weather in Paris?");
  await assert.rejects(agentOf("error-model").invoke("Weather in Oslo?"));
  await provider.forceFlush();
  await provider.shutdown();
  const read = await readProject(project);
  assert.equal(read.roots.length, 2);
  const [answered, failed] = read.roots;
  assert.equal(answered.run_type, "agent" in answered ? "agent" : answered.run_type);
  assert.equal(answered.status, "success");
  assert.equal(answered.thread_id, "thread-3");
  assert.equal(answered.extra.metadata.user_id, "ada");
  assert.match(text(answered.inputs), /Weather in Paris\?/);
  assert.match(text(answered.outputs), new RegExp(answerText));
  const ofTrace = (type) => read.ofType(type).filter((r) => r.trace_id === answered.trace_id);
  const calls = ofTrace("llm");
  assert.equal(calls.length, 2);
  for (const call of calls) assertTokens(call);
  // Two calls, counted once each however many spans repeat them.
  assertTokens(answered, 48, 18);
  const [used] = ofTrace("tool");
  assert.equal(used.name, "get_weather");
  assert.match(text(used.inputs), /Paris/);
  assert.match(text(used.outputs), /18C in Paris/);
  assert.match(text(calls[0].outputs), /get_weather/);
  assert.equal(failed.status, "error");
  assert.match(failed.error, /not available/);
});
