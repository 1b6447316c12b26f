// The timeline: a trace as lanes over time, on a canvas, so that 100,000 runs draw in one frame. The tree says the same to screen readers.
import { color, duration, esc } from "./kit.js";
import { kinds } from "./trace-model.js";

const Lane = 22;

export class Flame {
  constructor(pane, view) {
    this.view = view;
    pane.innerHTML = `<div class="faxis" aria-hidden="true"></div><div class="fbox" role="img" aria-label="Timeline of the trace. The tree view has the same runs as a list." tabindex="0"><div class="fspc"></div><canvas></canvas></div>`;
    this.axis = pane.querySelector(".faxis");
    this.box = pane.querySelector(".fbox");
    this.canvas = pane.querySelector("canvas");
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    this.box.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.shiftKey) return;
      e.preventDefault();
      const r = this.box.getBoundingClientRect();
      view.axis.wheel((e.clientX - r.left) / r.width, e);
    }, { passive: false });
    this.box.addEventListener("click", (e) => {
      const i = this.at(e);
      if (i >= 0) view.select(i);
    });
    this.box.addEventListener("dblclick", (e) => this.at(e) >= 0 && view.zoom());
    this.box.addEventListener("pointermove", (e) => this.hover(e));
    this.box.addEventListener("pointerleave", () => this.tip?.remove());
  }

  at(e) {
    const r = this.canvas.getBoundingClientRect();
    const { model: m, axis: { from, to } } = this.view;
    const t = from + ((e.clientX - r.left) / r.width) * (to - from);
    const slack = ((to - from) / r.width) * 2;
    const lane = Math.floor((e.clientY - r.top + this.box.scrollTop - 4) / Lane);
    for (const i of this.byLane[lane] ?? []) if (m.from[i] - slack <= t && m.endOf(i) + slack >= t) return i;
    return -1;
  }

  hover(e) {
    const i = this.at(e);
    this.tip?.remove();
    this.box.style.cursor = i < 0 ? "" : "pointer";
    if (i < 0) return;
    const m = this.view.model;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.innerHTML = `<b>${esc(m.nameOf(i))}</b><div><i style="background:var(--f-${kinds[m.kind[i]]})"></i><span>${kinds[m.kind[i]]}</span><span>${duration(m.endOf(i) - m.from[i])}</span></div><div><span>starts</span><span>+${duration(m.from[i])}</span></div>`;
    document.body.append(this.tip);
    this.tip.style.left = `${Math.min(e.clientX + 14, innerWidth - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${e.clientY + 14}px`;
  }

  draw() {
    const { model: m, axis: { from, to }, selected } = this.view;
    if (!this.box.clientWidth) return;
    if (this.laid !== m) {
      const { lane, count } = m.lanes();
      this.laid = m;
      this.lane = lane;
      this.byLane = Array.from({ length: count }, () => []);
      for (let i = 0; i < m.length; i++) this.byLane[lane[i]].push(i);
      this.box.querySelector(".fspc").style.height = `${count * Lane + 8}px`;
    }
    const ratio = devicePixelRatio;
    const w = this.box.clientWidth;
    const h = this.box.clientHeight;
    this.canvas.width = w * ratio;
    this.canvas.height = h * ratio;
    const g = this.canvas.getContext("2d");
    g.scale(ratio, ratio);
    const fill = kinds.map((k) => color(`--f-${k}`));
    const soft = kinds.map((k) => color(`--t-${k}-bg`));
    const ink = kinds.map((k) => color(`--t-${k}`));
    const [red, redBg, redInk, ring, line] = ["--err-fill", "--err-bg", "--err", "--acc", "--line"].map(color);
    g.font = `500 11px ${getComputedStyle(this.view).fontFamily}`;
    g.textBaseline = "middle";
    g.fillStyle = line;
    this.axis.innerHTML = "";
    for (let k = 0; k <= 4; k++) {
      g.fillRect((w * k) / 4, 0, 1, h);
      this.axis.insertAdjacentHTML("beforeend", `<span style="left:${k * 25}%">${k === 0 && !from ? "0" : duration(from + ((to - from) * k) / 4)}</span>`);
    }
    const top = this.box.scrollTop;
    const first = Math.max(0, Math.floor((top - 4) / Lane));
    const last = Math.min(this.byLane.length - 1, Math.ceil((top + h) / Lane));
    for (let l = first; l <= last; l++) {
      const y = 4 + l * Lane - top;
      let drawn = -2;
      for (const i of this.byLane[l]) {
        const end = m.endOf(i);
        if (end < from || m.from[i] > to) continue;
        const x = Math.max(0, ((m.from[i] - from) / (to - from)) * w);
        const x2 = Math.min(w, ((end - from) / (to - from)) * w);
        if (x2 - drawn < 0.5 && i !== selected) continue;
        drawn = x2;
        const isError = m.status[i] === 2;
        const width = Math.max(1.5, x2 - x - 1);
        if (width < 6) {
          g.fillStyle = isError ? red : fill[m.kind[i]];
          g.fillRect(x, y, width, Lane - 3);
        } else {
          g.fillStyle = isError ? redBg : soft[m.kind[i]];
          g.fillRect(x, y, width, Lane - 3);
          g.fillStyle = isError ? red : fill[m.kind[i]];
          g.fillRect(x, y, 3, Lane - 3);
        }
        if (i === selected) {
          g.strokeStyle = ring;
          g.lineWidth = 1.5;
          g.strokeRect(x + 0.5, y + 0.5, width - 1, Lane - 4);
        }
        if (width > 40) {
          g.save();
          g.beginPath();
          g.rect(x, y, width - 4, Lane);
          g.clip();
          g.fillStyle = isError ? redInk : ink[m.kind[i]];
          g.fillText(`${m.nameOf(i)}  ${duration(end - m.from[i])}`, x + 8, y + (Lane - 3) / 2 + 0.5);
          g.restore();
        }
      }
    }
  }
}
