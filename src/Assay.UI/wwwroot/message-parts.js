// Parts of messages that are neither text nor image (sound, files, a provider's own): JSON whose texts may hold variables, edited as JSON.
import { h } from "./elements.js";
import { jsonProblem } from "./json-edit.js";

export const isOther = (part) => part !== null && typeof part === "object" && typeof part.text !== "string" && !part.image_url;

/** The texts of a part, at any depth. */
export const textsOf = (value) => (typeof value === "string" ? [value] : value !== null && typeof value === "object" ? Object.values(value).flatMap(textsOf) : []);

/** A copy with every text exchanged. */
export const mapTexts = (value, how) => (typeof value === "string" ? how(value) : Array.isArray(value) ? value.map((v) => mapTexts(v, how)) : value !== null && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapTexts(v, how)])) : value);

/**
 * @param part   The part, which is changed in place.
 * @param label  What it is called.
 * @param change Called with what changes it.
 */
export function partEditor(part, label, change) {
  const fault = h("span.pg-fault", { role: "alert", hidden: true });
  const area = h("textarea.mono", {
    rows: 4,
    spellcheck: "false",
    "aria-label": label,
    value: JSON.stringify(part, null, 2),
    oninput: (e) => {
      const problem = jsonProblem(e.target.value);
      const value = problem ? null : JSON.parse(e.target.value);
      const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
      fault.hidden = isObject;
      area.setAttribute("aria-invalid", String(!isObject));
      fault.textContent = problem ? `Line ${problem.line}, column ${problem.column}: ${problem.message}` : "A part must be an object.";
      if (!isObject) return;
      change(() => {
        for (const name of Object.keys(part)) delete part[name];
        Object.assign(part, value);
      });
    },
  });
  return h("div.pg-part", {}, h("span.pg-hint", {}, `Part of type ${part.type ?? "(none)"}`), area, fault);
}
