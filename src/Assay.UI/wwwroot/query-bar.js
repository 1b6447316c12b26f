// The query bar of a list: completion, saved views of the workspace, recent queries of this browser, columns, filters.
import { ask, confirmDialog, esc, place, toast } from "./kit.js";
import { post, promptDialog } from "./rows.js";

const bar = document.querySelector("form[data-query]");
if (bar) {
  const input = bar.querySelector("input[name=q]");
  const store = `recent:${bar.dataset.project}`;
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(store)) ?? [];
    } catch {
      return [];
    }
  };
  if (input.value && !document.getElementById("qproblem"))
    try {
      localStorage.setItem(store, JSON.stringify([input.value, ...read().filter((q) => q !== input.value)].slice(0, 8)));
    } catch {
      // The browser keeps nothing for this site: no recent queries.
    }
  const list = document.createElement("div");
  list.id = "completions";
  list.className = "compl";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Completions");
  list.hidden = true;
  bar.querySelector(".inp").append(list);
  let found = { items: [] };
  let at = -1;
  let asked = 0;
  const hide = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    list.innerHTML = found.items.map((x, i) => `<div role="option" id="co-${i}" data-i="${i}" aria-selected="${i === at}"><span class="mono ell" dir="auto">${esc(x.label)}</span><span class="dim ell">${esc(x.note)}</span></div>`).join("");
    list.hidden = !found.items.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (at >= 0) input.setAttribute("aria-activedescendant", `co-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  const complete = async () => {
    const mine = ++asked;
    try {
      const answer = await (await ask(`${bar.dataset.complete}?q=${encodeURIComponent(input.value)}&at=${input.selectionStart ?? input.value.length}`)).json();
      if (mine !== asked || document.activeElement !== input) return;
      found = answer;
      at = -1;
      draw();
    } catch {
      hide();
    }
  };
  const take = (i) => {
    const item = found.items[i];
    const text = input.value;
    const rest = text.slice(found.start + found.length);
    const add = item.insert + (/[:<>=~.]$/.test(item.insert) || rest.startsWith(" ") ? "" : " ");
    input.value = text.slice(0, found.start) + add + rest;
    const caret = found.start + add.length;
    input.setSelectionRange(caret, caret);
    complete();
  };
  input.addEventListener("input", complete);
  input.addEventListener("focus", complete);
  input.addEventListener("blur", () => setTimeout(hide, 150));
  input.addEventListener("keydown", (e) => {
    const d = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (d && !list.hidden) {
      at = (at + d + found.items.length) % found.items.length;
      draw();
      e.preventDefault();
    } else if ((e.key === "Enter" || e.key === "Tab") && !list.hidden && at >= 0) {
      e.preventDefault();
      take(at);
    } else if (e.key === "Escape") {
      if (list.hidden) input.blur();
      else hide();
      e.preventDefault();
      e.stopPropagation();
    }
  });
  list.addEventListener("pointerdown", (e) => {
    const option = e.target.closest("[data-i]");
    if (option) {
      e.preventDefault();
      take(+option.dataset.i);
    }
  });
  const menu = bar.querySelector("[data-views]");
  const parts = () => new URL(bar.dataset.viewsMenu, location.href);
  const failed = (e) => toast(e.message, true);
  const fill = async () => {
    try {
      menu.innerHTML = await (await ask(parts())).text();
    } catch (e) {
      menu.innerHTML = `<p class="none">${esc(e.message)}</p>`;
    }
    const recent = read();
    menu.insertAdjacentHTML("beforeend", `<div class="pg">Recent in this browser</div>${recent.map((q) => `<button type="button" data-q="${esc(q)}"><span class="ell mono" dir="auto">${esc(q)}</span></button>`).join("") || `<p class="none">None yet.</p>`}`);
    place(menu);
  };
  menu.addEventListener("beforetoggle", (e) => e.newState === "open" && fill());
  // On a slow network it was opened before this script came.
  if (menu.matches(":popover-open")) fill();
  const save = async () => {
    const name = await promptDialog("Save this view", "Name, for everybody in the workspace", "Save", input.value.slice(0, 60));
    if (!name) return;
    const send = (replace) => {
      const url = parts();
      url.searchParams.set("replace", String(replace));
      return post(url, { name });
    };
    let answer;
    try {
      answer = await send(false);
    } catch (e) {
      if (e.status !== 409) throw e;
      if (!(await confirmDialog("Replace the view?", `There is a view “${name}” already. It would show what this page shows, for everybody.`, "Replace"))) return;
      answer = await send(true);
    }
    toast(`Saved as “${name}”`);
    location.href = (await answer.json()).href;
  };
  menu.addEventListener("click", async (e) => {
    const q = e.target.closest("[data-q]");
    const change = e.target.closest("[data-rename], [data-remove]");
    if (q) {
      input.value = q.dataset.q;
      bar.requestSubmit();
    } else if (e.target.closest("[data-save]")) {
      menu.hidePopover();
      save().catch(failed);
    } else if (change) {
      menu.hidePopover();
      const { name, rename, remove } = change.dataset;
      try {
        if (rename) {
          const better = await promptDialog("Rename the view", "Name, for everybody in the workspace", "Rename", name);
          if (!better || better === name) return;
          await ask(`/ui/views/${rename}`, { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: better }) });
          toast("Renamed");
        } else {
          if (!(await confirmDialog(`Delete the view “${name}”?`, "It goes for everybody in the workspace. What it shows stays."))) return;
          await ask(`/ui/views/${remove}`, { method: "DELETE" });
          toast("View deleted");
        }
      } catch (x) {
        failed(x);
      }
    }
  });
  const columns = bar.querySelector("[data-columns]");
  const boxes = [...(columns?.querySelectorAll("input") ?? [])];
  const choose = () => {
    document.cookie = `cols=${["name", ...boxes.filter((i) => i.checked).map((i) => i.value)].join(".")};path=/;max-age=31536000;samesite=lax`;
    // What the reader chooses holds from now on, not what a saved view said.
    const url = new URL(location.href);
    url.searchParams.delete("cols");
    location.replace(url);
  };
  columns?.addEventListener("change", choose);
  // On a slow network one was ticked before this script came.
  if (boxes.some((i) => i.checked !== i.defaultChecked)) choose();
  bar.querySelector("[data-facets]").addEventListener("click", (e) => {
    const drawer = document.getElementById("facets");
    drawer.hidden = !drawer.hidden;
    e.currentTarget.setAttribute("aria-expanded", String(!drawer.hidden));
    const part = drawer.querySelector("ui-load");
    if (!drawer.hidden && !part.loaded) part.load();
    try {
      sessionStorage.setItem("facets", drawer.hidden ? "" : "1");
    } catch {
      // Closed on the next page then.
    }
  });
  try {
    if (sessionStorage.getItem("facets") && innerWidth > 820) bar.querySelector("[data-facets]").click();
  } catch {
    // Storage is off: closed.
  }
}
