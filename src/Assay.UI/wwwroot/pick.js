// A dialog to choose one thing from: what is known here at once, what the server finds a moment later.
import { ask, esc, icon } from "./kit.js";

/**
 * @param label       Name of the dialog.
 * @param placeholder What can be typed.
 * @param local       Items for a text in lower case, at once: { title, group, mark, note }.
 * @param source      Address that answers with more items for a text.
 * @param choose      Called with the item, and true when it was chosen with Ctrl.
 * @param empty       Said when nothing is found.
 */
export function pick({ label, placeholder, local = () => [], source, choose, empty = "Nothing found." }) {
  if (document.querySelector("dialog.pal")) return;
  const dialog = document.createElement("dialog");
  dialog.className = "pal";
  dialog.setAttribute("aria-label", label);
  dialog.innerHTML = `<label class="inp">${icon("search", "s")}<span class="sr">${esc(label)}</span><input type="search" role="combobox" aria-expanded="true" aria-controls="pal-list" aria-autocomplete="list" placeholder="${esc(placeholder)}" autocomplete="off" spellcheck="false"></label><div id="pal-list" role="listbox" aria-label="Results"></div>`;
  document.body.append(dialog);
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("#pal-list");
  let items = [];
  let at = 0;
  let asked = 0;
  let isWaiting = true;
  const draw = () => {
    let group = "";
    list.innerHTML = items.length ? items.map((x, i) => `${!x.group || x.group === group ? "" : `<div class="pg" role="presentation">${esc((group = x.group))}</div>`}<div role="option" id="pal-${i}" data-i="${i}" aria-selected="${i === at}">${icon(x.mark, "s")}<span class="ell" dir="auto">${esc(x.title)}</span>${x.note ? `<span class="dim ell">${esc(x.note)}</span>` : ""}</div>`).join("") : `<div role="option" aria-disabled="true" aria-selected="false" class="none">${esc(isWaiting ? "Looking…" : empty)}</div>`;
    if (items.length) input.setAttribute("aria-activedescendant", `pal-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  const fill = async () => {
    const q = input.value.trim();
    const mine = ++asked;
    const known = local(q.toLowerCase());
    items = known;
    at = 0;
    isWaiting = true;
    draw();
    try {
      const found = await (await ask(source(q))).json();
      if (mine !== asked) return;
      isWaiting = false;
      items = [...found, ...known];
    } catch {
      // Without the server there is still what is known here.
      isWaiting = false;
    }
    draw();
  };
  const take = (i, isNew) => {
    const item = items[i];
    if (!item) return;
    dialog.close();
    choose(item, isNew);
  };
  input.addEventListener("input", fill);
  input.addEventListener("keydown", (e) => {
    const d = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (d && items.length) {
      at = (at + d + items.length) % items.length;
      draw();
      e.preventDefault();
    } else if (e.key === "Enter") {
      e.preventDefault();
      take(at, e.ctrlKey || e.metaKey);
    }
  });
  list.addEventListener("click", (e) => {
    const option = e.target.closest("[data-i]");
    if (option) take(+option.dataset.i, e.ctrlKey || e.metaKey);
  });
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  fill();
}
