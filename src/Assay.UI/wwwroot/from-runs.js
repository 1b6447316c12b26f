// Runs into a dataset. Any button with data-add-dataset opens the dialog: "run" (data-run, data-project), "selected" (inside a run-grid), "query" (all that the list of the project finds).
import { ask, esc, icon, toast } from "./kit.js";

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-add-dataset]");
  if (!button) return;
  const kind = button.dataset.addDataset;
  const grid = document.querySelector("run-grid");
  if (kind === "run") open({ project: button.dataset.project, ids: [button.dataset.run] });
  else if (kind === "selected") open({ project: grid.dataset.project, ids: grid.chosen().map((r) => r.dataset.id) });
  else {
    button.closest("[popover]")?.hidePopover();
    open({ project: grid.dataset.project, ids: null, query: location.search.slice(1) });
  }
});

async function open(runs) {
  const send = (path, more) => ask(`/ui/from-runs${path}${runs.query ? `?${runs.query}` : ""}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ project: runs.project || null, ids: runs.ids, ...more }) });
  let found;
  try {
    found = await (await send("/preview", {})).json();
  } catch (e) {
    return toast(e.message, true);
  }
  if (!found.rows.length) return toast("There is no run to take", true);
  const last = localStorage["dataset:last"];
  const noun = runs.ids ? (runs.ids.length === 1 ? "this run" : `${runs.ids.length} runs`) : found.count ? `${found.count} runs` : "all runs of this list";
  const dialog = document.createElement("dialog");
  dialog.className = "dlg sheet from";
  dialog.setAttribute("aria-label", "Add to a dataset");
  const roles = [["", "Leave out"], ["inputs", "Input"], ["outputs", "Reference output"], ["metadata", "Metadata"]];
  const name = (path) => (path.endsWith(".-1.content") ? path.split(".").at(-3) : path.split(".").slice(1).join(".") || (path === "inputs" ? "input" : "output"));
  const first = (path) => (path.includes(".-1.") ? "" : path.split(".")[0] === "metadata" ? "" : path.split(".")[0]);
  dialog.innerHTML = `<form method="dialog" class="form"><h2>Add ${esc(noun)} to a dataset</h2>
    <div class="two"><label>Dataset<select name="dataset">${found.datasets.map((d) => `<option value="${d.id}" ${d.id === last ? "selected" : ""}>${esc(d.name)} (${d.examples.toLocaleString("en")})</option>`).join("")}<option value="" ${found.datasets.length ? "" : "selected"}>New dataset…</option></select></label>
    <label data-new ${found.datasets.length ? "hidden" : ""}>Name of the new dataset<input name="newName" maxlength="1024"></label>
    <label>Splits<input name="splits" placeholder="base" autocomplete="off"></label></div>
    <div class="seg" role="group" aria-label="What is taken"><button type="button" data-how="whole" aria-pressed="true">Inputs and outputs as they are</button><button type="button" data-how="fields" aria-pressed="false">Choose fields</button></div>
    <label class="ck1" data-whole><input type="checkbox" name="out" checked> Take the outputs as reference outputs</label>
    <div class="scroll" data-map hidden><table class="list map"><thead><tr><th>Field</th><th>Becomes</th><th>Name</th><th>In the first run</th></tr></thead><tbody>${found.fields.map((f) => `<tr data-path="${esc(f.path)}"><td class="mono">${esc(f.path)}</td><td><select aria-label="What ${esc(f.path)} becomes">${roles.map(([k, t]) => `<option value="${k}" ${first(f.path) === k ? "selected" : ""}>${t}</option>`).join("")}</select></td><td><input aria-label="Name of ${esc(f.path)}" value="${esc(name(f.path))}"></td><td class="smp ell" title="${esc(f.sample)}">${esc(f.sample.slice(0, 90))}</td></tr>`).join("")}</tbody></table></div>
    <label class="ck1"><input type="checkbox" name="skip" checked> Leave out runs that do not fit the dataset's schema</label>
    <h3 class="sec">The first example will be</h3><pre class="jbox mono snip" data-sample tabindex="0"></pre>
    <p class="hint">Every example keeps the link to its run. Runs that are in the dataset already are left out.</p>
    <p class="notice err slim" role="alert" hidden></p>
    <div class="row end"><button class="btn" value="no" formnovalidate>Cancel</button><button class="btn pri" type="button" data-go>Add to dataset</button></div></form>`;
  document.body.append(dialog);
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector("[role=alert]");
  let how = "whole";
  const mapping = () => {
    const map = { splits: form.splits.value.split(",").map((s) => s.trim()).filter(Boolean), takesOutputs: how === "whole" && form.out.checked };
    if (how === "whole") return map;
    for (const key of ["inputs", "outputs", "metadata"]) map[key] = [];
    for (const row of form.querySelectorAll("[data-path]")) {
      const role = row.querySelector("select").value;
      if (role) map[role].push({ path: row.dataset.path, name: row.querySelector("input").value.trim() || row.dataset.path });
    }
    return map;
  };
  const draw = (rows) => {
    const row = rows[0];
    dialog.querySelector("[data-sample]").textContent = row.problem ?? JSON.stringify({ inputs: row.inputs, ...(row.outputs && { outputs: row.outputs }), ...(row.metadata && { metadata: row.metadata }) }, null, 2).slice(0, 5000);
  };
  draw(found.rows);
  let asked = 0;
  const again = async () => {
    const mine = ++asked;
    const map = mapping();
    const isEmpty = how === "fields" && !map.inputs.length;
    dialog.querySelector("[data-go]").disabled = isEmpty;
    problem.hidden = !isEmpty;
    if (isEmpty) return (problem.textContent = "Choose at least one field as an input.");
    try {
      const next = await (await send("/preview", map)).json();
      if (mine === asked) draw(next.rows);
    } catch (e) {
      problem.hidden = false;
      problem.textContent = e.message;
    }
  };
  form.addEventListener("change", () => {
    form.querySelector("[data-new]").hidden = form.elements.dataset.value !== "";
    again();
  });
  form.addEventListener("click", async (e) => {
    const next = e.target.closest("[data-how]")?.dataset.how;
    if (next) {
      how = next;
      for (const b of form.querySelectorAll("[data-how]")) b.setAttribute("aria-pressed", String(b.dataset.how === how));
      form.querySelector("[data-map]").hidden = how === "whole";
      form.querySelector("[data-whole]").hidden = how !== "whole";
      again();
    }
    const go = e.target.closest("[data-go]");
    if (!go) return;
    const dataset = form.elements.dataset.value || null;
    if (!dataset && !form.newName.value.trim()) {
      problem.hidden = false;
      problem.textContent = "Name the new dataset.";
      return form.newName.focus();
    }
    go.disabled = true;
    go.textContent = "Adding…";
    try {
      const done = await (await send("", { ...mapping(), dataset, newName: form.newName.value, skip: form.skip.checked })).json();
      localStorage["dataset:last"] = done.dataset;
      const said = [`${done.added.toLocaleString("en")} example${done.added === 1 ? "" : "s"} added`, done.known && `${done.known} there already`, done.bad && `${done.bad} do not fit`].filter(Boolean).join(", ");
      form.innerHTML = `<h2>${esc(said)}</h2>${done.problems.length ? `<ul class="faults">${done.problems.map((p) => `<li>${esc(p)}</li>`).join("")}</ul>` : ""}<div class="row end"><button class="btn">Close</button><a class="btn pri" href="/data/${done.dataset}">${icon("data", "s")}Open the dataset</a></div>`;
      form.querySelector("a").focus();
    } catch (x) {
      go.disabled = false;
      go.textContent = "Add to dataset";
      problem.hidden = false;
      problem.textContent = x.message;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
