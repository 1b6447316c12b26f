// The playground: variants side by side, each a prompt with its model. State lives here and in localStorage; the server renders templates,
// asks the models and records the runs. Everything a person typed goes into the page as text, never as HTML.
import { dollars, events, glyph, h } from "./elements.js";
import { jsonProblem } from "./json-edit.js";
import { ask, toast } from "./kit.js";
import { codeDialog, saveDialog } from "./playground-dialogs.js";
import { runOnDataset } from "./playground-dataset.js";
import { byName, keep, restore } from "./playground-images.js";
import { messageEditor } from "./playground-message.js";
import { optionsEditor } from "./playground-options.js";
import { promptDialog } from "./playground-prompts.js";
import { settingsDialog } from "./playground-settings.js";

const MAX_VARIANTS = 8;
const ms = (value) => (value === null || value === undefined ? "–" : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`);
/** What of a variant a commit holds, as one text: an edited prompt must not claim to be the commit it came from. */
const contentOf = (variant) => JSON.stringify([variant.messages, variant.format, variant.schema, ...(Object.keys(variant.partials).length ? [variant.partials] : [])]);

class Playground extends HTMLElement {
  async connectedCallback() {
    this.providers = JSON.parse(this.dataset.providers);
    this.models = new Map();
    this.running = new Set();
    this.key = `assay.playground.${this.dataset.workspace}`;
    const seed = this.dataset.seed ? JSON.parse(this.dataset.seed) : null;
    const kept = this.load();
    if (kept) await restore(kept);
    this.state = seed ? { variants: [this.complete(seed)], variables: {}, times: 1 } : kept ?? { variants: [this.complete({})], variables: {}, times: 1 };
    this.previous = seed && kept ? kept : null;
    // Wherever the focus is: whoever just came has it nowhere.
    this.onKeys = (e) => this.keys(e);
    document.addEventListener("keydown", this.onKeys);
    this.build();
    if (seed) await this.keepImages();
    this.save();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKeys);
  }

  complete(variant) {
    const provider = this.providers.find((p) => p.id === variant.provider) ?? this.providers.find((p) => p.models.length) ?? this.providers[0];
    const whole = {
      provider: provider.id,
      model: variant.model || provider.models[0] || "",
      format: variant.format ?? "f-string",
      messages: variant.messages?.length ? variant.messages : [{ role: "system", content: "You answer briefly." }, { role: "user", content: "{question}" }],
      partials: variant.partials ?? {},
      parameters: variant.parameters ?? {},
      tools: variant.tools ?? "",
      tool_choice: variant.tool_choice ?? "auto",
      schema: variant.schema ?? "",
      open: variant.open ?? false,
      prompt: variant.prompt ?? null,
    };
    if (whole.prompt?.commit && !whole.prompt.content) whole.prompt.content = contentOf(whole);
    return whole;
  }

  /** The images of a run that was opened, too large for where the rest is kept. */
  async keepImages() {
    const parts = this.state.variants.flatMap((v) => v.messages).flatMap((m) => (Array.isArray(m.content) ? m.content : []));
    for (const part of parts) if (part.image_url?.url?.startsWith("data:")) await keep(part.image_url.url).catch(() => {});
  }

  isEdited(variant) {
    return Boolean(variant.prompt?.commit) && variant.prompt.content !== contentOf(variant);
  }

  load() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      return kept?.variants?.length ? { variants: kept.variants.map((v) => this.complete(v)), variables: kept.variables ?? {}, times: kept.times ?? 1 } : null;
    } catch {
      return null;
    }
  }

  save() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.state, byName));
    } catch {
      toast("This browser keeps no more: the playground's state will not survive a reload", true);
    }
  }

  keys(event) {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.runAll();
    } else if (event.key === "Escape" && this.running.size > 0) {
      event.preventDefault();
      this.stop();
    }
  }

  build() {
    this.columns = h("div.pg-cols", { role: "list", "aria-label": "Variants" });
    this.variables = h("div.pg-vars");
    this.runButton = h("button.btn.pri", { type: "button", title: "Run all variants (Ctrl+Enter)", onclick: () => (this.running.size ? this.stop() : this.runAll()) });
    const times = h("input", { type: "number", min: 1, max: 20, value: this.state.times, "aria-label": "Times", onchange: (e) => this.change(() => (this.state.times = Math.min(20, Math.max(1, Number(e.target.value) || 1)))) });
    this.replaceChildren(
      h(
        "div.pg-bar",
        {},
        this.runButton,
        h("label.pg-times", {}, times, "times each"),
        h("button.btn", { type: "button", onclick: () => this.addVariant() }, glyph("plus"), "Variant"),
        h("span.grow"),
        this.previous && this.previous.variants.length < MAX_VARIANTS ? h("button.btn.gh", { type: "button", title: "What was here before, with this as another variant", onclick: () => this.besideDraft() }, "Add to my draft") : null,
        this.previous ? h("button.btn.gh", { type: "button", onclick: (e) => (e.target.remove(), (this.state = this.previous), this.save(), this.build()) }, "Restore my draft") : null,
        h("button.btn.gh", { type: "button", onclick: () => this.reset() }, "Clear"),
      ),
      h("section.pg-vars-box", { "aria-label": "Variables" }, h("h2", {}, "Variables"), this.variables),
      this.columns,
    );
    this.state.variants.forEach((variant, i) => this.columns.append(this.column(variant, i)));
    this.showRunning();
    this.check();
  }

  change(how, isNames = false) {
    how();
    this.save();
    for (const column of this.columns.children) {
      const mark = column.querySelector("[data-edited]");
      if (mark) mark.hidden = !this.isEdited(column.variant);
    }
    if (isNames) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.check(), 250);
    }
  }

  reset() {
    if (!confirm("Clear the playground? What is not saved as a commit is gone.")) return;
    this.stop();
    this.state = { variants: [this.complete({})], variables: {}, times: 1 };
    this.save();
    this.build();
  }

  addVariant(of = this.state.variants.at(-1)) {
    if (this.state.variants.length >= MAX_VARIANTS) return toast(`At most ${MAX_VARIANTS} variants`, true);
    this.state.variants.push(structuredClone(of));
    this.save();
    this.build();
    this.columns.lastElementChild.querySelector("select").focus();
  }

  column(variant, index) {
    const column = h("section.pg-col.card", { role: "listitem", "aria-label": `Variant ${String.fromCharCode(65 + index)}` });
    const messages = h("div.pg-msgs");
    const answers = h("div.pg-answers", { "aria-live": "polite" });
    const problem = h("p.pg-problem", { role: "alert", hidden: true });
    Object.assign(column, { variant, answers, problem });
    const modelInput = h("input.pg-model", { type: "text", value: variant.model, list: `models-${index}`, "aria-label": "Model", spellcheck: "false", placeholder: "model", oninput: (e) => this.change(() => (variant.model = e.target.value.trim())) });
    const models = h("datalist", { id: `models-${index}` });
    const provider = h("select", { "aria-label": "Provider", onchange: (e) => this.change(() => { variant.provider = e.target.value; variant.model = this.providers.find((p) => p.id === variant.provider).models[0] ?? ""; modelInput.value = variant.model; this.offer(variant.provider, models); }) }, this.providers.map((p) => h("option", { value: p.id, selected: p.id === variant.provider }, p.name)));
    provider.value = variant.provider;
    this.offer(variant.provider, models);
    // Whoever works with the keyboard stays where the change was.
    const redraw = (at, target = "textarea") => {
      draw();
      if (at !== undefined) (messages.children[Math.min(at, variant.messages.length - 1)].querySelector(target) ?? messages.children[at].querySelector("textarea")).focus();
    };
    const draw = () => messages.replaceChildren(...variant.messages.map((m, i) => messageEditor({ variant, message: m, index: i, redraw, change: (how, isNames) => this.change(how, isNames), open: (title, ...content) => this.dialog(title, ...content) })));
    draw();
    const isBuiltIn = this.providers.find((p) => p.id === variant.provider)?.kind === "Simulated";
    const parts = [
      h(
        "header.pg-head",
        {},
        h("b.pg-letter", { "aria-hidden": "true" }, String.fromCharCode(65 + index)),
        provider,
        modelInput,
        models,
        h("button.btn.gh.ic", { type: "button", "aria-label": `Duplicate variant ${String.fromCharCode(65 + index)}`, title: "Duplicate", onclick: () => this.addVariant(variant) }, glyph("copy")),
        this.state.variants.length > 1 ? h("button.btn.gh.ic", { type: "button", "aria-label": `Remove variant ${String.fromCharCode(65 + index)}`, title: "Remove", onclick: () => (this.state.variants.splice(index, 1), this.save(), this.build()) }, glyph("x")) : null,
      ),
      isBuiltIn ? h("p.pg-hint", {}, "A simulated model: it answers by rules and costs nothing. ", h("a.lnk", { href: "/settings/providers" }, "Add a real one")) : null,
      variant.prompt ? h("p.pg-hint", {}, "From prompt ", h("b", {}, variant.prompt.handle), variant.prompt.commit ? ` at ${variant.prompt.commit.slice(0, 8)}` : "", h("span", { "data-edited": true, hidden: !this.isEdited(variant) }, ", edited")) : null,
      this.partials(variant),
      messages,
      h("div.row.pg-add", {}, h("button.btn.sm", { type: "button", onclick: () => this.change(() => (variant.messages.push({ role: variant.messages.at(-1)?.role === "user" ? "assistant" : "user", content: "" }), redraw(variant.messages.length - 1)), true) }, glyph("plus"), "Message"), this.formatSelect(variant)),
      optionsEditor(variant, (how) => this.change(how), (title, ...content) => this.dialog(title, ...content)),
      problem,
      h(
        "footer.pg-foot",
        {},
        h("button.btn.sm", { type: "button", onclick: () => this.run(column) }, glyph("play"), "Run"),
        h("button.btn.sm", { type: "button", onclick: () => this.onDataset(variant, index) }, glyph("data"), "Run on a dataset"),
        h("button.btn.sm", { type: "button", onclick: () => this.loadPrompt(variant, index) }, glyph("prompt"), "Load a prompt"),
        h("button.btn.sm", { type: "button", onclick: () => saveDialog(this, variant) }, glyph("save"), "Save as commit"),
        h("button.btn.sm", { type: "button", onclick: () => this.savedSettings(variant) }, glyph("settings"), "Saved settings"),
        h("button.btn.sm", { type: "button", onclick: () => codeDialog(this, variant) }, glyph("code"), "Copy as code"),
      ),
      answers,
    ];
    column.append(...parts.filter((part) => part !== null));
    return column;
  }

  /** What the prompt has filled in already: sent with it and kept when it is saved, unless somebody wants to be asked. */
  partials(variant) {
    const names = Object.keys(variant.partials);
    if (!names.length) return null;
    const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    const ask = (name) =>
      this.change(() => {
        this.state.variables[name] = shown(variant.partials[name]);
        delete variant.partials[name];
        this.build();
      });
    return h("div.pg-partials", { role: "group", "aria-label": "Filled in already" }, h("span.pg-hint", {}, "Filled in already:"), names.map((name) => h("span.pt-chip", {}, h("span.mono.ell", { title: shown(variant.partials[name]) }, `${name} = ${shown(variant.partials[name])}`), h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Ask for ${name} instead`, title: "Ask for it instead", onclick: () => ask(name) }, glyph("x")))));
  }

  async offer(provider, list) {
    if (!this.models.has(provider)) {
      this.models.set(
        provider,
        ask(`/ui/playground/models/${provider}`)
          .then((r) => r.json())
          .then((r) => r.models)
          .catch(() => this.providers.find((p) => p.id === provider)?.models ?? []),
      );
    }
    list.replaceChildren(...(await this.models.get(provider)).map((name) => h("option", { value: name })));
  }

  formatSelect(variant) {
    const select = h("select", { "aria-label": "Template format", title: "How variables are written", onchange: (e) => this.change(() => (variant.format = e.target.value), true) }, [["f-string", "{variable}"], ["mustache", "{{variable}}"], ["none", "no variables"]].map(([value, text]) => h("option", { value }, text)));
    select.value = variant.format;
    return select;
  }

  besideDraft() {
    this.state = { ...this.previous, variants: [...this.previous.variants, ...this.state.variants].slice(0, MAX_VARIANTS), variables: { ...this.previous.variables, ...this.state.variables } };
    this.previous = null;
    this.save();
    this.build();
  }

  /** A prompt of the hub at a commit, here or beside. */
  loadPrompt(variant, index) {
    const put = (at, isNew) => (seed) => {
      // A prompt without a model of its own runs on the one that was chosen here.
      const { provider, model, parameters } = variant;
      this.state.variants.splice(at, isNew ? 0 : 1, this.complete(seed.model ? seed : { ...seed, provider, model, parameters: { ...parameters } }));
      this.save();
      this.build();
    };
    promptDialog({ open: (title, ...content) => this.dialog(title, ...content), load: put(index, false), beside: this.state.variants.length < MAX_VARIANTS ? put(index + 1, true) : null, handle: variant.prompt?.handle });
  }

  savedSettings(variant) {
    settingsDialog({
      variant,
      body: (v) => this.body(v),
      open: (title, ...content) => this.dialog(title, ...content),
      load: ({ name, variant: saved }) => {
        if (!saved.provider) toast(`${name} is for a provider that this workspace does not have; the one chosen stays`, true);
        Object.assign(variant, saved, { provider: saved.provider ?? variant.provider });
        this.save();
        this.build();
        toast(`Loaded ${name}`);
      },
    });
  }

  /** Asks the server which variables the templates have, and shows what is wrong with them. */
  async check() {
    const names = new Set();
    await Promise.all(
      [...this.columns.children].map(async (column) => {
        try {
          const answer = await ask("/ui/playground/check", { method: "POST", body: JSON.stringify(this.body(column.variant, true)) });
          const found = await answer.json();
          found.names.forEach((n) => names.add(n));
          column.problem.textContent = found.problem ?? "";
          column.problem.hidden = !found.problem;
        } catch (e) {
          column.problem.textContent = e.message;
          column.problem.hidden = false;
        }
      }),
    );
    this.names = names;
    const shown = [...this.variables.querySelectorAll("textarea")].map((t) => t.dataset.name);
    if (shown.length === names.size && shown.every((n) => names.has(n)) && this.variables.childElementCount) return;
    this.variables.replaceChildren(
      ...(names.size
        ? [...names].map((name) => h("label", {}, h("span.mono", {}, name), h("textarea", { rows: 2, dir: "auto", "data-name": name, value: this.state.variables[name] ?? "", oninput: (e) => this.change(() => (this.state.variables[name] = e.target.value)) })))
        : [h("p.pg-hint", {}, "Write {name} in a message and it appears here.")]),
    );
  }

  /** What the server gets; lenient for a look at the messages alone, whatever is half-typed beside them. A variable that reads as a JSON list or object is sent as one: placeholders and sections need them. */
  body(variant, isLenient = false) {
    const parse = (text, what) => {
      if (!text.trim()) return null;
      const fault = jsonProblem(text);
      if (!fault) return JSON.parse(text);
      if (isLenient) return null;
      throw new Error(`${what}: line ${fault.line}, column ${fault.column}: ${fault.message}`);
    };
    // A field that was left empty is an empty text, not a missing one.
    const variables = Object.fromEntries([...(this.names ?? [])].map((name) => [name, ""]));
    for (const [name, text] of Object.entries(this.state.variables)) {
      variables[name] = text;
      if (/^\s*[[{]/.test(text)) {
        try {
          variables[name] = JSON.parse(text);
        } catch {
          // A text that only begins like JSON is a text.
        }
      }
    }
    const origin = variant.prompt && { handle: variant.prompt.handle, commit: this.isEdited(variant) ? null : variant.prompt.commit };
    return { ...variant, prompt: origin, tools: parse(variant.tools, "Tools"), schema: parse(variant.schema, "Schema"), variables };
  }

  showRunning() {
    const isRunning = this.running.size > 0;
    this.runButton.replaceChildren(glyph(isRunning ? "x" : "play"), isRunning ? "Stop" : "Run all");
  }

  stop() {
    for (const controller of this.running) controller.abort();
  }

  runAll() {
    for (const column of this.columns.children) this.run(column);
  }

  run(column) {
    column.answers.replaceChildren();
    for (let i = 0; i < this.state.times; i++) this.runOnce(column);
  }

  async runOnce(column) {
    const text = h("div.pg-text", { dir: "auto" });
    const figures = h("div.pg-fig", {}, "asking…");
    const card = h("article.pg-answer", { "data-state": "running" }, figures, text);
    column.answers.append(card);
    const controller = new AbortController();
    this.running.add(controller);
    this.showRunning();
    const fail = (words) => {
      card.dataset.state = "failed";
      card.append(h("p.pg-problem", { role: "alert" }, words));
    };
    try {
      const response = await ask("/ui/playground/run", { method: "POST", body: JSON.stringify(this.body(column.variant)), signal: controller.signal });
      for await (const [name, data] of events(response)) {
        const event = JSON.parse(data);
        if (name === "piece") this.piece(text, event);
        else if (name === "done") this.done(card, figures, event, fail);
      }
      if (card.dataset.state === "running") fail("The answer broke off.");
    } catch (e) {
      figures.replaceChildren();
      if (e.name === "AbortError") {
        card.dataset.state = "stopped";
        figures.append("stopped");
      } else fail(e.message);
    } finally {
      this.running.delete(controller);
      this.showRunning();
    }
  }

  piece(text, event) {
    if (event.text !== undefined) {
      let last = text.lastChild;
      if (last?.nodeType !== Node.TEXT_NODE) text.append((last = document.createTextNode("")));
      last.data += event.text;
    } else if (event.reasoning !== undefined) {
      let fold = text.querySelector("details.pg-think");
      if (!fold) text.prepend((fold = h("details.pg-think", {}, h("summary", {}, "Reasoning"), h("p"))));
      fold.lastChild.append(event.reasoning);
    } else if (event.refusal !== undefined) {
      let refusal = text.querySelector(".pg-refusal");
      if (!refusal) text.append((refusal = h("p.pg-problem.pg-refusal", {}, h("b", {}, "The model refused: "))));
      refusal.append(event.refusal);
    } else if (event.tool) {
      text.append(h("div.pg-tool", {}, glyph("tool"), h("b.mono", {}, event.tool.name), h("pre.mono", { tabindex: 0 }, JSON.stringify(event.tool.arguments ?? {}, null, 2))));
    }
  }

  done(card, figures, event, fail) {
    card.dataset.state = "done";
    const tokens = event.prompt_tokens === null || event.prompt_tokens === undefined ? "tokens unknown" : `${event.is_estimate ? "≈ " : ""}${event.prompt_tokens} → ${event.completion_tokens} tokens`;
    figures.replaceChildren(
      h("span", { title: "Time to the first token" }, `first ${ms(event.first)}`),
      h("span", { title: "Whole time" }, ms(event.latency)),
      h("span", { title: event.is_estimate ? "Prompt and completion tokens, estimated" : "Prompt and completion tokens, as the provider reported them" }, tokens),
      event.is_simulated ? h("span", { title: "No model was called" }, "simulated") : h("span", { title: "By the prices in force" }, dollars(event.cost)),
      h("a.lnk", { href: `/r/${event.run}` }, "Trace"),
    );
    if (event.finish === "length") card.append(h("p.pg-hint", {}, "Cut off: the answer reached its limit of tokens."));
    if (event.finish === "content_filter" && !card.querySelector(".pg-refusal")) card.append(h("p.pg-problem", {}, "The provider held the answer back, or the model refused it."));
    if (event.error) fail(event.error);
  }

  dialog(title, ...content) {
    const dialog = h("dialog.pg-dialog", { "aria-label": title }, h("div.row", {}, h("h2.grow", {}, title), h("button.btn.gh.ic", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, glyph("x"))), ...content);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  /** A variant is what its commit holds, from now on. */
  committed(variant) {
    variant.prompt.content = contentOf(variant);
    this.save();
    this.build();
  }

  onDataset(variant, index) {
    let body;
    try {
      body = this.body(variant);
    } catch (e) {
      return toast(e.message, true);
    }
    delete body.variables;
    runOnDataset({ body, variables: this.state.variables, title: variant.prompt?.handle ?? `variant ${String.fromCharCode(65 + index)}`, dataset: this.dataset.dataset });
  }
}

customElements.define("play-ground", Playground);
