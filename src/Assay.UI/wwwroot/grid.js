// The list of a project: endless rows, selection, live tail, the trace beside the list. Fragments are HTML from the same Razor components.
import { enqueueRuns } from "./enqueue.js";
import { ask, confirmDialog, copy, esc, icon, isTyping, localTimes, toast } from "./kit.js";

const withParam = (url, key, value) => `${url}${url.includes("?") ? "&" : "?"}${key}=${encodeURIComponent(value)}`;

class RunGrid extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector(".vt");
    this.fresh = new Set();
    this.box.addEventListener("scroll", () => this.more(), { passive: true });
    this.box.addEventListener("click", (e) => this.click(e));
    this.querySelector("[data-all]").addEventListener("change", (e) => {
      for (const box of this.boxes()) box.checked = e.target.checked;
      this.selected();
    });
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
    this.onPop = () => this.fromAddress();
    addEventListener("popstate", this.onPop);
    if (this.dataset.live) {
      this.events = new EventSource(`/ui/projects/${this.dataset.project}/events`);
      this.events.addEventListener("changed", (e) => this.changed(e.data));
    }
    this.more();
    this.fromAddress();
    this.dataset.ready = "";
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    removeEventListener("popstate", this.onPop);
    this.events?.close();
  }

  rows() {
    return [...this.box.querySelectorAll(".tr")];
  }

  boxes() {
    return [...this.box.querySelectorAll(".tr .ck input")];
  }

  /** The next block, when the end comes near. */
  async more() {
    const last = this.box.querySelector(".blk:last-of-type");
    const next = last?.dataset.next;
    if (!next || this.busy || this.box.scrollTop + this.box.clientHeight * 2 < this.box.scrollHeight) return;
    this.busy = true;
    try {
      const html = await (await ask(withParam(this.dataset.rows, "cursor", next))).text();
      delete last.dataset.next;
      last.insertAdjacentHTML("afterend", html);
      this.querySelector("[data-count]").textContent = `${this.rows().length.toLocaleString("en")}${this.box.querySelector(".blk:last-of-type").dataset.next ? "+" : ""} shown`;
    } catch (e) {
      toast(e.message, true);
    } finally {
      this.busy = false;
    }
  }

  changed(trace) {
    if (this.box.querySelector(`.tr[data-trace="${trace}"]`)) this.stale = true;
    else this.fresh.add(trace);
    if (this.due) return;
    this.due = setTimeout(() => {
      this.due = null;
      if (this.box.scrollTop < 10 && !this.boxes().some((b) => b.checked) && !this.panel) this.refresh();
      else this.offer();
    }, 800);
  }

  offer() {
    if (!this.fresh.size) return;
    this.button ??= Object.assign(document.createElement("button"), { type: "button", className: "btn pri fresh", onclick: () => (this.box.scrollTo(0, 0), this.refresh()) });
    this.button.textContent = `${this.fresh.size} new`;
    this.button.setAttribute("aria-live", "polite");
    this.append(this.button);
  }

  /** The first block anew; what is focused stays focused. */
  async refresh() {
    const focused = document.activeElement?.closest?.(".tr")?.dataset.id;
    try {
      const html = await (await ask(this.dataset.rows)).text();
      const before = new Set(this.rows().map((r) => r.dataset.id));
      for (const block of [...this.box.querySelectorAll(".blk")]) block.remove();
      this.box.querySelector(".empty")?.remove();
      this.box.querySelector(".hd").insertAdjacentHTML("afterend", html);
      if (before.size) for (const row of this.rows()) if (!before.has(row.dataset.id)) row.classList.add("new");
      if (focused) this.box.querySelector(`.tr[data-id="${focused}"] a[data-row]`)?.focus({ preventScroll: true });
      this.fresh.clear();
      this.button?.remove();
      document.querySelector("ui-load.overl")?.load();
    } catch {
      // The next notice tries again.
    }
  }

  click(e) {
    const check = e.target.closest(".ck");
    if (check) {
      const input = check.querySelector("input");
      if (e.target !== input) input.checked = !input.checked;
      this.mark(input, e.shiftKey);
      return;
    }
    const link = e.target.closest("a[data-row]") ?? (e.target.closest(".tr") && !String(getSelection()) ? e.target.closest(".tr").querySelector("a[data-row]") : null);
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    e.preventDefault();
    this.open(link.closest(".tr"));
  }

  mark(input, range) {
    const boxes = this.boxes();
    const at = boxes.indexOf(input);
    if (range && this.anchor >= 0) for (let i = Math.min(at, this.anchor); i <= Math.max(at, this.anchor); i++) boxes[i].checked = input.checked;
    this.anchor = at;
    this.selected();
  }

  chosen() {
    return this.boxes().filter((b) => b.checked).map((b) => b.closest(".tr"));
  }

  selected() {
    const rows = this.chosen();
    for (const row of this.rows()) row.classList.toggle("sel", row.querySelector(".ck input").checked);
    this.bulk?.remove();
    if (!rows.length) return;
    this.bulk = document.createElement("div");
    this.bulk.className = "bulk";
    this.bulk.setAttribute("role", "toolbar");
    this.bulk.setAttribute("aria-label", "Selected rows");
    this.bulk.innerHTML = `<b>${rows.length} selected</b><span class="grow"></span>${rows.length === 2 ? `<button class="btn" type="button" data-b="compare" title="Compare (c)">${icon("compare", "s")}Compare</button>` : ""}${this.dataset.mayWrite ? `<button class="btn" type="button" data-add-dataset="selected">${icon("data", "s")}To dataset</button><button class="btn" type="button" data-b="queue">${icon("annot", "s")}To queue</button>` : ""}<button class="btn" type="button" data-b="ids">${icon("copy", "s")}Copy ids</button><button class="btn" type="button" data-b="csv">${icon("dl", "s")}CSV</button><button class="btn" type="button" data-b="jsonl">${icon("dl", "s")}JSONL</button>${(this.dataset.may ?? "").includes("delete") ? `<button class="btn danger" type="button" data-b="delete">${icon("x", "s")}Delete</button>` : ""}<button class="btn gh ic" type="button" data-b="none" aria-label="Drop the selection">${icon("x")}</button>`;
    this.bulk.addEventListener("click", (e) => this.act(e.target.closest("[data-b]")?.dataset.b));
    this.append(this.bulk);
  }

  async act(what) {
    const rows = this.chosen();
    const isTraces = this.dataset.tab === "traces";
    if (what === "none") {
      for (const b of this.boxes()) b.checked = false;
      this.querySelector("[data-all]").checked = false;
      return this.selected();
    }
    if (what === "compare") {
      // The older one stands on the left: what came later is compared with what was.
      const [b, a] = rows.map((r) => r.dataset.trace);
      location.href = a === b ? `/t/${a}` : `/compare?a=${a}&b=${b}`;
    }
    if (what === "queue") enqueueRuns(rows.map((r) => r.dataset.id));
    if (what === "ids") copy(rows.map((r) => r.dataset.id).join("\n"));
    const post = (name, body) => ask(`/ui/projects/${this.dataset.project}/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    try {
      if (what === "csv" || what === "jsonl") {
        const blob = await (await post(`export?format=${what}`, { ids: rows.map((r) => r.dataset.id), isTraces })).blob();
        const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `runs.${what}` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      }
      if (what === "delete") {
        const noun = isTraces ? "trace" : "run";
        if (!(await confirmDialog(`Delete ${rows.length} ${noun}${rows.length === 1 ? "" : "s"}?`, "With payloads and feedback. This cannot be undone."))) return;
        const ids = rows.map((r) => (isTraces ? r.dataset.trace.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5") : r.dataset.id));
        const answer = await (await post("delete", { ids, isTraces })).json();
        toast(`${answer.runs.toLocaleString("en")} runs deleted`);
        this.bulk?.remove();
        this.refresh();
      }
    } catch (e) {
      toast(e.message, true);
    }
  }

  key(e) {
    if (this.panel || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
    const isBox = e.target.matches?.(".ck input");
    if (isTyping(e.target) && !isBox) return;
    const rows = this.rows();
    const at = rows.indexOf(document.activeElement?.closest?.(".tr"));
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[e.key];
    if (step && rows.length) {
      e.preventDefault();
      const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
      next.querySelector("a[data-row]").focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
      if (e.shiftKey) {
        next.querySelector(".ck input").checked = true;
        this.selected();
      }
    } else if ((e.key === "x" || e.key === "X") && at >= 0) {
      const input = rows[at].querySelector(".ck input");
      input.checked = !input.checked;
      this.mark(input, e.shiftKey);
      e.preventDefault();
    } else if (e.key === "c" && this.chosen().length === 2) this.act("compare");
    else if (e.key === "Escape" && this.chosen().length) this.act("none");
  }

  // ---------- the trace beside the list ----------
  open(row, isBack) {
    const link = row.querySelector("a[data-row]");
    const target = new URL(link.href);
    const trace = target.pathname.split("/").pop();
    this.at = row;
    try {
      sessionStorage.setItem("traces", JSON.stringify([...new Set(this.rows().map((r) => new URL(r.querySelector("a[data-row]").href).pathname.split("/").pop()))]));
    } catch {
      // Storage is off: no neighbours on the full page.
    }
    this.show(trace, target.searchParams.get("run"), link.textContent);
    if (!isBack) {
      const url = new URL(location.href);
      url.searchParams.set("trace", trace);
      if (target.searchParams.get("run")) url.searchParams.set("run", target.searchParams.get("run"));
      else url.searchParams.delete("run");
      url.searchParams.delete("view");
      history.pushState({ panel: true }, "", url);
    }
  }

  show(trace, run, name) {
    this.panel?.remove();
    for (const r of this.rows()) r.classList.toggle("open", r === this.at);
    const panel = (this.panel = document.createElement("dialog"));
    panel.className = "panel";
    panel.tabIndex = -1;
    panel.setAttribute("aria-label", `Trace ${name ?? ""}`);
    panel.innerHTML = `<header><button class="btn gh ic" type="button" data-p="close" aria-label="Close" title="Close (Esc)">${icon("x")}</button><b class="ell" dir="auto">${esc(name ?? "Trace")}</b><span class="grow"></span><button class="btn gh ic sm" type="button" data-p="up" aria-label="Previous trace" title="Previous (k)">${icon("up", "s")}</button><button class="btn gh ic sm" type="button" data-p="down" aria-label="Next trace" title="Next (j)">${icon("arrdown", "s")}</button><a class="btn sm" data-p="full" href="/t/${trace}${run ? `?run=${run}` : ""}">${icon("expand", "s")}Full page</a></header><trace-view data-mode="panel" data-trace="${trace}" data-project="${this.dataset.project}" data-may="${this.dataset.may ?? ""}" ${run ? `data-run="${run}"` : ""}></trace-view>`;
    panel.addEventListener("click", (e) => {
      const what = e.target.closest("[data-p]")?.dataset.p;
      if (what === "close") this.close();
      if (what === "up") this.step(-1);
      if (what === "down") this.step(1);
      if (what === "full") {
        e.preventDefault();
        const now = new URL(location.href).searchParams.get("run");
        location.href = `/t/${trace}${now ? `?run=${now}` : ""}`;
      }
    });
    panel.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && !isTyping(e.target)) {
        e.preventDefault();
        e.stopPropagation();
        this.close();
      }
    });
    panel.addEventListener("trace-step", (e) => this.step(e.detail));
    // Keys go to the tree as soon as it is there.
    panel.addEventListener("trace-framed", () => panel.contains(document.activeElement) && panel.querySelector(".tree").focus({ preventScroll: true }));
    panel.addEventListener("trace-deleted", () => (this.close(), this.refresh()));
    document.body.append(panel);
    panel.show();
    panel.focus({ preventScroll: true });
  }

  step(by) {
    const rows = this.rows();
    const next = rows[rows.indexOf(this.at) + by];
    if (!next) return toast(by > 0 ? "That was the last row" : "That was the first row");
    next.scrollIntoView({ block: "nearest" });
    const view = new URL(location.href).searchParams.get("view");
    this.open(next, true);
    const target = new URL(next.querySelector("a[data-row]").href);
    const url = new URL(location.href);
    url.searchParams.set("trace", target.pathname.split("/").pop());
    if (target.searchParams.get("run")) url.searchParams.set("run", target.searchParams.get("run"));
    else url.searchParams.delete("run");
    if (view) url.searchParams.set("view", view);
    history.replaceState({ panel: true }, "", url);
  }

  close(isBack) {
    this.panel?.remove();
    this.panel = null;
    for (const r of this.rows()) r.classList.remove("open");
    this.at?.querySelector("a[data-row]")?.focus({ preventScroll: true });
    if (isBack) return;
    const url = new URL(location.href);
    for (const k of ["trace", "run", "view"]) url.searchParams.delete(k);
    history.pushState(null, "", url);
    this.offer();
  }

  fromAddress() {
    const trace = new URL(location.href).searchParams.get("trace");
    if (!trace) return this.panel && this.close(true);
    this.at = this.box.querySelector(`.tr[data-trace="${trace.replaceAll("-", "")}"]`) ?? null;
    this.show(trace, new URL(location.href).searchParams.get("run"), this.at?.querySelector("a[data-row]").textContent);
  }
}
customElements.define("run-grid", RunGrid);

// Plain tables: keys move between their rows.
document.addEventListener("keydown", (e) => {
  const box = document.querySelector("[data-rows]:not(run-grid):not(trace-view)");
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[e.key];
  if (!box || !step || isTyping(e.target) || e.defaultPrevented || e.ctrlKey || e.metaKey || document.querySelector("dialog[open]")) return;
  const links = [...box.querySelectorAll("a[data-row]")];
  const next = links[links.indexOf(document.activeElement) + step] ?? links[0];
  if (!next) return;
  e.preventDefault();
  next.focus({ preventScroll: true });
  next.closest(".tr").scrollIntoView({ block: "nearest" });
});

localTimes(document);
