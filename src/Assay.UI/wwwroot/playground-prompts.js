// "Load a prompt": a prompt of the hub at a commit, into the variant or beside it, so that prompts and commits stand side by side.
import { glyph, h } from "./elements.js";
import { ask } from "./kit.js";

/**
 * @param open   Opens a dialog with a title and content.
 * @param load   Called with the variant to take the place of this one.
 * @param beside Called with the variant to stand beside this one; null when there is no room.
 * @param handle A prompt to begin with.
 */
export function promptDialog({ open, load, beside, handle = "" }) {
  const known = h("datalist", { id: "pg-prompts" });
  const name = h("input", { type: "text", required: true, value: handle, list: "pg-prompts", placeholder: "name of a prompt", autocomplete: "off", spellcheck: "false" });
  const commit = h("select", { disabled: true });
  const problem = h("p.pg-problem", { role: "alert", hidden: true });
  const here = h("button.btn.pri", { disabled: true }, "Load it here");
  const next = beside ? h("button.btn", { type: "button", disabled: true, onclick: () => take(beside) }, glyph("plus"), "As another variant") : null;
  const ready = (isReady) => [commit, here, next].forEach((part) => part && (part.disabled = !isReady));
  const fail = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };
  const get = async (path) => (await ask(`/ui/playground/prompts${path}`)).json();
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const text = name.value.trim();
    ready(false);
    fail("");
    try {
      const { prompts } = await get(`?q=${encodeURIComponent(text)}`);
      if (mine !== turn) return;
      known.replaceChildren(...prompts.map((p) => h("option", { value: p.handle }, p.description ?? "")));
      if (!prompts.some((p) => p.handle === text)) {
        commit.replaceChildren();
        return prompts.length ? undefined : fail(text ? "No prompt of this name has a commit." : "This workspace has no prompt with a commit yet.");
      }
      const { commits } = await get(`/${encodeURIComponent(text)}/commits`);
      if (mine !== turn) return;
      commit.replaceChildren(...commits.map((c, i) => h("option", { value: c.hash }, [c.hash.slice(0, 8), i === 0 ? "(newest)" : "", c.tags.length ? `(${c.tags.join(", ")})` : "", c.description ?? ""].filter(Boolean).join(" "))));
      ready(true);
    } catch (e) {
      if (mine === turn) fail(e.message);
    }
  };
  let later;
  name.addEventListener("input", () => {
    clearTimeout(later);
    ready(false);
    later = setTimeout(look, 200);
  });
  const take = async (how) => {
    try {
      const { variant } = await get(`/${encodeURIComponent(name.value.trim())}?commit=${commit.value}`);
      dialog.close();
      how(variant);
    } catch (e) {
      fail(e.message);
    }
  };
  const form = h("form.form", { onsubmit: (e) => (e.preventDefault(), here.disabled || take(load)) }, h("label", {}, "Prompt", name), known, h("label", {}, "Commit", commit), problem, h("div.row", {}, here, next));
  const dialog = open("Load a prompt", form);
  name.focus();
  look();
}
