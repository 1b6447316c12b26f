// <trace-compare>: two traces as one aligned list, the selected pair below. Only rows in sight exist; every key acts at once.
import { ask, copy, count, duration, esc, guid, icon, isTyping, money, toast } from "./kit.js";
import { TraceModel, kindIcon, kinds } from "./trace-model.js";
import { Comparison, Input, Latency, Name, Only, Output, Status } from "./compare-model.js";

const Row = 30;
const Over = 12;
const Quiet = 60;

class TraceCompare extends HTMLElement {
  connectedCallback() {
    if (this.tree) return;
    this.innerHTML = shell;
    this.tree = this.querySelector(".tree");
    this.window = this.querySelector(".win");
    this.spacer = this.querySelector(".spc");
    this.detail = this.querySelector(".detail");
    this.cache = new Map();
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
    this.tree.addEventListener("scroll", () => this.draw(), { passive: true });
    this.tree.addEventListener("click", (e) => {
      const row = e.target.closest(".cr");
      if (!row) return;
      if (e.target.closest(".tw")?.firstElementChild) this.fold(+row.dataset.r);
      else this.select(+row.dataset.r);
    });
    this.addEventListener("click", (e) => {
      const button = e.target.closest("[data-do]");
      if (button) this[button.dataset.do]();
    });
    this.size = new ResizeObserver(() => this.draw());
    this.size.observe(this.tree);
    this.load().catch((e) => {
      this.querySelector("ll-split").outerHTML = `<div class="empty">${icon("alert")}<h2>The traces could not be read</h2><p>${esc(e.message)}</p><button class="btn" type="button" data-do="restart">Try again</button></div>`;
    });
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    this.size?.disconnect();
  }

  restart() {
    location.reload();
  }

  async load() {
    const { a, pa, b, pb } = this.dataset;
    const read = async (trace, project) => new TraceModel(await (await ask(`/ui/traces/${trace}/rows?project=${project}&text=true`)).json());
    const [left, right] = await Promise.all([read(a, pa), read(b, pb)]);
    this.c = new Comparison(left, right);
    const wanted = new URLSearchParams(location.search).get("run")?.replaceAll("-", "");
    let start = 0;
    if (wanted) {
      const [i, j] = [left.find(wanted), right.find(wanted)];
      for (let r = 0; r < this.c.length; r++) if ((i >= 0 && this.c.left[r] === i) || (j >= 0 && this.c.right[r] === j)) start = r;
    }
    this.selected = start;
    this.head();
    this.draw(true);
    this.reveal();
    this.open(0);
    this.dataset.ready = "";
    performance.mark("compare-ready");
    this.tree.focus({ preventScroll: true });
  }

  head() {
    const { a, b } = this.c;
    const side = (m, letter, trace) =>
      `<a class="cside" href="/t/${trace}" title="Open trace ${letter}"><b class="side-${letter.toLowerCase()}">${letter}</b><span class="grow"><b class="ell" dir="auto">${esc(m.nameOf(0))}</b><small class="dim ell"><time datetime="${new Date(m.start).toISOString()}">${new Date(m.start).toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" })}</time> · ${m.length.toLocaleString("en")} ${m.length === 1 ? "run" : "runs"}${m.errors.length ? ` · ${m.errors.length} ${m.errors.length === 1 ? "error" : "errors"}` : ""}</small></span>${figures(m, letter === "B" ? a : null)}</a>`;
    this.querySelector(".csides").innerHTML = side(a, "A", this.dataset.a) + side(b, "B", this.dataset.b);
    const parts = [];
    if (this.c.changed) parts.push(`<b>${this.c.changed.toLocaleString("en")}</b> differ`);
    if (this.c.onlyLeft) parts.push(`<b>${this.c.onlyLeft.toLocaleString("en")}</b> only in A`);
    if (this.c.onlyRight) parts.push(`<b>${this.c.onlyRight.toLocaleString("en")}</b> only in B`);
    this.querySelector(".csum").innerHTML = parts.length ? parts.join(" · ") : "No run differs";
  }

  draw(force) {
    const c = this.c;
    if (!c || !this.tree.clientHeight) return;
    const total = c.rows.length;
    this.spacer.style.height = `${total * Row}px`;
    const from = Math.max(0, Math.floor(this.tree.scrollTop / Row) - Over);
    const to = Math.min(total, Math.ceil((this.tree.scrollTop + this.tree.clientHeight) / Row) + Over);
    if (!force && from === this.drawnFrom && to === this.drawnTo) return;
    this.drawnFrom = from;
    this.drawnTo = to;
    let html = "";
    for (let k = from; k < to; k++) html += this.row(c.rows[k]);
    this.window.style.transform = `translateY(${from * Row}px)`;
    this.window.innerHTML = html;
    this.tree.setAttribute("aria-activedescendant", `cr-${this.selected}`);
  }

  row(r) {
    const c = this.c;
    const [i, j] = [c.left[r], c.right[r]];
    const f = c.flags[r];
    const children = c.hasChildren(r);
    const isOpen = !c.folded[r];
    const below = children && !isOpen ? c.differences(r) : 0;
    const words = [];
    if (f & Only) words.push(i < 0 ? "only in B" : "only in A");
    if (f & Status) words.push("status");
    if (f & Name) words.push("name or model");
    if (f & Output) words.push("output");
    if (f & Input) words.push("input");
    if (f & Latency) words.push("latency");
    const mark = f & Only ? (i < 0 ? "+" : "−") : f & Status ? "!" : f & (Name | Output | Input) ? "≠" : f & Latency ? "~" : "";
    const said = words.length ? (f & Only ? words[0] : `differs: ${words.join(", ")}`) : "";
    return (
      `<div class="cr${f & Only ? (i < 0 ? " onb" : " ona") : ""}" id="cr-${r}" data-r="${r}" role="treeitem" aria-level="${c.depth[r] + 1}" aria-selected="${r === this.selected}"${children ? ` aria-expanded="${isOpen}"` : ""}>` +
      this.cell(c.a, i, r, children, isOpen) +
      numbers(c.a, i, null, -1) +
      `<div class="cm${f & ~Latency ? " on" : ""}"${said ? ` title="${esc(said)}"` : ""}>${mark ? `<span aria-hidden="true">${mark}</span><span class="sr">${esc(said)}</span>` : ""}${below ? `<small title="${below} differences inside">${below > 99 ? "99+" : below}</small>` : ""}</div>` +
      this.cell(c.b, j, r, false, false, true) +
      numbers(c.b, j, c.a, i) +
      `</div>`
    );
  }

  cell(m, i, r, children, isOpen, isRight) {
    const depth = Math.min(this.c.depth[r], 20);
    const twist = isRight ? `<span class="tw"></span>` : children ? `<span class="tw${isOpen ? " o" : ""}">${icon("chev", "xs")}</span>` : `<span class="tw"></span>`;
    if (i < 0) return `<div class="tl gone" style="--d:${depth}">${twist}</div>`;
    const model = m.modelOf(i);
    const isError = m.status[i] === 2;
    return `<div class="tl t-${kinds[m.kind[i]]}" style="--d:${depth}">${twist}<span class="ty">${icon(kindIcon(m.kind[i]))}</span><span class="n ell${isError ? " e" : ""}" dir="auto" title="${esc(m.nameOf(i))}">${esc(m.nameOf(i))}</span>${isError ? `${icon("err", "s c-err")}<span class="sr">error</span>` : ""}${model ? `<span class="m ell">${esc(model)}</span>` : ""}</div>`;
  }

  select(r) {
    if (r < 0 || r >= this.c.length) return;
    this.c.reveal(r);
    this.selected = r;
    this.reveal();
    this.draw(true);
    this.open(Quiet);
  }

  reveal() {
    const y = this.c.rowOf(this.selected) * Row;
    const t = this.tree;
    if (y < t.scrollTop) t.scrollTop = y;
    else if (y + Row > t.scrollTop + t.clientHeight) t.scrollTop = y + Row - t.clientHeight + Row;
  }

  /** The pair's fragment, once the selection rests. */
  open(wait) {
    clearTimeout(this.opening);
    this.opening = setTimeout(async () => {
      this.loading?.abort();
      const { c } = this;
      const [i, j] = [c.left[this.selected], c.right[this.selected]];
      const url = `/ui/compare/pair?${i < 0 ? "" : `a=${guid(c.a.id(i))}&pa=${this.dataset.pa}`}${i >= 0 && j >= 0 ? "&" : ""}${j < 0 ? "" : `b=${guid(c.b.id(j))}&pb=${this.dataset.pb}`}`;
      let html = this.cache.get(url);
      if (!html) {
        this.loading = new AbortController();
        this.detail.classList.add("old");
        try {
          html = await (await ask(url, { signal: this.loading.signal })).text();
          if (this.cache.size > 40) this.cache.delete(this.cache.keys().next().value);
          this.cache.set(url, html);
        } catch (e) {
          if (e.name === "AbortError") return;
          html = `<div class="empty"><p>${esc(e.message)}</p></div>`;
        }
      }
      this.detail.classList.remove("old");
      this.detail.innerHTML = html;
      const address = new URL(location.href);
      if (this.selected === 0) address.searchParams.delete("run");
      else address.searchParams.set("run", guid(i >= 0 ? c.a.id(i) : c.b.id(j)));
      if (address.href !== location.href) history.replaceState(history.state, "", address);
    }, wait);
  }

  fold(r, to = !this.c.folded[r]) {
    if (!this.c.hasChildren(r)) return;
    this.c.folded[r] = to ? 1 : 0;
    this.c.list();
    if (this.c.rowOf(this.selected) < 0) this.select(r);
    this.draw(true);
  }

  nextDifference(step = 1) {
    const r = this.c.next(this.selected, step);
    if (r < 0) toast("No run differs");
    else this.select(r);
  }

  onlyDifferences() {
    const c = this.c;
    c.isFiltered = !c.isFiltered;
    this.querySelector("[data-do=onlyDifferences]").setAttribute("aria-pressed", String(c.isFiltered));
    c.list();
    if (!c.rows.length) {
      c.isFiltered = false;
      this.querySelector("[data-do=onlyDifferences]").setAttribute("aria-pressed", "false");
      c.list();
      toast("No run differs");
    }
    if (c.rowOf(this.selected) < 0) this.select(c.rows[0]);
    this.draw(true);
    this.reveal();
  }

  swap() {
    location.href = `/compare?a=${this.dataset.b}&b=${this.dataset.a}`;
  }

  link() {
    copy(location.href);
  }

  key(e) {
    if (!this.c || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isTyping(e.target) || document.querySelector("dialog[open]")) return;
    const c = this.c;
    const row = c.rowOf(this.selected);
    const inTree = e.target === this.tree || e.target === document.body;
    const page = Math.max(1, Math.floor(this.tree.clientHeight / Row) - 1);
    const go = (k) => this.select(c.rows[Math.max(0, Math.min(c.rows.length - 1, k))]);
    const tree = {
      ArrowDown: () => go(row + 1),
      ArrowUp: () => go(row - 1),
      PageDown: () => go(row + page),
      PageUp: () => go(row - page),
      Home: () => go(0),
      End: () => go(c.rows.length - 1),
      ArrowRight: () => (c.hasChildren(this.selected) && c.folded[this.selected] ? this.fold(this.selected, false) : c.hasChildren(this.selected) && go(row + 1)),
      ArrowLeft: () => (c.hasChildren(this.selected) && !c.folded[this.selected] ? this.fold(this.selected, true) : c.parent[this.selected] >= 0 && this.select(c.parent[this.selected])),
      Enter: () => this.detail.querySelector(".body")?.focus(),
      " ": () => this.fold(this.selected),
    };
    const anywhere = {
      n: () => this.nextDifference(1),
      N: () => this.nextDifference(-1),
      o: () => this.onlyDifferences(),
      s: () => this.swap(),
      a: () => (location.href = `/t/${this.dataset.a}`),
      b: () => (location.href = `/t/${this.dataset.b}`),
      c: () => this.link(),
      Escape: () => this.tree.focus(),
    };
    const act = (inTree && tree[e.key]) || anywhere[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }
}

const figures = (m, other) => {
  const took = m.endOf(0) - m.from[0];
  return `<span class="cfigs"><span>${duration(took)}${other ? delta(other.endOf(0) - other.from[0], took, (v) => duration(v)) : ""}</span><span>${count(m.tokens[0])} tok${other ? delta(other.tokens[0], m.tokens[0], count) : ""}</span><span>${money(m.cost[0])}${other ? delta(other.cost[0], m.cost[0], money) : ""}</span></span>`;
};

/** How the right figure stands to the left one; small changes stay grey. */
function delta(from, to, show) {
  if (from === to || !(from > 0) || to < 0) return from === to ? "" : to > 0 && from === 0 ? ` <em class="worse">new</em>` : "";
  const by = (100 * (to - from)) / from;
  if (Math.abs(by) < 1) return "";
  const text = `${by > 0 ? "+" : "−"}${Math.abs(by) >= 1000 ? `${Math.round(to / from)}×` : `${Math.round(Math.abs(by))}%`}`;
  return ` <em class="${Math.abs(by) < 10 ? "" : by > 0 ? "worse" : "better"}" title="${esc(show(from))} → ${esc(show(to))}">${text}</em>`;
}

function numbers(m, i, other, j) {
  if (i < 0) return `<div class="cn"></div><div class="cn"></div><div class="cn"></div>`;
  const took = m.took[i] < 0 ? m.endOf(i) - m.from[i] : m.took[i];
  const theirs = other && j >= 0;
  return (
    `<div class="cn">${duration(took)}${theirs ? delta(other.took[j], took, duration) : ""}</div>` +
    `<div class="cn">${m.tokens[i] ? count(m.tokens[i]) : ""}${theirs ? delta(other.tokens[j], m.tokens[i], count) : ""}</div>` +
    `<div class="cn">${m.cost[i] ? money(m.cost[i]) : ""}${theirs ? delta(other.cost[j], m.cost[i], money) : ""}</div>`
  );
}

const heads = `<span class="r">Latency</span><span class="r">Tokens</span><span class="r">Cost</span>`;
const shell = `
<div class="csides"></div>
<div class="tbar"><span class="csum num" role="status">Reading…</span><span class="grow"></span>
  <button class="btn gh sm" type="button" data-do="nextDifference" title="Next difference (n)">${icon("arrdown", "s")}Next difference</button>
  <button class="btn gh sm" type="button" data-do="onlyDifferences" aria-pressed="false" title="Only what differs (o)">${icon("filter", "s")}Only differences</button>
  <button class="btn gh sm" type="button" data-do="swap" title="Swap sides (s)">${icon("compare", "s")}Swap</button>
  <button class="btn gh sm ic" type="button" data-do="link" title="Copy link (c)" aria-label="Copy link">${icon("link", "s")}</button></div>
<ll-split data-key="compare" data-axis="y">
  <section class="pane" aria-label="Aligned runs">
    <div class="chd" aria-hidden="true"><b>A</b>${heads}<span></span><b>B</b>${heads}</div>
    <div class="tree" role="tree" aria-label="Aligned runs" tabindex="0"><div class="spc" role="none"><div class="win" role="none"></div></div></div>
  </section>
  <div class="bar" role="separator" aria-orientation="horizontal" aria-label="Resize panes" aria-valuenow="44" aria-valuemin="15" aria-valuemax="80" tabindex="0"></div>
  <section class="pane detail" aria-label="Selected pair"></section>
</ll-split>`;

customElements.define("trace-compare", TraceCompare);
