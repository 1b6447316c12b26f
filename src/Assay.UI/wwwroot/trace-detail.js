// The selected run beside the tree: a fragment of the server, asked for once the selection rests, kept while the trace is open.
import { ask, esc, guid, localTimes } from "./kit.js";

/** Fragments that are kept. */
const MaxKept = 40;

export class RunPane {
  constructor(view) {
    this.view = view;
    this.box = view.querySelector(".detail");
    this.kept = new Map();
    // Which run comes first is known before the rows are.
    const first = this.box.dataset.shown;
    this.coming = { id: first, html: this.ask(first) };
    this.coming.html.catch(() => {});
    this.box.addEventListener("click", (e) => this.click(e));
    this.box.addEventListener("keydown", (e) => this.key(e));
  }

  /** Shows the selected run after so many milliseconds of rest; asks the server again when told to. */
  open(wait, again) {
    clearTimeout(this.opening);
    this.opening = setTimeout(() => this.read(again), wait);
  }

  async read(again) {
    this.loading?.abort();
    const { model, selected } = this.view;
    const id = model.id(selected);
    let html = again ? null : this.kept.get(id);
    if (!html) {
      this.loading = new AbortController();
      this.box.classList.add("old");
      const coming = this.coming?.id === id ? this.coming.html : null;
      this.coming = null;
      try {
        html = await (coming ?? this.ask(id, this.loading.signal));
        // The selection went on meanwhile.
        if (this.view.model.id(this.view.selected) !== id) return;
        if (model.status[selected] !== 0) {
          if (this.kept.size > MaxKept) this.kept.delete(this.kept.keys().next().value);
          this.kept.set(id, html);
        }
      } catch (e) {
        if (e.name === "AbortError") return;
        html = `<div class="empty"><p>${esc(e.message)}</p></div>`;
      }
    }
    this.fill(id, html);
    this.view.opened(id);
  }

  async ask(id, signal) {
    return await (await ask(`/ui/runs/${guid(id)}?project=${this.view.dataset.project}`, { signal })).text();
  }

  /** Everything is read anew: something about the runs has changed. */
  forget() {
    this.kept.clear();
    this.open(0, true);
  }

  fill(id, html) {
    const scroll = this.box.querySelector(".body")?.scrollTop ?? 0;
    const same = this.shown === id;
    this.shown = id;
    this.box.classList.remove("old");
    this.box.innerHTML = html;
    if (this.tab && this.tab !== "messages") this.openTab(this.tab);
    if (same) this.box.querySelector(".body")?.scrollTo(0, scroll);
    localTimes(this.box);
  }

  openTab(name) {
    const tab = this.box.querySelector(`[data-tab="${name}"]`);
    if (!tab) return;
    for (const t of this.box.querySelectorAll("[data-tab]")) {
      t.setAttribute("aria-selected", String(t === tab));
      t.tabIndex = t === tab ? 0 : -1;
    }
    for (const p of this.box.querySelectorAll("[data-panel]")) p.hidden = p.dataset.panel !== name;
  }

  click(e) {
    const tab = e.target.closest("[data-tab]");
    if (tab) this.openTab((this.tab = tab.dataset.tab));
  }

  key(e) {
    const tab = e.target.closest("[role=tab]");
    const d = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!tab || !d) return;
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + d + tabs.length) % tabs.length];
    next.focus();
    next.click();
    e.stopPropagation();
    e.preventDefault();
  }

  /** Where Enter goes from the tree: the first thing of the run that takes keys. */
  focus() {
    this.box.querySelector(".body [tabindex='0'], .body button, [role=tab][aria-selected=true]")?.focus();
  }
}
