// OpenAI's Agents SDK and its native export of traces.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { Agent, BatchTraceProcessor, OpenAITracingExporter, Runner, setDefaultOpenAIClient, setTraceProcessors, setTracingDisabled, tool, withTrace } from "@openai/agents";
import { z } from "zod";
import { key, newProject, readProject, text, url } from "./assay.js";
import { startModel } from "./model.js";

let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("an agent with a tool", async () => {
  const project = newProject();
  setTracingDisabled(false);
  const plain = globalThis.fetch;
  // The exporter has no setting for headers; a proxy in front of Assay, or the key's own project, does this outside of a test.
  globalThis.fetch = (address, options) => plain(address, String(address).includes("/v1/traces/ingest") ? { ...options, headers: { ...options.headers, "Langsmith-Project": project } } : options);
  const processor = new BatchTraceProcessor(new OpenAITracingExporter({ apiKey: key, endpoint: `${url}/v1/traces/ingest` }));
  setTraceProcessors([processor]);
  setDefaultOpenAIClient(new OpenAI({ apiKey: "none", baseURL: model.url }));
  const weather = tool({ name: "get_weather", description: "weather", parameters: z.object({ city: z.string() }), execute: async ({ city }) => `18C in ${city}` });
  const agent = new Agent({ name: "WeatherAgent", model: "gpt-4o-mini", tools: [weather] });
  await withTrace("Weather workflow", () => new Runner().run(agent, "Weather in Paris?"), { groupId: "thread-5", metadata: { tier: "gold" } });
  await processor.forceFlush();
  globalThis.fetch = plain;
  const read = await readProject(project);
  const [root] = read.roots;
  assert.equal(root.name, "Weather workflow");
  assert.equal(root.thread_id, "thread-5");
  assert.equal(root.extra.metadata.tier, "gold");
  assert.equal(root.status, "success");
  assert.ok(read.named("WeatherAgent"));
  const [used] = read.ofType("tool");
  assert.equal(used.inputs.input.city, "Paris");
  assert.match(text(used.outputs), /18C in Paris/);
  assert.equal(read.ofType("llm").length, 2);
});
