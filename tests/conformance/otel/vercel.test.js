// Vercel's AI SDK with its OpenTelemetry integration.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, isStepCount, registerTelemetry, tool } from "ai";
import { z } from "zod";
import { assertTokens, headers, newProject, readProject, text, url } from "./assay.js";
import { answerText, startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("generateText with a tool, and a refused call", async () => {
  const project = newProject();
  const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces`, headers }))] });
  provider.register();
  registerTelemetry(new OpenTelemetry());
  const openai = createOpenAI({ apiKey: "none", baseURL: model.url });
  const weather = tool({ description: "weather", inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `18C in ${city}` });
  await generateText({ model: openai.chat("gpt-4o-mini"), prompt: "Weather in Paris?", tools: { weather }, stopWhen: isStepCount(3), telemetry: { isEnabled: true, functionId: "ask" } });
  await assert.rejects(generateText({ model: openai.chat("error-model"), prompt: "no", maxRetries: 0, telemetry: { isEnabled: true } }));
  await provider.forceFlush();
  await provider.shutdown();
  const read = await readProject(project);
  assert.equal(read.roots.length, 2);
  const [root, refused] = read.roots;
  const calls = read.ofType("llm").filter((r) => r.trace_id === root.trace_id);
  assert.equal(calls.length, 2);
  for (const call of calls) assertTokens(call);
  assertTokens(root, 48, 18);
  assert.match(text(calls[0].inputs), /Weather in Paris\?/);
  assert.match(text(calls[1].outputs), new RegExp(answerText));
  const [used] = read.ofType("tool");
  assert.match(text(used.inputs), /Paris/);
  assert.match(text(used.outputs), /18C in Paris/);
  assert.ok(read.runs.some((r) => r.trace_id === refused.trace_id && r.status === "error"));
});
