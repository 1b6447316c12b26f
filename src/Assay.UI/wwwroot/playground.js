// The playground: variants side by side, each a prompt with its model. State lives here and in localStorage; the server renders templates,
// asks the models and records the runs. Everything a person typed goes into the page as text, never as HTML.
import { dollars, events, glyph, h } from "./elements.js";
import { ask, copy, toast } from "./kit.js";
import { snippet } from "./playground-code.js";
import { runOnDataset } from "./playground-dataset.js";

const MAX_VARIANTS = 8;
const ROLES = ["system", "user", "assistant", "tool", "placeholder"];
const PARAMETERS = [
  ["temperature", "Temperature", { min: 0, max: 2, step: 0.1 }],
  ["top_p", "Top p", { min: 0, max: 1, step: 0.05 }],
  ["max_tokens", "Max tokens", { min: 1, step: 1 }],
  ["seed", "Seed", { step: 1 }],
];

const ms = (value) => (value === null || value === undefined ? "–" : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`);
/** What of a variant a commit holds, as one text: an edited prompt must not claim to be the commit it came from. */
const contentOf = (variant) => JSON.stringify([variant.messages, variant.format, variant.schema]);

class Playground extends HTMLElement {
  connectedCallback() {
    this.providers = JSON.parse(this.dataset.providers);
    this.models = new Map();
    this.running = new Set();
    this.key = `assay.playground.${this.dataset.workspace}`;
    const seed = this.dataset.seed ? JSON.parse(this.dataset.seed) : null;
    const kept = this.load();
    this.state = seed ? { variants: [this.complete(seed)], variables: {}, times: 1 } : kept ?? { variants: [this.complete({})], variables: {}, times: 1 };
    this.previous = seed && kept ? kept : null;
    this.onkeydown = (e) => this.keys(e);
    this.build();
    this.save();
  }

  complete(variant) {
    const provider = this.providers.find((p) => p.id === variant.provider) ?? this.providers.find((p) => p.models.length) ?? this.providers[0];
    const whole = {
      provider: provider.id,
      model: variant.model || provider.models[0] || "",
      format: variant.format ?? "f-string",
      messages: variant.messages?.length ? variant.messages : [{ role: "system", content: "You answer briefly." }, { role: "user", content: "{question}" }],
      parameters: variant.parameters ?? {},
      tools: variant.tools ?? "",
      tool_choice: variant.tool_choice ?? "auto",
      schema: variant.schema ?? "",
      prompt: variant.prompt ?? null,
    };
    if (whole.prompt?.commit && !whole.prompt.content) whole.prompt.content = contentOf(whole);
    return whole;
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
      localStorage.setItem(this.key, JSON.stringify(this.state));
    } catch {
      toast("This browser keeps no more: the playground's state will not survive a reload", true);
    }
  }

  keys(event) {
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
        this.previous ? h("button.btn.gh", { type: "button", onclick: (e) => (e.target.remove(), (this.state = this.previous), this.save(), this.build()) }, "Back to what was here") : null,
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
    const redraw = () => messages.replaceChildren(...variant.messages.map((m, i) => this.message(variant, m, i, redraw)));
    redraw();
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
      messages,
      h("div.row.pg-add", {}, h("button.btn.sm", { type: "button", onclick: () => this.change(() => (variant.messages.push({ role: variant.messages.at(-1)?.role === "user" ? "assistant" : "user", content: "" }), redraw()), true) }, glyph("plus"), "Message"), this.formatSelect(variant)),
      this.settings(variant),
      problem,
      answers,
      h(
        "footer.pg-foot",
        {},
        h("button.btn.sm", { type: "button", onclick: () => this.run(column) }, glyph("play"), "Run"),
        h("button.btn.sm", { type: "button", onclick: () => this.onDataset(variant, index) }, glyph("data"), "Run on a dataset"),
        h("button.btn.sm", { type: "button", onclick: () => this.saveDialog(variant) }, glyph("save"), "Save as commit"),
        h("button.btn.sm", { type: "button", onclick: () => this.codeDialog(variant) }, glyph("code"), "Copy as code"),
      ),
    ];
    column.append(...parts.filter((part) => part !== null));
    return column;
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

  message(variant, message, index, redraw) {
    const isParts = Array.isArray(message.content);
    const role = h("select.pg-role", { "aria-label": `Role of message ${index + 1}`, onchange: (e) => this.change(() => ((message.role = e.target.value), redraw()), true) }, [...new Set([...ROLES, message.role])].map((r) => h("option", { value: r }, r)));
    role.value = message.role;
    const move = (by) => this.change(() => { const [m] = variant.messages.splice(index, 1); variant.messages.splice(index + by, 0, m); redraw(); });
    const images = isParts ? message.content.filter((p) => p.type === "image_url") : [];
    const text = isParts ? message.content.filter((p) => p.type === "text").map((p) => p.text).join("\n\n") : message.content ?? "";
    const write = (value) => {
      message.content = images.length ? [...(value ? [{ type: "text", text: value }] : []), ...images] : value;
    };
    return h(
      "div.pg-msg",
      { "data-role": message.role },
      h(
        "div.row",
        {},
        role,
        h("span.grow"),
        message.role === "user" ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Add an image to message ${index + 1}`, title: "Add an image by address", onclick: () => { const url = prompt("Address of the image (https:… or data:…)"); if (url) this.change(() => { images.push({ type: "image_url", image_url: { url } }); write(text); redraw(); }); } }, glyph("link")) : null,
        index > 0 ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Move message ${index + 1} up`, title: "Up", onclick: () => move(-1) }, glyph("up")) : null,
        variant.messages.length > 1 ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Remove message ${index + 1}`, title: "Remove", onclick: () => this.change(() => (variant.messages.splice(index, 1), redraw()), true) }, glyph("x")) : null,
      ),
      h("textarea", { rows: 3, dir: "auto", "aria-label": `Message ${index + 1}`, placeholder: message.role === "placeholder" ? "name of the variable that holds messages" : "", value: text, oninput: (e) => this.change(() => write(e.target.value), true) }),
      images.map((part, i) => h("div.row.pg-img", {}, glyph("link"), h("span.ell.grow.mono", { title: part.image_url.url }, part.image_url.url), h("button.btn.gh.ic.sm", { type: "button", "aria-label": "Remove the image", onclick: () => this.change(() => (images.splice(i, 1), write(text), redraw())) }, glyph("x")))),
      message.tool_calls?.length ? h("pre.pg-calls.mono", { tabindex: 0 }, message.tool_calls.map((c) => `${c.function?.name}(${c.function?.arguments ?? ""})`).join("\n")) : null,
    );
  }

  settings(variant) {
    const json = (key, label, hint) => {
      const fault = h("small.pg-fault", { role: "status" });
      const verify = () => {
        try {
          if (variant[key].trim()) JSON.parse(variant[key]);
          fault.textContent = "";
        } catch (e) {
          fault.textContent = e.message;
        }
      };
      const area = h("textarea.mono", { rows: 6, spellcheck: "false", placeholder: hint, value: variant[key], oninput: (e) => this.change(() => ((variant[key] = e.target.value), verify())) });
      verify();
      return h("label", {}, label, area, fault);
    };
    const choice = h("input", { type: "text", value: variant.tool_choice, placeholder: "auto, none, required or a tool's name", oninput: (e) => this.change(() => (variant.tool_choice = e.target.value.trim())) });
    const count = Object.keys(variant.parameters).length + (variant.tools.trim() ? 1 : 0) + (variant.schema.trim() ? 1 : 0);
    return h(
      "details.pg-set",
      { open: false },
      h("summary", {}, glyph("settings"), `Settings, tools, answer schema${count ? ` (${count} set)` : ""}`),
      h("div.pg-params", {}, PARAMETERS.map(([name, label, limits]) => h("label", {}, label, h("input", { type: "number", ...limits, value: variant.parameters[name] ?? "", placeholder: "default", oninput: (e) => this.change(() => { if (e.target.value === "") delete variant.parameters[name]; else variant.parameters[name] = Number(e.target.value); }) })))),
      json("tools", "Tools", '[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]'),
      h("label", {}, "Tool choice", choice),
      json("schema", "JSON schema of the answer", '{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}'),
    );
  }

  /** Asks the server which variables the templates have, and shows what is wrong with them. */
  async check() {
    const names = new Set();
    await Promise.all(
      [...this.columns.children].map(async (column) => {
        try {
          const answer = await ask("/ui/playground/check", { method: "POST", body: JSON.stringify(this.body(column.variant)) });
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

  /** What the server gets. A variable that reads as a JSON list or object is sent as one: placeholders and sections need them. */
  body(variant) {
    const parse = (text, what) => {
      if (!text.trim()) return null;
      try {
        return JSON.parse(text);
      } catch (e) {
        throw new Error(`${what}: ${e.message}`);
      }
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
    if (event.error) fail(event.error);
  }

  dialog(title, ...content) {
    const dialog = h("dialog.pg-dialog", { "aria-label": title }, h("div.row", {}, h("h2.grow", {}, title), h("button.btn.gh.ic", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, glyph("x"))), ...content);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  saveDialog(variant) {
    const handle = h("input", { type: "text", required: true, maxlength: 200, pattern: "[A-Za-z0-9_.\\-]+", value: variant.prompt?.handle ?? "", placeholder: "support-answer", title: "Letters, digits, dashes, underscores, dots" });
    const description = h("input", { type: "text", maxlength: 1000, placeholder: "what changed" });
    const problem = h("p.pg-problem", { role: "alert", hidden: true });
    const form = h(
      "form.form",
      {
        onsubmit: async (e) => {
          e.preventDefault();
          try {
            const isSame = variant.prompt?.handle === handle.value.trim();
            const answer = await ask("/ui/playground/commit", { method: "POST", body: JSON.stringify({ ...this.body(variant), handle: handle.value.trim(), description: description.value, parent: isSame ? variant.prompt.commit : null }) });
            variant.prompt = { ...(await answer.json()), content: contentOf(variant) };
            this.save();
            dialog.close();
            toast(`Saved as ${variant.prompt.handle} at ${variant.prompt.commit.slice(0, 8)}`);
            this.build();
          } catch (fault) {
            problem.textContent = fault.message;
            problem.hidden = false;
          }
        },
      },
      h("label", {}, "Prompt", handle),
      h("label", {}, "Message", description),
      h("p.hint", {}, "Saved are the messages and the answer's schema, in the form that LangChain and LangSmith clients load. The model, its settings and tools stay here."),
      problem,
      h("div.row", {}, h("button.btn.pri", {}, "Save commit")),
    );
    const dialog = this.dialog("Save as commit", form);
    handle.focus();
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

  codeDialog(variant) {
    let language = "python";
    let body;
    try {
      body = this.body(variant);
    } catch (e) {
      return toast(e.message, true);
    }
    const provider = this.providers.find((p) => p.id === variant.provider);
    const code = h("pre.mono.pg-code", { tabindex: 0 });
    const show = () => (code.textContent = snippet(language, provider, body));
    const tabs = h("div.tabs", { role: "tablist" }, [["python", "Python"], ["javascript", "JavaScript"], ["csharp", "C#"], ["curl", "curl"]].map(([id, name]) => h("button", { type: "button", role: "tab", "aria-selected": id === language, onclick: (e) => { language = id; tabs.querySelectorAll("button").forEach((b) => b.setAttribute("aria-selected", b === e.target)); show(); } }, name)));
    show();
    this.dialog("Copy as code", tabs, code, h("div.row", {}, h("button.btn.pri", { type: "button", onclick: () => copy(code.textContent) }, glyph("copy"), "Copy")));
  }
}

customElements.define("play-ground", Playground);
