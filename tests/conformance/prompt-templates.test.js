// LangChain's own prompts: pushed, pulled, loaded and formatted by its package, and executed by the server with the same result.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "@langchain/core/load";
import { ChatPromptTemplate, HumanMessagePromptTemplate, ImagePromptTemplate, MessagesPlaceholder, PromptTemplate, StructuredPrompt, renderTemplate } from "@langchain/core/prompts";
import { Client } from "langsmith";
import { all, apiKey, apiUrl } from "./server.js";

const client = new Client({ apiUrl, apiKey });
const simulated = "5173a7ed-0000-4000-8000-000000000001";
const pull = async (name) => load(JSON.stringify((await client.pullPromptCommit(name, { skipCache: true })).manifest));
const unique = () => `template-${randomUUID().slice(0, 8)}`;
const isStatus = (status) => (error) => error.status === status || String(error.message).includes(String(status));
const api = async (method, path, body, headers = {}) => {
  const answer = await fetch(`${apiUrl}${path}`, { method, headers: { "x-api-key": apiKey, "content-type": "application/json", ...headers }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : null };
};

/** What the server's own renderer makes of a template: the simulated model repeats what it was asked. */
async function executed(messages, format, variables) {
  const answer = await fetch(`${process.env.ASSAY_URL}/ui/playground/run`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ provider: simulated, model: "sim-echo", messages, format, variables }) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => JSON.parse(line.slice(5)).text ?? "")
    .join("");
}

// mustache.js, which LangChain for JavaScript renders with, differs from the specification here; the server keeps to the specification.
const differs = new Set(["interpolation: only the first part of a chain is looked for outside", "interpolation: decimals keep their spelling", "interpolation: the first part binds where it is found"]);

for (const { about, template, data, expected, skip } of JSON.parse(readFileSync(new URL("../Assay.Core.Tests/Prompts/mustache-cases.json", import.meta.url)))) {
  if (skip || differs.has(about) || about.startsWith("includes")) continue;
  test(`mustache, LangChain and the server alike: ${about}`, async () => {
    assert.equal(renderTemplate(template, "mustache", data), expected);
    // What is around an answer is the model's affair.
    assert.equal((await executed([{ role: "user", content: `<${template}>` }], "mustache", data)).trim(), renderTemplate(`<${template}>`, "mustache", data).trim());
  });
}

test("f-strings, LangChain and the server alike", async () => {
  for (const [template, values] of [["Hello {name}!", { name: "Ada" }], ["{{x}} {y}", { y: "1" }], ["{a}{a} {b}", { a: "x", b: { k: [1, 2] } }], ["tail {a}", { a: "{b}" }], ["naïve 😀 {a}", { a: "ü" }]])
    assert.equal(await executed([{ role: "user", content: template }], "f-string", values), renderTemplate(template, "f-string", values));
});

test("chat prompts of both formats, with images and placeholders, round-trip and format alike", async () => {
  for (const [templateFormat, v] of [["f-string", (n) => `{${n}}`], ["mustache", (n) => `{{${n}}}`]]) {
    const name = unique();
    const question = new HumanMessagePromptTemplate({ prompt: [new PromptTemplate({ template: v("question"), inputVariables: ["question"], templateFormat }), new ImagePromptTemplate({ template: { url: v("photo") }, inputVariables: ["photo"], templateFormat })], inputVariables: ["question", "photo"] });
    const prompt = ChatPromptTemplate.fromMessages([["system", `Be ${v("tone")}.`], new MessagesPlaceholder({ variableName: "history", optional: true }), question], { templateFormat });
    await client.pushPrompt(name, { object: prompt });
    const pulled = await pull(name);
    const values = { tone: "kind", question: "Why?", photo: "data:image/png;base64,AA==" };
    assert.deepEqual((await pulled.formatMessages(values)).map((m) => m.content), (await prompt.formatMessages(values)).map((m) => m.content));
    assert.equal(pulled.promptMessages.length, 3);
  }
});

test("a plain prompt round-trips", async () => {
  const name = unique();
  await client.pushPrompt(name, { object: PromptTemplate.fromTemplate("Hello, {who}") });
  assert.equal(await (await pull(name)).format({ who: "Ada" }), "Hello, Ada");
});

test("a structured prompt keeps its schema", async () => {
  const name = unique();
  const schema = { title: "verdict", type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  await client.pushPrompt(name, { object: StructuredPrompt.fromMessagesAndSchema([["human", "{question}"]], schema) });
  const commit = await client.pullPromptCommit(name);
  assert.equal(commit.manifest.id.at(-1), "StructuredPrompt");
  assert.deepEqual(commit.manifest.kwargs.schema ?? commit.manifest.kwargs.schema_, schema);
  assert.deepEqual((await (await load(JSON.stringify(commit.manifest))).formatMessages({ question: "Is it?" })).map((m) => m.content), ["Is it?"]);
});

test("a template that is wrong is refused at its place when it is run, and kept as it is when it is pushed", async () => {
  const answer = await fetch(`${process.env.ASSAY_URL}/ui/playground/run`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ provider: simulated, model: "sim-echo", messages: [{ role: "user", content: "one\n  {oops" }], format: "f-string", variables: {} }) });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /messages\[0\].*[Ll]ine 2, column 3/);
});

test("included prompts are filled in when they are pulled, follow their tag, and never include themselves", async () => {
  const greeting = unique();
  const name = unique();
  const mustache = (text) => ChatPromptTemplate.fromMessages([["system", text]], { templateFormat: "mustache" });
  await client.pushPrompt(greeting, { object: mustache("Hello {{who}}.") });
  const first = (await client.pullPromptCommit(greeting)).commit_hash;
  await client.createCommit(greeting, mustache("Good day {{who}}."));
  const { json: list } = await api("GET", `/commits/-/${greeting}`);
  await api("POST", `/repos/-/${greeting}/tags`, { tag_name: "live", commit_id: list.commits[1].id });
  await client.pushPrompt(name, { object: mustache(`{{> ${greeting}:live}}\nAnswer {{question}}.\n{{> ${greeting}:${first.slice(0, 8)}}}`) });
  const format = async () => (await (await pull(name)).formatMessages({ who: "Ada", question: "this" }))[0].content;
  assert.equal(await format(), "Hello Ada.\nAnswer this.\nHello Ada.");
  await api("POST", `/repos/-/${greeting}/tags`, { tag_name: "live", commit_id: list.commits[0].id });
  assert.equal(await format(), "Good day Ada.\nAnswer this.\nHello Ada.");
  const { json: pulled } = await api("GET", `/commits/-/${name}/latest`);
  assert.deepEqual(pulled.includes.map((i) => i.commit_hash).sort(), [list.commits[0].commit_hash, first].sort());
  const { json: verbatim } = await api("GET", `/commits/-/${name}/latest?resolve_includes=false`);
  assert.match(JSON.stringify(verbatim.manifest), /\{\{(>|\\u003e) template-/);
  assert.equal(await executed([{ role: "user", content: `{{> ${greeting}}}` }], "mustache", { who: "Bo" }), "Good day Bo.");
  await assert.rejects(client.createCommit(greeting, mustache(`{{> ${name}}}`)), /included by itself/);
  await assert.rejects(client.createCommit(greeting, mustache("{{> nothing-of-that-name}}")), /no such prompt/);
});

test("list, like, update and delete as an author does", async () => {
  const name = unique();
  await client.pushPrompt(name, { object: PromptTemplate.fromTemplate("{x}"), description: "d", readme: "r", tags: ["t"] });
  await client.likePrompt(`-/${name}`);
  const [found] = await all(client.listPrompts({ query: name, sortField: "num_likes" }));
  assert.deepEqual([found.repo_handle, found.num_likes, found.num_commits, found.readme, found.tags], [name, 1, 1, "r", ["t"]]);
  await client.updatePrompt(name, { readme: "other" });
  assert.equal((await client.getPrompt(name)).readme, "other");
  await client.deletePrompt(name);
  await assert.rejects(client.pullPromptCommit(name), isStatus(404));
});
