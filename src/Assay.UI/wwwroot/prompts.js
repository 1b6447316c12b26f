// The hub's pages: keys, and the editor of a prompt's messages. What a person typed goes into the page as text, never as HTML.
import { glyph, h } from "./elements.js";
import { isOther, partEditor, textsOf } from "./message-parts.js";
import { ask, confirmDialog, isTyping, toast } from "./kit.js";

const ROLES = ["system", "user", "assistant", "placeholder"];

document.addEventListener("keydown", (e) => {
  if (e.key !== "e" || e.defaultPrevented || isTyping(e.target) || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const edit = document.querySelector("a[data-edit]");
  if (edit) {
    e.preventDefault();
    edit.click();
  }
});

// The two shares of a roll-out are all there is: what one gets, the other does not.
document.addEventListener("input", (e) => {
  const form = e.target.closest?.("form[data-shares]");
  if (!form || !e.target.matches("[data-share]")) return;
  const share = e.target.valueAsNumber;
  form.querySelector("[data-rest]").value = share > 0 && share <= 100 ? String(Math.round((100 - share) * 100) / 100) : "–";
});

/** Looks again while a delivery is on its way; a minute without an outcome is left to the reader. */
async function watchDeliveries(turns = 20) {
  const log = document.querySelector("#deliveries[data-waits]");
  if (!log || turns === 0) return;
  await new Promise((done) => setTimeout(done, turns > 15 ? 1000 : 4000));
  // Who reads a body or is about to press a button is left alone.
  if (document.visibilityState === "visible" && !log.contains(document.activeElement)) {
    try {
      const page = new DOMParser().parseFromString(await (await ask(location.href)).text(), "text/html");
      const next = page.getElementById("deliveries");
      if (next) log.replaceWith(next);
    } catch {
      // The server is away: the next turn asks again.
    }
  }
  await watchDeliveries(turns - 1);
}
watchDeliveries();

const post = async (url, body) => (await ask(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

/** Messages with their roles, the format, the answer schema, or all of it as JSON; saved as a commit on top of the one it began from. */
class PromptEdit extends HTMLElement {
  connectedCallback() {
    const seed = JSON.parse(this.dataset.seed);
    Object.assign(this, { handle: seed.handle, base: seed.base, parent: seed.head, page: seed.page, format: seed.format, schema: seed.schema, manifest: seed.manifest, problem: seed.problem });
    this.messages = seed.messages.map((m) => ({ ...m }));
    this.isJson = !!seed.problem;
    this.isDirty = false;
    this.onLeave = (e) => this.isDirty && e.preventDefault();
    addEventListener("beforeunload", this.onLeave);
    this.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        this.save();
      }
    });
    this.addEventListener("input", () => {
      this.isDirty = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.check(), 250);
    });
    this.draw();
  }

  disconnectedCallback() {
    removeEventListener("beforeunload", this.onLeave);
    clearTimeout(this.timer);
  }

  draw() {
    this.list = h("div.pe-list", { role: "list", "aria-label": "Messages" });
    this.names = h("p.pvars", { role: "status", "aria-label": "Variables" });
    this.note = h("div", { role: "alert" });
    this.message = h("input", { type: "text", maxlength: 2000, placeholder: "What changed and why", value: this.description ?? "", oninput: (e) => (this.description = e.target.value) });
    const mode = (title, isJson) => h(`button${this.isJson === isJson ? ".on" : ""}`, { type: "button", "aria-pressed": String(this.isJson === isJson), onclick: () => this.switch(isJson) }, title);
    const format = h("select", { "aria-label": "Variables are written as", onchange: (e) => { this.format = e.target.value; this.check(); } }, [["f-string", "{name} f-string"], ["mustache", "{{name}} mustache"]].map(([value, title]) => h("option", { value, selected: value === this.format }, title)));
    this.replaceChildren(
      h("div.row.pe-bar", {}, h("div.seg", { role: "group", "aria-label": "Edit as" }, this.problem ? null : mode("Messages", false), mode("JSON", true)), this.isJson ? null : format, h("span.grow"), h("a.btn", { href: this.page }, "Cancel")),
      this.note,
      this.isJson
        ? h("label.pe-json", {}, h("span.sr", {}, "Manifest"), h("textarea.mono", { rows: 28, spellcheck: "false", value: this.manifest, oninput: (e) => (this.manifest = e.target.value) }))
        : h("div.pe-main", {}, this.list, h("div.row", {}, h("button.btn", { type: "button", onclick: () => this.add() }, glyph("plus"), "Message"), h("button.btn", { type: "button", onclick: () => this.add("placeholder") }, glyph("plus"), "Placeholder")), h("section.part", {}, h("h2", {}, "Variables"), this.names), h("details.pe-schema", { open: !!this.schema }, h("summary", {}, "Answer schema"), h("label", {}, h("span.sr", {}, "JSON schema of the answer"), h("textarea.mono", { rows: 8, spellcheck: "false", placeholder: '{"title": "answer", "type": "object", "properties": {…}}', value: this.schema, oninput: (e) => (this.schema = e.target.value) })))),
      h("div.pe-save", {}, h("label.grow", {}, h("span.sr", {}, "Commit message"), this.message), (this.button = h("button.btn.pri", { type: "button", title: "Ctrl Enter", onclick: () => this.save() }, glyph("save"), "Save commit"))),
    );
    if (!this.isJson) this.rows();
  }

  async switch(isJson) {
    if (isJson === this.isJson) return;
    if (this.isDirty && !(await confirmDialog("Switch and lose what you changed?", "What you changed here is not carried over.", "Switch"))) return;
    this.isJson = isJson;
    this.isDirty = false;
    this.draw();
  }

  add(role = "user") {
    this.messages.push({ role, content: role === "placeholder" ? "messages" : "" });
    this.isDirty = true;
    this.rows();
    this.list.lastElementChild.querySelector("textarea, input").focus();
  }

  rows() {
    const edit = (index, change) => {
      change();
      this.isDirty = true;
      this.rows();
      this.list.children[Math.min(index, this.messages.length - 1)]?.querySelector("textarea, input")?.focus();
    };
    this.list.replaceChildren(
      ...this.messages.map((m, i) => {
        const roles = ROLES.includes(m.role) ? ROLES : [...ROLES, m.role];
        const name = `Message ${i + 1}`;
        const parts = Array.isArray(m.content) ? m.content : null;
        return h(
          "div.pe-msg",
          { role: "listitem", "data-role": m.role },
          h(
            "div.row",
            {},
            h("select", { "aria-label": `Role of message ${i + 1}`, onchange: (e) => edit(i, () => { m.role = e.target.value; if (parts && m.role === "placeholder") m.content = "messages"; }) }, roles.map((r) => h("option", { value: r, selected: r === m.role }, r))),
            m.role === "placeholder" ? h("label.row", {}, h("input", { type: "checkbox", checked: !!m.optional, onchange: (e) => (m.optional = e.target.checked) }), "may be left out") : null,
            h("span.grow"),
            h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Move message ${i + 1} up`, disabled: i === 0, onclick: () => edit(i - 1, () => this.messages.splice(i - 1, 0, this.messages.splice(i, 1)[0])) }, glyph("up")),
            h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Move message ${i + 1} down`, disabled: i === this.messages.length - 1, onclick: () => edit(i + 1, () => this.messages.splice(i + 1, 0, this.messages.splice(i, 1)[0])) }, glyph("arrdown")),
            h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Remove message ${i + 1}`, disabled: this.messages.length === 1, onclick: () => edit(i, () => this.messages.splice(i, 1)) }, glyph("x")),
          ),
          m.role === "placeholder"
            ? h("input.mono", { type: "text", "aria-label": name, value: m.content, oninput: (e) => (m.content = e.target.value) })
            : parts
              ? parts.map((p, k) => (p.type === "text" ? h("textarea", { rows: 3, "aria-label": `${name}, part ${k + 1}`, value: p.text, oninput: (e) => (p.text = e.target.value) }) : p.image_url ? h("label.pe-img", {}, "Image", h("input.mono", { type: "text", "aria-label": `${name}, image ${k + 1}`, value: p.image_url.url ?? "", oninput: (e) => (p.image_url.url = e.target.value) })) : partEditor(p, `${name}, part ${k + 1}`, (how) => how())))
              : h("textarea", { rows: 3, "aria-label": name, value: m.content, oninput: (e) => (m.content = e.target.value) }),
          h("p.pe-fault", { role: "alert", hidden: true }),
        );
      }),
    );
    this.check();
  }

  /** The variables, and what is wrong with a template where. */
  async check() {
    if (this.isJson) return;
    const texts = [];
    this.messages.forEach((m, i) => {
      if (m.role !== "placeholder") for (const text of Array.isArray(m.content) ? m.content.flatMap((p) => (isOther(p) ? textsOf(p) : [p.text ?? p.image_url?.url ?? ""])) : [m.content]) texts.push([i, text]);
    });
    const turn = (this.turn = (this.turn ?? 0) + 1);
    let found;
    try {
      found = await post(`/ui/prompts/${encodeURIComponent(this.handle)}/check`, { format: this.format, texts: texts.map(([, text]) => text) });
    } catch {
      // The next keystroke asks again; saving says what is wrong.
      return;
    }
    if (turn !== this.turn || this.isJson) return;
    const names = [...new Set([...found.names, ...this.messages.filter((m) => m.role === "placeholder").map((m) => m.content)])];
    this.names.replaceChildren(...(names.length ? names.map((n) => h("mark.pvar.mono", {}, n)) : ["None"]));
    [...this.list.children].forEach((row, i) => {
      const problem = found.problems.find((p, k) => p && texts[k][0] === i);
      const fault = row.querySelector(".pe-fault");
      fault.hidden = !problem;
      fault.textContent = problem ?? "";
    });
  }

  async save(parent = this.parent) {
    if (this.button.disabled) return;
    this.button.disabled = true;
    this.note.replaceChildren();
    try {
      const body = { parent: parent ?? "", description: this.message.value.trim() };
      if (this.isJson) body.manifest = this.manifest;
      else {
        let schema;
        try {
          schema = this.schema.trim() ? JSON.parse(this.schema) : undefined;
        } catch (e) {
          throw new Error(`The answer schema is not JSON: ${e.message}`);
        }
        Object.assign(body, { format: this.format, messages: this.messages, schema, base: this.base ?? "" });
      }
      const answer = await post(`/ui/prompts/${encodeURIComponent(this.handle)}/commits`, body);
      if (answer.commit) {
        this.isDirty = false;
        location.href = this.page;
        return;
      }
      if (answer.conflict && answer.head && answer.head !== this.parent) this.conflict(answer);
      else this.note.replaceChildren(h("p.notice.err.slim", {}, answer.problem ?? answer.conflict));
    } catch (e) {
      this.note.replaceChildren(h("p.notice.err.slim", {}, e.message));
      toast(e.message, true);
    } finally {
      this.button.disabled = false;
    }
  }

  conflict(answer) {
    const since = `${this.page}?tab=compare&from=${(this.parent ?? this.base ?? "").slice(0, 8)}&to=${answer.head.slice(0, 8)}`;
    this.note.replaceChildren(
      h(
        "section.notice.ask",
        { role: "alertdialog", "aria-label": "Somebody else committed" },
        h("b", {}, `${answer.author || "Somebody"} committed ${answer.head.slice(0, 8)} while you were editing.`),
        h("p", {}, "Saving now puts your text on top of theirs: their change stays in the history and is not in the newest version."),
        h("div.row", {}, this.parent ? h("a.btn", { href: since, target: "_blank", rel: "noopener" }, "See what they changed") : null, h("a.btn", { href: `${this.page}?tab=edit` }, "Start again from theirs"), h("button.btn.danger", { type: "button", onclick: () => this.save(answer.head) }, "Save mine on top")),
      ),
    );
  }
}

customElements.define("prompt-edit", PromptEdit);
