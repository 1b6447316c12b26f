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
