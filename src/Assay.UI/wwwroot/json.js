// <json-view>: a lazy tree; children are made when a node is first opened. <big-view>: pages through payloads of any size.
import { ask, bytes, toast } from "./kit.js";

const sheet = new CSSStyleSheet();
sheet.replaceSync(`:host{color:var(--tx)}details>summary{cursor:pointer;list-style:none}summary::-webkit-details-marker{display:none}summary{line-height:24px}summary::before{content:"›";display:inline-block;width:1em;color:var(--tx3);transition:transform .1s}details[open]>summary::before{transform:rotate(90deg)}.c{padding-left:1.35em;border-left:1px solid var(--line);margin-left:.32em}.k{color:var(--t-agent)}.s{color:var(--ok);white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}.n{color:var(--t-llm)}.b{color:var(--t-tool)}.p{color:var(--tx3)}summary:focus-visible{outline:2px solid var(--ring);border-radius:3px}.l{padding-left:1em}button{all:unset;cursor:pointer;color:var(--acc-tx);padding-left:1em}button:focus-visible{outline:2px solid var(--ring)}`);

const MaxText = 2000;
const make = (tag, cls, text) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text != null) e.textContent = text;
  return e;
};

class JsonView extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    if (!this.getAttribute("src")) return this.load();
    // A hidden view asks for nothing until somebody looks at it.
    this.seen = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) {
        this.seen.disconnect();
        this.load();
      }
    });
    this.seen.observe(this);
  }

  disconnectedCallback() {
    this.seen?.disconnect();
  }

  async load() {
    let value;
    try {
      const src = this.getAttribute("src");
      value = src ? await (await ask(src)).json() : JSON.parse(this.dataset.json);
    } catch (e) {
      value = this.dataset.json ?? String(e.message ?? e);
    }
    this.shadowRoot.replaceChildren(this.node(null, value, +(this.dataset.depth ?? 2)));
  }

  node(key, value, depth) {
    const label = key == null ? [] : [make("span", "k", typeof key === "number" ? key : `"${key}"`), make("span", "p", ": ")];
    if (value === null || typeof value !== "object") {
      const row = make("div", "l");
      const kind = typeof value === "string" ? "s" : typeof value === "number" ? "n" : "b";
      const text = typeof value === "string" ? JSON.stringify(value) : String(value);
      const span = make("span", kind, text.length > MaxText ? text.slice(0, MaxText) : text);
      row.append(...label, span);
      if (text.length > MaxText) {
        const more = make("button", "", ` … ${(text.length - MaxText).toLocaleString("en")} more characters`);
        more.onclick = () => {
          span.textContent = text;
          more.remove();
        };
        row.append(more);
      }
      return row;
    }
    const entries = Array.isArray(value) ? value.map((x, i) => [i, x]) : Object.entries(value);
    const details = make("details");
    const summary = make("summary");
    summary.append(...label, make("span", "p", Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`));
    details.append(summary);
    const fill = () => {
      if (details.lastChild !== summary) return;
      const box = make("div", "c");
      details.append(box);
      let i = 0;
      const more = () => {
        for (const end = Math.min(i + 100, entries.length); i < end; i++) box.append(this.node(entries[i][0], entries[i][1], depth - 1));
        if (i < entries.length) {
          const button = make("button", "", `show ${entries.length - i} more`);
          button.onclick = () => {
            button.remove();
            more();
          };
          box.append(button);
        }
      };
      more();
    };
    if (depth > 0) {
      details.open = true;
      fill();
    }
    details.addEventListener("toggle", () => details.open && fill());
    return details;
  }
}
customElements.define("json-view", JsonView);

const Chunk = 32 * 1024;
class BigView extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    this.length = +this.getAttribute("length");
    this.src = this.getAttribute("src");
    this.innerHTML = `<div class="bvb"><form role="search"><label class="inp"><span class="sr">Find in payload</span><input type="search" placeholder="Find in ${bytes(this.length)}"></label></form><button type="button" class="btn sm" data-prev disabled>Previous</button><button type="button" class="btn sm" data-next disabled>Next</button><output></output><span class="grow"></span><label class="bvp">Place <input type="range" min="0" max="1000" value="0" aria-label="Place in payload"></label></div><pre tabindex="0" aria-label="Payload text"></pre>`;
    this.text = this.querySelector("pre");
    this.range = this.querySelector("input[type=range]");
    this.out = this.querySelector("output");
    this.hits = [];
    this.hit = -1;
    this.querySelector("form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.find();
    });
    this.querySelector("[data-prev]").onclick = () => this.go(this.hit - 1);
    this.querySelector("[data-next]").onclick = () => this.go(this.hit + 1);
    this.range.addEventListener("change", () => this.show((this.range.value / 1000) * Math.max(0, this.length - Chunk)));
    this.text.addEventListener("scroll", () => this.grow());
    this.seen = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) {
        this.seen.disconnect();
        this.show(0);
      }
    });
    this.seen.observe(this);
  }

  disconnectedCallback() {
    this.seen?.disconnect();
  }

  /** Text of the bytes [from, to), widened to whole characters. */
  async read(from, to) {
    const end = Math.min(this.length, to);
    const response = await ask(this.src, { headers: { Range: `bytes=${from}-${Math.min(this.length, end + 3) - 1}` } });
    const raw = new Uint8Array(await response.arrayBuffer());
    let a = 0;
    while (from > 0 && a < raw.length && (raw[a] & 0xc0) === 0x80) a++;
    let b = end - from;
    while (b < raw.length && (raw[b] & 0xc0) === 0x80) b++;
    return new TextDecoder().decode(raw.subarray(a, b));
  }

  async show(from, mark = -1, markLength = 0) {
    from = Math.max(0, Math.min(Math.floor(from), this.length - 1));
    this.busy = true;
    try {
      const to = from + Chunk;
      if (mark < 0) this.text.replaceChildren(await this.read(from, to));
      else {
        const [before, hit, after] = await Promise.all([from === mark ? "" : this.read(from, mark), this.read(mark, mark + markLength), this.read(mark + markLength, to)]);
        const m = document.createElement("mark");
        m.textContent = hit;
        this.text.replaceChildren(before, m, after);
        m.scrollIntoView({ block: "center" });
      }
      this.from = from;
      this.to = Math.min(to, this.length);
      if (mark < 0) this.text.scrollTop = from > 0 ? 2 : 0;
      this.place();
    } catch (e) {
      toast(e.message, true);
    } finally {
      this.busy = false;
    }
  }

  /** Reads on at either end; the other end is dropped, so that the page never holds more than a few chunks. */
  async grow() {
    if (this.busy) return;
    const t = this.text;
    const down = t.scrollTop + t.clientHeight > t.scrollHeight - 300 && this.to < this.length;
    const up = t.scrollTop < 1 && this.from > 0;
    if (!down && !up) return;
    this.busy = true;
    try {
      if (down) {
        t.append(await this.read(this.to, this.to + Chunk));
        this.to = Math.min(this.length, this.to + Chunk);
        if (t.childNodes.length > 4) {
          const height = t.scrollHeight;
          t.firstChild.remove();
          this.from = Math.min(this.to - Chunk, this.from + Chunk);
          t.scrollTop -= height - t.scrollHeight;
        }
      } else {
        const height = t.scrollHeight;
        const from = Math.max(0, this.from - Chunk);
        t.prepend(await this.read(from, this.from));
        this.from = from;
        t.scrollTop += t.scrollHeight - height;
      }
      this.place();
    } catch (e) {
      toast(e.message, true);
    } finally {
      this.busy = false;
    }
  }

  place() {
    this.range.value = Math.round((1000 * this.from) / Math.max(1, this.length - Chunk));
    if (!this.hits.length) this.out.textContent = `${bytes(this.from)} – ${bytes(this.to)} of ${bytes(this.length)}`;
  }

  async find() {
    const q = this.querySelector("input[type=search]").value;
    this.hits = [];
    if (!q) return this.place();
    this.out.textContent = "Searching…";
    try {
      this.needle = new TextEncoder().encode(q).length;
      this.hits = await (await ask(this.src.replace("?", "/search?") + `&q=${encodeURIComponent(q)}`)).json();
    } catch (e) {
      this.out.textContent = e.message;
      return;
    }
    if (!this.hits.length) this.out.textContent = "Not found";
    else this.go(0);
  }

  go(i) {
    this.hit = (i + this.hits.length) % this.hits.length;
    for (const b of this.querySelectorAll("[data-prev],[data-next]")) b.disabled = this.hits.length < 2;
    this.out.textContent = `${this.hit + 1} of ${this.hits.length}${this.hits.length === 200 ? "+" : ""}`;
    const at = this.hits[this.hit];
    this.show(Math.max(0, at - 4096), at, this.needle);
  }
}
customElements.define("big-view", BigView);
