// One message of a variant: its role, its text, its images, and the tool calls it holds.
import { glyph, h } from "./elements.js";
import { imageButton, imageRow } from "./playground-images.js";

const ROLES = ["system", "user", "assistant", "tool", "placeholder"];

/**
 * @param variant The variant that the message is part of.
 * @param message The message.
 * @param index   Its place.
 * @param redraw  Draws the messages again.
 * @param change  Called with what changes the variant, and whether its variables may have changed.
 * @param open    Opens a dialog.
 */
export function messageEditor({ variant, message, index, redraw, change, open }) {
  const label = `message ${index + 1}`;
  const isParts = Array.isArray(message.content);
  const images = isParts ? message.content.filter((p) => p.type === "image_url") : [];
  const text = isParts ? message.content.filter((p) => p.type === "text").map((p) => p.text).join("\n\n") : message.content ?? "";
  let words = text;
  const write = (value) => {
    words = value;
    message.content = images.length ? [...(value ? [{ type: "text", text: value }] : []), ...images] : value;
  };
  const role = h("select.pg-role", { "aria-label": `Role of ${label}`, onchange: (e) => change(() => ((message.role = e.target.value), redraw()), true) }, [...new Set([...ROLES, message.role])].map((r) => h("option", { value: r }, r)));
  role.value = message.role;
  const move = (by) => change(() => { const [m] = variant.messages.splice(index, 1); variant.messages.splice(index + by, 0, m); redraw(); });
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
      index > 0 ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Move ${label} up`, title: "Up", onclick: () => move(-1) }, glyph("up")) : null,
      variant.messages.length > 1 ? h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Remove ${label}`, title: "Remove", onclick: () => change(() => (variant.messages.splice(index, 1), redraw()), true) }, glyph("x")) : null,
    ),
    area,
    images.map((part, i) => imageRow(part.image_url?.url ?? "", () => change(() => (images.splice(i, 1), write(words), redraw()), true))),
    message.tool_calls?.length ? h("pre.pg-calls.mono", { tabindex: 0 }, message.tool_calls.map((c) => `${c.function?.name}(${c.function?.arguments ?? ""})`).join("\n")) : null,
  );
}
