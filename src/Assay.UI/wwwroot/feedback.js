// Feedback given on the screens: the form asks for what the key's settings say, and every place that shows feedback hears of a change.
import { ask, confirmDialog, esc, icon, toast } from "./kit.js";
import { send } from "./enqueue.js";

customElements.define(
  "feedback-form",
  class extends HTMLElement {
    connectedCallback() {
      this.scales = new Map(JSON.parse(this.dataset.scales || "[]").map((s) => [s.key, s]));
      this.form = this.querySelector("form");
      this.box = this.querySelector("[data-answer]");
      // While the key is typed, and only when it asks for something else: who clicks into the score next must still find it there.
      this.form.elements.key.addEventListener("input", () => this.draw());
      this.form.addEventListener("submit", (e) => {
        e.preventDefault();
        this.give(e.submitter?.name === "note");
      });
      this.draw();
    }

    /** Labels, a number within bounds, or thumbs where nothing is known of the key. */
    draw() {
      const scale = this.scales.get(this.form.elements.key.value.trim()) ?? null;
      if (this.drawn === scale) return;
      this.drawn = scale;
      this.box.innerHTML = scale?.categories?.length
        ? `<fieldset class="rvo"><legend class="sr">Answer</legend>${scale.categories.map((c) => `<label class="opt"><input type="radio" name="label" value="${esc(c.label)}"><span>${esc(c.label)}</span></label>`).join("")}</fieldset>`
        : scale?.type === "text"
          ? ""
          : `<label>Score<input class="tx" name="score" type="number" step="any"${scale?.min != null ? ` min="${scale.min}"` : ""}${scale?.max != null ? ` max="${scale.max}"` : ""} placeholder="${scale ? `${scale.min ?? ""} – ${scale.max ?? ""}` : "0 – 1"}"></label><span class="seg" role="group" aria-label="Verdict"><button type="button" data-verdict="${scale?.max ?? 1}" aria-pressed="false" aria-label="Good">${icon("thumb", "s")}</button><button type="button" data-verdict="${scale?.min ?? 0}" aria-pressed="false" aria-label="Bad">${icon("thumbd", "s")}</button></span>`;
      this.box.onclick = (e) => {
        const verdict = e.target.closest("[data-verdict]");
        if (!verdict) return;
        this.form.elements.score.value = verdict.dataset.verdict;
        for (const b of this.box.querySelectorAll("[data-verdict]")) b.setAttribute("aria-pressed", String(b === verdict));
      };
    }

    async give(isNote) {
      const { key, score, comment } = this.form.elements;
      const label = this.box.querySelector("[name=label]:checked")?.value;
      if (isNote && !comment.value.trim()) return comment.focus();
      const body = isNote ? { key: "note", comment: comment.value } : { key: key.value, score: label === undefined && score?.value ? Number(score.value) : null, value: label ?? null, comment: comment.value };
      try {
        await send(this.dataset.to, body);
        toast(isNote ? "Note added" : "Feedback added");
        changed(this);
      } catch (x) {
        toast(x.message, true);
      }
    }
  },
);

function changed(from) {
  const load = from.closest("ui-load");
  if (load) load.load();
  from.dispatchEvent(new Event("feedback", { bubbles: true }));
}

document.addEventListener("click", async (e) => {
  const remove = e.target.closest("[data-unfeedback]");
  if (!remove || !(await confirmDialog("Remove feedback?", "It disappears for everybody, from statistics too.", "Remove"))) return;
  try {
    await ask(`/ui/feedback/${remove.dataset.unfeedback}`, { method: "DELETE" });
    changed(remove);
  } catch (x) {
    toast(x.message, true);
  }
});

document.addEventListener("submit", async (e) => {
  const form = e.target.closest("form[data-correct]");
  if (!form) return;
  e.preventDefault();
  const { verdict, score, label, reason, teach } = form.elements;
  const said = verdict ? JSON.parse(verdict.value) : score ? Number(score.value) : label.value.trim();
  try {
    const { version, problem } = await (await send(`/ui/feedback/${form.dataset.correct}/correct`, { verdict: said, reason: reason.value, teach: teach?.checked ?? false })).json();
    toast(problem ? `Corrected; no example: ${problem}` : version ? `Corrected; the judge sees it from version ${version} on` : "Corrected", !!problem);
    changed(form);
  } catch (x) {
    toast(x.message, true);
  }
});
