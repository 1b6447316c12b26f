// Elements made in scripts, for the pages that people write in: the playground, the hub, the evaluators. Text goes in as text, never as HTML.
import { icon } from "./kit.js";

/** A DOM element: h("button.btn", { type: "button" }, "Run"). */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else if (key === "checked") element.checked = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

export const glyph = (name) => {
  const holder = document.createElement("template");
  holder.innerHTML = icon(name, "s");
  return holder.content.firstElementChild;
};

/** An amount as people read it; null is one that nobody knows. */
export const dollars = (value) => (value === null || value === undefined ? "cost unknown" : value === 0 ? "$0" : value < 0.000001 ? "<$0.000001" : `$${+value.toPrecision(3)}`);

/** Reads server-sent events from a fetch body: the name of each and its data as text. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const name = /^event: ?(.*)$/m.exec(block)?.[1];
      const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((m) => m[1]).join("\n");
      yield [name, data];
    }
  }
}
