// The tree of a trace in columns: layout, folding, search, critical path. No DOM in here.
export const kinds = ["chain", "llm", "tool", "retriever", "embedding", "prompt", "parser", "agent", "guardrail"];
export const kindIcon = (kind) => (kinds[kind] === "agent" ? "bot" : kinds[kind] ?? "chain");

export class TraceModel {
  constructor(raw, previous) {
    Object.assign(this, raw);
    const n = (this.length = raw.kind.length);
    this.depth = new Uint16Array(n);
    this.last = new Int32Array(n); // last row of the subtree
    const path = [];
    for (let i = 0; i < n; i++) {
      const p = raw.parent[i];
      while (path.length && path[path.length - 1] !== p) this.last[path.pop()] = i - 1;
      // A parent that is not on the path is one of a cycle: the run stands alone.
      if (!path.length) raw.parent[i] = -1;
      this.depth[i] = path.length;
      path.push(i);
    }
    while (path.length) this.last[path.pop()] = n - 1;
    this.loaded = performance.now();
    this.folded = new Uint8Array(n);
    this.errors = [];
    this.pending = 0;
    this.known = 0;
    for (let i = 0; i < n; i++) {
      if (raw.status[i] === 2) this.errors.push(i);
      if (raw.status[i] === 0) this.pending++;
      this.known = Math.max(this.known, raw.from[i] + Math.max(0, raw.took[i]));
    }
    if (previous) {
      const old = new Map();
      for (let i = 0; i < previous.length; i++) if (previous.folded[i]) old.set(previous.id(i), 1);
      if (old.size) for (let i = 0; i < n; i++) if (old.has(this.id(i))) this.folded[i] = 1;
    }
    this.hits = null;
    this.list();
  }

  id(i) {
    return this.ids.substr(i * 32, 32);
  }

  find(id) {
    const hex = id.replaceAll("-", "");
    for (let at = this.ids.indexOf(hex); at >= 0; at = this.ids.indexOf(hex, at + 1)) if (at % 32 === 0) return at / 32;
    return -1;
  }

  nameOf(i) {
    return this.names[this.name[i]] || "(unnamed)";
  }

  modelOf(i) {
    return this.models[this.model[i]];
  }

  hasChildren(i) {
    return this.last[i] > i;
  }

  /** "Now" in the trace's own time; running runs end there while something still happens, else where the trace was last seen. */
  end() {
    if (!this.pending) return this.known;
    const now = this.now + (performance.now() - this.loaded) * 1000;
    return now - this.known < 9e8 ? Math.max(this.known, now) : this.known;
  }

  endOf(i) {
    return this.took[i] >= 0 ? this.from[i] + this.took[i] : Math.max(this.from[i], this.end());
  }

  /** The rows to show: not below a fold; while searching, hits and their ancestors. */
  list() {
    const rows = [];
    if (this.hits) {
      const keep = new Uint8Array(this.length);
      for (const h of this.hits) for (let i = h; i >= 0 && !keep[i]; i = this.parent[i]) keep[i] = 1;
      for (let i = 0; i < this.length; i++) if (keep[i]) rows.push(i);
    } else for (let i = 0; i < this.length; i = this.folded[i] ? this.last[i] + 1 : i + 1) rows.push(i);
    this.rows = Int32Array.from(rows);
    return this.rows;
  }

  rowOf(i) {
    let a = 0;
    let b = this.rows.length - 1;
    while (a <= b) {
      const m = (a + b) >> 1;
      if (this.rows[m] === i) return m;
      if (this.rows[m] < i) a = m + 1;
      else b = m - 1;
    }
    return -1;
  }

  /** Folds everything deeper than a level; -1 unfolds all. */
  foldTo(level) {
    for (let i = 0; i < this.length; i++) this.folded[i] = level >= 0 && this.depth[i] >= level && this.hasChildren(i) ? 1 : 0;
    this.list();
  }

  reveal(i) {
    let changed = false;
    for (let p = this.parent[i]; p >= 0; p = this.parent[p])
      if (this.folded[p]) {
        this.folded[p] = 0;
        changed = true;
      }
    if (changed) this.list();
    if (this.hits && this.rowOf(i) < 0) {
      this.hits = null;
      this.list();
    }
  }

  /** Words must all occur in name, model or type. */
  search(query, more = []) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) this.hits = null;
    else {
      const texts = new Map();
      this.hits = [];
      const extra = new Set(more);
      for (let i = 0; i < this.length; i++) {
        const key = `${this.name[i]}/${this.model[i]}/${this.kind[i]}`;
        let hit = texts.get(key);
        if (hit === undefined) {
          const text = `${this.nameOf(i)} ${this.modelOf(i)} ${kinds[this.kind[i]]}`.toLowerCase();
          texts.set(key, (hit = words.every((w) => text.includes(w))));
        }
        if (hit || extra.has(i)) this.hits.push(i);
      }
    }
    this.list();
  }

  /** The chain of runs that decided when the trace ended: from the end backwards, always the child that ended last before. */
  critical() {
    const on = new Uint8Array(this.length);
    const children = new Map();
    for (let i = 0; i < this.length; i++) {
      const p = this.parent[i];
      if (p >= 0) (children.get(p) ?? children.set(p, []).get(p)).push(i);
    }
    const work = [];
    for (let i = 0; i < this.length; i++) if (this.parent[i] < 0) work.push([i, this.endOf(i)]);
    while (work.length) {
      const [i, until] = work.pop();
      on[i] = 1;
      let at = until;
      const list = (children.get(i) ?? []).slice().sort((a, b) => this.endOf(b) - this.endOf(a));
      for (const child of list)
        if (this.endOf(child) <= at + 1) {
          work.push([child, this.endOf(child)]);
          at = this.from[child];
        }
    }
    return on;
  }

  /** The dearest run that pays itself: the one with the highest cost among those without paying children; else the slowest leaf. */
  costliest(after) {
    const order = [];
    for (let i = 0; i < this.length; i++) if (this.cost[i] > 0 && !this.paysBelow(i)) order.push(i);
    if (!order.length) for (let i = 0; i < this.length; i++) if (!this.hasChildren(i)) order.push(i);
    const weigh = this.cost.some((c) => c > 0) ? (i) => this.cost[i] : (i) => this.took[i];
    order.sort((a, b) => weigh(b) - weigh(a));
    return order.length ? order[(order.indexOf(after) + 1) % order.length] : -1;
  }

  paysBelow(i) {
    for (let c = i + 1; c <= this.last[i]; c = this.last[c] + 1) if (this.cost[c] > 0) return true;
    return false;
  }

  /** Lanes for the flame chart: no two runs of a lane overlap, children below their parents. */
  lanes() {
    const lane = new Int32Array(this.length);
    const ends = [];
    for (let i = 0; i < this.length; i++) {
      const end = this.endOf(i);
      let l = this.parent[i] >= 0 ? lane[this.parent[i]] + 1 : 0;
      while (l < ends.length && ends[l] > this.from[i] && l < 400) l++;
      lane[i] = l;
      ends[l] = end;
    }
    return { lane, count: ends.length };
  }
}
