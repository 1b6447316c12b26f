// Langfuse's SDK: its own spans, its wrapper of openai, a picture handed over beside the spans.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { assertTokens, key, newProject, readProject, text, url } from "./assay.js";
import { answerText, startModel } from "./model.js";

const pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
let model;
before(async () => { model = await startModel(); });
after(() => model.stop());

test("observations, session and user, media", async () => {
  const project = newProject();
  const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": project }), spanProcessors: [new LangfuseSpanProcessor({ publicKey: "pk", secretKey: key, baseUrl: url })] });
  provider.register();
  const client = observeOpenAI(new OpenAI({ apiKey: "none", baseURL: model.url, maxRetries: 0 }));
  await startActiveObservation("handle-question", async (root) => {
    root.update({ input: { question: "Weather?" } });
    await propagateAttributes({ sessionId: "thread-9", userId: "ada", tags: ["blue"] }, async () => {
      await client.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: pixel } }] }] });
      await assert.rejects(client.chat.completions.create({ model: "error-model", messages: [{ role: "user", content: "no" }] }));
    });
    root.update({ output: "done" });
  });
  await provider.forceFlush();
  await provider.shutdown();
  const read = await readProject(project);
  const [root] = read.roots;
  assert.equal(root.name, "handle-question");
  assert.equal(root.thread_id, "thread-9");
  assert.equal(root.extra.metadata.user_id, "ada");
  assert.deepEqual(root.tags, ["blue"]);
  const [asked, refused] = read.ofType("llm");
  assertTokens(asked);
  assert.equal(asked.parent_run_id, root.id);
  assert.match(text(asked.outputs), new RegExp(answerText));
  assert.equal(refused.status, "error");
  const files = Object.entries(asked.s3_urls);
  assert.equal(files.length, 1);
  const id = files[0][0].replace("attachment.", "");
  assert.match(text(asked.inputs), new RegExp(id.replace("-", "\\-")));
  const bytes = Buffer.from(await (await fetch(files[0][1].presigned_url)).arrayBuffer());
  assert.equal(bytes.toString("base64"), pixel.split(",")[1]);
});
