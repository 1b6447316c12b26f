// Elements that follow background work: the server draws them, and draws them anew while the work goes on.
import { ask, confirmDialog, toast } from "./kit.js";

const EVERY = 1000;

/** One piece of work with its buttons. A subclass tells its address and what is asked before it is cancelled; data-query narrows its view. */
export class LiveView extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (e) => {
      const button = e.target.closest("[data-act]");
      if (button) this.act(button);
    });
    this.follow();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  follow() {
    clearTimeout(this.timer);
    if (this.querySelector("[data-live]")?.dataset.live === "true") this.timer = setTimeout(() => this.refresh(), EVERY);
  }

  async refresh() {
    // Nobody looks: the numbers wait.
    if (!document.hidden) {
      try {
        const response = await ask(`${this.address}/view${this.dataset.query ?? ""}`);
        const held = this.querySelector(":focus")?.dataset.act;
        this.innerHTML = await response.text();
        if (held) this.querySelector(`[data-act="${held}"]`)?.focus();
        this.isUnreachable = false;
      } catch (e) {
        if (e.status === 404) return toast(e.message, true);
        // The server restarts: the work goes on, and so do we.
        if (!this.isUnreachable) toast(e.message, true);
        this.isUnreachable = true;
      }
    }
    this.follow();
  }

  async act(button) {
    const action = button.dataset.act;
    if (action === "cancel" && !(await confirmDialog(...this.cancelling))) return;
    button.disabled = true;
    try {
      await ask(`${this.address}/${action}`, { method: "POST" });
    } catch (e) {
      toast(e.message, true);
    }
    await this.refresh();
  }
}

/** A list of such work: reads its page anew while something in it goes on. */
export class LiveList extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(async () => {
      if (document.hidden || !this.querySelector('tr[data-state="Running"],tr[data-state="Waiting"]')) return;
      try {
        const response = await ask(location.href);
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(`${this.localName} tbody`);
        if (fresh && !this.contains(document.activeElement)) this.querySelector("tbody").replaceWith(fresh);
      } catch {
        // The next look may succeed.
      }
    }, 2 * EVERY);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}
