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
  return { name, ugly, hash: commits[1].commit_hash, webhook: (await api("GET", "/api/v1/prompt-webhooks"))[0].id };
}

const simulated = "5173a7ed-0000-4000-8000-000000000001";

/** A judge that was compared with people, a built-in evaluator, and one whose names are too long. */
export async function evaluators(api, post, runs, project) {
  const judge = { name: "Helpfulness", key: "helpfulness", kind: "Judge", description: "Would a customer be helped by this answer?", settings: { provider: simulated, model: "sim-judge", messages: [{ role: "user", content: "Question: {{inputs}}\nAnswer: {{outputs}}\nIs it helpful?" }], verdict: { kind: "boolean" } } };
  const { id } = await api("POST", "/ui/evaluators", judge);
  for (const [i, run] of runs.entries()) await api("POST", `/ui/runs/${run}/feedback`, { key: "helpful_by_people", score: i % 4 ? 1 : 0, comment: i % 5 ? undefined : "It names the wrong day." });
  await post(`/ui/evaluators/${id}/calibrate`, { key: "helpful_by_people", project, most: 40 });
  await api("PUT", `/ui/evaluators/${id}?basedOn=1`, { ...judge, note: "asks for the reason first", settings: { ...judge.settings, messages: [{ role: "user", content: "Question: {{inputs}}\nAnswer: {{outputs}}\nFirst say why, then: is it helpful?" }] } });
  const builtIn = (await api("POST", "/ui/evaluators", { name: "Names a day", key: "names_a_day", kind: "BuiltIn", settings: { type: "regex_match", pattern: "Monday|Friday" } })).id;
  const ugly = (await api("POST", "/ui/evaluators", { ...judge, name: `${"evaluator".repeat(12)} 🦊 حكم`.slice(0, 100), key: "k".repeat(90), description: "d".repeat(400) })).id;
  return { judge: id, builtIn, ugly };
}

/** A run on a dataset that ends well, one whose every row fails, and one that takes its time. */
export async function jobs(api, dataset, evaluators) {
  const variant = { provider: simulated, model: "sim-echo?latency=20", messages: [{ role: "user", content: "Answer shortly: {question}" }], parameters: { temperature: 0.2 } };
  const good = (await api("POST", `/ui/jobs/datasets/${dataset}/run`, { variant, name: "from the playground", evaluators: [evaluators.builtIn] })).job;
  const bad = (await api("POST", `/ui/jobs/datasets/${dataset}/run`, { variant: { ...variant, model: "sim-chat?fail=1&status=500&latency=0" }, name: `${"job".repeat(60)} 🦊` })).job;
  const slow = (await api("POST", `/ui/jobs/datasets/${dataset}/run`, { variant: { ...variant, model: "sim-echo?latency=60000" }, name: "a slow one", concurrency: 1 })).job;
  return { good, bad, slow };
}

/** Series over steps and files of two experiments. */
export async function tracking(api, put, experiments) {
  for (const [e, id] of experiments.entries()) {
    const points = [];
    for (let step = 0; step < 60; step++) {
      points.push({ key: "train/loss", step, value: (2.4 - e * 0.3) * Math.exp(-step / 18) + 0.08 * Math.abs(Math.sin(step * (e + 1))) });
      points.push({ key: "eval/accuracy", step, value: 1 - 0.7 * Math.exp(-step / (12 + 4 * e)) });
      points.push({ key: "learning_rate", step, value: 3e-4 * (1 - step / 60) });
      points.push({ key: `${"series/".repeat(12)}🦊`, step, value: step % 7 });
    }
    await api("POST", `/api/v1/sessions/${id}/metrics`, { points });
    await put(`/api/v1/sessions/${id}/artifacts/report.md`, "# Report");
    await put(`/api/v1/sessions/${id}/artifacts/${"folder/".repeat(8)}${"long-name-".repeat(8)}.bin`, "x".repeat(4000));
  }
}

/** Two queues for two people: questions of every kind, and pairs. */
export async function twice(api, runs, dataset) {
  await api("POST", "/api/v1/feedback-configs", { feedback_key: "verdict", feedback_config: { type: "categorical", categories: [{ value: 1, label: "good" }, { value: 0, label: "bad" }] } });
  await api("POST", "/api/v1/feedback-configs", { feedback_key: "clarity", feedback_config: { type: "continuous", min: 1, max: 5 } });
  const { id } = await api("POST", "/annotation-queues", { name: "Judged by two", description: "Every answer is read by two people.", num_reviewers_per_item: 2, default_dataset: dataset, rubric_instructions: "**Would you have sent this answer?** Think of a customer who is in a hurry.", rubric_items: [{ feedback_key: "verdict", description: "Is it good?", is_required: true }, { feedback_key: "clarity", description: "How clear is it?" }, { feedback_key: "remarks", description: "What else?" }] });
  await api("POST", `/annotation-queues/${id}/runs`, runs.slice(0, 8));
  const pairs = (await api("POST", "/annotation-queues", { name: "Which one is better", queue_type: "pairwise" })).id;
  await api("POST", `/ui/queues/${pairs}/add`, { runs: runs.slice(0, 2) });
  const ugly = (await api("POST", "/annotation-queues", { name: `${"queue".repeat(38)} 🦊 طابور`.slice(0, 200), description: "d".repeat(600), rubric_instructions: "i".repeat(700), rubric_items: Array.from({ length: 8 }, (_, i) => ({ feedback_key: `${"question".repeat(8)}-${i}`, description: "e".repeat(200) })) })).id;
  return { id, pairs, ugly };
}

/** A dataset whose names, values and experiments are too long, partly right-to-left, or missing. */
export async function uglyData(api) {
  const { id } = await api("POST", "/datasets", { name: `${"dataset".repeat(30)} 🦊 بيانات`.slice(0, 250), description: "d".repeat(500) });
  const examples = Array.from({ length: 12 }, (_, i) => ({ id: uuid(), dataset_id: id, inputs: i % 3 ? { [`${"key".repeat(30)}${i}`]: "v".repeat(2000), متن: "قيمة طويلة", nothing: null, empty: "" } : {}, outputs: i % 2 ? { answer: `🦊 ${"o".repeat(900)}`, list: Array.from({ length: 40 }, (_, j) => j) } : null, metadata: { [`${"meta".repeat(20)}`]: "m".repeat(300) }, split: ["s".repeat(100), "train"] }));
  await api("POST", "/examples/bulk", examples);
  const experiments = [];
  for (const name of [`${"experiment".repeat(20)} 🦊 تجربة`, "a"]) {
    const session = uuid();
    experiments.push(session);
    await api("POST", "/sessions", { id: session, name, reference_dataset_id: id, description: "d".repeat(400), extra: { metadata: { [`${"model".repeat(20)}`]: "m".repeat(200) } } });
    const start = Date.now() - 500_000;
    const runs = examples.slice(0, name === "a" ? 5 : 12).map((e, i) => ({ id: uuid(), e, i }));
    await api("POST", "/runs/batch", { post: runs.map((r) => ({ id: r.id, trace_id: r.id, dotted_order: `${stamp(start + r.i)}${r.id}`, name: "n".repeat(200), run_type: "chain", session_id: session, reference_example_id: r.e.id, start_time: new Date(start + r.i).toISOString(), end_time: r.i % 3 ? new Date(start + r.i + 90_000).toISOString() : undefined, inputs: r.e.inputs, outputs: r.i % 3 ? { answer: "a".repeat(1500) } : undefined, error: r.i % 5 ? undefined : "e".repeat(1200) })) });
    for (const r of runs.slice(0, 6)) for (let k = 0; k < 8; k++) await api("POST", "/feedback", { run_id: r.id, key: `${"feedback".repeat(7)}-${k}`, ...(k % 2 ? { score: r.i * 1234.5678 } : { value: "category ".repeat(6).trim() }), comment: "c".repeat(300) });
  }
  return { id, example: examples[1].id, bare: examples[0].id, experiments };
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
