// The editor of evaluators with its preview on real rows, and the comparison of judges with people. The server checks, renders and asks the models;
// everything a person or a model wrote goes into the page as text, never as HTML.
import { dollars, glyph, h } from "./elements.js";
import { ask, toast } from "./kit.js";

const ROLES = ["system", "user", "assistant"];
const SOURCES = ["inputs", "outputs", "reference", "other", "tool_calls", "documents", "error"];

const json = (method, body) => ({ method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
class EvaluatorEditor extends HTMLElement {
  connectedCallback() {
    this.draft = JSON.parse(this.dataset.draft);
    this.providers = JSON.parse(this.dataset.providers);
    this.types = JSON.parse(this.dataset.types);
    this.projects = JSON.parse(this.dataset.rows);
    this.isJudge = this.draft.kind === "Judge";
    this.variables = [];
    this.cards = new Map();
    this.cursor = null;
    this.build();
    this.changed = false;
    if (this.dataset.readonly) return;
    window.addEventListener("beforeunload", (e) => this.changed && e.preventDefault());
    this.check();
    if (this.isJudge) this.offerModels();
  }

  /** What the provider itself says it has stands below what was configured; a name can be typed all the same. */
  async offerModels() {
    const provider = this.provider(this.settings.provider);
    if (!provider || provider.isAsked) return;
    provider.isAsked = true;
    try {
      const { models } = await (await ask(`/ui/playground/models/${provider.id}`)).json();
      provider.models = [...new Set([...provider.models, ...models])];
    } catch {
      return;
    }
    if (this.settings.provider === provider.id) this.form.querySelector("#ev-models")?.replaceChildren(...provider.models.map((m) => h("option", { value: m })));
  }

  get settings() {
    return this.draft.settings;
  }

  /** Something changed: the draft is checked again after a pause. */
  touch(how) {
    how();
    this.changed = true;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.check(), 300);
  }

  build() {
    this.problem = h("p.ev-problem", { role: "alert", hidden: true });
    this.form = h("div.ev-form", {});
    this.preview = h("section.ev-prev", { "aria-label": "Preview" });
    this.replaceChildren(this.form, this.preview);
    this.fill();
    if (!this.dataset.readonly) return this.buildPreview();
    // Trying costs money and needs the right to write; a reader sees how it is made.
    this.variables = Object.entries(this.settings.mapping ?? {}).map(([name, source]) => ({ name, source }));
    if (this.isJudge) this.drawMap();
    this.preview.append(h("p.hint", {}, "You may look at evaluators. Changing and trying them needs the role of an editor."));
  }

  fill() {
    const isReadOnly = !!this.dataset.readonly;
    const field = (title, input, more = "", help = null) => h(`label${more}`, {}, title, input, help ? h("small", {}, help) : null);
    const text = (value, set, attributes = {}) => h("input", { type: "text", value: value ?? "", oninput: (e) => this.touch(() => set(e.target.value)), ...attributes });
    this.form.replaceChildren(
      h("div.ev-scroll", {},
      h(
        "section",
        {},
        h("h2", {}, "Evaluator"),
        h(
          "div.ev-grid",
          {},
          field("Name", text(this.draft.name, (v) => (this.draft.name = v), { maxlength: 200 })),
          field("Feedback key", text(this.draft.key, (v) => (this.draft.key = v), { maxlength: 180, readonly: !!this.dataset.id, title: this.dataset.id ? "The key is fixed: scores of two meanings under one key cannot be compared" : null })),
          field("What it is for", text(this.draft.description, (v) => (this.draft.description = v), { maxlength: 4000 }), ".two"),
        ),
      ),
      ...(this.isJudge ? this.judge(field, text).filter(Boolean) : [this.draft.kind === "Code" ? this.code(field) : this.builtIn(field, text)]),
      this.problem,
      ),
      isReadOnly
        ? ""
        : h(
            "div.ev-save",
            {},
            this.dataset.id ? h("input", { type: "text", "aria-label": "What changed", placeholder: "What changed (kept with the version)", maxlength: 1000, oninput: (e) => (this.draft.note = e.target.value) }) : null,
            h("button.btn.pri", { type: "button", onclick: () => this.save() }, glyph("save"), this.dataset.id ? "Save" : "Create evaluator"),
          ),
    );
    if (isReadOnly) for (const input of this.form.querySelectorAll("input,select,textarea,button")) input.disabled = true;
  }

  code(field) {
    return h(
      "section",
      {},
      h("h2", {}, "Program"),
      h("p.hint", {}, "JavaScript with one function evaluate(run, example) that returns a number, true or false, or an object with score, label and reason. It runs in a sandbox without network and files, with limits of time and memory."),
      field("JavaScript", h("textarea.mono", { spellcheck: "false", value: this.settings.code ?? "", oninput: (e) => this.touch(() => (this.settings.code = e.target.value)), onkeydown: (e) => this.indent(e) })),
    );
  }

  /** Tab indents while the cursor stands in the program; Escape gives Tab back its usual work. */
  indent(e) {
    if (e.key === "Escape") this.isTabFree = true;
    if (e.key !== "Tab" || e.shiftKey || this.isTabFree) return;
    e.preventDefault();
    e.target.setRangeText("  ", e.target.selectionStart, e.target.selectionEnd, "end");
    this.touch(() => (this.settings.code = e.target.value));
  }

  builtIn(field, text) {
    const type = this.types.find((t) => t.id === this.settings.type);
    return h(
      "section",
      {},
      h("h2", {}, type.title),
      h("p.hint", {}, type.about),
      h(
        "div.ev-grid",
        {},
        type.fields.map((f) => {
          const set = (v) => (this.settings[f.name] = v);
          const value = this.settings[f.name];
          switch (f.kind) {
            case "Flag":
              return h("label.tick", {}, h("input", { type: "checkbox", checked: !!value, onchange: (e) => this.touch(() => set(e.target.checked)) }), f.title);
            case "Choice":
              return field(f.title, this.select(f.choices.map((c) => [c, c]), value ?? f.choices[0], set), "", f.help);
            case "Number":
              return field(f.title, h("input", { type: "number", step: "any", value: value ?? "", oninput: (e) => this.touch(() => set(e.target.value === "" ? null : Number(e.target.value))) }), "", f.help);
            case "Json":
              return field(f.title, h("textarea.mono", { spellcheck: "false", value: value ?? "", oninput: (e) => this.touch(() => set(e.target.value.trim() ? e.target.value : null)) }), ".two", f.help);
            case "EmbeddingProvider":
              return field(f.title, this.select(this.providers.filter((p) => p.embeds).map((p) => [p.id, p.name]), value, (v) => { set(v); this.settings.model = this.provider(v)?.embeddings[0] ?? ""; this.fill(); }), "", this.provider(value)?.kind === "Simulated" ? "Simulated: it compares words, not meanings. Add a real one under Settings, Model providers" : f.help);
            case "EmbeddingModel":
              return [field(f.title, text(value, (v) => set(v.trim() || null), { list: "ev-embeddings", spellcheck: "false" }), "", f.help), h("datalist", { id: "ev-embeddings" }, (this.provider(this.settings.provider)?.embeddings ?? []).map((m) => h("option", { value: m })))];
            case "List":
              return field(f.title, h("textarea", { rows: 4, oninput: (e) => this.touch(() => set(e.target.value.split("\n").filter((l) => l.trim()))), value: (value ?? []).join("\n") }), ".two", f.help);
            default:
              return field(f.title, text(value, (v) => set(v || null), { spellcheck: "false" }), "", f.help);
          }
        }),
      ),
    );
  }

  provider(id) {
    return this.providers.find((p) => p.id === id);
  }

  select(options, value, set, label) {
    const select = h("select", { "aria-label": label, onchange: (e) => this.touch(() => set(e.target.value)) }, options.map(([v, t]) => h("option", { value: v }, t)));
    select.value = value;
    return select;
  }

  judge(field, text) {
    const s = this.settings;
    const redraw = () => (this.fill(), this.check());
    const models = h("datalist", { id: "ev-models" }, (this.providers.find((p) => p.id === s.provider)?.models ?? []).map((m) => h("option", { value: m })));
    const number = (value, set, attributes = {}) => h("input", { type: "number", step: "any", value: value ?? "", oninput: (e) => this.touch(() => set(e.target.value === "" ? null : Number(e.target.value))), ...attributes });
    s.parameters ??= {};
    s.verdict ??= { kind: "boolean" };
    s.mapping ??= {};
    s.examples ??= [];
    const isSimulated = this.providers.find((p) => p.id === s.provider)?.kind === "Simulated";
    return [
      h(
        "section",
        {},
        h("h2", {}, "Model"),
        h(
          "div.ev-grid",
          {},
          field("Provider", this.select(this.providers.map((p) => [p.id, p.name]), s.provider, (v) => { s.provider = v; s.model = this.providers.find((p) => p.id === v).models[0] ?? ""; redraw(); this.offerModels(); })),
          field("Model", text(s.model, (v) => (s.model = v.trim()), { list: "ev-models", spellcheck: "false" })),
          models,
          field("Temperature", number(s.parameters.temperature, (v) => (s.parameters.temperature = v), { min: 0, max: 2 })),
          field("Most tokens", number(s.parameters.max_tokens, (v) => (s.parameters.max_tokens = v), { min: 1 })),
          field("Repetitions", number(s.repeats ?? 1, (v) => (s.repeats = v ?? 1), { min: 1, max: 9, step: 1 }), "", "Their mean counts; their spread is told"),
          h("label.tick", {}, h("input", { type: "checkbox", checked: s.cache ?? true, onchange: (e) => this.touch(() => (s.cache = e.target.checked)) }), "Keep verdicts"),
        ),
        isSimulated ? h("p.hint", {}, "A simulated model: it fills in the form by rules, to try things out. Its verdicts mean nothing. ", h("a.lnk1", { href: "/settings/providers" }, "Add a real one")) : null,
      ),
      this.prompt(field, text, redraw),
      this.verdict(field, number, redraw),
      h("section", {}, h("h2", {}, "Variables"), h("p.hint", {}, "Where each variable comes from: a part of the row, then a path, then ? when it may be missing. outputs.answer, inputs.messages[-1].content, reference?, outputs.$ for the whole JSON."), (this.map = h("table.ev-map", {}))),
      s.examples.length
        ? h(
            "section",
            {},
            h("h2", {}, "Examples by people"),
            s.examples.map((e, i) =>
              h("div.ev-ex", {}, h("div.row", {}, h("b", {}, JSON.stringify(e.verdict)), h("span.ell.grow.dim", {}, Object.values(e.values).map((v) => (typeof v === "string" ? v : JSON.stringify(v))).join(" · ")), e.run ? h("a.lnk1", { href: `/r/${e.run}` }, "run") : null, h("button.btn.gh.sm.ic", { type: "button", "aria-label": "Remove the example", onclick: () => this.touch(() => (s.examples.splice(i, 1), this.fill())) }, glyph("x"))), e.reason ? h("p.hint", {}, e.reason) : null),
            ),
          )
        : null,
    ];
  }

  prompt(field, text, redraw) {
    const s = this.settings;
    const isHub = !!s.hub;
    const source = h(
      "span.seg",
      { role: "group", "aria-label": "Where the prompt is" },
      h("button", { type: "button", "aria-pressed": String(!isHub), onclick: () => { if (isHub) { s.hub = null; s.messages = this.own ?? [{ role: "user", content: "{{question}}\n\n{{answer}}" }]; redraw(); } } }, "Own text"),
      h("button", { type: "button", "aria-pressed": String(isHub), onclick: () => { if (!isHub) { this.own = s.messages; s.messages = null; s.hub = { handle: "", commit: null }; redraw(); } } }, "From the hub"),
    );
    if (isHub) {
      return h("section", {}, h("h2", {}, "Prompt", source), h("div.ev-grid", {}, field("Prompt", text(s.hub.handle, (v) => (s.hub.handle = v.trim()), { spellcheck: "false" })), field("Commit or tag", text(s.hub.commit, (v) => (s.hub.commit = v.trim() || null), { spellcheck: "false", placeholder: "the newest" }))), h("p.hint", {}, "Without a commit the judge follows the newest one: its verdicts can change without a version of the judge. Pin one for what you want to compare."));
    }
    return h(
      "section",
      {},
      h("h2", {}, "Prompt", source),
      s.messages.map((m, i) =>
        h(
          "div.ev-msg",
          {},
          h(
            "div.row",
            {},
            this.select(ROLES.map((r) => [r, r]), m.role, (v) => (m.role = v), `Role of message ${i + 1}`),
            h("span.grow"),
            s.messages.length > 1 ? h("button.btn.gh.sm.ic", { type: "button", "aria-label": `Remove message ${i + 1}`, onclick: () => this.touch(() => (s.messages.splice(i, 1), this.fill())) }, glyph("x")) : null,
          ),
          h("textarea", { "aria-label": `Message ${i + 1}`, rows: 4, spellcheck: "false", value: typeof m.content === "string" ? m.content : JSON.stringify(m.content), oninput: (e) => this.touch(() => (m.content = e.target.value)) }),
        ),
      ),
      h("div.row", {}, h("button.btn.sm", { type: "button", onclick: () => this.touch(() => (s.messages.push({ role: "user", content: "" }), this.fill())) }, glyph("plus"), "Message"), h("span.grow"), h("label.tick", {}, "Variables", this.select([["mustache", "{{name}}"], ["f-string", "{name}"], ["none", "none"]], s.format ?? "mustache", (v) => (s.format = v)))),
    );
  }

  verdict(field, number, redraw) {
    const v = this.settings.verdict;
    const s = this.settings;
    const kinds = [["boolean", "Yes or no"], ["score", "Score"], ["label", "Label"]];
    const choose = (kind) => () => {
      Object.assign(v, { kind });
      if (kind === "score") Object.assign(v, { min: v.max > v.min && v.max !== 1 ? v.min : 1, max: v.max > v.min && v.max !== 1 ? v.max : 5, is_integer: v.is_integer ?? true });
      if (kind === "label" && !(v.labels?.length > 1)) v.labels = [{ label: "good", score: 1 }, { label: "bad", score: 0 }];
      redraw();
    };
    const parts = [];
    if (s.pairwise) {
      parts.push(h("p.hint", {}, "It says A, B or tie. Each pair is judged in both orders; a verdict that changes with the order counts as a tie, and is shown."));
    } else if (v.kind === "score") {
      parts.push(h("div.ev-grid", {}, field("From", number(v.min, (x) => (v.min = x ?? 0))), field("To", number(v.max, (x) => (v.max = x ?? 1))), field("Passes from", number(v.pass_at, (x) => (v.pass_at = x)), "", "Empty: no bar"), h("label.tick", {}, h("input", { type: "checkbox", checked: !!v.is_integer, onchange: (e) => this.touch(() => (v.is_integer = e.target.checked)) }), "Whole numbers")));
    } else if (v.kind === "label") {
      v.labels ??= [];
      parts.push(
        ...v.labels.map((l, i) =>
          h("div.ev-lab", {}, h("input", { type: "text", value: l.label, "aria-label": `Label ${i + 1}`, oninput: (e) => this.touch(() => (l.label = e.target.value)) }), number(l.score, (x) => (l.score = x), { "aria-label": `What label ${i + 1} counts as`, placeholder: "counts as" }), h("input", { type: "text", value: l.meaning ?? "", placeholder: "when to give it", "aria-label": `When to give label ${i + 1}`, oninput: (e) => this.touch(() => (l.meaning = e.target.value || null)) }), h("button.btn.gh.ic", { type: "button", "aria-label": `Remove label ${i + 1}`, onclick: () => this.touch(() => (v.labels.splice(i, 1), this.fill())) }, glyph("x"))),
        ),
        h("button.btn.sm", { type: "button", onclick: () => this.touch(() => (v.labels.push({ label: "" }), this.fill())) }, glyph("plus"), "Label"),
      );
    }
    return h(
      "section",
      {},
      h("h2", {}, "Verdict", s.pairwise ? null : h("span.seg", { role: "group", "aria-label": "What it answers" }, kinds.map(([k, t]) => h("button", { type: "button", "aria-pressed": String(v.kind === k), onclick: choose(k) }, t)))),
      h("label.tick", {}, h("input", { type: "checkbox", checked: !!s.pairwise, onchange: (e) => this.touch(() => { s.pairwise = e.target.checked; this.fill(); this.buildPreview(); }) }), "It compares two answers"),
      parts,
    );
  }

  /** Asks the server which variables there are and what is wrong. */
  async check() {
    const mine = (this.checking = {});
    let found;
    try {
      found = await (await ask("/ui/evaluators/check", json("POST", this.draft))).json();
    } catch (e) {
      found = { problem: e.message };
    }
    if (mine !== this.checking) return;
    this.problem.textContent = found.problem ?? "";
    // A new one is told what it lacks once somebody has begun with it.
    this.problem.hidden = !found.problem || !(this.dataset.id || this.changed);
    if (found.variables && this.isJudge) {
      this.variables = found.variables;
      this.drawMap();
    }
    this.isSound = !found.problem;
    if (this.isSound) this.load(null, true);
  }

  drawMap() {
    if (this.map.contains(document.activeElement)) return;
    this.map.replaceChildren(
      h("datalist", { id: "ev-sources" }, SOURCES.map((s) => h("option", { value: s }))),
      h(
        "tbody",
        {},
        this.variables.length
          ? this.variables.map((v) => h("tr", {}, h("th", { scope: "row" }, v.name), h("td", {}, h("input", { type: "text", disabled: !!this.dataset.readonly, list: "ev-sources", spellcheck: "false", "aria-label": `Where ${v.name} comes from`, value: this.settings.mapping[v.name] ?? "", placeholder: v.source ?? "not mapped", oninput: (e) => this.touch(() => (e.target.value.trim() ? (this.settings.mapping[v.name] = e.target.value.trim()) : delete this.settings.mapping[v.name])) }), v.source ? null : h("span.bad", {}, "comes from nowhere yet"))))
          : h("tr", {}, h("td", {}, this.dataset.readonly ? "Each variable comes from its usual place." : "The prompt has no variables.")),
      ),
    );
  }

  buildPreview() {
    const choose = (title, key, options, empty) => h("label", {}, title, h("select", { onchange: (e) => { this[key] = e.target.value; this.load(null); } }, empty ? h("option", { value: "" }, empty) : null, options.map((p) => h("option", { value: p.id, selected: p.id === this[key] }, `${p.name}${p.experiment ? " (experiment)" : ""}`))));
    this.project ??= this.projects.find((p) => p.experiment)?.id ?? this.projects[0]?.id ?? "";
    this.other ??= "";
    this.list = h("div", { "aria-live": "polite" });
    this.more = h("button.btn", { type: "button", hidden: true, onclick: () => this.load(this.cursor) }, "Next rows");
    this.all = h("button.btn.pri", { type: "button", hidden: true, onclick: () => this.tryAll() }, glyph("play"), "Try on all rows");
    this.preview.replaceChildren(
      h("h2", {}, "Preview on real rows"),
      this.projects.length
        ? h("div.ev-bar", {}, choose("Rows of", "project", this.projects), this.settings.pairwise ? choose("Second answers of", "other", this.projects.filter((p) => p.experiment), "choose an experiment") : null, this.all)
        : h("p.hint", {}, "There are no runs yet. Send traces or run an experiment, and see here what the evaluator is shown and what it says."),
      this.list,
      this.more,
    );
    if (this.project) this.load(null);
  }

  async load(cursor, isSilent = false) {
    if (!this.project || !this.isSound) return;
    const mine = (this.loading = {});
    if (cursor === null && !isSilent) this.list.replaceChildren(h("p.hint", {}, "Reading rows…"));
    try {
      const page = await (await ask("/ui/evaluators/rows", json("POST", { draft: this.draft, project: this.project, other: this.other || null, cursor }))).json();
      if (mine !== this.loading) return;
      this.cursor = page.next;
      this.more.hidden = !page.next;
      const before = cursor === null ? this.cards : new Map();
      if (cursor === null) this.cards = new Map();
      const cards = page.rows.map((row) => {
        // A row that is judged by the same question keeps its result; after any other change of the draft one would stand beside another prompt.
        const text = JSON.stringify([row, this.settings.verdict, this.settings.provider, this.settings.model, this.settings.parameters, this.settings.repeats, this.isJudge || this.settings]);
        const known = before.get(row.run);
        const card = known?.text === text ? known.card : this.row(row);
        this.cards.set(row.run, { text, card });
        return card;
      });
      if (cursor !== null) this.list.append(...cards);
      else if (cards.length === 0) this.list.replaceChildren(h("p.hint", {}, "No runs there."));
      else if (cards.some((card, i) => this.list.children[i] !== card) || this.list.children.length !== cards.length) this.list.replaceChildren(...cards);
      this.all.hidden = this.list.querySelector(".ev-row") === null;
    } catch (e) {
      if (mine === this.loading) this.list.replaceChildren(h("p.ev-problem", { role: "alert" }, e.message));
    }
  }

  row(row) {
    const out = h("div.ev-out", { hidden: true });
    const button = h("button.btn.sm", { type: "button", disabled: row.missing.length > 0, onclick: () => this.tryRow(row, out, button) }, glyph("play"), "Try");
    const values = this.isJudge ? Object.entries(row.values) : [["output", row.output], ...(row.reference === null ? [] : [["reference", row.reference]])];
    const card = h(
      "article.ev-row",
      {},
      h("header", {}, h("b.ell", { title: row.title, dir: "auto" }, row.title), h("a.btn.gh.sm", { href: `/r/${row.run}` }, "Trace"), button),
      h("dl.ev-val", {}, values.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto", tabindex: value.length > 100 || value.split("\n").length > 3 ? 0 : null }, value || "(empty)")])),
      row.missing.map((m) => h("p.ev-miss", {}, `Would not be judged: ${m}.`)),
      row.sent ? h("details", {}, h("summary", {}, "What the judge is sent"), h("pre", { dir: "auto", tabindex: 0 }, row.sent)) : null,
      out,
    );
    Object.assign(card, { run: () => (row.missing.length ? null : this.tryRow(row, out, button)) });
    return card;
  }

  async tryAll() {
    for (const card of this.list.querySelectorAll(".ev-row")) await card.run();
  }

  async tryRow(row, out, button) {
    button.disabled = true;
    out.hidden = false;
    out.replaceChildren(h("p.hint", {}, this.isJudge ? "Asking the judge…" : "Computing…"));
    try {
      const said = await (await ask("/ui/evaluators/try", json("POST", { draft: this.draft, run: row.run, project: row.project, other: this.other || null }))).json();
      out.replaceChildren(...this.result(said));
    } catch (e) {
      out.replaceChildren(h("p.ev-problem", { role: "alert" }, e.message));
    }
    button.disabled = false;
  }

  result(said) {
    const raw = (said.replies?.replies ?? []).flatMap((r) => (r.raw ?? []).map((t) => (r.is_swapped ? `(other order) ${t}` : t)));
    const value = said.label ?? (said.number === null ? null : +said.number.toFixed(4));
    return [
      said.failed
        ? h("p.ev-problem", {}, said.notes.join(" "))
        : h("div.row", {}, h("span.v", {}, String(value ?? "no majority")), said.label !== null && said.number !== null ? h("span.dim.num", {}, `counts as ${+said.number.toFixed(3)}`) : null, said.passed === null ? null : h(`span.pill.${said.passed ? "ok" : "err"}`, {}, said.passed ? "passes" : "fails"), h("span.grow"), said.calls === null || said.calls === undefined ? null : h("span.dim.num", {}, `${said.calls} ${said.calls === 1 ? "call" : "calls"} · ${said.tokens ?? 0} tokens · ${dollars(said.cost)}`), said.run ? h("a.btn.gh.sm", { href: `/r/${said.run}` }, "Judge’s run") : null),
      said.reason ? h("p", { dir: "auto" }, said.reason) : null,
      !said.failed && said.notes.length ? h("ul", {}, said.notes.map((n) => h("li", {}, n))) : null,
      raw.length ? h("details", {}, h("summary", {}, "Raw replies"), raw.map((t) => h("pre", { dir: "auto", tabindex: 0 }, t || "(empty)"))) : null,
    ].filter(Boolean);
  }

  async save() {
    const id = this.dataset.id;
    try {
      const saved = await (await ask(id ? `/ui/evaluators/${id}?basedOn=${this.dataset.version}` : "/ui/evaluators", json(id ? "PUT" : "POST", this.draft))).json();
      this.changed = false;
      location.href = `/evaluators/${saved.id}`;
    } catch (e) {
      this.problem.textContent = e.message;
      this.problem.hidden = false;
      toast(e.message, true);
    }
  }
}

customElements.define("evaluator-editor", EvaluatorEditor);

customElements.define(
  "calibrate-form",
  class extends HTMLElement {
    connectedCallback() {
      this.querySelector("form").addEventListener("submit", (e) => {
        e.preventDefault();
        this.run(e.target);
      });
    }

    async run(form) {
      const state = this.querySelector("[data-state]");
      const button = form.querySelector("button");
      button.disabled = true;
      state.classList.remove("e");
      state.textContent = "Reading what people said…";
      try {
        const { key, project, most } = form.elements;
        await ask(`/ui/evaluators/${this.dataset.id}/calibrate`, json("POST", { key: key.value, project: project?.value || null, most: Number(most.value) || 100 }));
        location.href = `/evaluators/${this.dataset.id}/calibration`;
      } catch (e) {
        state.textContent = e.message;
        state.classList.add("e");
        button.disabled = false;
      }
    }
  },
);

// A comparison under way: when it has come to its end, the page shows what came out.
customElements.define(
  "calibration-run",
  class extends HTMLElement {
    connectedCallback() {
      this.watch = new MutationObserver(() => this.look());
      this.watch.observe(this, { childList: true, subtree: true });
      this.look();
    }

    disconnectedCallback() {
      this.watch.disconnect();
    }

    look() {
      if (this.querySelector('[data-state="Done"][data-live="false"]')) location.href = `/evaluators/${this.dataset.id}/calibration?at=${this.dataset.job}`;
      else if (this.querySelector('[data-state="Cancelled"],[data-state="Failed"]')) location.href = `/evaluators/${this.dataset.id}/calibration`;
    }
  },
);

document.addEventListener("click", async (e) => {
  const button = e.target.closest?.("[data-example]");
  if (!button) return;
  button.disabled = true;
  try {
    const { version } = await (await ask(`/ui/evaluators/${button.dataset.evaluator}/example`, json("POST", { calibration: button.dataset.calibration, run: button.dataset.example }))).json();
    button.replaceWith(h("span.pill.ok", {}, `example since version ${version}`));
    toast(`Version ${version} is shown this run. Compare again to see what it changes.`);
  } catch (x) {
    button.disabled = false;
    toast(x.message, true);
  }
});
