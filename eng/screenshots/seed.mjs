// What the sample data leaves out, made over the wire: a dataset with two experiments, a queue, and a project of ugly data.
const uuid = () => crypto.randomUUID();
const stamp = (at) => new Date(at).toISOString().replace(/[-:]/g, "").replace(/\.(\d{3})Z/, "$1000Z");

/** A dataset of questions, an experiment that is right on every other one, and one that is right on nearly all. */
export async function dataset(api) {
  const { id } = await api("POST", "/datasets", { name: "Support questions", description: "What customers ask, with the answers we stand behind." });
  const examples = Array.from({ length: 40 }, (_, i) => ({ id: uuid(), dataset_id: id, inputs: { question: `Where is parcel ${4711 + i}, and when will it arrive?` }, outputs: { answer: `Parcel ${4711 + i} arrives on Friday before noon.` }, split: i % 4 ? "train" : "test" }));
  await api("POST", "/examples/bulk", examples);
  const experiments = [];
  for (const [name, isRight] of [["gpt-4.1-mini, short prompt", (i) => i % 2], ["gpt-4.1, with tools", (i) => i % 13]]) {
    const session = uuid();
    experiments.push(session);
    await api("POST", "/sessions", { id: session, name, reference_dataset_id: id, extra: { metadata: { model: name.split(",")[0], prompt: name.split(", ")[1] } } });
    const start = Date.now() - 600_000;
    const runs = examples.map((e, i) => ({ id: uuid(), e, i }));
    await api("POST", "/runs/batch", { post: runs.map((r) => ({ id: r.id, trace_id: r.id, dotted_order: `${stamp(start + r.i)}${r.id}`, name: "answer", run_type: "chain", session_id: session, reference_example_id: r.e.id, start_time: new Date(start + r.i).toISOString(), end_time: new Date(start + r.i + 400 + 37 * r.i).toISOString(), inputs: r.e.inputs, outputs: { answer: isRight(r.i) ? r.e.outputs.answer : "It may arrive some day next week." } })) });
    for (const r of runs) await api("POST", "/feedback", { run_id: r.id, key: "correct", score: isRight(r.i) ? 1 : 0 });
  }
  return { id, example: examples[0].id, experiments };
}

/** A queue over some runs. */
export async function queue(api, runs) {
  const { id } = await api("POST", "/annotation-queues", { name: "Answers to check", description: "Twenty answers a week, read by two people.", rubric_instructions: "Would you have sent this answer?", rubric_items: [{ feedback_key: "helpful", description: "Does it help?" }] });
  await api("POST", `/annotation-queues/${id}/runs`, runs);
  return id;
}

/** Names of 300 characters, emoji, right-to-left text, 40 tags, a payload without spaces, nothing at all. */
export async function ugly(api) {
  const project = `ugly-${"p".repeat(180)} 🦊 مشروع`;
  const start = Date.now() - 900_000;
  const make = (more) => {
    const id = uuid();
    const parent = more.above;
    delete more.above;
    const order = `${parent ? `${parent.dotted_order}.` : ""}${stamp(start + (more.at ?? 0))}${id}`;
    const run = { id, trace_id: parent?.trace_id ?? id, parent_run_id: parent?.id, dotted_order: order, session_name: project, run_type: "chain", start_time: new Date(start + (more.at ?? 0)).toISOString(), end_time: new Date(start + (more.at ?? 0) + (more.took ?? 90_000)).toISOString(), ...more };
    delete run.at;
    delete run.took;
    return run;
  };
  const root = make({ name: "verylongname".repeat(25), inputs: { question: "w".repeat(4000), empty: "", nothing: null }, error: `${"e".repeat(3000)}\n\tat ${"f".repeat(400)}`, tags: Array.from({ length: 40 }, (_, i) => `tag-${i}-🏷️-${"x".repeat(i)}`), extra: { metadata: { thread_id: `thread-${"t".repeat(200)}`, متن: "قيمة طويلة" } } });
  const runs = [
    root,
    make({ above: root, at: 1, took: 0, name: '<script>alert(1)</script> & "quotes"', run_type: "tool" }),
    make({ above: root, at: 2, took: 1, name: "" }),
    make({ above: root, at: 3, name: "👩‍👩‍👧‍👦 كيف حالك", run_type: "llm", inputs: { messages: [{ role: "user", content: `كيف حالك؟ 👩‍👩‍👧‍👦 ${"ا".repeat(600)}` }] }, outputs: { choices: [{ message: { role: "assistant", content: `| a | b |\n|---|---|\n| ${"c".repeat(500)} | d |\n\n\`\`\`\n${"k".repeat(900)}\n\`\`\`` } }] }, extra: { metadata: { ls_model_name: `model-${"m".repeat(150)}` } } }),
  ];
  await api("POST", "/runs/batch", { post: runs });
  return { project, trace: root.id };
}

const made = (id, kwargs) => ({ lc: 1, type: "constructor", id: ["langchain_core", "prompts", ...id], kwargs });
const chat = (...messages) => made(["chat", "ChatPromptTemplate"], { messages: messages.map(([role, template]) => made(["chat", `${role}MessagePromptTemplate`], { prompt: made(["prompt", "PromptTemplate"], { template }) })) });

/**
 * Prompts: one as a team keeps it, with environments, a trial, a request, remarks and a webhook that nobody answers; one of ugly data.
 * @param asKey the same calls as a program with a key, for what the person who looks shall approve.
 */
export async function hub(api, asKey) {
  const commit = async (name, manifest, description) => (await api("POST", `/commits/-/${name}`, { manifest, description })).commit;
  const tag = (name, tag_name, c) => api("POST", `/repos/-/${name}/tags`, { tag_name, commit_id: c.id });
  const name = "support-answer";
  await api("POST", "/repos", { repo_handle: name, is_public: true, description: "Answers what customers ask about their parcels.", readme: "Used by the chat on the website.\n\n- `tone`: *friendly* for customers, *formal* for companies\n- `question`: what was asked", tags: ["support", "chat"] });
  const commits = [];
  for (const [system, said] of [
    ["You answer questions about parcels in a {tone} tone.", "first words"],
    ["You answer questions about parcels in a {tone} tone. Never guess a date.", "no guessed dates"],
    ["You answer questions about parcels in a {tone} tone. Never guess a date: ask for the parcel's number instead.", "ask for the number instead of guessing"],
    ["You answer questions about parcels in a {tone} tone, in at most three sentences. Never guess a date: ask for the parcel's number instead.", "shorter answers"],
  ])
    commits.push(await commit(name, chat(["System", system], ["Human", "{question}"]), said));
  await api("POST", "/api/v1/prompt-webhooks", { url: "http://10.20.30.40/hooks/prompts", headers: { Authorization: "Bearer of-the-sample" }, triggers: ["commit", "tag:create", "tag:update"] });
  for (const [t, c] of [["production", 0], ["production", 1], ["staging", 2], ["staging", 3], ["evals-2026-11", 1], ["canary", 2]]) await tag(name, t, commits[c]);
  await api("PUT", `/repos/-/${name}/tags/canary/rollout`, { commit_id: commits[3].id, percent: 15 });
  await api("PUT", `/repos/-/${name}/tags/staging/rollout`, { commit_id: commits[2].id, percent: 35 });
  await api("PUT", "/api/v1/hub/protected-tags", { tags: ["production"] });
  await asKey("POST", `/api/v1/repos/-/${name}/tags`, { tag_name: "production", commit_id: commits[2].id });
  const remark = await api("POST", `/comments/-/${name}`, { content: "Three sentences are **too few** when two parcels are asked about." });
  await api("POST", `/comments/-/${name}`, { content: "Looks good to me." });
  await api("POST", `/comments/-/${name}/${(remark.id ?? (await api("GET", `/comments/-/${name}`)).comments[0].id)}`, { content: "Agreed; the next commit says *per parcel*." });
  await api("POST", `/repos/-/${name}/fork`, { repo_handle: "support-answer-finnish" });
  await api("POST", "/repos", { repo_handle: "nothing-yet", is_public: false });

  const ugly = `${"very-long-name-".repeat(13)}x`.slice(0, 200);
  await api("POST", "/repos", { repo_handle: ugly, is_public: false, description: `كيف حالك؟ 👩‍👩‍👧‍👦 ${"without-a-space".repeat(20)}`, readme: `# ${"w".repeat(300)}\n\n| a | b |\n|---|---|\n| ${"c".repeat(300)} | مرحبا |`, tags: Array.from({ length: 40 }, (_, i) => `topic-${i}-🏷️-${"x".repeat(i)}`) });
  let last;
  for (let i = 0; i < 100; i++) last = await commit(ugly, chat(["System", `كيف حالك؟ 👩‍👩‍👧‍👦 {name_${i}} ${"without-a-space".repeat(30)}`], ["Human", "<script>alert(1)</script> {question}"]), i % 3 ? `${"a message that does not end ".repeat(10)}🦊 ${i}` : undefined);
  for (let i = 0; i < 40; i++) await tag(ugly, `tag-${i}-${"t".repeat(2 * i)}`, last);
  await tag(ugly, "staging", last);
  await api("POST", `/comments/-/${ugly}`, { content: `${"w".repeat(600)} مرحبا 🦊` });
  return { name, ugly, webhook: (await api("GET", "/api/v1/prompt-webhooks"))[0].id };
}

/** A report about a project, made by the simulated model. */
export async function report(api, project) {
  const path = `/api/v1/sessions/${project}/insights`;
  const { id } = await api("POST", path, { name: "What people ask for", user_context: { "What are you trying to learn?": "what people ask for, and where they give up" }, summary_model: "simulated/sim-chat?latency=0" });
  for (;;) {
    const made = await api("GET", `${path}/${id}`);
    if (made.status === "success" || made.status === "error") return made;
    await new Promise((done) => setTimeout(done, 200));
  }
}
