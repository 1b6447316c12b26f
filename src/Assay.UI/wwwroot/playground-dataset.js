// "Run on a dataset": what to run on, where variables come from, how fast, judged by whom, and what it will cost, before anything starts.
import { ask, esc, icon, toast } from "./kit.js";
import { chosenEvaluators, evaluatorBoxes } from "./jobs.js";

const number = new Intl.NumberFormat("en");
const money = (dollars) => (dollars === 0 ? "$0" : dollars < 0.01 ? `$${dollars.toPrecision(2)}` : `$${dollars.toFixed(2)}`);
const time = (minutes) => (minutes < 1 ? "under a minute" : minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`);
/** The choice that is none of the dataset's inputs, which may have any name. */
const isSame = (select) => select.selectedOptions[0].hasAttribute("data-same");

/**
 * @param body      What the server gets of the variant: model, messages, settings.
 * @param variables What was typed for the variables, by name.
 * @param title     Name of the variant.
 * @param dataset   A dataset to begin with.
 */
export async function runOnDataset({ body, variables, title, dataset }) {
  let datasets, names, evaluators;
  try {
    const checked = await (await ask("/ui/playground/check", { method: "POST", body: JSON.stringify(body) })).json();
    if (checked.problem) throw new Error(checked.problem);
    names = checked.names;
    [datasets, evaluators] = await Promise.all([ask("/ui/jobs/datasets").then((r) => r.json()), evaluatorBoxes()]);
  } catch (e) {
    return toast(e.message, true);
  }
  const dialog = document.createElement("dialog");
  dialog.className = "pg-dialog pg-ds";
  dialog.setAttribute("aria-label", `Run ${title} on a dataset`);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  const head = `<div class="row"><h2 class="grow">Run ${esc(title)} on a dataset</h2><button class="btn gh ic" type="button" data-close aria-label="Close">${icon("x", "s")}</button></div>`;
  const closing = () => dialog.querySelectorAll("[data-close]").forEach((b) => b.addEventListener("click", () => dialog.close()));
  if (datasets.length === 0) {
    dialog.innerHTML = `${head}<p class="hint">There is no dataset in this workspace yet.</p><div class="row"><a class="btn pri" href="/data">Make one</a></div>`;
    closing();
    return dialog.showModal();
  }
  const first = datasets.some((d) => d.id === dataset) ? dataset : (datasets.find((d) => d.examples > 0) ?? datasets[0]).id;
  dialog.innerHTML = `${head}
    <form class="form pg-dsf">
      <div class="two"><label>Dataset<select name="dataset">${datasets.map((d) => `<option value="${esc(d.id)}"${d.id === first ? " selected" : ""}>${esc(d.name)} (${number.format(d.examples)})</option>`).join("")}</select></label>
      <label>Version<select name="version"></select></label></div>
      <fieldset class="ticks" data-splits><legend>Splits</legend></fieldset>
      <fieldset class="pg-map" data-map><legend>Where variables come from</legend></fieldset>
      <div class="four"><label title="Only the first so many examples">Examples<input type="number" name="limit" min="1" placeholder="all"></label><label>Repetitions<input type="number" name="repetitions" min="1" max="30" value="1"></label><label>Concurrency<input type="number" name="concurrency" min="1" max="32" value="4"></label><label>Calls a minute<input type="number" name="requests_per_minute" min="1" placeholder="no limit"></label></div>
      <div data-evaluators></div>
      <div class="two"><label>Experiment's name<input name="name" maxlength="200" placeholder="made up from the prompt or model"></label><label title="Overrides what is assumed about answers in the estimate">Tokens of an answer<input type="number" name="answer_tokens" min="1" placeholder="assumed"></label></div>
      <section class="pg-est" aria-live="polite" aria-label="Estimate"><p class="hint">Estimating…</p></section>
      <p class="pg-problem" role="alert" hidden></p>
      <div class="row"><button class="btn pri">${icon("play", "s")}Start</button><span class="hint">It runs in the background: you can close this page.</span></div>
    </form>`;
  closing();
  dialog.querySelector("[data-evaluators]").replaceWith(evaluators);
  const form = dialog.querySelector("form");
  const estimate = dialog.querySelector(".pg-est");
  const problem = dialog.querySelector("[role=alert]");
  const splits = dialog.querySelector("[data-splits]");
  const map = dialog.querySelector("[data-map]");

  const plan = () => {
    const data = new FormData(form);
    const whole = (name) => (data.get(name) ? Number(data.get(name)) : null);
    const mapping = {};
    for (const row of map.querySelectorAll("[data-variable]")) {
      const select = row.querySelector("select");
      mapping[row.dataset.variable] = isSame(select) ? { value: row.querySelector("input").value } : { from: select.value };
    }
    return {
      variant: body,
      name: data.get("name") || null,
      version: data.get("version") || null,
      splits: [...splits.querySelectorAll("input:checked")].map((i) => i.value),
      limit: whole("limit"),
      repetitions: whole("repetitions") ?? 1,
      concurrency: whole("concurrency") ?? 4,
      requests_per_minute: whole("requests_per_minute"),
      answer_tokens: whole("answer_tokens"),
      mapping,
      evaluators: chosenEvaluators(evaluators),
    };
  };

  let asked = 0;
  const reckon = async () => {
    const mine = ++asked;
    try {
      const e = await (await ask(`/ui/jobs/datasets/${form.dataset_.value}/estimate`, { method: "POST", body: JSON.stringify(plan()) })).json();
      if (mine !== asked) return;
      const cost = e.is_simulated ? "Costs nothing: the model is simulated" : e.dollars === null ? "Cost unknown: there is no price for this model" : `About ${money(e.dollars)}`;
      const over = e.left !== null && e.dollars !== null && e.dollars > e.left;
      estimate.innerHTML = `<b>${esc(cost)}</b><p>${number.format(e.rows)} ${e.rows === 1 ? "call" : "calls"} (${number.format(e.examples)} ${e.examples === 1 ? "example" : "examples"}), about ${number.format(e.prompt_tokens)} prompt tokens, counted on ${number.format(e.sampled)}, and ${number.format(e.completion_tokens)} tokens of answers: ${esc(e.assumption)}.${e.minutes === null ? "" : ` At this pace at least ${esc(time(e.minutes))}.`} Judges that call models cost extra.</p>${over ? `<p class="pg-fault">This is more than the ${esc(money(Math.max(0, e.left)))} that the workspace's limit leaves this month: the run will pause there.</p>` : ""}${e.problems.map((p) => `<p class="pg-fault">${esc(p)}</p>`).join("")}`;
    } catch (e) {
      if (mine === asked) estimate.innerHTML = `<p class="pg-fault">${esc(e.message)}</p>`;
    }
  };
  let later;
  const soon = () => {
    clearTimeout(later);
    later = setTimeout(reckon, 300);
  };

  const load = async () => {
    const chosen = form.dataset_.value;
    try {
      const known = await (await ask(`/ui/jobs/datasets/${chosen}`)).json();
      // Another one was chosen meanwhile: its own answer is on the way.
      if (chosen !== form.dataset_.value) return;
      form.version.innerHTML = `<option value="">newest</option>${known.versions.map((v) => `<option value="${esc(v.tags.find((t) => t !== "latest") ?? v.at)}">${esc(new Date(v.at).toLocaleString())}${v.tags.length ? ` (${esc(v.tags.join(", "))})` : ""}</option>`).join("")}`;
      splits.innerHTML = `<legend>Splits</legend>${known.splits.map((s) => `<label><input type="checkbox" value="${esc(s.name)}"> <span dir="auto">${esc(s.name)}</span> <span class="dim">${number.format(s.examples)}</span></label>`).join("")}<p class="hint">None ticked: all.</p>`;
      splits.hidden = known.splits.length < 2;
      map.innerHTML = `<legend>Where variables come from</legend>${names.length ? "" : "<p class=\"hint\">The prompt has no variables: every example gets the same question.</p>"}${names.map((n) => `<div class="row" data-variable="${esc(n)}"><b class="mono ell" title="${esc(n)}">${esc(n)}</b><span class="dim">from</span><select aria-label="Source of ${esc(n)}">${known.inputs.includes(n) ? "" : `<option value="${esc(n)}">${esc(n)} (no example seen has it)</option>`}${known.inputs.map((i) => `<option value="${esc(i)}"${i === n ? " selected" : ""}>${esc(i)}</option>`).join("")}<option data-same>the same for all…</option></select><input aria-label="Value of ${esc(n)}" value="${esc(variables[n] ?? "")}" hidden></div>`).join("")}`;
      for (const row of map.querySelectorAll("[data-variable]")) {
        const select = row.querySelector("select");
        // One variable, one input: there is no other way to mean it.
        if (names.length === 1 && known.inputs.length === 1) select.value = known.inputs[0];
        // What was typed for a variable that no example has is meant for all of them.
        if (!known.inputs.includes(row.dataset.variable) && variables[row.dataset.variable] && !(names.length === 1 && known.inputs.length === 1)) select.querySelector("[data-same]").selected = true;
        const show = () => (row.querySelector("input").hidden = !isSame(select));
        select.addEventListener("change", show);
        show();
      }
      await reckon();
    } catch (e) {
      estimate.innerHTML = `<p class="pg-fault">${esc(e.message)}</p>`;
    }
  };

  form.dataset_ = form.elements.namedItem("dataset");
  form.addEventListener("input", (e) => (e.target === form.dataset_ ? load() : soon()));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const button = form.querySelector(".btn.pri");
    button.disabled = true;
    try {
      const started = await (await ask(`/ui/jobs/datasets/${form.dataset_.value}/run`, { method: "POST", body: JSON.stringify(plan()) })).json();
      location.href = `/jobs/${started.job}`;
    } catch (x) {
      problem.textContent = x.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
  dialog.showModal();
  form.dataset_.focus();
  await load();
}
