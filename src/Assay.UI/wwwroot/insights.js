// Reports about a project: the dialog that asks for one, with its estimate; the view that follows it; rename, delete.
import { ask, confirmDialog, esc, icon, toast } from "./kit.js";
import { dollars } from "./elements.js";
import { LiveList, LiveView } from "./live.js";

const number = new Intl.NumberFormat("en");
const RANGES = [["1h", "Last hour"], ["24h", "Last 24 hours"], ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"], ["all", "All time"]];

/** Asks what the report is to be about, and says what it will cost before it starts. */
function newReport(button) {
  const project = button.dataset.project;
  const providers = JSON.parse(button.dataset.providers);
  const dialog = document.createElement("dialog");
  dialog.className = "dlg wide indlg";
  dialog.setAttribute("aria-label", "New report");
  dialog.innerHTML = `<form class="form"><h2>New report</h2><p>A model reads a sample of traces and sorts them into clusters. It runs in the background: you can close this page.</p>
    <label>What to look for<textarea name="focus" maxlength="4000" placeholder="For example: what do people ask for, and where do they give up?"></textarea></label>
    <div class="two"><label>Provider<select name="provider">${providers.map((p) => `<option value="${esc(p.id)}">${esc(p.name)}</option>`).join("")}</select></label><label>Model<input name="model" list="report-models" autocomplete="off" spellcheck="false" maxlength="200" required><datalist id="report-models"></datalist></label></div>
    <div class="two"><label>Traces of<select name="range">${RANGES.map(([key, title]) => `<option value="${key}"${key === "7d" ? " selected" : ""}>${title}</option>`).join("")}</select></label><label>At most so many<input type="number" name="sample" min="1" max="1000" value="100" required></label></div>
    <div class="two"><label>Filter<input name="filter" placeholder='eq(name, "agent")' autocomplete="off" spellcheck="false"></label><label>About so many clusters<input type="number" name="clusters" min="2" max="30" placeholder="as the traces need"></label></div>
    <label>Name<input name="name" maxlength="200" placeholder="made up from the date"></label>
    <section class="est" aria-live="polite" aria-label="Estimate"><p>Estimating…</p></section><p class="pg-problem" role="alert" hidden></p>
    <div class="row end"><button class="btn" type="button" data-close>Close</button><button class="btn pri">${icon("play", "s")}Start</button></div></form>`;
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  const form = dialog.querySelector("form");
  const estimate = dialog.querySelector(".est");
  const field = (name) => form.elements.namedItem(name);
  const plan = () => ({
    name: field("name").value,
    focus: field("focus").value,
    provider: field("provider").value,
    model: field("model").value,
    range: field("range").value,
    filter: field("filter").value,
    sample: Number(field("sample").value),
    clusters: field("clusters").value ? Number(field("clusters").value) : null,
  });

  let asked = 0;
  const reckon = async () => {
    const mine = ++asked;
    try {
      const e = await (await ask(`/ui/projects/${project}/insights/estimate`, { method: "POST", body: JSON.stringify(plan()) })).json();
      if (mine !== asked) return;
      if (e.problem) throw new Error(e.problem);
      if (e.runs === 0) {
        estimate.innerHTML = "<b>No finished trace in this time meets the filter</b>";
        return;
      }
      const cost = e.is_simulated ? "Costs nothing: the model is simulated" : e.dollars === null ? "Cost unknown: there is no price for this model" : `About ${dollars(e.dollars)}`;
      const over = e.left !== null && e.dollars !== null && e.dollars > e.left;
      estimate.innerHTML = `<b>${esc(cost)}</b><p>${number.format(e.runs)} of ${number.format(e.matched)} traces, about ${number.format(e.prompt_tokens)} tokens of questions and ${number.format(e.answer_tokens)} of answers.</p>${over ? `<p class="over">The workspace's limit leaves ${esc(dollars(Math.max(0, e.left)))} this month: the report will stop there.</p>` : ""}`;
    } catch (e) {
      if (mine === asked) estimate.innerHTML = `<p class="over">${esc(e.message)}</p>`;
    }
  };
  const models = async () => {
    const chosen = providers.find((p) => p.id === field("provider").value);
    const list = dialog.querySelector("datalist");
    const offer = (names) => (list.innerHTML = names.map((m) => `<option value="${esc(m)}">`).join(""));
    offer(chosen.models);
    field("model").value = chosen.models[0] ?? "";
    reckon();
    try {
      const named = await (await ask(`/ui/playground/models/${chosen.id}`)).json();
      if (field("provider").value === chosen.id) offer(named.models);
    } catch {
      // The provider does not say; a name can be typed.
    }
  };
  let later;
  form.addEventListener("input", (e) => {
    if (e.target.name === "provider") return models();
    clearTimeout(later);
    later = setTimeout(reckon, 300);
  });
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const start = form.querySelector(".btn.pri");
    const problem = dialog.querySelector("[role=alert]");
    start.disabled = true;
    try {
      const started = await (await ask(`/ui/projects/${project}/insights`, { method: "POST", body: JSON.stringify(plan()) })).json();
      location.href = `/projects/${project}/insights/${started.job}`;
    } catch (x) {
      problem.textContent = x.message;
      problem.hidden = false;
      start.disabled = false;
    }
  });
  dialog.showModal();
  models();
}

class InsightsView extends LiveView {
  cancelling = ["Cancel this report?", "What was read stays, and you can go on with it later. Calls under way are broken off.", "Cancel the report"];

  get address() {
    return this.dataset.at;
  }
}

function rename(view, name) {
  const dialog = document.createElement("dialog");
  dialog.className = "dlg";
  dialog.setAttribute("aria-label", "Rename the report");
  dialog.innerHTML = `<form class="form"><h2>Rename the report</h2><label>Name<input name="name" maxlength="200" required value="${esc(name)}"></label><div class="row end"><button class="btn" type="button" data-close>Cancel</button><button class="btn pri">Save</button></div></form>`;
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", async (e) => {
    e.preventDefault();
    try {
      await ask(`${view.dataset.at}/name`, { method: "POST", body: JSON.stringify({ name: e.target.elements.namedItem("name").value }) });
      location.reload();
    } catch (x) {
      toast(x.message, true);
    }
  });
  dialog.showModal();
}

document.addEventListener("click", async (e) => {
  const begin = e.target.closest("[data-new-report]");
  if (begin) return newReport(begin);
  const view = document.querySelector("insights-view");
  const renaming = e.target.closest("[data-rename]");
  if (renaming && view) {
    document.getElementById("report-menu").hidePopover();
    return rename(view, renaming.dataset.rename);
  }
  if (view && e.target.closest("#report-menu [data-delete]")) {
    document.getElementById("report-menu").hidePopover();
    if (!(await confirmDialog("Delete this report?", "Its clusters and summaries go. The runs stay, they are the project's."))) return;
    try {
      await ask(view.dataset.at, { method: "DELETE" });
      location.href = view.dataset.home;
    } catch (x) {
      toast(x.message, true);
    }
  }
});

if (!customElements.get("insights-view")) customElements.define("insights-view", InsightsView);
if (!customElements.get("insights-list")) customElements.define("insights-list", class extends LiveList {});
// From here on, buttons of this page do what they say.
document.documentElement.dataset.insights = "ready";
