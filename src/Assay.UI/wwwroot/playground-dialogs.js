// What can be made of a variant: a commit of a prompt, and code that asks the same elsewhere.
import { h, glyph } from "./elements.js";
import { ask, copy, toast } from "./kit.js";
import { snippet } from "./playground-code.js";

/** Saves a variant as a commit. */
export function saveDialog(playground, variant) {
  const handle = h("input", { type: "text", required: true, maxlength: 200, pattern: "[A-Za-z0-9_.\\-]+", value: variant.prompt?.handle ?? "", placeholder: "support-answer", title: "Letters, digits, dashes, underscores, dots" });
  const description = h("input", { type: "text", maxlength: 1000, placeholder: "what changed" });
  const model = h("input", { type: "checkbox", checked: true });
  const problem = h("p.pg-problem", { role: "alert", hidden: true });
  const conflict = h("div");
  const save = async (parent) => {
    problem.hidden = true;
    conflict.replaceChildren();
    const name = handle.value.trim();
    try {
      const answer = await (await ask("/ui/playground/commit", { method: "POST", body: JSON.stringify({ ...playground.body(variant), handle: name, description: description.value, with_model: model.checked, parent }) })).json();
      if (answer.conflict) return clash(answer, name, parent);
      variant.prompt = answer;
      playground.committed(variant);
      dialog.close();
      toast(`Saved as ${variant.prompt.handle} at ${variant.prompt.commit.slice(0, 8)}`);
    } catch (fault) {
      problem.textContent = fault.message;
      problem.hidden = false;
    }
  };
  /** Somebody else's work is in the way: it is shown before anything goes on top of it. */
  const clash = ({ head, author, conflict: why }, name, parent) => {
    if (!head || head === parent) {
      problem.textContent = head ? "Nothing to save: the newest commit has the same text, model and settings." : why;
      problem.hidden = false;
      return;
    }
    const page = `/prompts/${encodeURIComponent(name)}`;
    const see = parent ? h("a.btn", { href: `${page}?tab=compare&from=${parent.slice(0, 8)}&to=${head.slice(0, 8)}`, target: "_blank", rel: "noopener" }, "See what they changed") : h("a.btn", { href: page, target: "_blank", rel: "noopener" }, "See it");
    const on = h("button.btn.danger", { type: "button", onclick: () => save(head) }, "Save mine on top");
    conflict.replaceChildren(
      h(
        "section.notice.ask",
        { role: "alertdialog", "aria-label": parent ? "Somebody else committed" : "The prompt is there already" },
        h("b", {}, parent ? `${author || "Somebody"} committed ${head.slice(0, 8)} since.` : `${name} is there already, last committed by ${author || "somebody"}.`),
        h("p", {}, "Saving puts yours on top: what was there stays in the history and is not in the newest version."),
        h("div.row", {}, see, on),
      ),
    );
    on.focus();
  };
  const form = h(
    "form.form",
    {
      onsubmit: (e) => {
        e.preventDefault();
        save(variant.prompt?.handle === handle.value.trim() ? variant.prompt.commit : null);
      },
    },
    h("label", {}, "Prompt", handle),
    h("label", {}, "Message", description),
    h("label.check", {}, model, "With the model, its settings and tools"),
    h("p.hint", {}, "Saved are the messages and the answer's schema, in the form that LangChain and LangSmith clients load, and the model beside them as LangChain keeps it. Keys are never part of it."),
    problem,
    conflict,
    h("div.row", {}, h("button.btn.pri", {}, "Save commit")),
  );
  const dialog = playground.dialog("Save as commit", form);
  handle.focus();
}

/** Shows a variant as code. */
export function codeDialog(playground, variant) {
  let language = "python";
  let body;
  try {
    body = playground.body(variant);
  } catch (e) {
    return toast(e.message, true);
  }
  const provider = playground.providers.find((p) => p.id === variant.provider);
  const code = h("pre.mono.pg-code", { tabindex: 0 });
  const show = () => (code.textContent = snippet(language, provider, body));
  const tabs = h("div.tabs", { role: "tablist" }, [["python", "Python"], ["javascript", "JavaScript"], ["csharp", "C#"], ["curl", "curl"]].map(([id, name]) => h("button", { type: "button", role: "tab", "aria-selected": String(id === language), onclick: (e) => { language = id; tabs.querySelectorAll("button").forEach((b) => b.setAttribute("aria-selected", b === e.target)); show(); } }, name)));
  show();
  playground.dialog("Copy as code", tabs, code, h("div.row", {}, h("button.btn.pri", { type: "button", onclick: () => copy(code.textContent) }, glyph("copy"), "Copy")));
}
