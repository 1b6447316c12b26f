// The public link of a trace: shown, made, taken back.
import { ask, copy, esc, icon, toast } from "./kit.js";

/** @returns whether the trace is shared when the dialog closes, or null when that is not known. */
export async function shareDialog(trace, project, mayShare) {
  if (document.querySelector("dialog.share")) return null;
  const address = `/ui/traces/${trace}/share?project=${project}`;
  let url;
  try {
    ({ url } = await (await ask(address)).json());
  } catch (e) {
    toast(e.message, true);
    return null;
  }
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dlg share";
    dialog.setAttribute("aria-label", "Share this trace");
    const draw = () => {
      dialog.innerHTML = url
        ? `<div class="row"><h2 class="grow">This trace is public</h2><button class="btn gh ic" type="button" data-s="close" aria-label="Close">${icon("x")}</button></div><p>Everybody who has the link reads the whole trace with inputs, outputs and feedback, without signing in. Nothing else is open to them.</p><div class="row"><input class="tx mono grow" readonly value="${esc(url)}" aria-label="Public link"><button class="btn" type="button" data-s="copy" autofocus>${icon("copy", "s")}Copy</button></div><div class="row end"><a class="btn" href="${esc(url)}" target="_blank" rel="noopener">Open</a>${mayShare ? `<button class="btn danger" type="button" data-s="stop">Stop sharing</button>` : ""}</div>`
        : `<div class="row"><h2 class="grow">Share this trace</h2><button class="btn gh ic" type="button" data-s="close" aria-label="Close">${icon("x")}</button></div><p>A link is made that opens the whole trace, with inputs, outputs and feedback, to everybody who has it. Stop sharing at any time; the link is dead at once.</p><div class="row end"><button class="btn" type="button" data-s="close">Cancel</button>${mayShare ? `<button class="btn pri" type="button" data-s="share" autofocus>Create the link</button>` : `<span class="dim">Your role does not allow sharing.</span>`}</div>`;
      dialog.querySelector("[autofocus]")?.focus();
    };
    dialog.addEventListener("click", async (e) => {
      const what = e.target === dialog ? "close" : e.target.closest("[data-s]")?.dataset.s;
      if (what === "close") dialog.close();
      if (what === "copy") copy(url);
      if (what !== "share" && what !== "stop") return;
      try {
        ({ url } = await (await ask(address, { method: what === "share" ? "POST" : "DELETE" })).json());
        draw();
        if (what === "stop") toast("The link is dead");
      } catch (x) {
        toast(x.message, true);
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(!!url);
    });
    document.body.append(dialog);
    draw();
    dialog.showModal();
  });
}
