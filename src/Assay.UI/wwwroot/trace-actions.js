// What is done with a whole trace: its link, a comparison, sharing, printing, deletion.
import { ask, confirmDialog, copy, guid, toast } from "./kit.js";
import { pick } from "./pick.js";
import { shareDialog } from "./share.js";

export function link({ trace, model, selected }) {
  const url = new URL(`/t/${trace}`, location.href);
  if (selected) url.searchParams.set("run", guid(model.id(selected)));
  return copy(url.href);
}

export function compare({ trace, dataset }) {
  pick({
    label: "Compare with another trace",
    placeholder: "Words, an id or a link; else the newest of this name",
    empty: "No other trace found. Paste an id or a link.",
    source: (q) => `/ui/compare/candidates?trace=${trace}&project=${dataset.project}&q=${encodeURIComponent(q)}`,
    choose: (item, isNew) => {
      const address = `/compare?a=${trace}&b=${item.trace}`;
      if (isNew) open(address);
      else location.href = address;
    },
  });
}

export async function share(view) {
  const shared = await shareDialog(view.trace, view.dataset.project, (view.dataset.may ?? "").split(" ").includes("write"));
  if (shared !== null) view.querySelector("[data-act=share]").setAttribute("aria-pressed", String(shared));
}

export function print(view) {
  view.querySelector("#more").hidePopover();
  globalThis.print();
}

export async function remove(view) {
  view.querySelector("#more").hidePopover();
  if (!(await confirmDialog("Delete this trace?", `All ${view.model.length.toLocaleString("en")} runs with their payloads and feedback. This cannot be undone.`))) return;
  try {
    await ask(`/ui/traces/${view.trace}`, { method: "DELETE" });
    if (view.dataset.mode === "panel") view.dispatchEvent(new CustomEvent("trace-deleted", { bubbles: true }));
    else location.href = `/projects/${view.dataset.project}`;
  } catch (e) {
    toast(e.message, true);
  }
}
