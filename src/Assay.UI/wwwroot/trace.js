// <trace-view>: tree and waterfall in one virtual list, the selected run beside it. Everything that a key does happens here at once; the server is
// asked for the rows (once, and again when the trace changes) and for the run that stays selected.
import { ask, color, confirmDialog, copy, count, duration, esc, guid, icon, isTyping, localTimes, money, toast } from "./kit.js";
import { pick } from "./pick.js";
import { shareDialog } from "./share.js";
import { TraceModel, kindIcon, kinds } from "./trace-model.js";
import { Flame } from "./flame.js";

const Row = 30;
const Over = 12;
const Quiet = 60;
const Printed = 1000;

class TraceView extends HTMLElement {
  connectedCallback() {
    if (this.model) return;
    this.trace = this.dataset.trace;
    this.from = 0;
    this.to = 1;
    this.cache = new Map();
    this.view = new URLSearchParams(location.search).get("view") ?? "tree";
    this.innerHTML = shell;
    this.tree = this.querySelector(".tree");
    this.window = this.querySelector(".win");
    this.spacer = this.querySelector(".spc");
    this.detail = this.querySelector(".detail");
    this.mini = this.querySelector(".mini canvas");
    this.querySelector("[data-export]").href = `/ui/traces/${this.trace}/export?project=${this.dataset.project}`;
    this.querySelector("[data-do=remove]").hidden = !this.may("delete");
    this.wire();
    this.load().catch((e) => this.fail(e));
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

  wire() {
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
    this.tree.addEventListener("scroll", () => this.draw(), { passive: true });
    this.tree.addEventListener("click", (e) => {
      const row = e.target.closest(".tn");
      if (!row) return;
      const i = +row.dataset.i;
      if (e.target.closest(".tw")?.firstElementChild) this.fold(i);
      else this.select(i);
    });
    this.tree.addEventListener("dblclick", (e) => e.target.closest(".tn") && this.zoom());
    this.tree.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    addEventListener("resize", (this.onTheme = () => (this.drawMini(), this.flame?.draw())));
    this.size = new ResizeObserver(() => {
      this.draw();
      this.drawMini();
      this.flame?.draw();
    });
    this.size.observe(this.tree);
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
    this.addEventListener("click", (e) => {
      const button = e.target.closest("[data-do]");
      if (button) this[button.dataset.do](button);
      const origin = e.target.closest("[data-select]");
      if (origin) this.select(this.model.find(origin.dataset.select));
      const more = e.target.closest("[data-more]");
      if (more) this.moreConversation(more);
      this.detailClick(e);
    });
    // On paper there is no scrolling: the rows are all there, up to what somebody would print.
    addEventListener("beforeprint", (this.onPrint = () => this.draw(true, Printed)));
    addEventListener("afterprint", (this.onPrinted = () => this.draw(true)));
    this.addEventListener("feedback", () => this.again());
    this.detail.addEventListener("keydown", (e) => {
      const tab = e.target.closest("[role=tab]");
      const d = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!tab || !d) return;
      const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
      const next = tabs[(tabs.indexOf(tab) + d + tabs.length) % tabs.length];
      next.focus();
      next.click();
      e.stopPropagation();
      e.preventDefault();
    });
    // The strip under the axis: drag to zoom, double click for all of it.
    const strip = this.querySelector(".mini > div");
    strip.addEventListener("pointerdown", (e) => {
      const box = strip.getBoundingClientRect();
      const at = (x) => Math.max(0, Math.min(1, (x - box.left) / box.width)) * this.model.end();
      const start = at(e.clientX);
      strip.setPointerCapture(e.pointerId);
      const move = (m) => {
        const here = at(m.clientX);
        if (Math.abs(m.clientX - e.clientX) > 3) this.range(Math.min(start, here), Math.max(start, here));
      };
      strip.addEventListener("pointermove", move);
      strip.addEventListener("pointerup", () => strip.removeEventListener("pointermove", move), { once: true });
    });
    strip.addEventListener("dblclick", () => this.range(0, this.model.end()));
    for (const b of this.querySelectorAll("[data-view]")) b.addEventListener("click", () => this.show(b.dataset.view));
  }

  async load() {
    const raw = await (await ask(this.dataset.rows)).json();
    if (this.gone) return;
    if (!raw.kind.length) throw new Error("This trace has no runs.");
    const first = !this.model;
    const selected = first ? this.dataset.run : this.model.id(this.selected);
    const isAll = first || this.isAll;
    this.model = new TraceModel(raw, this.model);
    if (isAll) this.all();
    this.selected = Math.max(0, selected ? this.model.find(selected) : 0);
    if (this.path) this.path = this.model.critical();
    if (first) {
      if (this.selected > 0) this.model.reveal(this.selected);
      else if (this.model.length > 5000) this.model.foldTo(2);
    }
    const query = this.querySelector("[name=find]").value;
    if (query) this.model.search(query);
    this.summary();
    this.drawAxis();
    this.draw(true);
    this.drawMini();
    if (first) {
      this.reveal();
      this.open(0);
      this.show(this.view, true);
      this.dataset.ready = "";
      performance.mark("trace-ready");
      if (this.dataset.mode !== "panel" && !isTyping(document.activeElement)) this.tree.focus({ preventScroll: true });
    } else if (this.wasPending?.has(this.model.id(this.selected)) || this.model.status[this.selected] === 0) this.open(0, true);
    this.wasPending = new Set();
    if (this.model.pending && this.model.pending < 2000) for (let i = 0; i < this.model.length; i++) if (this.model.status[i] === 0) this.wasPending.add(this.model.id(i));
    this.watch();
  }

  fail(error) {
    this.detail.innerHTML = "";
    this.window.innerHTML = "";
    this.querySelector(".left").innerHTML = `<div class="empty">${icon("alert")}<h2>The trace could not be read</h2><p>${esc(error.message)}</p><button class="btn" type="button" data-do="restart">Try again</button></div>`;
  }

  restart() {
    location.reload();
  }

  /** Follows a trace that still moves: running, or seen within the last minutes. */
  watch() {
    const isAlive = this.model.pending > 0 && this.model.end() > this.model.known;
    const isYoung = this.model.now - this.model.known < 12e7;
    if ((isAlive || isYoung) && !this.events) {
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
    this.classList.toggle("alive", isAlive);
    if (isAlive)
      this.clock = setInterval(() => {
        if (document.hidden) return;
        if (this.isAll) this.to = Math.max(1, this.model.end());
        this.summary();
        this.drawAxis();
        this.draw(true);
        this.drawMini();
      }, 1000);
  }

  all() {
    this.from = 0;
    this.to = Math.max(1, this.model.end());
    this.isAll = true;
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
      (m.feedback[root] ?? []).map(badge).join("");
    const errors = this.querySelector("[data-do=nextError]");
    errors.hidden = !m.errors.length;
    errors.querySelector("b").textContent = `${m.errors.length} ${m.errors.length === 1 ? "error" : "errors"}`;
    this.querySelector(".found").textContent = m.hits ? `${m.hits.length.toLocaleString("en")} found` : "";
  }

  drawAxis() {
    const mid = (this.from + this.to) / 2;
    const [a, b, c] = this.querySelectorAll(".axis span");
    a.textContent = this.from ? duration(this.from) : "0";
    b.textContent = duration(mid);
    c.textContent = duration(this.to);
    const box = this.querySelector(".mini em");
    const end = Math.max(1, this.model.end());
    box.hidden = this.isAll;
    box.style.left = `${(100 * this.from) / end}%`;
    box.style.width = `${(100 * (this.to - this.from)) / end}%`;
    const zoom = this.querySelector("[data-do=zoom]");
    zoom.setAttribute("aria-pressed", String(!this.isAll));
  }

  drawMini() {
    const m = this.model;
    const c = this.mini;
    if (!m || !c.clientWidth) return;
    const w = (c.width = c.clientWidth * devicePixelRatio);
    const h = (c.height = c.clientHeight * devicePixelRatio);
    const g = c.getContext("2d");
    const colors = kinds.map((k) => color(`--f-${k}`));
    const red = color("--err-fill");
    const end = Math.max(1, m.end());
    const deepest = Math.max(4, Math.min(12, m.depth.reduce((a, b) => Math.max(a, b), 0)));
    const step = Math.max(1, Math.floor(m.length / 20000));
    for (let i = 0; i < m.length; i += step) {
      g.fillStyle = m.status[i] === 2 ? red : colors[m.kind[i]];
      g.fillRect((m.from[i] / end) * w, (Math.min(m.depth[i], deepest) / (deepest + 1)) * h, Math.max(1, ((m.endOf(i) - m.from[i]) / end) * w), Math.max(1, h / (deepest + 1)));
    }
    g.fillStyle = red;
    if (step > 1) for (const i of m.errors) g.fillRect((m.from[i] / end) * w, (Math.min(m.depth[i], deepest) / (deepest + 1)) * h, 2, Math.max(2, h / (deepest + 1)));
  }

  /** Draws the rows in sight; all others do not exist. With a number, that many from the top. */
  draw(force, count) {
    const m = this.model;
    if (!m || !this.tree.clientHeight) return;
    const total = m.rows.length;
    if (this.spacer.dataset.n !== String(total)) {
      this.spacer.style.height = `${total * Row}px`;
      this.spacer.dataset.n = total;
      force = true;
    }
    const a = count ? 0 : Math.max(0, Math.floor(this.tree.scrollTop / Row) - Over);
    const b = Math.min(total, count ?? Math.ceil((this.tree.scrollTop + this.tree.clientHeight) / Row) + Over);
    if (!force && this.drawnFrom <= Math.max(0, a + Over - 4) && this.drawnTo >= Math.min(total, b - Over + 4)) return;
    this.drawnFrom = a;
    this.drawnTo = b;
    let html = "";
    for (let r = a; r < b; r++) html += this.row(m.rows[r], r);
    this.window.style.transform = `translateY(${a * Row}px)`;
    this.window.innerHTML = html;
    this.tree.setAttribute("aria-activedescendant", `tn-${this.selected}`);
  }

  row(i) {
    const m = this.model;
    const kind = kinds[m.kind[i]];
    const isError = m.status[i] === 2;
    const end = m.endOf(i);
    const span = this.to - this.from;
    const left = Math.max(0, (100 * (m.from[i] - this.from)) / span);
    const right = Math.min(100, (100 * (end - this.from)) / span);
    const took = m.took[i] < 0 ? end - m.from[i] : m.took[i];
    let bar;
    if (right < 0 || m.from[i] > this.to) bar = `<u class="${right < 0 ? "bf" : "af"}">${duration(took)}</u>`;
    else {
      const place = right > 84 && left > 16 ? `right:${(100 - left).toFixed(2)}%` : right > 84 ? `left:100%` : `left:${right.toFixed(2)}%`;
      const cls = `${isError ? "e" : ""}${m.took[i] < 0 ? " go" : ""}${this.path?.[i] ? " cp" : ""}`;
      bar = `<i class="${cls}" style="left:${left.toFixed(2)}%;width:${Math.max(0, right - left).toFixed(2)}%"></i>${m.first[i] > 0 && m.first[i] < took ? `<s style="left:${Math.min(100, (100 * (m.from[i] + m.first[i] - this.from)) / span).toFixed(2)}%"></s>` : ""}<u style="${place}">${duration(took)}</u>`;
    }
    const children = m.hasChildren(i);
    const isOpen = !m.folded[i] || m.hits;
    const depth = Math.min(m.depth[i], 24);
    const model = m.modelOf(i);
    return (
      `<div class="tn t-${kind}${this.path && !this.path[i] ? " off" : ""}" id="tn-${i}" data-i="${i}" role="treeitem" aria-level="${m.depth[i] + 1}" aria-selected="${i === this.selected}"${children ? ` aria-expanded="${!!isOpen}"` : ""}>` +
      `<div class="tl" style="--d:${depth}">${children ? `<span class="tw${isOpen ? " o" : ""}">${icon("chev", "xs")}</span>` : `<span class="tw"></span>`}<span class="ty">${icon(kindIcon(m.kind[i]))}</span><span class="n ell${isError ? " e" : ""}" dir="auto">${esc(m.nameOf(i))}</span>${isError ? `${icon("err", "s c-err")}<span class="sr">error</span>` : ""}${m.took[i] < 0 && this.classList.contains("alive") ? icon("run", "s c-run") : ""}${children && m.folded[i] && !m.hits ? `<span class="fn">${(m.last[i] - i).toLocaleString("en")}</span>` : ""}${model ? `<span class="m ell">${esc(model)}</span>` : ""}` +
      `<span class="bd">${(m.feedback[i] ?? []).slice(0, 1).map(badge).join("")}${m.tokens[i] ? `<span>${count(m.tokens[i])} tok</span>` : ""}${m.cost[i] >= 1e5 ? `<span>${money(m.cost[i])}</span>` : ""}</span></div><div class="wf">${bar}</div></div>`
    );
  }

  reveal() {
    const row = this.model.rowOf(this.selected);
    const y = row * Row;
    const t = this.tree;
    if (y < t.scrollTop) t.scrollTop = y;
    else if (y + Row > t.scrollTop + t.clientHeight) t.scrollTop = y + Row - t.clientHeight + 2 * Row;
  }

  select(i) {
    if (i < 0 || i === undefined || i >= this.model.length) return;
    this.model.reveal(i);
    const old = this.selected;
    this.selected = i;
    this.reveal();
    this.draw();
    this.window.querySelector(`#tn-${old}`)?.setAttribute("aria-selected", "false");
    const row = this.window.querySelector(`#tn-${i}`);
    if (row) row.setAttribute("aria-selected", "true");
    else this.draw(true);
    this.tree.setAttribute("aria-activedescendant", `tn-${i}`);
    this.flame?.draw();
    this.open(Quiet);
  }

  /** The selected run's fragment, once the selection rests. */
  open(wait, again) {
    clearTimeout(this.opening);
    this.opening = setTimeout(async () => {
      this.loading?.abort();
      const id = this.model.id(this.selected);
      const known = again ? null : this.cache.get(id);
      if (known) this.fill(known);
      else {
        this.loading = new AbortController();
        this.detail.classList.add("old");
        try {
          const html = await (await ask(`/ui/runs/${guid(id)}?project=${this.dataset.project}`, { signal: this.loading.signal })).text();
          if (this.model.status[this.selected] !== 0) {
            if (this.cache.size > 40) this.cache.delete(this.cache.keys().next().value);
            this.cache.set(id, html);
          }
          this.fill(html);
        } catch (e) {
          if (e.name === "AbortError") return;
          this.fill(`<div class="empty"><p>${esc(e.message)}</p></div>`);
        }
      }
      if (this.view === "raw") this.raw();
      const url = new URL(location.href);
      if (this.selected === 0) url.searchParams.delete("run");
      else url.searchParams.set("run", guid(id));
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, wait);
  }

  fill(html) {
    const scroll = this.detail.querySelector(".body")?.scrollTop ?? 0;
    const same = this.shown === this.model.id(this.selected);
    this.shown = this.model.id(this.selected);
    this.detail.classList.remove("old");
    this.detail.innerHTML = html;
    if (this.tab && this.tab !== "messages") this.openTab(this.tab);
    if (same) this.detail.querySelector(".body")?.scrollTo(0, scroll);
    localTimes(this.detail);
  }

  openTab(name) {
    const tab = this.detail.querySelector(`[data-tab="${name}"]`);
    if (!tab) return;
    for (const t of this.detail.querySelectorAll("[data-tab]")) {
      t.setAttribute("aria-selected", String(t === tab));
      t.tabIndex = t === tab ? 0 : -1;
    }
    for (const p of this.detail.querySelectorAll("[data-panel]")) p.hidden = p.dataset.panel !== name;
  }

  detailClick(e) {
    const tab = e.target.closest("[data-tab]");
    if (tab) {
      this.tab = tab.dataset.tab;
      this.openTab(this.tab);
    }
    const how = e.target.closest("[data-show]");
    if (how) {
      const box = how.closest(".jbox");
      for (const b of box.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b === how));
      for (const p of box.querySelectorAll("[data-shown]")) p.hidden = p.dataset.shown !== how.dataset.show;
    }
    const copied = e.target.closest("[data-copy-src]");
    if (copied)
      ask(copied.dataset.copySrc)
        .then((r) => r.text())
        .then(copy, (x) => toast(x.message, true));
  }

  again() {
    this.cache.clear();
    this.open(0, true);
    this.load().catch((x) => toast(x.message, true));
  }

  fold(i, to = !this.model.folded[i]) {
    if (!this.model.hasChildren(i)) return;
    this.model.folded[i] = to ? 1 : 0;
    this.model.list();
    if (this.model.rowOf(this.selected) < 0) this.select(i);
    this.draw(true);
  }

  search(query) {
    this.deep = null;
    this.model.search(query);
    this.afterSearch();
  }

  async searchDeep(query) {
    if (!query.trim()) return;
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
    this.draw(true);
    if (!this.model.hits) this.reveal();
  }

  nextHit(step) {
    const hits = this.model.hits;
    if (!hits?.length) return toast("Nothing found in this trace");
    const at = hits.indexOf(this.selected);
    const hit = hits[(at + step + hits.length) % hits.length] ?? hits[0];
    this.select(at < 0 ? hits[0] : hit);
  }

  nextError() {
    const errors = this.model.errors;
    if (!errors.length) return toast("No errors in this trace");
    this.select(errors.find((i) => i > this.selected) ?? errors[0]);
  }

  costliest() {
    const i = this.model.costliest(this.selected);
    if (i >= 0) this.select(i);
  }

  zoom() {
    if (!this.isAll && this.zoomed === this.selected) return this.unzoom();
    let i = this.selected;
    if (i === 0 && !this.isAll) return this.unzoom();
    while (!this.model.hasChildren(i) && this.model.endOf(i) - this.model.from[i] < 1000 && this.model.parent[i] > 0) i = this.model.parent[i];
    const a = this.model.from[i];
    const b = this.model.endOf(i);
    this.zoomed = this.selected;
    this.range(a, Math.max(b, a + 100));
  }

  unzoom() {
    this.zoomed = null;
    this.range(0, this.model.end());
  }

  range(a, b) {
    const end = Math.max(1, this.model.end());
    this.from = Math.max(0, a);
    this.to = Math.max(this.from + 10, Math.min(b, end));
    this.isAll = this.from <= 0 && this.to >= end;
    if (this.isAll) this.all();
    this.drawAxis();
    this.draw(true);
    this.flame?.draw();
  }

  /** Ctrl + wheel zooms around the pointer, shift + wheel moves. */
  wheel(e) {
    const wf = e.target.closest(".wf");
    if (!wf || !(e.ctrlKey || e.shiftKey)) return;
    e.preventDefault();
    const box = wf.getBoundingClientRect();
    this.wheelAt((e.clientX - box.left) / box.width, e);
  }

  wheelAt(x, e) {
    const span = this.to - this.from;
    if (e.shiftKey) {
      const by = ((e.deltaY || e.deltaX) / 500) * span;
      const a = Math.max(0, Math.min(this.from + by, this.model.end() - span));
      return this.range(a, a + span);
    }
    const k = Math.exp(e.deltaY / 300);
    const at = this.from + x * span;
    this.range(at - x * span * k, at + (1 - x) * span * k);
  }

  criticalPath() {
    this.path = this.path ? null : this.model.critical();
    this.querySelector("[data-do=criticalPath]").setAttribute("aria-pressed", String(!!this.path));
    this.draw(true);
  }

  level(button) {
    this.model.foldTo(+button.dataset.level);
    if (this.model.rowOf(this.selected) < 0) {
      let i = this.selected;
      while (this.model.rowOf(i) < 0) i = this.model.parent[i];
      this.select(i);
    }
    this.draw(true);
    this.reveal();
    button.closest("[popover]")?.hidePopover();
  }

  show(view, first) {
    this.view = view;
    for (const b of this.querySelectorAll("[data-view]")) b.setAttribute("aria-pressed", String(b.dataset.view === view));
    for (const p of this.querySelectorAll(".left > [data-pane]")) p.hidden = p.dataset.pane !== view;
    if (view === "tree") {
      this.draw(true);
      this.drawMini();
    }
    if (view === "chat" && !this.chatLoaded) this.conversation();
    if (view === "time") {
      this.flame ??= new Flame(this.querySelector("[data-pane=time]"), this);
      this.flame.draw(true);
    }
    if (view === "raw") this.raw();
    if (first) return;
    const url = new URL(location.href);
    if (view === "tree") url.searchParams.delete("view");
    else url.searchParams.set("view", view);
    history.replaceState(history.state, "", url);
  }

  async conversation() {
    this.chatLoaded = true;
    const pane = this.querySelector("[data-pane=chat]");
    pane.innerHTML = `<p class="waiting">${icon("run", "s c-run")}Reading the conversation…</p>`;
    try {
      pane.innerHTML = await (await ask(`/ui/traces/${this.trace}/conversation?project=${this.dataset.project}`)).text();
    } catch (e) {
      pane.innerHTML = `<div class="empty"><p>${esc(e.message)}</p></div>`;
    }
  }

  async moreConversation(button) {
    button.disabled = true;
    const html = await (await ask(`/ui/traces/${this.trace}/conversation?project=${this.dataset.project}&skip=${button.dataset.more}`)).text();
    button.outerHTML = html;
  }

  raw() {
    const id = guid(this.model.id(this.selected));
    this.querySelector("[data-pane=raw]").innerHTML = `<header class="row"><b>${esc(this.model.nameOf(this.selected))}</b><span class="dim">as the API gives it</span><span class="grow"></span><button class="btn sm" type="button" data-copy-src="/api/v1/runs/${id}">${icon("copy", "s")}Copy</button><a class="btn sm" href="/ui/traces/${this.trace}/export?project=${this.dataset.project}">${icon("dl", "s")}Trace as JSONL</a></header><json-view src="/api/v1/runs/${id}" data-depth="2"></json-view>`;
  }

  link() {
    const url = new URL(`/t/${this.trace}`, location.href);
    if (this.selected) url.searchParams.set("run", guid(this.model.id(this.selected)));
    copy(url.href);
  }

  print() {
    this.querySelector("#more").hidePopover();
    print();
  }

  async remove() {
    this.querySelector("#more").hidePopover();
    if (!(await confirmDialog("Delete this trace?", `All ${this.model.length.toLocaleString("en")} runs with their payloads and feedback. This cannot be undone.`))) return;
    try {
      await ask(`/ui/traces/${this.trace}`, { method: "DELETE" });
      if (this.dataset.mode === "panel") this.dispatchEvent(new CustomEvent("trace-deleted", { bubbles: true }));
      else location.href = `/projects/${this.dataset.project}`;
    } catch (e) {
      toast(e.message, true);
    }
  }

  async share() {
    const shared = await shareDialog(this.trace, this.dataset.project, this.may("write"));
    if (shared !== null) this.querySelector("[data-do=share]").setAttribute("aria-pressed", String(shared));
  }

  /** Whether the reader may do something: "write", "delete". */
  may(right) {
    return (this.dataset.may ?? "").split(" ").includes(right);
  }

  compare() {
    pick({
      label: "Compare with another trace",
      placeholder: "Words, an id or a link; else the newest of this name",
      empty: "No other trace found. Paste an id or a link.",
      source: (q) => `/ui/compare/candidates?trace=${this.trace}&project=${this.dataset.project}&q=${encodeURIComponent(q)}`,
      choose: (item, isNew) => {
        const address = `/compare?a=${this.trace}&b=${item.trace}`;
        if (isNew) open(address);
        else location.href = address;
      },
    });
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

  key(e) {
    if (!this.model || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isTyping(e.target) || document.querySelector("dialog[open]:not(.panel)")) return;
    const m = this.model;
    const row = m.rowOf(this.selected);
    const inTree = e.target === this.tree || e.target === document.body || e.target === this || e.target.closest?.("dialog.panel") === e.target;
    const page = Math.max(1, Math.floor(this.tree.clientHeight / Row) - 1);
    const go = (r) => this.select(m.rows[Math.max(0, Math.min(m.rows.length - 1, r))]);
    const tree = {
      ArrowDown: () => go(row + 1),
      ArrowUp: () => go(row - 1),
      PageDown: () => go(row + page),
      PageUp: () => go(row - page),
      Home: () => go(0),
      End: () => go(m.rows.length - 1),
      ArrowRight: () => (m.hasChildren(this.selected) && m.folded[this.selected] ? this.fold(this.selected, false) : m.hasChildren(this.selected) && go(row + 1)),
      ArrowLeft: () => (m.hasChildren(this.selected) && !m.folded[this.selected] && !m.hits ? this.fold(this.selected, true) : m.parent[this.selected] >= 0 && this.select(m.parent[this.selected])),
      Enter: () => this.detail.querySelector(".body [tabindex='0'], .body button, [role=tab][aria-selected=true]")?.focus(),
      " ": () => this.fold(this.selected),
    };
    const anywhere = {
      j: () => this.step(1),
      k: () => this.step(-1),
      e: () => this.nextError(),
      $: () => this.costliest(),
      z: () => this.zoom(),
      "/": () => this.querySelector("[name=find]").focus(),
      c: () => this.link(),
      v: () => this.compare(),
      s: () => this.share(),
      p: () => this.criticalPath(),
      n: () => this.nextHit(1),
      1: () => this.show("tree"),
      2: () => this.show("chat"),
      3: () => this.show("time"),
      4: () => this.show("raw"),
    };
    const act = (inTree && tree[e.key]) || anywhere[e.key];
    if (!act) return;
    e.preventDefault();
    e.stopPropagation();
    act();
  }
}

const badge = ([key, mean]) => `<span class="fb${mean == null ? "" : mean < 0.5 ? " lo" : mean < 0.7 ? " mid" : ""}" title="${esc(key)}${mean == null ? "" : `: ${mean}`}"><span class="k">${esc(key.length > 14 ? `${key.slice(0, 13)}…` : key)}</span>${mean == null ? "" : ` <b>${mean}</b>`}</span>`;

const shell = `
<div class="thead"><div class="tsum" aria-live="off"></div><span class="grow"></span>
  <span class="seg" role="group" aria-label="View"><button type="button" data-view="tree" aria-pressed="true">Tree</button><button type="button" data-view="chat" aria-pressed="false">Conversation</button><button type="button" data-view="time" aria-pressed="false">Timeline</button><button type="button" data-view="raw" aria-pressed="false">Raw</button></span>
  <button class="btn gh ic" type="button" data-do="link" title="Copy link (c)" aria-label="Copy link">${icon("link")}</button>
  <button class="btn gh ic" type="button" data-do="compare" data-action="Compare with another trace" data-mark="compare" title="Compare with another trace (v)" aria-label="Compare with another trace">${icon("compare")}</button>
  <button class="btn gh ic" type="button" data-do="share" data-action="Share this trace" data-mark="share" aria-pressed="false" title="Share (s)" aria-label="Share">${icon("share")}</button>
  <button class="btn gh ic" type="button" popovertarget="more" title="More" aria-label="More">${icon("more")}</button>
  <div id="more" popover class="menu"><a data-export download>${icon("dl", "s")}Download as JSONL</a><button type="button" data-do="print">${icon("print", "s")}Print or save as PDF</button><button type="button" data-do="remove" data-action="Delete this trace" data-mark="x" class="c-errt">${icon("x", "s")}Delete this trace</button></div></div>
<ll-split data-key="trace">
  <section class="pane left" aria-label="Trace">
    <div class="pane" data-pane="tree">
      <div class="tbar"><label class="inp">${icon("search", "s")}<span class="sr">Find in trace</span><input name="find" type="search" placeholder="Find in trace  /" autocomplete="off" spellcheck="false" title="Names, models and types as you type; Enter searches inputs and outputs too"></label><span class="found dim num" role="status"></span><span class="grow"></span>
        <button class="btn gh sm" type="button" data-do="nextError" title="Next error (e)" hidden>${icon("alert", "s")}<b class="c-errt"></b></button>
        <button class="btn gh sm ic" type="button" data-do="costliest" title="Costliest run ($)" aria-label="Costliest run">${icon("coins", "s")}</button>
        <button class="btn gh sm ic" type="button" data-do="criticalPath" aria-pressed="false" title="Critical path (p)" aria-label="Critical path">${icon("runs", "s")}</button>
        <button class="btn gh sm" type="button" data-do="zoom" aria-pressed="false" title="Fit the time axis to the selected run (z)">${icon("search", "s")}Zoom</button>
        <button class="btn gh sm ic" type="button" popovertarget="levels" title="Fold by level" aria-label="Fold by level">${icon("collapse", "s")}</button>
        <div id="levels" popover class="menu"><button type="button" data-do="level" data-level="-1">Unfold all</button><button type="button" data-do="level" data-level="0">Fold to the root</button><button type="button" data-do="level" data-level="1">Fold to level 1</button><button type="button" data-do="level" data-level="2">Fold to level 2</button><button type="button" data-do="level" data-level="3">Fold to level 3</button></div>
      </div>
      <div class="axis" aria-hidden="true"><b>Run</b><div><span></span><span style="left:50%"></span><span class="end"></span></div></div>
      <div class="mini" aria-hidden="true" title="Drag to zoom, double click for all"><b></b><div><canvas></canvas><em hidden></em></div></div>
      <div class="tree" role="tree" aria-label="Run tree" tabindex="0"><div class="spc" role="none"><div class="win" role="none"></div></div></div>
    </div>
    <div data-pane="chat" class="body chat" tabindex="0" aria-label="Conversation" hidden></div>
    <div data-pane="time" class="pane" hidden></div>
    <div data-pane="raw" class="body raw" tabindex="0" aria-label="Raw" hidden></div>
  </section>
  <div class="bar" role="separator" aria-orientation="vertical" aria-label="Resize panes" aria-valuenow="46" aria-valuemin="22" aria-valuemax="75" tabindex="0"></div>
  <section class="pane detail" aria-label="Selected run"></section>
</ll-split>`;

customElements.define("trace-view", TraceView);
