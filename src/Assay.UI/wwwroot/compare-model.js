// Two trees laid over each other: siblings are aligned by name and type in order, what lies between matches by type alone (a model or a tool that was
// exchanged), the rest stands on one side only. No DOM in here.

/** Above this many cells the exact alignment of two lists of siblings gives way to a greedy one. */
const MaxCells = 400_000;

export class Comparison {
  constructor(a, b) {
    this.a = a;
    this.b = b;
    const left = [];
    const right = [];
    const depth = [];
    const parent = [];
    const [ca, cb] = [childrenOf(a), childrenOf(b)];
    // Pre-order with a stack of its own: traces can be deeper than the call stack.
    const work = [[ca.roots, cb.roots, -1, 0, null]];
    while (work.length) {
      const top = work[work.length - 1];
      top[4] ??= { pairs: align(a, b, top[0], top[1]), at: 0 };
      const state = top[4];
      if (state.at >= state.pairs.length) {
        work.pop();
        continue;
      }
      const [i, j] = state.pairs[state.at++];
      const row = left.length;
      left.push(i);
      right.push(j);
      depth.push(top[3]);
      parent.push(top[2]);
      const x = i >= 0 ? (ca.of.get(i) ?? none) : none;
      const y = j >= 0 ? (cb.of.get(j) ?? none) : none;
      if (x.length || y.length) work.push([x, y, row, top[3] + 1, null]);
    }
    const n = (this.length = left.length);
    this.left = Int32Array.from(left);
    this.right = Int32Array.from(right);
    this.depth = Uint16Array.from(depth);
    this.parent = Int32Array.from(parent);
    this.last = new Int32Array(n);
    for (let r = n - 1; r >= 0; r--) {
      this.last[r] = Math.max(this.last[r], r);
      const p = this.parent[r];
      if (p >= 0) this.last[p] = Math.max(this.last[p], this.last[r]);
    }
    this.flags = new Uint8Array(n);
    this.before = new Int32Array(n + 1); // differences in rows before this one
    this.onlyLeft = 0;
    this.onlyRight = 0;
    this.changed = 0;
    for (let r = 0; r < n; r++) {
      const f = (this.flags[r] = this.compare(r));
      if (f & Only) this[this.left[r] < 0 ? "onlyRight" : "onlyLeft"]++;
      else if (f) this.changed++;
      this.before[r + 1] = this.before[r] + (f ? 1 : 0);
    }
    this.folded = new Uint8Array(n);
    this.list();
  }

  compare(r) {
    const [i, j] = [this.left[r], this.right[r]];
    if (i < 0 || j < 0) return Only;
    const { a, b } = this;
    let f = 0;
    if (a.status[i] !== b.status[j]) f |= Status;
    if (a.nameOf(i) !== b.nameOf(j) || (a.modelOf(i) ?? "") !== (b.modelOf(j) ?? "")) f |= Name;
    if (a.out && b.out && a.out[i] !== b.out[j]) f |= Output;
    if (a.in && b.in && a.in[i] !== b.in[j]) f |= Input;
    const [s, t] = [a.took[i], b.took[j]];
    if (s >= 0 && t >= 0 && Math.abs(t - s) > 1e5 && Math.abs(t - s) > 0.25 * s) f |= Latency;
    return f;
  }

  differences(r) {
    return this.before[this.last[r] + 1] - this.before[r + 1];
  }

  hasChildren(r) {
    return this.last[r] > r;
  }

  list() {
    const rows = [];
    for (let r = 0; r < this.length; r = this.folded[r] ? this.last[r] + 1 : r + 1) if (!this.isFiltered || this.flags[r] || this.differences(r)) rows.push(r);
    this.rows = Int32Array.from(rows);
  }

  rowOf(r) {
    let [lo, hi] = [0, this.rows.length - 1];
    while (lo <= hi) {
      const m = (lo + hi) >> 1;
      if (this.rows[m] === r) return m;
      if (this.rows[m] < r) lo = m + 1;
      else hi = m - 1;
    }
    return -1;
  }

  reveal(r) {
    let changed = false;
    for (let p = this.parent[r]; p >= 0; p = this.parent[p])
      if (this.folded[p]) {
        this.folded[p] = 0;
        changed = true;
      }
    if (this.isFiltered && !this.flags[r] && !this.differences(r)) {
      this.isFiltered = false;
      changed = true;
    }
    if (changed) this.list();
  }

  /** The next row that differs, by more than its latency when there is one. */
  next(from, step) {
    const strong = this.changed + this.onlyLeft + this.onlyRight > 0 && this.flags.some((f) => f & ~Latency);
    for (let k = 1; k <= this.length; k++) {
      const r = (((from + step * k) % this.length) + this.length) % this.length;
      if (strong ? this.flags[r] & ~Latency : this.flags[r]) return r;
    }
    return -1;
  }
}

export const Only = 1;
export const Status = 2;
export const Name = 4;
export const Output = 8;
export const Input = 16;
export const Latency = 32;

const none = [];

function childrenOf(m) {
  const of = new Map();
  const roots = [];
  for (let i = 0; i < m.length; i++) {
    const p = m.parent[i];
    if (p < 0) roots.push(i);
    else (of.get(p) ?? of.set(p, []).get(p)).push(i);
  }
  return { of, roots };
}

/** Pairs of siblings in order; -1 where one side has nothing. */
export function align(a, b, left, right) {
  const x = left.map((i) => `${a.nameOf(i)}\n${a.kind[i]}`);
  const y = right.map((j) => `${b.nameOf(j)}\n${b.kind[j]}`);
  let head = 0;
  while (head < x.length && head < y.length && x[head] === y[head]) head++;
  let tail = 0;
  while (tail < x.length - head && tail < y.length - head && x[x.length - 1 - tail] === y[y.length - 1 - tail]) tail++;
  const [xn, yn] = [x.length - tail, y.length - tail];
  const anchors = (xn - head) * (yn - head) <= MaxCells ? exact(x, y, head, xn, yn) : greedy(x, y, head, xn, yn);
  const moved = outOfOrder(x, y, head, xn, yn, anchors);
  const pairs = [];
  const gap = (from, xEnd, to, yEnd) => {
    const [rest, others] = [[], []];
    for (let j = to; j < yEnd; j++) if (!moved.right.has(j)) others.push(j);
    for (let i = from; i < xEnd; i++) if (!moved.left.has(i)) rest.push(i);
    let [k, m] = [0, 0];
    for (let i = from; i < xEnd; i++)
      if (moved.left.has(i)) pairs.push([left[i], right[moved.left.get(i)]]);
      else {
        // The exchanged one of the same type, if nothing before it has to wait longer.
        while (m < others.length && others.length - m > rest.length - k && a.kind[left[i]] !== b.kind[right[others[m]]]) pairs.push([-1, right[others[m++]]]);
        if (m < others.length && a.kind[left[i]] === b.kind[right[others[m]]]) pairs.push([left[i], right[others[m++]]]);
        else pairs.push([left[i], -1]);
        k++;
      }
    for (; m < others.length; m++) pairs.push([-1, right[others[m]]]);
  };
  for (let k = 0; k < head; k++) pairs.push([left[k], right[k]]);
  let [i, j] = [head, head];
  for (const [p, q] of anchors) {
    gap(i, p, j, q);
    pairs.push([left[p], right[q]]);
    [i, j] = [p + 1, q + 1];
  }
  gap(i, xn, j, yn);
  for (let k = 0; k < tail; k++) pairs.push([left[xn + k], right[yn + k]]);
  return pairs;
}

/** What runs side by side ends in any order: of the unmatched, those of one name belong together wherever they stand. */
function outOfOrder(x, y, from, xn, yn, anchors) {
  const left = new Map();
  const right = new Set();
  const [ax, ay] = [new Set(anchors.map((p) => p[0])), new Set(anchors.map((p) => p[1]))];
  const places = new Map();
  for (let j = yn - 1; j >= from; j--) if (!ay.has(j)) (places.get(y[j]) ?? places.set(y[j], []).get(y[j])).push(j);
  for (let i = from; i < xn; i++) {
    const j = ax.has(i) ? undefined : places.get(x[i])?.pop();
    if (j === undefined) continue;
    left.set(i, j);
    right.add(j);
  }
  return { left, right };
}

/** Longest common subsequence of two windows. */
function exact(x, y, from, xn, yn) {
  const [n, m] = [xn - from, yn - from];
  if (!n || !m) return none;
  const w = m + 1;
  const t = new Uint32Array((n + 1) * w);
  for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) t[i * w + j] = x[from + i] === y[from + j] ? t[(i + 1) * w + j + 1] + 1 : Math.max(t[(i + 1) * w + j], t[i * w + j + 1]);
  const found = [];
  for (let [i, j] = [0, 0]; i < n && j < m; )
    if (x[from + i] === y[from + j]) found.push([from + i++, from + j++]);
    else if (t[(i + 1) * w + j] >= t[i * w + j + 1]) i++;
    else j++;
  return found;
}

/** Each left one takes the next right one of its name that lies behind the last match. */
function greedy(x, y, from, xn, yn) {
  const places = new Map();
  for (let j = yn - 1; j >= from; j--) (places.get(y[j]) ?? places.set(y[j], []).get(y[j])).push(j);
  const found = [];
  let last = from - 1;
  for (let i = from; i < xn; i++) {
    const list = places.get(x[i]);
    while (list?.length && list[list.length - 1] <= last) list.pop();
    // A match far ahead would leave everything between unmatched.
    if (list?.length && list[list.length - 1] - last < 1000) found.push([i, (last = list.pop())]);
  }
  return found;
}
