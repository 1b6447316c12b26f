// LangChain's own prompts: pushed, pulled, loaded and formatted by its package, and executed by the server with the same result.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "@langchain/core/load";
import { ChatPromptTemplate, DictPromptTemplate, HumanMessagePromptTemplate, ImagePromptTemplate, MessagesPlaceholder, PromptTemplate, StructuredPrompt, renderTemplate } from "@langchain/core/prompts";
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
async function executed(messages, format, variables, partials = {}) {
  const answer = await fetch(`${process.env.ASSAY_URL}/ui/playground/run`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ provider: simulated, model: "sim-echo", messages, format, variables, partials }) });
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

/** What a prompt of the hub opens with in the server's playground: its messages as the server read them, its schema and its model. */
async function opened(name) {
  const page = await (await fetch(`${process.env.ASSAY_URL}/playground?prompt=${name}`, { headers: { "x-api-key": apiKey, accept: "text/html" } })).text();
  const seed = /data-seed="([^"]*)"/.exec(page)?.[1];
  assert.ok(seed, `no prompt opens: ${/role="alert">([^<]*)/.exec(page)?.[1]}`);
  return JSON.parse(seed.replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&#x2B;", "+").replaceAll("&amp;", "&"));
}

/** What the simulated model, which repeats the last message, is asked when a prompt of the hub is run with values. */
async function ran(name, variables) {
  const { messages, format, partials } = await opened(name);
  return executed(messages, format, variables, partials);
}

test("variables that are filled in already stay filled in, of a prompt and of one of its messages", async () => {
  for (const [templateFormat, v] of [["f-string", (n) => `{${n}}`], ["mustache", (n) => `{{${n}}}`]]) {
    const name = unique();
    const prompt = JSON.parse(JSON.stringify(ChatPromptTemplate.fromMessages([["system", `Be ${v("tone")}.`], ["human", `${v("greeting")}, ${v("question")} ${v("sign")}`]], { templateFormat })));
    // As LangChain for Python writes them; for JavaScript it reads them, and leaves them out when it writes.
    Object.assign(prompt.kwargs, { partial_variables: { tone: "kind", greeting: "Hello" }, input_variables: ["question"] });
    Object.assign(prompt.kwargs.messages[1].kwargs.prompt.kwargs, { partial_variables: { sign: "!" }, input_variables: ["greeting", "question"] });
    await client.pushPrompt(name, { object: prompt });
    assert.deepEqual((await client.pullPromptCommit(name, { skipCache: true })).manifest, prompt);
    assert.deepEqual((await (await pull(name)).formatMessages({ question: "why" })).map((m) => m.content), ["Be kind.", "Hello, why !"]);
    // The server knows what is still missing, and shows what is not.
    const page = await (await fetch(`${process.env.ASSAY_URL}/prompts/${name}`, { headers: { "x-api-key": apiKey, accept: "text/html" } })).text();
    const asked = /<h2>Variables<\/h2>(.*?)<\/section>/s.exec(page)[1];
    assert.deepEqual([...asked.matchAll(/<mark class="pvar mono">([^<]*)/g)].map((m) => m[1]), ["question"]);
    assert.match(page, /Filled in already/);
    // The playground opens with them and runs with them; what is given goes before.
    assert.deepEqual((await opened(name)).partials, { tone: "kind", greeting: "Hello", sign: "!" });
    assert.equal(await ran(name, { question: "why" }), "Hello, why !");
    assert.equal(await ran(name, { question: "why", greeting: "Hi" }), "Hi, why !");
  }
});

test("images in prompts are pulled, loaded, shown and executed with their variables and detail", async () => {
  const name = unique();
  const question = new HumanMessagePromptTemplate({ prompt: [PromptTemplate.fromTemplate("What is {what}?"), new ImagePromptTemplate({ template: { url: "data:image/png;base64,{bytes}", detail: "low" }, inputVariables: ["bytes"] })], inputVariables: ["what", "bytes"] });
  await client.pushPrompt(name, { object: ChatPromptTemplate.fromMessages([["system", "Look."], question]) });
  const pulled = await pull(name);
  const [, message] = await pulled.formatMessages({ what: "this", bytes: "iVBORw0KGgo=" });
  assert.deepEqual(message.content.map((p) => p.text ?? p.image_url.url), ["What is this?", "data:image/png;base64,iVBORw0KGgo="]);
  const seed = await opened(name);
  assert.deepEqual(seed.messages[1].content, [{ type: "text", text: "What is {what}?" }, { type: "image_url", image_url: { url: "data:image/png;base64,{bytes}", detail: "low" } }]);
  assert.match(await ran(name, { what: "this", bytes: "iVBORw0KGgo=" }), /What is this\?/);
});

test("parts that are neither text nor image are kept, shown, edited and executed as LangChain formats them", async () => {
  for (const [templateFormat, v] of [["f-string", (n) => `{${n}}`], ["mustache", (n) => `{{${n}}}`]]) {
    const name = unique();
    const sound = { type: "input_audio", input_audio: { data: v("bytes"), format: "wav" } };
    const file = { type: "file", file: { filename: `${v("what")}.pdf`, file_data: `data:application/pdf;base64,${v("bytes")}` } };
    const question = new HumanMessagePromptTemplate({ prompt: [new PromptTemplate({ template: `What is ${v("what")}?`, inputVariables: ["what"], templateFormat }), new DictPromptTemplate({ template: sound, templateFormat }), new DictPromptTemplate({ template: file, templateFormat })], inputVariables: ["what", "bytes"] });
    await client.pushPrompt(name, { object: ChatPromptTemplate.fromMessages([question], { templateFormat }) });
    const values = { what: "this", bytes: "AAAA" };
    const [message] = await (await pull(name)).formatMessages(values);
    assert.deepEqual(message.content.slice(1), [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }, { type: "file", file: { filename: "this.pdf", file_data: "data:application/pdf;base64,AAAA" } }]);

    const seed = await opened(name);
    assert.deepEqual(seed.messages[0].content.slice(1), [sound, file]);
    const answer = await fetch(`${process.env.ASSAY_URL}/ui/playground/run`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ provider: simulated, model: "sim-echo", messages: seed.messages, format: seed.format, variables: values }) });
    const done = JSON.parse((await answer.text()).split("\n").filter((l) => l.startsWith("data:")).at(-1).slice(5));
    const { json: run } = await api("GET", `/runs/${done.run}`);
    assert.deepEqual(run.inputs.messages[0].content, [{ type: "text", text: "What is this?" }, ...message.content.slice(1)]);

    // Saved from the playground it is LangChain's again.
    const saved = await fetch(`${process.env.ASSAY_URL}/ui/playground/commit`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ ...seed, schema: undefined, tools: undefined, handle: name, parent: seed.prompt.commit, messages: [...seed.messages, { role: "user", content: "And?" }] }) });
    assert.equal(saved.status, 200, await saved.text());
    const again = await (await pull(name)).formatMessages(values);
    assert.deepEqual([again[0].content.slice(1), again[1].content], [message.content.slice(1), "And?"]);
  }
});

test("a commit with the simulated model loads without it, and says why it does not load with it", async () => {
  const name = unique();
  const made = await fetch(`${process.env.ASSAY_URL}/ui/playground/commit`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ handle: name, with_model: true, provider: simulated, model: "sim-chat", messages: [{ role: "user", content: "{question}" }], format: "f-string", parameters: { temperature: 0.5 } }) });
  assert.equal(made.status, 200, await made.text());
  assert.deepEqual((await (await pull(name)).formatMessages({ question: "Why?" })).map((m) => m.content), ["Why?"]);
  const whole = await client.pullPromptCommit(name, { includeModel: true, skipCache: true });
  await assert.rejects(load(JSON.stringify(whole.manifest)), /doesn't implement serialization.*simulated model, which runs on the server alone: pull the prompt without its model/);
  const seed = await opened(name);
  assert.deepEqual([seed.provider, seed.model, seed.parameters], [simulated, "sim-chat", { temperature: 0.5 }]);
});

test("structured prompts, and prompts with their model, open with schema and messages and are executed", async () => {
  const schema = { title: "verdict", type: "object", properties: { ok: { type: "boolean" }, reason: { type: "string" } }, required: ["ok", "reason"] };
  const structured = unique();
  await client.pushPrompt(structured, { object: StructuredPrompt.fromMessagesAndSchema([["human", "{question}"]], schema) });
  const seed = await opened(structured);
  assert.deepEqual(JSON.parse(seed.schema), schema);
  const answer = await fetch(`${process.env.ASSAY_URL}/ui/playground/run`, { method: "POST", headers: { "x-api-key": apiKey, "content-type": "application/json" }, body: JSON.stringify({ provider: simulated, model: "sim-chat?latency=0", messages: seed.messages, format: seed.format, schema: JSON.parse(seed.schema), variables: { question: "Is it?" } }) });
  const text = (await answer.text()).split("\n").filter((l) => l.startsWith("data:")).map((l) => JSON.parse(l.slice(5)).text ?? "").join("");
  assert.deepEqual(Object.keys(JSON.parse(text)).sort(), ["ok", "reason"]);

  const withModel = unique();
  const first = JSON.parse(JSON.stringify(ChatPromptTemplate.fromMessages([["system", "Be brief."], ["human", "{question}"]])));
  const bound = { lc: 1, type: "constructor", id: ["langchain", "schema", "runnable", "RunnableBinding"], kwargs: { bound: { lc: 1, type: "constructor", id: ["langchain", "chat_models", "openai", "ChatOpenAI"], kwargs: { model: "gpt-4o", temperature: 0.2 } }, kwargs: {} } };
  await client.pushPrompt(withModel, { object: { lc: 1, type: "constructor", id: ["langchain", "schema", "runnable", "RunnableSequence"], kwargs: { first, last: bound } } });
  assert.deepEqual((await client.pullPromptCommit(withModel)).manifest, first);
  assert.deepEqual((await client.pullPromptCommit(withModel, { includeModel: true, skipCache: true })).manifest.kwargs.last, bound);
  assert.equal(await ran(withModel, { question: "Why?" }), "Why?");
});

test("remarks are answered and liked, and a fork starts from the newest commit", async () => {
  const name = unique();
  await client.pushPrompt(name, { object: PromptTemplate.fromTemplate("one") });
  await client.createCommit(name, PromptTemplate.fromTemplate("two"));
  await api("POST", `/comments/-/${name}`, { content: "Why **two**?" });
  const { json: remarks } = await api("GET", `/comments/-/${name}`);
  const [remark] = remarks.comments;
  await api("POST", `/comments/-/${name}/${remark.id}`, { content: "It is one more." });
  await api("POST", `/comments/-/${name}/${remark.id}/like`);
  const { json: again } = await api("GET", `/comments/-/${name}`);
  assert.deepEqual([again.total, again.comments[0].num_sub_comments, again.comments[0].num_likes, again.comments[0].liked_by_auth_user], [1, 1, 1, true]);
  assert.equal((await api("GET", `/comments/-/${name}/${remark.id}`)).json.comments[0].content, "It is one more.");
  assert.equal((await api("POST", `/comments/-/${name}`, { content: "" })).status, 422);

  const fork = `${name}-fork`;
  assert.equal((await api("POST", `/repos/-/${name}/fork`, { repo_handle: fork })).status, 200);
  assert.equal((await api("POST", `/repos/-/${name}/fork`, { repo_handle: fork })).status, 409);
  assert.equal(await (await pull(fork)).format({}), "two");
  const original = await client.getPrompt(name);
  const forked = await client.getPrompt(fork);
  assert.equal(forked.upstream_repo_id, original.id);
  assert.equal(forked.num_commits, 1);
  await client.createCommit(fork, PromptTemplate.fromTemplate("three"));
  assert.equal(await (await pull(name)).format({}), "two");
});

test("pulling a tag that is rolled out gives a key always the same of the two", async () => {
  const name = unique();
  await client.pushPrompt(name, { object: PromptTemplate.fromTemplate("stable") });
  const { json: old } = await api("GET", `/commits/-/${name}`);
  await client.createCommit(name, PromptTemplate.fromTemplate("tried"));
  const { json: list } = await api("GET", `/commits/-/${name}`);
  await api("POST", `/repos/-/${name}/tags`, { tag_name: "live", commit_id: old.commits[0].id });
  const [stable, tried] = [old.commits[0].commit_hash, list.commits[0].commit_hash];
  // LangSmith's client sends what it is given along: a key is a header of one's own.
  const of = (key) => new Client({ apiUrl, apiKey, headers: { "X-Assay-Rollout-Key": key } });
  const pulledBy = async (key) => (await of(key).pullPromptCommit(`${name}:live`, { skipCache: true })).commit_hash;
  const keys = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const round = async (percent) => {
    assert.equal((await api("PUT", `/repos/-/${name}/tags/live/rollout`, { commit_id: list.commits[0].id, percent })).status, 200);
    return Promise.all(keys.map(pulledBy));
  };
  const at30 = await round(30);
  assert.deepEqual(await Promise.all(keys.map(pulledBy)), at30);
  assert.deepEqual([...new Set(at30)].sort(), [stable, tried].sort());
  // Who had the tried one keeps it when the share grows.
  const at70 = await round(70);
  keys.forEach((_, i) => at30[i] === tried && assert.equal(at70[i], tried));
  assert.ok(at70.filter((h) => h === tried).length > at30.filter((h) => h === tried).length);
  assert.equal((await client.pullPromptCommit(`${name}:live`, { skipCache: true })).commit_hash, stable);
  await api("DELETE", `/repos/-/${name}/tags/live/rollout`);
  assert.deepEqual(new Set(await Promise.all(keys.map(pulledBy))), new Set([stable]));
});

test("agents and skills are pushed, changed file by file, pulled at a version, listed and deleted", async () => {
  for (const [push, pullOne, list, drop] of [["pushAgent", "pullAgent", "listAgents", "deleteAgent"], ["pushSkill", "pullSkill", "listSkills", "deleteSkill"]]) {
    const name = unique();
    const url = await client[push](name, { files: { "README.md": { type: "file", content: "one" } }, description: "first", tags: ["t"] });
    const first = (await client[pullOne](name)).commit_hash;
    assert.ok(url.includes(`${name}/${first.slice(0, 8)}`));
    await client[push](name, { files: { "README.md": { type: "file", content: "two" }, "lib/b.py": { type: "file", content: "b" } }, parentCommit: first, description: "second" });
    assert.deepEqual(Object.keys((await client[pullOne](name)).files).sort(), ["README.md", "lib/b.py"]);
    assert.equal((await client[pullOne](`${name}:${first.slice(0, 8)}`)).files["README.md"].content, "one");
    await assert.rejects(client[push](name, { files: { "README.md": { type: "file", content: "three" } }, parentCommit: first }), isStatus(409));
    const found = (await all(client[list]({ query: name })))[0];
    assert.deepEqual([found.repo_handle, found.description, found.tags, found.num_commits], [name, "second", ["t"], 2]);
    await client[drop](name);
    await assert.rejects(client[pullOne](name), isStatus(404));
  }
});

test("an agent with links to skills is pulled with their files, at the newest or the named commit", async () => {
  const [agent, skill] = [unique(), unique()];
  await client.pushSkill(skill, { files: { "SKILL.md": { type: "file", content: "one" } } });
  const first = await client.pullSkill(skill);
  await client.pushAgent(agent, { files: { "AGENTS.md": { type: "file", content: "do" }, "skills/now": { type: "skill", repo_handle: skill }, "skills/then": { type: "skill", repo_handle: skill, commit_id: first.commit_id } } });
  await client.pushSkill(skill, { files: { "SKILL.md": { type: "file", content: "two" } } });
  const second = await client.pullSkill(skill);
  const { files } = await client.pullAgent(agent);
  assert.deepEqual([files["skills/now/SKILL.md"].content, files["skills/then/SKILL.md"].content], ["two", "one"]);
  assert.deepEqual([files["skills/now"].commit_hash, files["skills/then"].commit_hash], [second.commit_hash, first.commit_hash]);
  // What the page says to use is what this test uses.
  const page = await (await fetch(`${process.env.ASSAY_URL}/prompts/${agent}?tab=use`, { headers: { "x-api-key": apiKey, accept: "text/html" } })).text();
  assert.ok(page.includes(`new Client().pullAgent(&quot;${agent}&quot;)`), "Use it");
  await assert.rejects(client.pushAgent(agent, { files: { "skills/none": { type: "skill", repo_handle: unique() } } }), isStatus(400));
});

test("several prompts are deleted at once, and what is not there is named", async () => {
  const names = [unique(), unique()];
  const ids = [];
  for (const name of names) ids.push((await client.createPrompt(name)).id);
  const gone = randomUUID();
  const answer = await api("DELETE", `/repos?${[...ids, gone].map((id) => `repo_ids=${id}`).join("&")}`);
  assert.equal(answer.status, 207);
  assert.deepEqual([answer.json.deleted.sort(), answer.json.failed.map((f) => f.id)], [ids.sort(), [gone]]);
  for (const name of names) assert.equal(await client.promptExists(name), false);
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
