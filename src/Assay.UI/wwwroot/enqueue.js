// Runs, threads and whole queries into annotation queues.
import { ask, esc, toast } from "./kit.js";

/** Sends JSON. */
export const send = (url, body) => ask(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });

// ---------- into a queue ----------
/** Asks for a queue; null when nothing was chosen. */
async function chooseQueue(text) {
  const queues = await (await ask("/ui/queues")).json();
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dlg";
    dialog.setAttribute("aria-label", "Add to an annotation queue");
    const last = queues.some((q) => q.id === localStorage.getItem("queue")) ? localStorage.getItem("queue") : queues[0]?.id;
    dialog.innerHTML = `<form method="dialog"><h2>Add to an annotation queue</h2><p>${esc(text)}</p>${queues.length ? `<label class="lab">Queue<select class="tx" name="queue" autofocus>${queues.map((q) => `<option value="${q.id}"${q.id === last ? " selected" : ""}>${esc(q.name)}${q.isPairwise ? " (pairwise)" : ""} · ${q.waiting} waiting</option>`).join("")}</select></label>` : `<p>There is no queue yet.</p>`}<div class="row end"><a class="btn gh" href="/queues/new">New queue</a><span class="grow"></span><button class="btn" value="">Cancel</button>${queues.length ? `<button class="btn pri" value="add">Add</button>` : ""}</div></form>`;
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      const id = dialog.returnValue === "add" ? dialog.querySelector("select").value : null;
      if (id) localStorage.setItem("queue", id);
      done(id);
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** Puts what was chosen into a queue that the reader names. */
export async function enqueue(text, put) {
  try {
    const queue = await chooseQueue(text);
    if (!queue) return;
    const { count, name } = await (await put(queue)).json();
    toast(`${count.toLocaleString("en")} ${count === 1 ? "item" : "items"} in “${name}”`);
  } catch (e) {
    toast(e.message, true);
  }
}

export const enqueueRuns = (runs) => enqueue(runs.length === 1 ? "The run becomes an item for people to judge." : `${runs.length} selected rows become items for people to judge.`, (queue) => send(`/ui/queues/${queue}/add`, { runs }));
