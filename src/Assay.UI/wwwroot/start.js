// Get started: sample data, snippets with a key, waiting for the first trace.
import { ask, confirmDialog, esc, icon, toast } from "./kit.js";

document.addEventListener("click", async (e) => {
  const load = e.target.closest("[data-load-sample]");
  const remove = e.target.closest("[data-remove-sample]");
  if (load) {
    load.disabled = true;
    load.textContent = "Loading…";
    try {
      const { project } = await (await ask("/ui/samples", { method: "POST" })).json();
      location.href = `/projects/${project}`;
    } catch (x) {
      load.disabled = false;
      load.textContent = "Load sample data";
      toast(x.message, true);
    }
  }
  if (remove && (await confirmDialog("Remove the sample data?", "The sample project with its traces. Load it again whenever you like.", "Remove"))) {
    try {
      await ask("/ui/samples", { method: "DELETE" });
      location.href = "/";
    } catch (x) {
      toast(x.message, true);
    }
  }
  const make = e.target.closest("[data-make-key]");
  if (make) {
    make.disabled = true;
    try {
      const { key } = await (await ask("/ui/start/key", { method: "POST" })).json();
      for (const text of document.querySelectorAll("[data-snippet-text]")) text.textContent = text.textContent.replaceAll("YOUR_KEY", key);
      for (const place of document.querySelectorAll("[data-key]")) place.textContent = key;
      make.closest("start-key").innerHTML = `${icon("ok", "c-ok")}<span class="grow"><b>The snippets carry your new key</b><small>It is not shown again: copy what you need before you leave.</small></span><button class="btn" type="button" data-copy="${esc(key)}">${icon("copy", "s")}Copy the key</button>`;
    } catch (x) {
      make.disabled = false;
      toast(x.message, true);
    }
  }
  const snippet = e.target.closest("[data-snippet]");
  if (snippet) choose(snippet);
});

function choose(tab) {
  for (const t of tab.parentElement.querySelectorAll("[data-snippet]")) {
    t.setAttribute("aria-selected", String(t === tab));
    t.tabIndex = t === tab ? 0 : -1;
    document.getElementById(`sn-${t.dataset.snippet}`).hidden = t !== tab;
  }
}
document.addEventListener("keydown", (e) => {
  const tab = e.target.closest?.("[data-snippet]");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!tab || !by) return;
  const tabs = [...tab.parentElement.querySelectorAll("[data-snippet]")];
  const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
  next.focus();
  choose(next);
});

customElements.define(
  "start-wait",
  class extends HTMLElement {
    connectedCallback() {
      this.events = new EventSource("/ui/events");
      this.events.addEventListener("changed", (e) => {
        this.events.close();
        this.dataset.state = "here";
        this.innerHTML = `${icon("ok", "c-ok")}<span class="grow"><b>Your first trace is here.</b><small>It arrived just now.</small></span><a class="btn pri" href="/t/${e.data}">Open it</a>`;
      });
    }

    disconnectedCallback() {
      this.events?.close();
    }
  },
);
