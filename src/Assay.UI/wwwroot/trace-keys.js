// What keys do to a trace. Some only while the tree has the focus, since the detail beside it scrolls by the same keys.
import { isTyping } from "./kit.js";

const onTree = {
  ArrowDown: (v, row) => v.goTo(row + 1),
  ArrowUp: (v, row) => v.goTo(row - 1),
  PageDown: (v, row) => v.goTo(row + v.list.page),
  PageUp: (v, row) => v.goTo(row - v.list.page),
  Home: (v) => v.goTo(0),
  End: (v) => v.goTo(v.model.rows.length - 1),
  ArrowRight: (v, row) => {
    if (!v.model.hasChildren(v.selected)) return;
    if (v.model.folded[v.selected]) v.fold(v.selected, false);
    else v.goTo(row + 1);
  },
  ArrowLeft: (v) => {
    const m = v.model;
    if (m.hasChildren(v.selected) && !m.folded[v.selected] && !m.hits) v.fold(v.selected, true);
    else if (m.parent[v.selected] >= 0) v.select(m.parent[v.selected]);
  },
  Enter: (v) => v.pane.focus(),
  " ": (v) => v.fold(v.selected),
};

const anywhere = {
  j: (v) => v.step(1),
  k: (v) => v.step(-1),
  e: (v) => v.nextError(),
  $: (v) => v.costliest(),
  z: (v) => v.zoom(),
  "/": (v) => v.querySelector("[name=find]").focus(),
  c: (v) => v.act("link"),
  v: (v) => v.act("compare"),
  s: (v) => v.act("share"),
  p: (v) => v.criticalPath(),
  n: (v) => v.nextHit(1),
  1: (v) => v.show("tree"),
  2: (v) => v.show("chat"),
  3: (v) => v.show("time"),
  4: (v) => v.show("raw"),
};

/** Does what a key is for; leaves it alone when it is for nothing, or for somebody else. */
export function pressed(view, e) {
  if (!view.model || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isTyping(e.target) || document.querySelector("dialog[open]:not(.panel)")) return;
  const isOnTree = e.target === view.tree || e.target === document.body || e.target === view || e.target.closest?.("dialog.panel") === e.target;
  const act = (isOnTree && onTree[e.key]) || anywhere[e.key];
  if (!act) return;
  e.preventDefault();
  e.stopPropagation();
  act(view, view.model.rowOf(view.selected));
}
