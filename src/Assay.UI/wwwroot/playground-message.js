// One message of a variant: its role, its text, its images, and the tool calls it holds.
import { glyph, h } from "./elements.js";
import { isOther, partEditor } from "./message-parts.js";
import { imageButton, imageRow } from "./playground-images.js";

const ROLES = ["system", "user", "assistant", "tool", "placeholder"];

/**
 * @param variant The variant that the message is part of.
 * @param message The message.
 * @param index   Its place.
 * @param redraw  Draws the messages again, with the focus in the one at a place.
 * @param change  Called with what changes the variant, and whether its variables may have changed.
 * @param open    Opens a dialog.
 */
export function messageEditor({ variant, message, index, redraw, change, open }) {
  const label = `message ${index + 1}`;
  const isParts = Array.isArray(message.content);
  const images = isParts ? message.content.filter((p) => p.image_url) : [];
  const others = isParts ? message.content.filter(isOther) : [];
  const text = isParts ? message.content.filter((p) => p.type === "text").map((p) => p.text).join("\n\n") : message.content ?? "";
  let words = text;
  const write = (value) => {
    words = value;
    message.content = images.length + others.length ? [...(value ? [{ type: "text", text: value }] : []), ...images, ...others] : value;
  };
  const role = h("select.pg-role", { "aria-label": `Role of ${label}`, onchange: (e) => change(() => ((message.role = e.target.value), redraw(index, "select")), true) }, [...new Set([...ROLES, message.role])].map((r) => h("option", { value: r }, r)));
  role.value = message.role;
  const move = (by) => change(() => { const [m] = variant.messages.splice(index, 1); variant.messages.splice(index + by, 0, m); redraw(index + by, "[data-up]"); });
  const area = h("textarea", { rows: 3, dir: "auto", "aria-label": `Message ${index + 1}`, placeholder: message.role === "placeholder" ? "name of the variable that holds messages" : "", value: text, oninput: (e) => change(() => write(e.target.value), true) });
  const add = (urls) => change(() => { images.push(...urls.map((url) => ({ type: "image_url", image_url: { url } }))); write(words); redraw(); }, true);
  return h(
    "div.pg-msg",
    { "data-role": message.role },
    h(
      "div.row",
      {},
      role,
      h("span.grow"),
      message.role === "user" ? imageButton(area, label, add, open) : null,
      index > 0 ? h("button.btn.gh.ic.sm", { type: "button", "data-up": true, "aria-label": `Move ${label} up`, title: "Up", onclick: () => move(-1) }, glyph("up")) : null,
      variant.messages.length > 1 ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Remove ${label}`, title: "Remove", onclick: () => change(() => (variant.messages.splice(index, 1), redraw(index)), true) }, glyph("x")) : null,
    ),
    area,
    images.map((part, i) => imageRow(part.image_url?.url ?? "", () => change(() => (images.splice(i, 1), write(words), redraw()), true))),
    others.map((part, i) => h("div.row.pg-other", {}, partEditor(part, `Part ${i + 1} of ${label} that is no text`, (how) => change(how, true)), h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Remove part ${i + 1} of ${label}`, title: "Remove", onclick: () => change(() => (others.splice(i, 1), write(words), redraw()), true) }, glyph("x")))),
    message.tool_calls?.length ? h("pre.pg-calls.mono", { tabindex: 0 }, message.tool_calls.map((c) => `${c.function?.name}(${c.function?.arguments ?? ""})`).join("\n")) : null,
  );
}
