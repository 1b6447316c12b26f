// The tools a variant offers to its model, and the schema its answer has to meet: JSON that is checked while it is typed, and a form for those who would
// rather fill in fields. The form reads and writes the text.
import { glyph, h } from "./elements.js";
import { jsonEditor, remover, schemaProblem } from "./json-edit.js";
import { toast } from "./kit.js";

const TYPES = ["string", "number", "integer", "boolean", "array", "object"];
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const functionOf = (tool) => tool?.function ?? tool;
const nameOf = (tool) => functionOf(tool)?.name;

function toolsProblem(tools) {
  if (!Array.isArray(tools)) return "tools: must be a list of function definitions";
  const names = new Set();
  for (const [i, tool] of tools.entries()) {
    const at = `tools[${i}]`;
    if (typeof tool !== "object" || tool === null) return `${at}: must be an object`;
    const name = nameOf(tool);
    if (typeof name !== "string" || !NAME.test(name)) return `${at}: needs a name of letters, digits, _ and -, at most 64`;
    if (names.has(name)) return `${at}: there is another tool named ${name}`;
    names.add(name);
    const parameters = functionOf(tool).parameters ?? functionOf(tool).input_schema;
    if (parameters === undefined) continue;
    const found = schemaProblem(parameters, `${name}.parameters`);
    if (found) return found;
    if (parameters.type !== "object") return `${name}.parameters.type: must be "object"`;
  }
  return null;
}

/** Fields for one tool. `tool` is what there is of it; nested schemas are kept as they are. */
function toolForm(open, tool, taken, done) {
  const old = functionOf(tool) ?? {};
  const schema = old.parameters ?? old.input_schema ?? {};
  const name = h("input", { type: "text", required: true, maxlength: 64, pattern: "[A-Za-z0-9_\\-]+", value: old.name ?? "", placeholder: "get_weather", title: "Letters, digits, _ and -" });
  const description = h("textarea", { rows: 2, value: old.description ?? "", placeholder: "When the model should call it" });
  const rows = h("div.pt-rows");
  const add = (key = "", given = {}) => {
    const type = [given.type].flat()[0];
    const row = h(
      "div.pt-row",
      { role: "group", "aria-label": key || "New parameter" },
      h("input.mono", { type: "text", "aria-label": "Name of the parameter", placeholder: "city", value: key, required: true, maxlength: 64 }),
      h("select", { "aria-label": "Type of the parameter" }, [...new Set([...TYPES, ...(type ? [type] : [])])].map((t) => h("option", { value: t, selected: t === (type ?? "string") }, t))),
      h("input", { type: "text", "aria-label": "Description of the parameter", placeholder: "what it is", value: given.description ?? "" }),
      h("input", { type: "text", "aria-label": "Allowed values, separated by commas", placeholder: "any value", value: (given.enum ?? []).join(", ") }),
      h("label.pt-req", {}, h("input", { type: "checkbox", checked: (schema.required ?? []).includes(key) }), "required"),
      remover("Remove the parameter", () => row.remove()),
    );
    rows.append(Object.assign(row, { given }));
    return row;
  };
  for (const [key, given] of Object.entries(schema.properties ?? {})) add(key, given);
  const problem = h("p.pg-problem", { role: "alert", hidden: true });
  const form = h(
    "form.form",
    {
      onsubmit: (e) => {
        e.preventDefault();
        const properties = {};
        const required = [];
        for (const row of rows.children) {
          const [key, what, values, isRequired] = [...row.querySelectorAll("input")].map((i) => (i.type === "checkbox" ? i.checked : i.value.trim()));
          const type = row.querySelector("select").value;
          const property = { ...row.given, type };
          delete property.description;
          delete property.enum;
          if (what) property.description = what;
          if (values) property.enum = values.split(",").map((v) => v.trim()).filter(Boolean).map((v) => (type === "number" || type === "integer" ? Number(v) : v));
          if (property.enum?.some(Number.isNaN)) return say(`${key}: the allowed values must be numbers`);
          if (key in properties) return say(`${key} is there twice`);
          properties[key] = property;
          if (isRequired) required.push(key);
        }
        if (taken.includes(name.value)) return say(`There is another tool named ${name.value}`);
        const parameters = { ...schema, type: "object", properties };
        delete parameters.required;
        if (required.length) parameters.required = required;
        const made = { name: name.value };
        if (description.value.trim()) made.description = description.value.trim();
        dialog.close();
        done({ type: "function", function: { ...made, parameters } });
      },
    },
    h("label", {}, "Name", name),
    h("label", {}, "Description", description),
    h("fieldset.pt-set", {}, h("legend", {}, "Parameters"), rows, h("button.btn.sm", { type: "button", onclick: () => add().querySelector("input").focus() }, glyph("plus"), "Parameter")),
    problem,
    h("div.row", {}, h("button.btn.pri", {}, tool ? "Change the tool" : "Add the tool")),
  );
  function say(words) {
    problem.textContent = words;
    problem.hidden = false;
  }
  const dialog = open(tool ? `Tool ${old.name}` : "Add a tool", form);
  dialog.classList.add("pt-dialog");
  name.focus();
}

/**
 * The tools of a variant.
 * @param variant Where the text lives.
 * @param change  Called with what changes the variant.
 * @param open    Opens a dialog with a title and content.
 */
export function toolsEditor(variant, change, open) {
  const chips = h("div.pt-chips");
  const choice = h("select", { "aria-label": "Tool choice", onchange: (e) => change(() => (variant.tool_choice = e.target.value)) });
  const editor = jsonEditor({
    label: "Tools",
    value: variant.tools,
    hint: '[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]',
    check: toolsProblem,
    onchange: (text) => {
      change(() => (variant.tools = text));
      show();
    },
  });
  const write = (tools) => editor.write(tools.length ? JSON.stringify(tools, null, 2) : "");
  const edit = (index) => {
    const tools = editor.parsed() ?? [];
    if (variant.tools.trim() && !Array.isArray(editor.parsed())) return toast("Mend the JSON of the tools first", true);
    toolForm(open, tools[index], tools.filter((_, i) => i !== index).map(nameOf), (tool) => write(index === undefined ? [...tools, tool] : tools.with(index, tool)));
  };
  function show() {
    const parsed = editor.parsed();
    const names = Array.isArray(parsed) ? parsed.map((t) => nameOf(t) ?? "(no name)") : [];
    chips.replaceChildren(
      ...names.map((name, i) => h("span.pt-chip", {}, h("button.mono", { type: "button", title: "Edit in a form", onclick: () => edit(i) }, glyph("tool"), name), remover(`Remove the tool ${name}`, () => write(parsed.filter((_, j) => j !== i))))),
      h("button.btn.sm", { type: "button", onclick: () => edit() }, glyph("plus"), "Add a tool"),
    );
    const given = variant.tool_choice || "auto";
    choice.replaceChildren(...[...new Set(["auto", "none", "required", ...names, given])].map((c) => h("option", { value: c }, c === "auto" ? "auto: the model decides" : c === "required" ? "required: some tool" : c === "none" ? "none" : `only ${c}`)));
    choice.value = given;
  }
  show();
  return [chips, editor, h("label", {}, "Tool choice", choice)];
}

/** The schema of a variant's answer. */
export const schemaEditor = (variant, change) =>
  jsonEditor({
    label: "JSON schema of the answer",
    value: variant.schema,
    hint: '{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"]}',
    check: (schema) => schemaProblem(schema) ?? (schema.type === "object" ? null : 'schema.type: must be "object", which is what providers take'),
    onchange: (text) => change(() => (variant.schema = text)),
  });
