// <trace-view>: a trace as tree and waterfall in one virtual list, the selected run beside it. Everything that a key does happens here at once; the
// server is asked for the rows (once, and again when the trace changes) and for the run that stays selected.
import { ask, count, duration, esc, guid, icon, isTyping, money, toast } from "./kit.js";
import { TimeAxis } from "./trace-axis.js";
import { RunPane } from "./trace-detail.js";
import { pressed } from "./trace-keys.js";
import { TraceList, chip } from "./trace-list.js";
import { TraceModel } from "./trace-model.js";

const Quiet = 60;
const Printed = 1000;
/** Of a larger trace two levels are unfolded at first, here and in TraceOutline.cs. */
const MaxUnfolded = 5000;

class TraceView extends HTMLElement {
  connectedCallback() {
    if (this.trace) return;
    this.trace = this.dataset.trace;
    this.start().catch((e) => this.fail(e));
  }

  disconnectedCallback() {
    this.gone = true;
    document.removeEventListener("keydown", this.onKey);
    removeEventListener("resize", this.onTheme);
    removeEventListener("beforeprint", this.onPrint);
    removeEventListener("afterprint", this.onPrinted);
    this.events?.close();
    this.size?.disconnect();
    clearInterval(this.clock);
  }

  /** The frame with the first rows comes with the page; beside a list it is asked for. */
  async start() {
    if (!this.querySelector(".tree")) {
      const html = await (await ask(`/ui/traces/${this.trace}/view?project=${this.dataset.project}&run=${this.dataset.run ?? ""}&view=${new URLSearchParams(location.search).get("view") ?? ""}`)).text();
      if (this.gone) return;
      this.innerHTML = html;
      this.dispatchEvent(new CustomEvent("trace-framed", { bubbles: true }));
    }
    this.tree = this.querySelector(".tree");
    this.view = this.querySelector("[data-view][aria-pressed=true]").dataset.view;
    this.isAlive = this.tree.classList.contains("alive");
    this.axis = new TimeAxis(this);
    this.list = new TraceList(this);
    this.pane = new RunPane(this);
    this.wire();
    await this.load();
  }

  wire() {
    document.addEventListener("keydown", (this.onKey = (e) => pressed(this, e)));
    this.tree.addEventListener("click", (e) => {
      const row = e.target.closest(".tn");
      if (!row || !this.model) return;
      const i = +row.dataset.i;
      if (e.target.closest(".tw")?.firstElementChild) this.fold(i);
      else this.select(i);
    });
    this.tree.addEventListener("dblclick", (e) => e.target.closest(".tn") && this.zoom());
    addEventListener("resize", (this.onTheme = () => (this.axis.drawStrip(), this.flame?.draw())));
    let isFirst = true;
    this.size = new ResizeObserver(() => {
      // The first notice says the size that was just drawn for.
      if (isFirst || !this.model) return (isFirst = false);
      this.list.draw();
      this.axis.drawStrip();
      this.flame?.draw();
    });
    this.size.observe(this.tree);
    this.wireSearch();
    this.addEventListener("click", (e) => {
      if (!this.model && !e.target.closest("[data-do=restart]")) return;
      const button = e.target.closest("[data-do]");
      if (button) this[button.dataset.do](button);
      const action = e.target.closest("[data-act]");
      if (action) this.act(action.dataset.act);
      const view = e.target.closest("[data-view]");
      if (view) this.show(view.dataset.view);
      const origin = e.target.closest("[data-select]");
      if (origin) this.select(this.model.find(origin.dataset.select));
      const more = e.target.closest("[data-more]");
      if (more) this.moreConversation(more);
    });
    // On paper there is no scrolling: the rows are all there, up to what somebody would print.
    addEventListener("beforeprint", (this.onPrint = () => this.list.draw(true, Printed)));
    addEventListener("afterprint", (this.onPrinted = () => this.list.draw(true)));
    this.addEventListener("feedback", () => {
      this.pane.forget();
      this.load().catch((x) => toast(x.message, true));
    });
  }

  wireSearch() {
    const find = this.querySelector("[name=find]");
    let wait;
    find.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => this.search(find.value), 80);
    });
    find.addEventListener("keydown", (e) => {
      if (e.key === "Enter") {
        e.preventDefault();
        this.searchDeep(find.value);
      } else if (e.key === "Escape" || e.key === "ArrowDown") {
        if (e.key === "Escape") {
          find.value = "";
          this.search("");
        }
        this.tree.focus();
        e.stopPropagation();
        e.preventDefault();
      }
    });
  }

  async load() {
    const first = !this.model;
    // The first time those that the page's own rows were taken from.
    const rows = first ? this.tree.dataset.reading : `/ui/traces/${this.trace}/rows${this.tree.dataset.project ? `?project=${this.tree.dataset.project}` : ""}`;
    const raw = await (await ask(rows)).json();
    if (this.gone) return;
    if (!raw.kind.length) throw new Error("This trace has no runs.");
    const selected = first ? this.dataset.run : this.model.id(this.selected);
    const isAll = first || this.axis.isAll;
    this.model = new TraceModel(raw, this.model);
    const m = this.model;
    if (isAll) this.axis.all();
    this.selected = Math.max(0, selected ? m.find(selected) : 0);
    if (this.path) this.path = m.critical();
    if (first) {
      if (this.selected > 0) m.reveal(this.selected);
      else if (m.length > MaxUnfolded) m.foldTo(2);
    }
    const query = this.querySelector("[name=find]").value;
    if (query) m.search(query);
    this.isAlive = m.pending > 0 && m.end() > m.known;
    this.summary();
    this.axis.draw();
    this.list.draw(!first || this.isAlive);
    if (first) {
      if (this.selected > 0) this.list.reveal();
      this.pane.open(0);
      if (this.view !== "tree") this.show(this.view, true);
      this.dataset.ready = "";
      performance.mark("trace-ready");
      if (this.dataset.mode !== "panel" && !isTyping(document.activeElement)) this.tree.focus({ preventScroll: true });
      // The strip is no part of what is read first.
      requestAnimationFrame(() => setTimeout(() => this.axis.drawStrip()));
    } else {
      this.axis.drawStrip();
      if (this.wasPending?.has(m.id(this.selected)) || m.status[this.selected] === 0) this.pane.open(0, true);
    }
    this.wasPending = new Set();
    if (m.pending && m.pending < 2000) for (let i = 0; i < m.length; i++) if (m.status[i] === 0) this.wasPending.add(m.id(i));
    this.watch();
  }

  fail(error) {
    const said = `<div class="empty">${icon("alert")}<h2>The trace could not be read</h2><p>${esc(error.message)}</p><button class="btn" type="button" data-do="restart">Try again</button></div>`;
    const left = this.querySelector(".left");
    if (!left) {
      this.innerHTML = said;
      this.querySelector("button").addEventListener("click", () => this.restart());
      return;
    }
    left.innerHTML = said;
    this.querySelector(".detail").innerHTML = "";
  }

  restart() {
    location.reload();
  }

  /** Follows a trace that still moves: running, or seen within the last minutes. */
  watch() {
    const isYoung = this.model.now - this.model.known < 12e7;
    if ((this.isAlive || isYoung) && !this.events) {
      this.events = new EventSource(`/ui/traces/${this.trace}/events`);
      this.events.addEventListener("changed", () => {
        if (this.due) return;
        this.due = setTimeout(() => {
          this.due = null;
          if (!this.gone) this.load().catch((e) => toast(e.message, true));
        }, Math.min(5000, 250 + this.model.length / 10));
      });
    }
    clearInterval(this.clock);
    this.tree.classList.toggle("alive", this.isAlive);
    if (this.isAlive)
      this.clock = setInterval(() => {
        if (document.hidden) return;
        if (this.axis.isAll) this.axis.all();
        this.summary();
        this.axis.draw();
        this.list.draw(true);
        this.axis.drawStrip();
      }, 1000);
  }

  /** Rows and timeline show another part of the time. */
  redraw() {
    this.list.draw(true);
    this.flame?.draw();
  }

  summary() {
    const m = this.model;
    const root = 0;
    this.querySelector(".tsum").innerHTML =
      `<span class="pill ${m.pending && m.status[root] === 0 ? "run" : m.status[root] === 2 ? "err" : "ok"}">${icon(m.status[root] === 2 ? "err" : m.status[root] === 0 ? "run" : "ok", "s")}${m.status[root] === 2 ? "Error" : m.status[root] === 0 ? "Running" : "Success"}</span>` +
      `<span title="Duration">${icon("clock", "s")}<b>${duration(m.endOf(root) - m.from[root])}</b></span>` +
      (m.tokens[root] ? `<span title="Tokens">${icon("hash", "s")}<b>${count(m.tokens[root])}</b> tok</span>` : "") +
      (m.cost[root] ? `<span title="Cost">${icon("coins", "s")}<b>${money(m.cost[root])}</b></span>` : "") +
      `<span title="Runs">${icon("list", "s")}<b>${m.length.toLocaleString("en")}</b> ${m.length === 1 ? "run" : "runs"}</span>` +
      (m.feedback[root] ?? []).map((c) => chip(c, m.trust)).join("");
    const errors = this.querySelector("[data-do=nextError]");
    errors.hidden = !m.errors.length;
    errors.querySelector("b").textContent = `${m.errors.length} ${m.errors.length === 1 ? "error" : "errors"}`;
    this.querySelector(".found").textContent = m.hits ? `${m.hits.length.toLocaleString("en")} found` : "";
  }

  // ---------- selection ----------
  select(i) {
    if (i < 0 || i === undefined || i >= this.model.length) return;
    this.model.reveal(i);
    const old = this.selected;
    this.selected = i;
    this.list.moveSelection(old, i);
    this.flame?.draw();
    this.pane.open(Quiet);
  }

  goTo(row) {
    const { rows } = this.model;
    this.select(rows[Math.max(0, Math.min(rows.length - 1, row))]);
  }

  /** The selected run is shown: the address says so. */
  opened(id) {
    if (this.view === "raw") this.raw();
    const url = new URL(location.href);
    if (this.selected === 0) url.searchParams.delete("run");
    else url.searchParams.set("run", guid(id));
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }

  nextError() {
    const { errors } = this.model;
    if (!errors.length) return toast("No errors in this trace");
    this.select(errors.find((i) => i > this.selected) ?? errors[0]);
  }

  costliest() {
    const i = this.model.costliest(this.selected);
    if (i >= 0) this.select(i);
  }

  // ---------- what the tree shows ----------
  fold(i, to = !this.model.folded[i]) {
    if (!this.model.hasChildren(i)) return;
    this.model.folded[i] = to ? 1 : 0;
    this.model.list();
    if (this.model.rowOf(this.selected) < 0) this.select(i);
    this.list.draw(true);
  }

  level(button) {
    this.model.foldTo(+button.dataset.level);
    if (this.model.rowOf(this.selected) < 0) {
      let i = this.selected;
      while (this.model.rowOf(i) < 0) i = this.model.parent[i];
      this.select(i);
    }
    this.list.draw(true);
    this.list.reveal();
    button.closest("[popover]")?.hidePopover();
  }

  zoom() {
    this.axis.zoom();
  }

  criticalPath() {
    this.path = this.path ? null : this.model.critical();
    this.querySelector("[data-do=criticalPath]").setAttribute("aria-pressed", String(!!this.path));
    this.list.draw(true);
  }

  // ---------- search ----------
  search(query) {
    if (!this.model) return;
    this.deep = null;
    this.model.search(query);
    this.afterSearch();
  }

  async searchDeep(query) {
    if (!query.trim() || !this.model) return;
    if (this.deep === query) return this.nextHit(1);
    try {
      const ids = await (await ask(`/ui/traces/${this.trace}/search?q=${encodeURIComponent(query)}`)).json();
      this.model.search(
        query,
        ids.map((id) => this.model.find(id)).filter((i) => i >= 0),
      );
      this.deep = query;
      this.afterSearch();
      this.nextHit(0);
    } catch (e) {
      toast(e.message, true);
    }
  }

  afterSearch() {
    this.summary();
    this.tree.scrollTop = 0;
    this.list.draw(true);
    if (!this.model.hits) this.list.reveal();
  }

  nextHit(step) {
    const { hits } = this.model;
    if (!hits?.length) return toast("Nothing found in this trace");
    const at = hits.indexOf(this.selected);
    const hit = hits[(at + step + hits.length) % hits.length] ?? hits[0];
    this.select(at < 0 ? hits[0] : hit);
  }

  // ---------- views ----------
  show(view, first) {
    this.view = view;
    for (const b of this.querySelectorAll("[data-view]")) b.setAttribute("aria-pressed", String(b.dataset.view === view));
    for (const p of this.querySelectorAll(".left > [data-pane]")) p.hidden = p.dataset.pane !== view;
    if (view === "tree") {
      this.list.draw(true);
      this.axis.drawStrip();
    }
    if (view === "chat" && !this.chatLoaded) this.conversation();
    if (view === "time") this.timeline();
    if (view === "raw") this.raw();
    if (first) return;
    const url = new URL(location.href);
    if (view === "tree") url.searchParams.delete("view");
    else url.searchParams.set("view", view);
    history.replaceState(history.state, "", url);
  }

  async timeline() {
    const { Flame } = await import("./flame.js");
    if (this.gone) return;
    this.flame ??= new Flame(this.querySelector("[data-pane=time]"), this);
    this.flame.draw();
  }

  async conversation() {
    this.chatLoaded = true;
    const pane = this.querySelector("[data-pane=chat]");
    pane.innerHTML = `<p class="waiting">${icon("run", "s c-run")}Reading the conversation…</p>`;
    try {
      pane.innerHTML = await (await ask(this.conversationFrom(0))).text();
    } catch (e) {
      pane.innerHTML = `<div class="empty"><p>${esc(e.message)}</p></div>`;
    }
  }

  async moreConversation(button) {
    button.disabled = true;
    try {
      button.outerHTML = await (await ask(this.conversationFrom(button.dataset.more))).text();
    } catch (e) {
      button.disabled = false;
      toast(e.message, true);
    }
  }

  conversationFrom(turn) {
    return `/ui/traces/${this.trace}/conversation?project=${this.dataset.project}&skip=${turn}`;
  }

  raw() {
    const id = guid(this.model.id(this.selected));
    this.querySelector("[data-pane=raw]").innerHTML = `<header class="row"><b>${esc(this.model.nameOf(this.selected))}</b><span class="dim">as the API gives it</span><span class="grow"></span><button class="btn sm" type="button" data-copy-src="/api/v1/runs/${id}">${icon("copy", "s")}Copy</button><a class="btn sm" href="/ui/traces/${this.trace}/export?project=${this.dataset.project}">${icon("dl", "s")}Trace as JSONL</a></header><json-view src="/api/v1/runs/${id}" data-depth="2"></json-view>`;
  }

  // ---------- what is done with the trace ----------
  /** Link, comparison, sharing, printing, deletion: loaded when one of them is wanted. */
  async act(name) {
    try {
      const actions = await import("./trace-actions.js");
      await actions[name](this);
    } catch (e) {
      toast(e.message, true);
    }
  }

  /** The neighbour in the list the trace was opened from. */
  step(by) {
    if (this.dataset.mode === "panel") return this.dispatchEvent(new CustomEvent("trace-step", { bubbles: true, detail: by }));
    let list = [];
    try {
      list = JSON.parse(sessionStorage.getItem("traces") ?? "[]");
    } catch {
      // A list of another version: no neighbours then.
    }
    const next = list[list.indexOf(this.trace) + by];
    if (next && list.includes(this.trace)) location.href = `/t/${next}`;
    else toast(by > 0 ? "No next trace in the list you came from" : "No previous trace in the list you came from");
  }
}

customElements.define("trace-view", TraceView);
