// Annotation queues: their items, the rubric's editor, the review desk that needs no mouse, decisions.
import { send } from "./enqueue.js";
import { confirmDialog, esc, icon, isTyping, localTimes, toast } from "./kit.js";

// ---------- items of a queue ----------
const table = document.querySelector("[data-queue-items]");
if (table) {
  const remove = document.querySelector("[data-queue-remove]");
  const boxes = () => [...table.querySelectorAll("tbody .ck input")];
  table.addEventListener("change", (e) => {
    if (e.target.matches("[data-all]")) for (const b of boxes()) b.checked = e.target.checked;
    if (remove) remove.disabled = !boxes().some((b) => b.checked);
  });
  remove?.addEventListener("click", async () => {
    const items = boxes().filter((b) => b.checked).map((b) => b.value);
    if (!(await confirmDialog(`Remove ${items.length} ${items.length === 1 ? "item" : "items"} from the queue?`, "Their reviews and decisions go with them. The runs and the feedback on them stay.", "Remove"))) return;
    try {
      await send(`/ui/queues/${remove.dataset.queueRemove}/remove`, { items });
      location.reload();
    } catch (x) {
      toast(x.message, true);
    }
  });
}

// ---------- the rubric's editor ----------
const labels = (list) => list.map((c) => `${c.label} = ${c.value}`).join("\n");
const readLabels = (text) =>
  text
    .split(/[\n,]/)
    .map((t) => t.trim())
    .filter(Boolean)
    .map((t, i) => {
      const [, label, value] = /^(.*?)(?:\s*=\s*(-?[\d.]+))?$/.exec(t);
      return { label: label.trim(), value: value === undefined || Number.isNaN(Number(value)) ? i : Number(value) };
    });

customElements.define(
  "rubric-editor",
  class extends HTMLElement {
    connectedCallback() {
      this.field = this.querySelector("input[type=hidden]");
      this.known = new Map(JSON.parse(this.dataset.keys || "[]").map((k) => [k.key, k]));
      this.rows = JSON.parse(this.field.value || "[]");
      this.box = document.createElement("div");
      this.box.className = "rub";
      this.append(this.box);
      this.draw();
      this.box.addEventListener("input", (e) => this.read(e));
      this.box.addEventListener("change", (e) => {
        this.read(e);
        if (e.target.name === "key" && this.known.has(e.target.value)) {
          const { type, min, max, categories } = this.known.get(e.target.value);
          Object.assign(this.rows[e.target.closest(".rq").dataset.i], { type, min, max, categories });
          this.draw();
        }
        if (e.target.name === "type") this.draw(`[data-i="${e.target.closest(".rq").dataset.i}"] [name=type]`);
      });
      this.box.addEventListener("click", (e) => {
        const what = e.target.closest("[data-r]")?.dataset.r;
        if (!what) return;
        const i = +(e.target.closest(".rq")?.dataset.i ?? -1);
        if (what === "add") this.rows.push({ key: "", type: "score", min: 0, max: 1, required: false, categories: [] });
        if (what === "x") this.rows.splice(i, 1);
        if (what === "up" && i > 0) this.rows.splice(i - 1, 0, this.rows.splice(i, 1)[0]);
        if (what === "down" && i < this.rows.length - 1) this.rows.splice(i + 1, 0, this.rows.splice(i, 1)[0]);
        this.draw(what === "add" ? ".rq:last-of-type [name=key]" : null);
      });
      // The kind of queue decides whether answers have a type.
      this.kind = this.closest("form").elements["Input.Kind"];
      this.kind?.addEventListener("change", () => this.draw());
    }

    read(e) {
      const row = e.target.closest(".rq");
      if (!row) return;
      const q = this.rows[row.dataset.i];
      const { name, value, checked } = e.target;
      if (name === "key" || name === "description" || name === "type") q[name] = value;
      if (name === "required") q.required = checked;
      if (name === "min" || name === "max") q[name] = value === "" ? null : Number(value);
      if (name === "categories") q.categories = readLabels(value);
      if (name === "type" && value === "category" && !(q.categories?.length > 0)) q.categories = [{ label: "good", value: 1 }, { label: "bad", value: 0 }, { label: "unclear", value: 0.5 }];
      if (name === "type" && value === "boolean") q.categories = [{ label: "yes", value: 1 }, { label: "no", value: 0 }];
      this.store();
    }

    store() {
      this.field.value = this.rows.length ? JSON.stringify(this.rows) : "";
    }

    draw(focus) {
      const isPair = this.kind?.value === "pairwise" || this.dataset.pair === "true";
      this.store();
      this.box.innerHTML = `${this.rows
        .map(
          (q, i) => `<fieldset class="rq card" data-i="${i}"><legend class="sr">Question ${i + 1}</legend><div class="rqr"><label class="grow">Feedback key<input type="text" name="key" list="rq-keys" value="${esc(q.key)}" maxlength="180" required placeholder="correctness" autocomplete="off"></label>${
            isPair
              ? ""
              : `<label>Answer<select name="type">${[["score", "score"], ["category", "category"], ["boolean", "yes / no"], ["text", "text"]].map(([v, t]) => `<option value="${v}"${q.type === v ? " selected" : ""}>${t}</option>`).join("")}</select></label>${q.type === "score" ? `<label class="sm">from<input type="number" step="any" name="min" value="${q.min ?? ""}"></label><label class="sm">to<input type="number" step="any" name="max" value="${q.max ?? ""}"></label>` : ""}`
          }<span class="rqb"><button class="btn gh ic sm" type="button" data-r="up" aria-label="Move question ${i + 1} up"${i ? "" : " disabled"}>${icon("up", "s")}</button><button class="btn gh ic sm" type="button" data-r="down" aria-label="Move question ${i + 1} down"${i < this.rows.length - 1 ? "" : " disabled"}>${icon("arrdown", "s")}</button><button class="btn gh ic sm" type="button" data-r="x" aria-label="Remove question ${i + 1}">${icon("x", "s")}</button></span></div>${
            !isPair && q.type === "category" ? `<label>Labels <small>One a line, with the number each stands for.</small><textarea name="categories" rows="3" spellcheck="false">${esc(labels(q.categories ?? []))}</textarea></label>` : ""
          }<div class="rqr"><label class="grow">Description<input type="text" name="description" value="${esc(q.description ?? "")}" maxlength="2000" placeholder="What reviewers should look at"></label><label class="inl"><input type="checkbox" name="required"${q.required ? " checked" : ""}>Needed</label></div></fieldset>`,
        )
        .join("")}<datalist id="rq-keys">${[...this.known.keys()].map((k) => `<option value="${esc(k)}">`).join("")}</datalist><button class="btn" type="button" data-r="add">${icon("plus", "s")}Add a question</button>`;
      if (focus) this.box.querySelector(focus)?.focus();
    }
  },
);

// ---------- corrections ----------
const at = (root, path) => path.reduce((o, k) => o?.[k], root);

/** Longest common subsequence of words or lines; the middle is given up on when it is too long to compare. */
function diff(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const parts = [["same", a.slice(0, start)]];
  if (x.length * y.length > 4e6) parts.push(["del", x], ["ins", y]);
  else {
    const n = y.length + 1;
    const table = new Uint32Array((x.length + 1) * n);
    for (let i = x.length - 1; i >= 0; i--) for (let j = y.length - 1; j >= 0; j--) table[i * n + j] = x[i] === y[j] ? table[(i + 1) * n + j + 1] + 1 : Math.max(table[(i + 1) * n + j], table[i * n + j + 1]);
    let [i, j] = [0, 0];
    const push = (kind, word) => (parts.at(-1)[0] === kind ? parts.at(-1)[1].push(word) : parts.push([kind, [word]]));
    while (i < x.length && j < y.length) {
      if (x[i] === y[j]) push("same", x[i++]) && j++;
      else if (table[(i + 1) * n + j] >= table[i * n + j + 1]) push("del", x[i++]);
      else push("ins", y[j++]);
    }
    while (i < x.length) push("del", x[i++]);
    while (j < y.length) push("ins", y[j++]);
  }
  parts.push(["same", a.slice(a.length - end)]);
  return parts.filter(([, words]) => words.length);
}

customElements.define(
  "fix-output",
  class extends HTMLElement {
    connectedCallback() {
      this.original = JSON.parse(this.dataset.original);
      this.path = this.dataset.path ? JSON.parse(this.dataset.path) : null;
      this.text = this.querySelector("textarea");
      this.fixed = this.text.value ? JSON.parse(this.text.value) : structuredClone(this.original);
      this.mode = this.path && typeof at(this.fixed, this.path) === "string" ? "text" : "json";
      const bar = document.createElement("div");
      bar.className = "row fixb";
      bar.innerHTML = `${this.path ? `<span class="seg" role="group" aria-label="Edit as"><button type="button" data-f="text">Text</button><button type="button" data-f="json">JSON</button></span>` : ""}<span class="grow"></span><button class="btn gh sm" type="button" data-f="reset">Back to the original</button>`;
      this.out = document.createElement("div");
      this.out.className = "diff";
      this.out.setAttribute("role", "status");
      this.text.before(bar);
      this.text.after(this.out);
      bar.addEventListener("click", (e) => {
        const what = e.target.closest("[data-f]")?.dataset.f;
        if (!what) return;
        if (what === "reset") this.fixed = structuredClone(this.original);
        else if (this.value() === undefined) return toast("The JSON is not complete", true);
        else this.mode = what;
        this.show();
        this.text.focus();
      });
      this.text.addEventListener("input", () => this.compare());
      this.show();
    }

    /** What was being typed before a reload. */
    resume({ mode, text }) {
      if (mode === "text" && !this.path) return;
      this.mode = mode;
      for (const b of this.querySelectorAll(".seg [data-f]")) b.setAttribute("aria-pressed", String(b.dataset.f === mode));
      this.text.value = text;
      this.text.classList.toggle("mono", mode === "json");
      this.compare();
    }

    show() {
      for (const b of this.querySelectorAll(".seg [data-f]")) b.setAttribute("aria-pressed", String(b.dataset.f === this.mode));
      this.text.value = this.mode === "text" ? at(this.fixed, this.path) : JSON.stringify(this.fixed, null, 2);
      this.text.classList.toggle("mono", this.mode === "json");
      this.compare();
    }

    /** The corrected output; undefined while what is typed is not JSON. */
    value() {
      if (this.mode === "text") {
        if (!this.path.length) return (this.fixed = this.text.value);
        const parent = at(this.fixed, this.path.slice(0, -1));
        parent[this.path.at(-1)] = this.text.value;
        return this.fixed;
      }
      try {
        this.fixed = JSON.parse(this.text.value);
        return this.fixed;
      } catch {
        return undefined;
      }
    }

    /** Null when nothing was changed, undefined when it is not JSON. */
    correction() {
      const value = this.value();
      return value === undefined ? undefined : JSON.stringify(value) === JSON.stringify(this.original) ? null : value;
    }

    compare() {
      const isText = this.mode === "text";
      const value = this.value();
      this.text.setAttribute("aria-invalid", String(value === undefined));
      if (value === undefined) return void (this.out.textContent = "Not JSON yet.");
      const [before, after] = isText ? [at(this.original, this.path), this.text.value] : [JSON.stringify(this.original, null, 2), JSON.stringify(value, null, 2)];
      if (before === after) return void (this.out.textContent = "As it was.");
      const split = isText ? (t) => t.split(/(\s+)/) : (t) => t.split(/(?<=\n)/);
      this.out.innerHTML = diff(split(before), split(after))
        .map(([kind, words]) => {
          const t = words.join("");
          return kind === "same" ? esc(t.length > 400 ? `${t.slice(0, 160)} … ${t.slice(-160)}` : t) : `<${kind}>${esc(t)}</${kind}>`;
        })
        .join("");
    }
  },
);

// ---------- questions ----------
/** What a form of questions holds; throws words about what is missing. */
function readAnswers(form) {
  const said = {};
  for (const q of form.querySelectorAll("fieldset.q")) {
    const { key, type, need } = q.dataset;
    const field = q.querySelector("input:checked, textarea, input[type=number]:not(:checked)");
    const value = q.querySelector("input:checked")?.value ?? q.querySelector("textarea, input[type=number]")?.value.trim() ?? "";
    if (field?.matches("input[type=number]") && field.value === "" && field.validity.badInput) throw Object.assign(new Error(`${key}: is not a number`), { field });
    if (value === "") {
      if (need) throw Object.assign(new Error(`${key}: needs an answer`), { field: field ?? q.querySelector("input, textarea") });
    } else if (type === "options") said[key] = /^-?\d+$/.test(value) && q.dataset.numeric ? { score: Number(value) } : { label: value };
    else if (type === "text") said[key] = { text: value };
    else said[key] = { score: Number(value) };
  }
  return said;
}

document.addEventListener("submit", async (e) => {
  const form = e.target.closest("form[data-decide]");
  if (!form) return;
  e.preventDefault();
  const problem = form.querySelector(".rv-problem");
  try {
    const clear = e.submitter?.name === "clear";
    await send(form.dataset.decide, clear ? { clear } : { said: readAnswers(form), note: form.elements.note.value, gold: form.elements.gold.checked });
    location.reload();
  } catch (x) {
    problem.textContent = x.message;
    problem.hidden = false;
    x.field?.focus();
  }
});

// ---------- the desk ----------
const Idle = 60_000;

class ReviewDesk extends HTMLElement {
  connectedCallback() {
    this.base = `/ui/queues/${this.dataset.queue}`;
    // What was done here can be taken back after a reload too.
    this.past = this.stored("past") ?? [];
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
    this.addEventListener("submit", (e) => {
      e.preventDefault();
      this.done();
    });
    this.addEventListener("click", (e) => {
      const what = e.target.closest("[data-rv]")?.dataset.rv;
      if (what === "again") this.next();
      else if (what) this[what]();
    });
    this.addEventListener("focusin", (e) => this.mark(e.target.closest("fieldset.q")));
    this.addEventListener("input", () => this.keep());
    // Time counts while the page is seen and somebody is there.
    this.alive = performance.now();
    for (const what of ["pointermove", "keydown", "wheel", "pointerdown"]) addEventListener(what, () => (this.alive = performance.now()), { passive: true });
    this.clock = setInterval(() => this.tick(), 1000);
    this.next(this.dataset.item || null);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    clearInterval(this.clock);
  }

  tick() {
    if (!this.item || document.hidden || performance.now() - this.alive > Idle) return;
    this.seconds++;
    const clock = document.querySelector("[data-rv-clock]");
    if (clock) clock.textContent = `${Math.floor(this.seconds / 60)}:${String(this.seconds % 60).padStart(2, "0")}`;
    // Half way through, a reservation that is used is renewed.
    if (this.hold && this.seconds - this.held >= this.hold * 30) {
      this.held = this.seconds;
      send(`${this.base}/items/${this.item}/hold`).catch((x) => this.problem(x.message));
    }
  }

  async next(item) {
    try {
      const html = await (await send(`${this.base}/next${item ? `?item=${item}` : ""}`)).text();
      this.show(html);
    } catch (x) {
      if (item) {
        toast(x.message, true);
        return this.next();
      }
      this.innerHTML = `<div class="empty">${icon("alert")}<h2>${esc(x.message)}</h2><button class="btn" type="button" data-rv="again">Try again</button></div>`;
    }
  }

  show(html) {
    this.innerHTML = html;
    this.article = this.querySelector("article");
    this.item = this.article?.dataset.item ?? null;
    this.seconds = 0;
    this.held = 0;
    this.hold = Number(this.article?.dataset.hold ?? 0);
    const { done, all } = (this.article ?? this.querySelector("[data-none]"))?.dataset ?? {};
    document.querySelector("[data-rv-bar]").style.width = all > 0 ? `${(100 * done) / all}%` : "0";
    document.querySelector("[data-rv-count]").textContent = all ? `${Number(done).toLocaleString("en")} of ${Number(all).toLocaleString("en")} done` : "";
    document.querySelector("[data-rv-clock]").textContent = this.item ? "0:00" : "";
    // The whole path: what is relative begins at the page's base, which is the root.
    history.replaceState(null, "", this.item ? `${location.pathname}?item=${this.item}` : location.pathname);
    localTimes(this);
    const undo = this.querySelector("[data-rv=undo]");
    if (undo) undo.disabled = !this.past.length;
    else if (this.past.length) this.querySelector(".empty .row")?.insertAdjacentHTML("afterbegin", `<button class="btn" type="button" data-rv="undo">Undo the last one <kbd>u</kbd></button>`);
    for (const d of this.querySelectorAll("fieldset.q[data-type=options]")) if ([...d.querySelectorAll("input")].every((i) => /^-?\d+$/.test(i.value))) d.dataset.numeric = "true";
    this.restore();
    if (this.article) (this.questions()[0]?.querySelector("input:checked, input, textarea") ?? this.querySelector(".rv-item")).focus({ preventScroll: true });
    else this.querySelector(".btn")?.focus();
  }

  questions() {
    return [...this.querySelectorAll("fieldset.q")];
  }

  mark(question) {
    for (const q of this.questions()) q.classList.toggle("at", q === question);
  }

  /** What is not sent yet survives a reload and a lost connection. */
  keep() {
    if (!this.item) return;
    const form = this.querySelector("form");
    const fix = form.querySelector(".corr[open] fix-output");
    const held = { fix: fix && { mode: fix.mode, text: fix.text.value }, radios: [...form.querySelectorAll("input[type=radio]:checked")].map((i) => [i.name, i.value]), fields: [...form.querySelectorAll("fieldset.q textarea, fieldset.q input[type=number], textarea[name=note]")].map((f) => f.value) };
    this.store(this.item, held);
  }

  store(what, value) {
    try {
      sessionStorage.setItem(`review:${this.dataset.queue}:${what}`, JSON.stringify(value));
    } catch {
      // Storage is off: nothing is kept.
    }
  }

  stored(what) {
    try {
      return JSON.parse(sessionStorage.getItem(`review:${this.dataset.queue}:${what}`));
    } catch {
      return null;
    }
  }

  restore() {
    const held = this.item && this.stored(this.item);
    if (!held) return;
    const form = this.querySelector("form");
    for (const [name, value] of held.radios) for (const i of form.querySelectorAll(`input[type=radio][name="${name}"]`)) i.checked = i.value === value;
    [...form.querySelectorAll("fieldset.q textarea, fieldset.q input[type=number], textarea[name=note]")].forEach((f, i) => (f.value = held.fields[i] ?? f.value));
    if (held.fix) {
      const box = form.querySelector(".corr");
      if (box) box.open = true;
      box?.querySelector("fix-output").resume(held.fix);
    }
  }

  problem(text, field) {
    const p = this.querySelector(".rv-problem");
    if (!p) return toast(text, true);
    p.textContent = text;
    p.hidden = false;
    field?.focus();
  }

  async act(name, body) {
    if (this.busy || !this.item) return false;
    this.busy = true;
    try {
      await send(`${this.base}/items/${this.item}/${name}`, body);
      return true;
    } catch (x) {
      this.problem(x.message);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async done() {
    if (!this.item) return;
    let body;
    try {
      const fix = this.querySelector(".corr[open] fix-output");
      const correction = fix?.correction();
      if (fix && correction === undefined) throw Object.assign(new Error("The correction is not JSON"), { field: fix.text });
      body = { said: readAnswers(this.querySelector("form")), note: this.querySelector("[name=note]").value, correction: correction ?? null, seconds: this.seconds };
    } catch (x) {
      return this.problem(x.message, x.field);
    }
    const item = this.item;
    if (!(await this.act("done", body))) return;
    this.store(item, null);
    this.past.push(item);
    this.store("past", this.past);
    toast("Done");
    this.next();
  }

  async skip() {
    if (await this.act("skip")) this.next();
  }

  async undo() {
    const last = this.past.pop();
    if (!last) return toast("There is nothing to undo");
    this.store("past", this.past);
    try {
      await send(`${this.base}/items/${last}/undo`);
      toast("Taken back");
      this.next(last);
    } catch (x) {
      toast(x.message, true);
    }
  }

  async example() {
    const select = this.querySelector("[name=dataset]");
    if (!select) return;
    if (!select.value) return select.focus();
    const correction = this.querySelector(".corr[open] fix-output")?.correction();
    if (correction === undefined && this.querySelector(".corr[open] fix-output")) return this.problem("The correction is not JSON");
    if (await this.act("dataset", { dataset: select.value, correction: correction ?? null })) toast(`Added to “${select.selectedOptions[0].textContent}”${correction ? " with the corrected output" : ""}`);
  }

  key(e) {
    if (e.defaultPrevented || document.querySelector("dialog[open]") || e.altKey) return;
    const typing = isTyping(e.target) && !e.target.matches("input[type=radio]");
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      return void this.done();
    }
    if (e.ctrlKey || e.metaKey) return;
    if (typing) {
      if (e.key === "Escape") {
        e.preventDefault();
        e.target.blur();
        this.querySelector(".rv-item")?.focus({ preventScroll: true });
      } else if (e.key === "Enter" && e.target.matches("fieldset.q input[type=number]")) {
        e.preventDefault();
        this.onward(e.target.closest("fieldset.q"));
      }
      return;
    }
    if (e.key === "Enter" && e.target.closest?.("a, button, summary, select")) return;
    const act = {
      Enter: () => this.done(),
      s: () => this.skip(),
      u: () => this.undo(),
      d: () => this.example(),
      n: () => this.querySelector("[name=note]")?.focus(),
      c: () => this.correct(),
      j: () => this.step(1),
      k: () => this.step(-1),
      Backspace: () => this.clear(),
    }[e.key];
    if (act) {
      e.preventDefault();
      return void act();
    }
    this.pick(e);
  }

  correct() {
    const box = this.querySelector(".corr");
    if (!box) return;
    box.open = true;
    box.querySelector("textarea").focus();
  }

  at() {
    const all = this.questions();
    return all.find((q) => q.classList.contains("at")) ?? all.find((q) => !q.querySelector("input:checked")) ?? all[0];
  }

  step(by) {
    const all = this.questions();
    const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(this.at()) + by))];
    (next?.querySelector("input:checked") ?? next?.querySelector("input, textarea"))?.focus();
  }

  /** To the next question, or to where Enter finishes the item. */
  onward(question) {
    const all = this.questions();
    const next = all[all.indexOf(question) + 1];
    if (next) (next.querySelector("input:checked") ?? next.querySelector("input, textarea")).focus();
    else {
      const item = this.querySelector(".rv-item");
      item.focus({ preventScroll: true });
      this.mark(question);
    }
  }

  clear() {
    const chosen = this.at()?.querySelector("input:checked");
    if (chosen) chosen.checked = false;
    this.keep();
  }

  pick(e) {
    const question = this.at();
    const option = [...(question?.querySelectorAll(".opt") ?? [])].find((o) => o.querySelector("kbd")?.textContent === e.key.toLowerCase());
    if (!option) return;
    e.preventDefault();
    option.querySelector("input").checked = true;
    this.keep();
    this.onward(question);
  }
}
customElements.define("review-desk", ReviewDesk);
