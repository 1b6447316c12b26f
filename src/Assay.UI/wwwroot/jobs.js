// Background jobs: progress that follows the job, its buttons, and the dialog that has an experiment evaluated.
import { ask, esc, icon, toast } from "./kit.js";
import { LiveList, LiveView } from "./live.js";

class JobView extends LiveView {
  cancelling = ["Cancel this job?", "Rows that are done stay in the experiment. Calls under way are broken off, and the rest is not run.", "Cancel the job"];

  get address() {
    return `/ui/jobs/${this.dataset.job}`;
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
if (!customElements.get("job-list")) customElements.define("job-list", class extends LiveList {});
