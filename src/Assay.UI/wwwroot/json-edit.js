// JSON that people write: checked while they type, with the line and column of what is wrong. The text is what counts; everything else reads it.
import { glyph, h } from "./elements.js";

const SPACE = /[ \t\r\n]/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS = ["true", "false", "null"];

/** What is wrong with a text as JSON and where (line and column from 1), or null. Browsers word this differently, and some say no place. */
export function jsonProblem(text) {
  let at = 0;
  const fail = (message, where = at) => {
    const before = text.slice(0, where).split("\n");
    throw Object.assign(new Error(message), { at: where, line: before.length, column: before.at(-1).length + 1 });
  };
  const skip = () => {
    while (SPACE.test(text[at] ?? "")) at++;
  };
  const string = () => {
    const start = at++;
    for (;;) {
      const c = text[at];
      if (c === undefined || c === "\n") fail("this text is never closed", start);
      else if (c === '"') return at++, text.slice(start, at);
      else if (c === "\\") {
        if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at, at + 6))) fail("no such escape");
        at += text[at + 1] === "u" ? 6 : 2;
      } else if (c < " ") fail("control characters are written as escapes");
      else at++;
    }
  };
  const list = (close, item) => {
    at++;
    skip();
    if (text[at] === close) return at++;
    for (;;) {
      item();
      skip();
      if (text[at] === close) return at++;
      if (text[at] !== ",") fail(text[at] === undefined ? `${close} is missing` : `, or ${close} is missing`);
      const comma = at++;
      skip();
      if (text[at] === close) fail("nothing follows this comma", comma);
    }
  };
  const value = () => {
    skip();
    const c = text[at];
    if (c === undefined) fail("a value is missing");
    if (c === "{") {
      const names = new Set();
      list("}", () => {
        skip();
        const start = at;
        if (text[at] !== '"') fail("a name in double quotes is missing");
        const name = string();
        if (names.has(name)) fail(`${name} is there twice`, start);
        names.add(name);
        skip();
        if (text[at] !== ":") fail(`: is missing after ${name}`);
        at++;
        value();
      });
    } else if (c === "[") list("]", value);
    else if (c === '"') string();
    else {
      const word = WORDS.find((w) => text.startsWith(w, at));
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0];
      if (!word && !number) fail(c === "'" ? "JSON has double quotes only" : "this is no value");
      at += (word ?? number).length;
    }
  };
  try {
    value();
    skip();
    if (at < text.length) fail("nothing may follow the end");
    return null;
  } catch (e) {
    if (e.line === undefined) throw e;
    return e;
  }
}

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The first thing that no provider could make sense of in a JSON schema, with its place; null when there is none. */
export function schemaProblem(schema, at = "schema") {
  if (typeof schema === "boolean") return null;
  if (!isObject(schema)) return `${at}: must be an object`;
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const odd = types.find((t) => !TYPES.includes(t));
  if (odd !== undefined) return `${at}.type: ${JSON.stringify(odd)} is none of ${TYPES.join(", ")}`;
  if (schema.enum !== undefined && !(Array.isArray(schema.enum) && schema.enum.length)) return `${at}.enum: must be a list of values`;
  for (const key of ["properties", "$defs", "definitions"]) {
    if (schema[key] === undefined) continue;
    if (!isObject(schema[key])) return `${at}.${key}: must be an object`;
    for (const [name, inner] of Object.entries(schema[key])) {
      const found = schemaProblem(inner, `${at}.${key}.${name}`);
      if (found) return found;
    }
  }
  if (schema.required !== undefined) {
    if (!Array.isArray(schema.required) || schema.required.some((r) => typeof r !== "string")) return `${at}.required: must be a list of names`;
    const unknown = schema.properties && schema.required.find((r) => !(r in schema.properties));
    if (unknown) return `${at}.required: there is no property ${JSON.stringify(unknown)}`;
  }
  for (const key of ["items", "additionalProperties", "not"]) {
    const found = schema[key] === undefined || Array.isArray(schema[key]) ? null : schemaProblem(schema[key], `${at}.${key}`);
    if (found) return found;
  }
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    if (schema[key] === undefined) continue;
    if (!Array.isArray(schema[key])) return `${at}.${key}: must be a list`;
    for (const [i, inner] of schema[key].entries()) {
      const found = schemaProblem(inner, `${at}.${key}[${i}]`);
      if (found) return found;
    }
  }
  return null;
}

/**
 * A place to write JSON in.
 * @param label     What it is.
 * @param value     The text.
 * @param hint      Shown while it is empty.
 * @param check     What is wrong with the parsed value, as a sentence; null for nothing.
 * @param onchange  Called with the text after every change.
 * @returns         The element; `write(text)` replaces the text, `parsed()` gives the value, undefined when empty or unreadable.
 */
export function jsonEditor({ label, value, hint, check = () => null, onchange }) {
  const state = h("button.je-state", { type: "button", hidden: true });
  const format = h("button.btn.gh.sm", { type: "button", title: "Indent it", onclick: () => element.write(JSON.stringify(JSON.parse(area.value), null, 2)) }, "Format");
  const area = h("textarea.mono", { rows: 6, spellcheck: "false", autocapitalize: "off", "aria-label": label, placeholder: hint, value, oninput: () => (verify(), onchange(area.value)) });
  const element = h("div.je", {}, h("div.row", {}, h("span.grow", {}, label), format), area, h("div", { role: "status" }, state));
  area.addEventListener("keydown", (e) => {
    // Tab leaves the field, as everywhere; Enter keeps the indentation.
    if (e.key !== "Enter" || e.ctrlKey || e.metaKey || e.altKey) return;
    const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
    const deeper = /[[{]\s*$/.test(line) ? "  " : "";
    e.preventDefault();
    area.setRangeText(`\n${/^\s*/.exec(line)[0]}${deeper}`, area.selectionStart, area.selectionEnd, "end");
    verify();
    onchange(area.value);
  });
  function verify() {
    const text = area.value;
    const fault = text.trim() ? jsonProblem(text) : null;
    const odd = text.trim() && !fault ? check(JSON.parse(text)) : null;
    area.setAttribute("aria-invalid", String(Boolean(fault || odd)));
    format.disabled = Boolean(fault) || !text.trim();
    state.hidden = !fault && !odd;
    state.textContent = fault ? `line ${fault.line}, column ${fault.column}: ${fault.message}` : odd ?? "";
    state.title = fault ? "Go there" : "";
    state.onclick = () => {
      area.focus();
      if (fault) area.setSelectionRange(fault.at, Math.min(text.length, fault.at + 1));
    };
  }
  verify();
  return Object.assign(element, {
    write(text) {
      area.value = text;
      verify();
      onchange(text);
    },
    parsed: () => (area.value.trim() && !jsonProblem(area.value) ? JSON.parse(area.value) : undefined),
  });
}

/** A small button that removes something. */
export const remover = (label, onclick) => h("button.btn.gh.ic.sm", { type: "button", "aria-label": label, title: label, onclick }, glyph("x"));
