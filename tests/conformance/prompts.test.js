// Prompts through the official SDK and LangChain's own serialization, against a running server (ASSAY_URL, ASSAY_KEY).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { load } from "@langchain/core/load";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import { Client } from "langsmith";

const client = new Client({ apiUrl: `${process.env.ASSAY_URL}/api/v1`, apiKey: process.env.ASSAY_KEY });
const unique = () => `prompt-${randomUUID().slice(0, 8)}`;
const all = async (iterator) => {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
};
const chat = (system) => ChatPromptTemplate.fromMessages([["system", system], new MessagesPlaceholder("history"), ["human", "{question}"]]);
const isStatus = (status) => (error) => error.status === status || String(error.message).includes(String(status));

test("a pushed chat prompt comes back, loads and formats", async () => {
  const name = unique();
  const url = await client.pushPrompt(name, { object: chat("You answer in {language}."), description: "a test", tags: ["qa"] });
  assert.ok(url.includes(name));
  const commit = await client.pullPromptCommit(name);
  assert.match(commit.commit_hash, /^[0-9a-f]{64}$/);
  const prompt = await load(JSON.stringify(commit.manifest));
  const messages = await prompt.formatMessages({ language: "Finnish", history: [], question: "Why?" });
  assert.deepEqual(messages.map((m) => m.content), ["You answer in Finnish.", "Why?"]);
});

test("versions are found by latest, tag, hash and the beginning of a hash", async () => {
  const name = unique();
  await client.createPrompt(name);
  await client.createCommit(name, chat("one"), { tags: ["production"], description: "first" });
  const first = await client.pullPromptCommit(name);
  await client.createCommit(name, chat("two"));
  const second = await client.pullPromptCommit(`${name}:latest`);
  assert.notEqual(first.commit_hash, second.commit_hash);
  assert.equal((await client.pullPromptCommit(`${name}:production`)).commit_hash, first.commit_hash);
  assert.equal((await client.pullPromptCommit(`-/${name}:${first.commit_hash}`)).commit_hash, first.commit_hash);
  assert.equal((await client.pullPromptCommit(`${name}:${first.commit_hash.slice(0, 8)}`)).commit_hash, first.commit_hash);
  const commits = await all(client.listCommits(name));
  assert.deepEqual(commits.map((c) => c.commit_hash), [second.commit_hash, first.commit_hash]);
  assert.equal(commits[0].parent_commit_hash, first.commit_hash);
  assert.equal(commits[1].description, "first");
  await assert.rejects(client.pullPromptCommit(`${name}:nothing`), isStatus(404));
});

test("a commit on an old parent, an unchanged one and a foreign manifest are refused", async () => {
  const name = unique();
  await client.createPrompt(name);
  await client.createCommit(name, chat("one"));
  const first = (await client.pullPromptCommit(name)).commit_hash;
  await assert.rejects(client.createCommit(name, chat("one")), isStatus(409));
  await client.createCommit(name, chat("two"));
  await assert.rejects(client.createCommit(name, chat("three"), { parentCommitHash: first }), isStatus(409));
  await assert.rejects(client.createCommit(name, { hi: "hello" }), /Manifest must have an id field/);
  await assert.rejects(client.createCommit(name, { id: ["hi"] }), /Manifest type hi is not supported/);
});

test("prompts are listed, searched, liked, changed and deleted", async () => {
  const name = unique();
  assert.equal(await client.promptExists(name), false);
  const made = await client.createPrompt(name, { description: "first words", isPublic: false, tags: ["qa"] });
  assert.equal(made.repo_handle, name);
  assert.equal(made.num_commits, 0);
  assert.equal(made.last_commit_hash, null);
  assert.equal(await client.promptExists(name), true);
  await assert.rejects(client.createPrompt(name), isStatus(409));
  assert.deepEqual((await all(client.listPrompts({ query: name }))).map((p) => p.repo_handle), [name]);
  assert.equal((await client.likePrompt(name)).likes, 1);
  assert.equal((await client.getPrompt(name)).num_likes, 1);
  assert.equal((await client.unlikePrompt(name)).likes, 0);
  await client.updatePrompt(name, { description: "new words", isArchived: true, tags: ["a", "b"] });
  const changed = await client.getPrompt(name);
  assert.equal(changed.description, "new words");
  assert.deepEqual(changed.tags, ["a", "b"]);
  assert.deepEqual(await all(client.listPrompts({ query: name })), []);
  await client.deletePrompt(name);
  assert.equal(await client.promptExists(name), false);
  assert.equal(await client.getPrompt(name), null);
});

test("a prompt with its model gives the prompt alone unless the model is asked for", async () => {
  const name = unique();
  const first = JSON.parse(JSON.stringify(chat("with model")));
  const model = { lc: 1, type: "constructor", id: ["langchain", "chat_models", "openai", "ChatOpenAI"], kwargs: { model: "gpt-4o" } };
  await client.createPrompt(name);
  await client.createCommit(name, { lc: 1, type: "constructor", id: ["langchain", "schema", "runnable", "RunnableSequence"], kwargs: { first, last: model } });
  assert.deepEqual((await client.pullPromptCommit(name)).manifest, first);
  assert.deepEqual((await client.pullPromptCommit(name, { includeModel: true })).manifest.kwargs.last, model);
});

test("agents and skills are directories whose files change commit by commit", async () => {
  const name = `skill-${randomUUID().slice(0, 8)}`;
  await client.pushSkill(name, { files: { "SKILL.md": { type: "file", content: "one" }, "lib/a.js": { type: "file", content: "1" } } });
  await client.pushSkill(name, { files: { "SKILL.md": { type: "file", content: "two" }, "lib/a.js": null } });
  const pulled = await client.pullSkill(name);
  assert.deepEqual(pulled.files, { "SKILL.md": { type: "file", content: "two" } });
  assert.ok((await all(client.listSkills())).some((s) => s.repo_handle === name));
  await client.deleteSkill(name);
  await assert.rejects(client.pullSkill(name), isStatus(404));
});
