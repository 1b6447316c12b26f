// What the conformance tests share: the server under test (ASSAY_URL, ASSAY_KEY) and a trace to look at.
import { randomUUID } from "node:crypto";
import { Client, RunTree } from "langsmith";

export const apiUrl = `${process.env.ASSAY_URL}/api/v1`;
export const apiKey = process.env.ASSAY_KEY;
export const newClient = (options = {}) => new Client({ apiUrl, apiKey, autoBatchTracing: true, callerOptions: { maxRetries: 0 }, ...options });
export const project = () => `conformance-${randomUUID()}`;

export const all = async (iterator) => {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
};

/** Sends an agent with a model call and a failing tool below it, and waits until the server has it. */
export const sendTree = async (client, projectName, { metadata = {}, name = "agent" } = {}) => {
  const root = new RunTree({ name, run_type: "chain", inputs: { question: `question of ${name}` }, project_name: projectName, client, tracingEnabled: true, metadata, tags: ["tree"] });
  await root.postRun();
  const model = root.createChild({ name: "model", run_type: "llm", inputs: { messages: [{ role: "user", content: "hi" }] }, metadata: { ls_model_name: "gpt-x", ls_provider: "openai" } });
  await model.postRun();
  await model.end({ usage_metadata: { input_tokens: 100, output_tokens: 20, total_tokens: 120, input_token_details: { cache_read: 40 }, output_token_details: { reasoning: 5 } } });
  await model.patchRun();
  const tool = root.createChild({ name: "tool", run_type: "tool", inputs: { city: "Paris" } });
  await tool.postRun();
  await tool.end(undefined, "boom: no such city");
  await tool.patchRun();
  await root.end({ answer: `answer of ${name}` });
  await root.patchRun();
  await client.awaitPendingTraceBatches();
  return { root, model, tool, children: [model, tool] };
};
