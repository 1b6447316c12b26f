// Models with their settings and tools that the workspace keeps under names: loaded into a variant, saved from one, deleted.
import { glyph, h } from "./elements.js";
import { ask, confirmDialog, toast } from "./kit.js";

/**
 * @param variant The variant to load into and to save from.
 * @param body    What of it is sent; throws what is wrong with it.
 * @param open    Opens a dialog with a title and content.
 * @param load    Called with the settings chosen.
 */
export async function settingsDialog({ variant, body, open, load }) {
  const list = h("div.ps-list");
  const name = h("input", { type: "text", required: true, maxlength: 200, placeholder: "careful and cheap" });
  const problem = h("p.pg-problem", { role: "alert", hidden: true });
  const say = (words) => {
    problem.textContent = words;
    problem.hidden = false;
  };
  const form = h(
    "form.form.ps-new",
    {
      onsubmit: async (e) => {
        e.preventDefault();
        problem.hidden = true;
        try {
          const { replaced } = await (await ask("/ui/playground/settings", { method: "POST", body: JSON.stringify({ name: name.value, variant: body(variant) }) })).json();
          toast(replaced ? `Replaced ${name.value}` : `Saved ${name.value}`);
          await show();
        } catch (x) {
          say(x.message);
        }
      },
    },
    h("label", {}, "Save this variant's model, settings and tools as", h("div.row", {}, name, h("button.btn.pri", {}, "Save"))),
  );
  async function show() {
    const all = await (await ask("/ui/playground/settings")).json();
    list.replaceChildren(
      ...(all.length
        ? all.map((s) =>
            h(
              "div.row.ps-row",
              { role: "group", "aria-label": s.name },
              h("div.grow.ell", {}, h("b", { dir: "auto" }, s.name), h("span.dim", {}, s.variant ? ` ${s.variant.model}${s.variant.tools ? ", with tools" : ""}` : " made elsewhere, for a model that is not known here")),
              h("button.btn.sm", { type: "button", disabled: !s.variant, onclick: () => (dialog.close(), load(s)) }, "Load"),
              h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Delete the settings ${s.name}`, title: "Delete", onclick: () => remove(s) }, glyph("x")),
            ),
          )
        : [h("p.hint", {}, "Nothing is saved yet. What is saved here is seen by everybody in the workspace, and by LangSmith's clients as playground settings.")]),
    );
  }
  async function remove(setting) {
    if (!(await confirmDialog(`Delete the settings ${setting.name}?`, "Prompts and evaluators keep what they took from them."))) return;
    try {
      await ask(`/ui/playground/settings/${setting.id}`, { method: "DELETE" });
      await show();
    } catch (x) {
      say(x.message);
    }
  }
  const dialog = open("Saved settings", list, form, problem);
  try {
    await show();
  } catch (x) {
    say(x.message);
  }
}
