// What a variant asks of its model besides the messages: parameters, tools, the form of the answer.
import { glyph, h } from "./elements.js";
import { schemaEditor, toolsEditor } from "./playground-tools.js";

const PARAMETERS = [
  ["temperature", "Temperature", { min: 0, max: 2, step: 0.1 }],
  ["top_p", "Top p", { min: 0, max: 1, step: 0.05 }],
  ["max_tokens", "Max tokens", { min: 1, step: 1 }],
  ["seed", "Seed", { step: 1 }],
];

/**
 * @param variant What is edited.
 * @param change  Called with what changes it.
 * @param open    Opens a dialog with a title and content.
 */
export function optionsEditor(variant, change, open) {
  const label = h("span");
  const count = () => {
    const set = Object.keys(variant.parameters).length + (variant.tools.trim() ? 1 : 0) + (variant.schema.trim() ? 1 : 0);
    label.textContent = `Settings, tools, answer schema${set ? ` (${set} set)` : ""}`;
  };
  count();
  const counted = (how) => {
    change(how);
    count();
  };
  const set = (name, value) => counted(() => { if (value === undefined) delete variant.parameters[name]; else variant.parameters[name] = value; });
  const texts = (value) => value.split(",").map((t) => t.trim()).filter(Boolean);
  return h(
    "details.pg-set",
    { open: variant.open, ontoggle: (e) => { if (variant.open !== e.target.open) change(() => (variant.open = e.target.open)); } },
    h("summary", {}, glyph("settings"), label),
    h(
      "div.pg-params",
      {},
      PARAMETERS.map(([name, text, limits]) => h("label", {}, text, h("input", { type: "number", ...limits, value: variant.parameters[name] ?? "", placeholder: "default", oninput: (e) => set(name, e.target.value === "" ? undefined : Number(e.target.value)) }))),
      h("label", {}, "Stop at", h("input", { type: "text", value: (variant.parameters.stop ?? []).join(", "), placeholder: "none", title: "Texts that end the answer, separated by commas", oninput: (e) => set("stop", texts(e.target.value).length ? texts(e.target.value) : undefined) })),
    ),
    toolsEditor(variant, counted, open),
    schemaEditor(variant, counted),
  );
}
