// What can be done with runs wherever they are shown: into an annotation queue, their payloads in another form, parts of a page that open late.
import { enqueue, enqueueRuns, send } from "./enqueue.js";
import { ask, copy, toast } from "./kit.js";

document.addEventListener("click", (e) => {
  const run = e.target.closest("[data-enqueue]");
  if (run) enqueueRuns([run.dataset.enqueue]);
  const thread = e.target.closest("[data-enqueue-thread]");
  if (thread) enqueue("The whole thread becomes one item.", (queue) => send(`/ui/queues/${queue}/add`, { project: thread.dataset.project, thread: thread.dataset.enqueueThread }));
  const query = e.target.closest("[data-enqueue-query]");
  if (query) enqueue("Everything this list shows, up to 10,000 rows. Rows that wait in the queue already are not added twice.", (queue) => send(`${query.dataset.enqueueQuery}${query.dataset.enqueueQuery.includes("?") ? "&" : "?"}queue=${queue}`));
  // A payload's own buttons: rendered or JSON, copy.
  const how = e.target.closest("[data-show]");
  if (how) {
    const box = how.closest(".jbox");
    for (const b of box.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b === how));
    for (const p of box.querySelectorAll("[data-shown]")) p.hidden = p.dataset.shown !== how.dataset.show;
  }
  const source = e.target.closest("[data-copy-src]");
  if (source)
    ask(source.dataset.copySrc)
      .then((r) => r.text())
      .then(copy, (x) => toast(x.message, true));
});

document.addEventListener(
  "toggle",
  (e) => {
    const part = e.target.matches?.("details") && e.target.open ? e.target.querySelector(":scope > ui-load[data-lazy]") : null;
    if (part && !part.loaded) part.load();
  },
  true,
);
