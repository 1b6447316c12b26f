// The rows of a trace that are in sight: name and figures on the left, the bar in the waterfall on the right. All other rows do not exist.
// The first rows come with the page (TraceWindowRow.razor, ScoreChip.razor): what a row looks like is said in both places, and a test holds them together.
import { count, duration, esc, icon, money } from "./kit.js";
import { kindIcon, kinds } from "./trace-model.js";

const Row = 30;
const Over = 12;

/** A score: key, value, colour, title, and what is to be said of where it comes from; with the badge of the judge that gave it. */
export const chip = ([key, value, css, title, from], trust) => {
  const [tone, symbol, text, why] = (from & 2 && trust?.[key]) || [];
  return `<span class="fb${css ? ` ${css}` : ""}" title="${esc(title)}"><span class="k" dir="auto">${esc(key)}</span>${value == null ? "" : ` <b>${esc(value)}</b>`}${from & 1 ? `<span class="sr">, the mean of people’s and evaluators’ scores</span>` : ""}${text ? `<span class="trust${tone ? ` ${tone}` : ""}" title="${esc(why)}">${icon(symbol, "xs")}<span class="sr">${text}</span></span>` : ""}</span>`;
};

export class TraceList {
  constructor(view) {
    this.view = view;
    this.tree = view.tree;
    this.window = view.querySelector(".win");
    this.spacer = view.querySelector(".spc");
    // What came with the page stays until it has to change.
    this.total = this.spacer.dataset.n;
    this.drawnFrom = 0;
    this.drawnTo = this.window.childElementCount;
    this.tree.addEventListener("scroll", () => this.draw(), { passive: true });
  }

  /** Rows that fit, for moving by a page. */
  get page() {
    return Math.max(1, Math.floor(this.tree.clientHeight / Row) - 1);
  }

  /** Draws the rows in sight, when they are not there yet. With a number, that many from the top. */
  draw(force, rows) {
    const m = this.view.model;
    if (!m || !this.tree.clientHeight) return;
    const total = m.rows.length;
    if (this.total !== String(total)) {
      this.spacer.style.height = `${total * Row}px`;
      this.total = String(total);
      force = true;
    }
    const top = this.tree.scrollTop;
    const a = rows ? 0 : Math.max(0, Math.floor(top / Row) - Over);
    const b = Math.min(total, rows ?? Math.ceil((top + this.tree.clientHeight) / Row) + Over);
    if (!force && this.drawnFrom <= Math.max(0, a + Over - 4) && this.drawnTo >= Math.min(total, b - Over + 4)) return;
    this.drawnFrom = a;
    this.drawnTo = b;
    let html = "";
    for (let r = a; r < b; r++) html += this.row(m.rows[r]);
    this.window.style.transform = `translateY(${a * Row}px)`;
    this.window.innerHTML = html;
    this.tree.setAttribute("aria-activedescendant", `tn-${this.view.selected}`);
  }

  row(i) {
    const { model: m, axis, path } = this.view;
    const kind = kinds[m.kind[i]];
    const isError = m.status[i] === 2;
    const end = m.endOf(i);
    const span = axis.to - axis.from;
    const left = Math.max(0, (100 * (m.from[i] - axis.from)) / span);
    const right = Math.min(100, (100 * (end - axis.from)) / span);
    const took = m.took[i] < 0 ? end - m.from[i] : m.took[i];
    let bar;
    if (right < 0 || m.from[i] > axis.to) bar = `<u class="${right < 0 ? "bf" : "af"}">${duration(took)}</u>`;
    else {
      const place = right > 84 && left > 16 ? `right:${(100 - left).toFixed(2)}%` : right > 84 ? `left:100%` : `left:${right.toFixed(2)}%`;
      const cls = `${isError ? "e" : ""}${m.took[i] < 0 ? " go" : ""}${path?.[i] ? " cp" : ""}`;
      bar = `<i class="${cls}" style="left:${left.toFixed(2)}%;width:${Math.max(0, right - left).toFixed(2)}%"></i>${m.first[i] > 0 && m.first[i] < took ? `<s style="left:${Math.min(100, (100 * (m.from[i] + m.first[i] - axis.from)) / span).toFixed(2)}%"></s>` : ""}<u style="${place}">${duration(took)}</u>`;
    }
    const children = m.hasChildren(i);
    const isOpen = !m.folded[i] || m.hits;
    const depth = Math.min(m.depth[i], 24);
    const model = m.modelOf(i);
    return (
      `<div class="tn t-${kind}${path && !path[i] ? " off" : ""}" id="tn-${i}" data-i="${i}" role="treeitem" aria-level="${m.depth[i] + 1}" aria-selected="${i === this.view.selected}"${children ? ` aria-expanded="${!!isOpen}"` : ""}>` +
      `<div class="tl" style="--d:${depth}">${children ? `<span class="tw${isOpen ? " o" : ""}">${icon("chev", "xs")}</span>` : `<span class="tw"></span>`}<span class="ty">${icon(kindIcon(m.kind[i]))}</span><span class="n ell${isError ? " e" : ""}" dir="auto">${esc(m.nameOf(i))}</span>${isError ? `${icon("err", "s c-err")}<span class="sr">error</span>` : ""}${m.took[i] < 0 && this.view.isAlive ? icon("run", "s c-run") : ""}${children && m.folded[i] && !m.hits ? `<span class="fn">${(m.last[i] - i).toLocaleString("en")}</span>` : ""}${model ? `<span class="m ell">${esc(model)}</span>` : ""}` +
      `<span class="bd">${(m.feedback[i] ?? []).slice(0, 1).map((c) => chip(c, m.trust)).join("")}${m.tokens[i] ? `<span>${count(m.tokens[i])} tok</span>` : ""}${m.cost[i] >= 1e5 ? `<span>${money(m.cost[i])}</span>` : ""}</span></div><div class="wf">${bar}</div></div>`
    );
  }

  /** Scrolls as little as shows the selected row. */
  reveal() {
    const y = this.view.model.rowOf(this.view.selected) * Row;
    const t = this.tree;
    if (y < t.scrollTop) t.scrollTop = y;
    else if (y + Row > t.scrollTop + t.clientHeight) t.scrollTop = y + Row - t.clientHeight + 2 * Row;
  }

  /** The selection went from one run to another: two rows change, unless the new one is not drawn. */
  moveSelection(from, to) {
    this.reveal();
    this.draw();
    this.window.querySelector(`#tn-${from}`)?.setAttribute("aria-selected", "false");
    const row = this.window.querySelector(`#tn-${to}`);
    if (row) row.setAttribute("aria-selected", "true");
    else this.draw(true);
    this.tree.setAttribute("aria-activedescendant", `tn-${to}`);
  }
}
