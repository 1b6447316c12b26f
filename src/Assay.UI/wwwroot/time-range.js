// The time of a list: charts whose hover tells the figures, whose bars can be clicked and dragged over, and the form for a range.
import { esc, toast } from "./kit.js";

document.querySelector("form[data-range]")?.addEventListener("submit", (e) => {
  e.preventDefault();
  const [from, to] = ["from", "to"].map((n) => new Date(e.target.elements[n].value));
  if (!(from < to)) return toast("The range ends before it begins", true);
  zoomTo(from.toISOString(), to.toISOString());
});

function zoomTo(from, to) {
  const url = new URL(location.href);
  url.searchParams.set("range", `${from.replace(/\.\d+Z/, "Z")}..${to.replace(/\.\d+Z/, "Z")}`);
  for (const k of ["trace", "run", "view"]) url.searchParams.delete(k);
  location.href = url;
}

customElements.define(
  "ll-chart",
  class extends HTMLElement {
    connectedCallback() {
      let tip;
      let first;
      const hide = () => {
        tip?.remove();
        tip = null;
      };
      const bars = () => [...this.querySelectorAll("g.b")];
      const mark = (a, b) => {
        const all = bars();
        const [i, j] = [all.indexOf(a), all.indexOf(b)].sort((x, y) => x - y);
        all.forEach((g, k) => g.classList.toggle("on", k >= i && k <= j));
        return [all[i], all[j]];
      };
      const barAt = (e) => {
        const box = this.getBoundingClientRect();
        const all = bars();
        return all[Math.max(0, Math.min(all.length - 1, Math.floor(((e.clientX - box.left) / box.width) * all.length)))];
      };
      this.addEventListener("pointerdown", (e) => {
        if (e.button) return;
        first = barAt(e);
        this.setPointerCapture(e.pointerId);
        e.preventDefault();
      });
      this.addEventListener("pointermove", (e) => {
        const g = barAt(e);
        if (!g) return hide();
        if (first) mark(first, g);
        if (!tip) {
          tip = document.createElement("div");
          tip.className = "tip";
          document.body.append(tip);
        }
        const d = JSON.parse(g.dataset.t);
        tip.innerHTML = `<b>${esc(d.t)}</b>${d.s.map(([n, v, c]) => `<div><i style="background:var(${c})"></i><span>${esc(n)}</span><span>${esc(v)}</span></div>`).join("")}`;
        const w = tip.offsetWidth;
        tip.style.left = `${e.clientX + w + 24 > innerWidth ? e.clientX - w - 14 : e.clientX + 14}px`;
        tip.style.top = `${e.clientY + 12}px`;
      });
      this.addEventListener("pointerup", (e) => {
        if (!first) return;
        const [a, b] = mark(first, barAt(e));
        first = null;
        hide();
        zoomTo(a.dataset.from, b.dataset.to);
      });
      this.addEventListener("pointerleave", () => !first && hide());
      this.addEventListener("pointercancel", () => {
        first = null;
        hide();
      });
    }

    disconnectedCallback() {
      document.querySelector(".tip")?.remove();
    }
  },
);
