// The time axis of a trace: which part of its time is shown, the strip that shows where that is, zoom by key, wheel and drag.
import { color, duration } from "./kit.js";
import { kinds } from "./trace-model.js";

/** More bars than this on the strip are drawn as a sample; failures always. */
const MaxBars = 20_000;

export class TimeAxis {
  constructor(view) {
    this.view = view;
    this.from = 0;
    this.to = 1;
    this.labels = view.querySelectorAll(".axis span");
    this.canvas = view.querySelector(".mini canvas");
    this.frame = view.querySelector(".mini em");
    this.button = view.querySelector("[data-do=zoom]");
    const strip = view.querySelector(".mini > div");
    strip.addEventListener("pointerdown", (e) => this.drag(strip, e));
    strip.addEventListener("dblclick", () => this.range(0, this.end));
    view.tree.addEventListener("wheel", (e) => {
      const bars = e.target.closest(".wf");
      if (!bars || !(e.ctrlKey || e.shiftKey)) return;
      e.preventDefault();
      const box = bars.getBoundingClientRect();
      this.wheel((e.clientX - box.left) / box.width, e);
    }, { passive: false });
  }

  get end() {
    return Math.max(1, this.view.model.end());
  }

  /** Shows the whole time; it grows with the trace then. */
  all() {
    this.from = 0;
    this.to = this.end;
    this.isAll = true;
  }

  range(a, b) {
    const { end } = this;
    this.from = Math.max(0, a);
    this.to = Math.max(this.from + 10, Math.min(b, end));
    this.isAll = this.from <= 0 && this.to >= end;
    if (this.isAll) this.all();
    this.draw();
    this.view.redraw();
  }

  /** To the selected run, and back from it. */
  zoom() {
    const { model: m, selected } = this.view;
    if (!this.isAll && (this.zoomed === selected || selected === 0)) {
      this.zoomed = null;
      return this.range(0, this.end);
    }
    let i = selected;
    while (!m.hasChildren(i) && m.endOf(i) - m.from[i] < 1000 && m.parent[i] > 0) i = m.parent[i];
    this.zoomed = selected;
    this.range(m.from[i], Math.max(m.endOf(i), m.from[i] + 100));
  }

  /** Ctrl + wheel zooms around the pointer, shift + wheel moves. */
  wheel(x, e) {
    const span = this.to - this.from;
    if (e.shiftKey) {
      const by = ((e.deltaY || e.deltaX) / 500) * span;
      const a = Math.max(0, Math.min(this.from + by, this.view.model.end() - span));
      return this.range(a, a + span);
    }
    const k = Math.exp(e.deltaY / 300);
    const at = this.from + x * span;
    this.range(at - x * span * k, at + (1 - x) * span * k);
  }

  drag(strip, e) {
    const box = strip.getBoundingClientRect();
    const at = (x) => Math.max(0, Math.min(1, (x - box.left) / box.width)) * this.view.model.end();
    const start = at(e.clientX);
    strip.setPointerCapture(e.pointerId);
    const move = (m) => {
      const here = at(m.clientX);
      if (Math.abs(m.clientX - e.clientX) > 3) this.range(Math.min(start, here), Math.max(start, here));
    };
    strip.addEventListener("pointermove", move);
    strip.addEventListener("pointerup", () => strip.removeEventListener("pointermove", move), { once: true });
  }

  draw() {
    const { end } = this;
    const [a, b, c] = this.labels;
    a.textContent = this.from ? duration(this.from) : "0";
    b.textContent = duration((this.from + this.to) / 2);
    c.textContent = duration(this.to);
    this.frame.hidden = this.isAll;
    this.frame.style.left = `${(100 * this.from) / end}%`;
    this.frame.style.width = `${(100 * (this.to - this.from)) / end}%`;
    this.button.setAttribute("aria-pressed", String(!this.isAll));
  }

  /** All runs on the strip, deep ones on its lowest line. */
  drawStrip() {
    const m = this.view.model;
    const c = this.canvas;
    if (!m || !c.clientWidth) return;
    const w = (c.width = c.clientWidth * devicePixelRatio);
    const h = (c.height = c.clientHeight * devicePixelRatio);
    const g = c.getContext("2d");
    const colors = kinds.map((k) => color(`--f-${k}`));
    const red = color("--err-fill");
    const { end } = this;
    let deepest = 4;
    for (let i = 0; i < m.length && deepest < 12; i++) deepest = Math.max(deepest, Math.min(12, m.depth[i]));
    const line = h / (deepest + 1);
    const step = Math.max(1, Math.floor(m.length / MaxBars));
    for (let i = 0; i < m.length; i += step) {
      g.fillStyle = m.status[i] === 2 ? red : colors[m.kind[i]];
      g.fillRect((m.from[i] / end) * w, Math.min(m.depth[i], deepest) * line, Math.max(1, ((m.endOf(i) - m.from[i]) / end) * w), Math.max(1, line));
    }
    g.fillStyle = red;
    if (step > 1) for (const i of m.errors) g.fillRect((m.from[i] / end) * w, Math.min(m.depth[i], deepest) * line, 2, Math.max(2, line));
  }
}
