// Images of messages: picked, pasted, dropped or by address. Their bytes are kept in this browser's database, because they are too large for where the
// rest of the playground's state is kept; there a name stands for each.
import { glyph, h } from "./elements.js";
import { bytes, toast } from "./kit.js";

const MAX_BYTES = 5 * 1024 * 1024;
const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const NAME = "assay-image:";
const names = new Map();

const request = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

let database;
const store = async (mode) => {
  database ??= (async () => {
    const opening = indexedDB.open("assay-playground", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("images");
    return request(opening);
  })();
  return (await database).transaction("images", mode).objectStore("images");
};

/** Keeps an image and gives it the name that stands for it. */
export async function keep(url) {
  if (names.has(url)) return;
  const name = NAME + crypto.randomUUID();
  await request((await store("readwrite")).put(url, name));
  names.set(url, name);
}

/** For JSON.stringify: a kept image is written as its name. */
export const byName = (_, value) => (typeof value === "string" && names.get(value)) || value;

/** Puts the images back in where their names stand; those that nobody names any more are removed. */
export async function restore(state) {
  const messages = state.variants.flatMap((v) => v.messages).filter((m) => Array.isArray(m.content));
  const parts = messages.flatMap((m) => m.content).filter((p) => p.image_url?.url?.startsWith(NAME));
  try {
    const kept = await request((await store("readonly")).getAllKeys());
    for (const part of parts) {
      const url = await request((await store("readonly")).get(part.image_url.url));
      if (url) names.set(url, part.image_url.url);
      part.image_url.url = url ?? "";
    }
    const named = new Set(names.values());
    for (const name of kept.filter((k) => !named.has(k))) await request((await store("readwrite")).delete(name));
  } catch {
    // A browser that keeps no database (a private window, say) has no images to give back.
    for (const part of parts) part.image_url.url = "";
  }
  for (const m of messages) m.content = m.content.filter((p) => p.type !== "image_url" || p.image_url.url);
}

const read = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

/** The images among files that were picked, pasted or dropped, as addresses; what cannot be sent is said. */
async function accepted(files) {
  const urls = [];
  for (const file of files) {
    if (!TYPES.includes(file.type)) toast(`${file.name}: PNG, JPEG, GIF and WebP are what models read`, true);
    else if (file.size > MAX_BYTES) toast(`${file.name} has ${bytes(file.size)}; at most ${bytes(MAX_BYTES)} are sent to a model`, true);
    else {
      const url = await read(file);
      try {
        await keep(url);
      } catch {
        toast("This browser keeps no images: they are gone after a reload", true);
      }
      urls.push(url);
    }
  }
  return urls;
}

const imagesIn = (list) => [...(list ?? [])].filter((f) => f.type.startsWith("image/"));

/**
 * Lets a message take images.
 * @param area   Its text area, which takes pasted and dropped images.
 * @param label  What the buttons are called after.
 * @param add    Called with addresses.
 * @param open   Opens a dialog with a title and content.
 * @returns      The button.
 */
export function imageButton(area, label, add, open) {
  const take = async (files) => {
    const urls = await accepted(files);
    if (urls.length) add(urls);
  };
  area.addEventListener("paste", (e) => {
    const files = imagesIn(e.clipboardData?.files);
    if (!files.length) return;
    e.preventDefault();
    take(files);
  });
  area.addEventListener("dragover", (e) => {
    if (e.dataTransfer?.types.includes("Files")) e.preventDefault();
  });
  area.addEventListener("drop", (e) => {
    if (!e.dataTransfer?.files.length) return;
    e.preventDefault();
    take(e.dataTransfer.files);
  });
  const ask = () => {
    const file = h("input", { type: "file", accept: TYPES.join(","), multiple: true, onchange: (e) => (dialog.close(), take(e.target.files)) });
    const address = h("input", { type: "text", placeholder: "https://… or a variable", maxlength: 4000 });
    const form = h(
      "form.form",
      {
        onsubmit: (e) => {
          e.preventDefault();
          if (!address.value.trim()) return;
          dialog.close();
          add([address.value.trim()]);
        },
      },
      h("label", {}, "Files", file),
      h("p.hint", {}, `PNG, JPEG, GIF or WebP, at most ${bytes(MAX_BYTES)} each. You can also paste or drop images into a message.`),
      h("label", {}, "Or an address", address),
      h("div.row", {}, h("button.btn.pri", {}, "Add")),
    );
    const dialog = open("Add images", form);
    file.focus();
  };
  return h("button.btn.gh.ic.sm", { type: "button", "aria-label": `Add an image to ${label}`, title: "Add an image: upload, paste, drop or by address", onclick: ask }, glyph("plus"));
}

/** Bytes of a `data:` address in base64. */
const sizeOf = (url) => Math.floor((url.replace(/=+$/, "").length - url.indexOf(",") - 1) * 0.75);

/** An image of a message, with what it is and a way to remove it. */
export function imageRow(url, remove) {
  const isData = url.startsWith("data:");
  const text = isData ? `${url.slice(5, url.indexOf(";"))}, ${bytes(sizeOf(url))}` : url;
  return h("div.row.pg-img", {}, isData ? h("img", { src: url, alt: "", width: 36, height: 36 }) : glyph("link"), h("span.ell.grow.mono", { title: isData ? "" : url }, text), h("button.btn.gh.ic.sm", { type: "button", "aria-label": "Remove the image", onclick: remove }, glyph("x")));
}
