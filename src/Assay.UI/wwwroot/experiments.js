// Experiments: their table with a selection to compare, rows of results with one in full beside them and its trace.
import { ask, confirmDialog, esc, icon, isTyping, toast } from "./kit.js";
import { RowGrid } from "./rows.js";

customElements.define(
  "experiment-grid",
  class extends RowGrid {
    actions(rows) {
      return `<button class="btn pri" type="button" data-b="compare" ${rows.length < 1 || rows.length > 8 || (rows.length === 1 && !this.dataset.baseline) ? "disabled" : ""} title="${rows.length > 8 ? "At most 8 at once" : ""}">${icon("compare", "s")}${rows.length === 1 ? "Compare with the baseline" : "Compare"}</button>${this.dataset.delete ? `<button class="btn danger" type="button" data-b="delete">${icon("x", "s")}Delete</button>` : ""}`;
    }

    async act(what) {
      const ids = this.chosen().map((r) => r.dataset.id);
      if (what === "compare") {
        // The baseline first; otherwise the oldest of them.
        const base = this.dataset.baseline;
        const order = base && (ids.includes(base) || ids.length === 1) ? [base, ...ids.filter((i) => i !== base)] : ids.reverse();
        location.href = `/data/${this.dataset.dataset}/compare?selectedSessions=${order.join(",")}`;
      }
      if (what === "delete") {
        if (!(await confirmDialog(`Delete ${ids.length} experiment${ids.length === 1 ? "" : "s"}?`, "With all their runs, traces and feedback. The dataset stays. This cannot be undone."))) return;
        await ask(`/api/v1/sessions?${ids.map((i) => `session_ids=${i}`).join("&")}`, { method: "DELETE" });
        location.reload();
      }
    }
  },
);

customElements.define(
  "result-grid",
  class extends RowGrid {
    connectedCallback() {
      super.connectedCallback();
      this.onPop = () => this.fromAddress();
      addEventListener("popstate", this.onPop);
      this.fromAddress();
    }

    disconnectedCallback() {
      super.disconnectedCallback();
      removeEventListener("popstate", this.onPop);
      this.panel?.remove();
    }

    click(e) {
      const row = e.target.closest(".tr");
      if (!row || e.ctrlKey || e.metaKey || e.shiftKey || e.button || String(getSelection())) return;
      e.preventDefault();
      this.open(row.dataset.id);
    }

    key(e) {
      if (!this.panel) super.key(e);
    }

    fromAddress() {
      const id = new URL(location.href).searchParams.get("example");
      if (id) this.show(id);
      else this.close(true);
    }

    open(id) {
      const url = new URL(location.href);
      url.searchParams.set("example", id);
      history[this.panel ? "replaceState" : "pushState"](null, "", url);
      this.show(id);
    }

    async show(id) {
      this.at = this.box.querySelector(`.tr[data-id="${id}"]`);
      for (const r of this.rows()) r.classList.toggle("open", r === this.at);
      const isNew = !this.panel;
      const panel = (this.panel ??= document.createElement("dialog"));
      if (isNew) {
        panel.className = "panel rpanel";
        panel.setAttribute("aria-label", "One example");
        panel.innerHTML = `<header><button class="btn gh ic" type="button" data-p="close" aria-label="Close" title="Close (Esc)">${icon("x")}</button><b class="ell grow" dir="auto" data-title></b><button class="btn gh ic sm" type="button" data-p="up" aria-label="Previous row" title="Previous (k)">${icon("up", "s")}</button><button class="btn gh ic sm" type="button" data-p="down" aria-label="Next row" title="Next (j)">${icon("arrdown", "s")}</button></header><div class="rsplit"><div class="rleft"></div></div>`;
        panel.addEventListener("click", (e) => {
          const what = e.target.closest("[data-p]")?.dataset.p;
          if (what === "close") this.close();
          if (what === "up") this.step(-1);
          if (what === "down") this.step(1);
          const view = e.target.closest("[data-view]");
          if (view) {
            const box = view.closest(".res");
            for (const b of box.querySelectorAll("[data-view]")) b.setAttribute("aria-pressed", String(b === view));
            for (const d of box.querySelectorAll("[data-is]")) d.hidden = d.dataset.is !== view.dataset.view;
          }
          const trace = e.target.closest("[data-trace]");
          if (trace?.matches("button")) this.trace(trace);
        });
        panel.addEventListener("keydown", (e) => {
          if (isTyping(e.target) || e.ctrlKey || e.metaKey || e.altKey) return;
          if (e.key === "Escape") {
            e.preventDefault();
            e.stopPropagation();
            this.close();
          } else if ((e.key === "j" || e.key === "k") && !e.target.closest("trace-view")) {
            e.preventDefault();
            this.step(e.key === "j" ? 1 : -1);
          }
        });
        panel.addEventListener("trace-step", (e) => this.step(e.detail));
        document.body.append(panel);
        panel.show();
      }
      panel.querySelector("[data-title]").textContent = this.at?.querySelector("a[data-row]").textContent ?? "Example";
      const left = panel.querySelector(".rleft");
      panel.querySelector(".rright")?.remove();
      try {
        left.innerHTML = await (await ask(`${this.dataset.detail}&example=${id}`)).text();
      } catch (e) {
        left.innerHTML = `<p class="notice err" role="alert">${esc(e.message)}</p>`;
        return;
      }
      if (isNew) panel.querySelector("[data-p=close]").focus({ preventScroll: true });
      const traces = left.querySelectorAll("button[data-trace]");
      if (innerWidth > 1100 && traces.length === 1) this.trace(traces[0]);
    }

    /** The trace of a run beside the row. */
    trace(button) {
      for (const b of this.panel.querySelectorAll("button[data-trace]")) b.classList.toggle("on", b === button);
      const split = this.panel.querySelector(".rsplit");
      split.querySelector(".rright")?.remove();
      const { trace, project } = button.dataset;
      split.insertAdjacentHTML("beforeend", `<div class="rright"><header class="row"><span class="grow"></span><a class="btn sm" href="/t/${trace}?project=${project}">${icon("expand", "s")}Full page</a></header><trace-view data-mode="panel" data-trace="${trace}" data-project="${project}"></trace-view></div>`);
    }

    step(by) {
      const rows = this.rows();
      const next = rows[rows.indexOf(this.at) + by];
      if (!next) return toast(by > 0 ? "That was the last row" : "That was the first row");
      next.scrollIntoView({ block: "nearest" });
      this.open(next.dataset.id);
      if (by > 0 && rows.indexOf(next) > rows.length - 5) this.more();
    }

    close(isBack) {
      if (!this.panel) return;
      this.panel.remove();
      this.panel = null;
      for (const r of this.rows()) r.classList.remove("open");
      this.at?.querySelector("a[data-row]")?.focus({ preventScroll: true });
      if (isBack) return;
      const url = new URL(location.href);
      for (const k of ["example", "run", "view"]) url.searchParams.delete(k);
      history.pushState(null, "", url);
    }
  },
);
