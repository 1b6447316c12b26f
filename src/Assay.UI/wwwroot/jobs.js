// Background jobs: progress that follows the job, its buttons, and the dialog that has an experiment evaluated.
import { ask, confirmDialog, esc, icon, toast } from "./kit.js";

const EVERY = 1000;

class JobView extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (e) => {
      const button = e.target.closest("[data-act]");
      if (button) this.act(button);
    });
    this.follow();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  get isLive() {
    return this.querySelector("[data-live]")?.dataset.live === "true";
  }

  follow() {
    clearTimeout(this.timer);
    if (this.isLive) this.timer = setTimeout(() => this.refresh(), EVERY);
  }

  async refresh() {
    // Nobody looks: the numbers wait.
    if (!document.hidden) {
      try {
        const response = await ask(`/ui/jobs/${this.dataset.job}/view`);
        const held = this.querySelector(":focus")?.dataset.act;
        this.innerHTML = await response.text();
        if (held) this.querySelector(`[data-act="${held}"]`)?.focus();
        this.isUnreachable = false;
      } catch (e) {
        // The server restarts: the job goes on, and so do we.
        if (!this.isUnreachable) toast(e.message, true);
        this.isUnreachable = true;
      }
    }
    this.follow();
  }

  async act(button) {
    const action = button.dataset.act;
    if (action === "cancel" && !(await confirmDialog("Cancel this job?", "Rows that are done stay in the experiment. Calls under way are broken off, and the rest is not run.", "Cancel the job"))) return;
    button.disabled = true;
    try {
      await ask(`/ui/jobs/${this.dataset.job}/${action}`, { method: "POST" });
    } catch (e) {
      toast(e.message, true);
    }
    await this.refresh();
  }
}

class JobList extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(async () => {
      if (document.hidden || !this.querySelector('tr[data-state="Running"],tr[data-state="Waiting"]')) return;
      try {
        const response = await ask(location.href);
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("job-list tbody");
        if (fresh && !this.contains(document.activeElement)) this.querySelector("tbody").replaceWith(fresh);
      } catch {
        // The next look may succeed.
      }
    }, 2 * EVERY);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}

/** The evaluators of the workspace as boxes to tick, in a fieldset. */
export async function evaluatorBoxes(isChosen = () => false) {
  const list = await (await ask("/ui/jobs/evaluators")).json();
  const box = document.createElement("fieldset");
  box.className = "ticks jevals";
  box.innerHTML = `<legend>Evaluators</legend>${list.length ? list.map((e) => `<label title="Feedback key ${esc(e.key)}, version ${e.version}"><input type="checkbox" value="${esc(e.id)}"${isChosen(e.id) ? " checked" : ""}> <span dir="auto">${esc(e.name)}</span> <span class="tagc">${esc({ BuiltIn: "built in", Judge: "judge", Code: "code" }[e.kind] ?? e.kind)}</span></label>`).join("") : "<p class=\"hint\">This workspace has none yet.</p>"}<p class="hint"><a class="lnk" href="/evaluators" target="_blank" rel="noopener">Make or change evaluators</a></p>`;
  return box;
}

export const chosenEvaluators = (box) => [...box.querySelectorAll("input:checked")].map((i) => i.value);

/** Has an experiment's runs judged by chosen evaluators, in the background. */
async function evaluateDialog(experiment) {
  let box;
  try {
    box = await evaluatorBoxes();
  } catch (e) {
    return toast(e.message, true);
  }
  const dialog = document.createElement("dialog");
  dialog.className = "dlg wide";
  dialog.setAttribute("aria-label", "Evaluate this experiment");
  dialog.innerHTML = `<form class="form"><h2>Evaluate this experiment</h2><p>Every finished run is judged by the evaluators you choose, in the background. Scores an evaluator gave before are replaced.</p><div data-boxes></div><label>Concurrency<input type="number" name="concurrency" min="1" max="32" value="4"></label><p class="pg-problem" role="alert" hidden></p><div class="row end"><button class="btn" type="button" data-close>Close</button><button class="btn pri">${icon("play", "s")}Evaluate</button></div></form>`;
  dialog.querySelector("[data-boxes]").replaceWith(box);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", async (e) => {
    e.preventDefault();
    const problem = dialog.querySelector("[role=alert]");
    try {
      const response = await ask(`/ui/jobs/experiments/${experiment}/evaluate`, { method: "POST", body: JSON.stringify({ evaluators: chosenEvaluators(box), concurrency: Number(e.target.concurrency.value) || 4 }) });
      location.href = `/jobs/${(await response.json()).job}`;
    } catch (x) {
      problem.textContent = x.message;
      problem.hidden = false;
    }
  });
  dialog.showModal();
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-evaluate]");
  if (button) evaluateDialog(button.dataset.evaluate);
});

if (!customElements.get("job-view")) customElements.define("job-view", JobView);
if (!customElements.get("job-list")) customElements.define("job-list", JobList);
