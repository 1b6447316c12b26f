// Endless rows with selection, for lists of any kind.
import { ask, esc, icon, isTyping, toast } from "./kit.js";

export const post = (url, body) => ask(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Asks for one line of text. */
export function promptDialog(title, label, action, value = "") {
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dlg";
    dialog.setAttribute("aria-label", title);
    dialog.innerHTML = `<form method="dialog" class="form"><h2>${esc(title)}</h2><label>${esc(label)}<input type="text" name="text" required maxlength="256" value="${esc(value)}"></label><div class="row end"><button class="btn" type="button" data-cancel>Cancel</button><button class="btn pri" value="yes">${esc(action)}</button></div></form>`;
    document.body.append(dialog);
    // No submit button: Enter in the field would press the first of them.
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      done(dialog.returnValue === "yes" ? dialog.querySelector("input").value.trim() : "");
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** Endless rows with selection; what can be done with a selection is the subclass's. */
export class RowGrid extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector(".vt");
    this.box.addEventListener("scroll", () => this.more(), { passive: true });
    this.box.addEventListener("click", (e) => this.click(e));
    this.querySelector("[data-all]")?.addEventListener("change", (e) => {
      for (const box of this.boxes()) box.checked = e.target.checked;
      this.selected();
    });
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
    this.more();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  rows() {
    return [...this.box.querySelectorAll(".tr")];
  }

  boxes() {
    return [...this.box.querySelectorAll(".tr .ck input")];
  }

  chosen() {
    return this.boxes().filter((b) => b.checked).map((b) => b.closest(".tr"));
  }

  async more() {
    const last = this.box.querySelector(".blk:last-of-type");
    const next = last?.dataset.next;
    if (!next || this.busy || this.box.scrollTop + this.box.clientHeight * 2 < this.box.scrollHeight) return;
    this.busy = true;
    try {
      const url = this.dataset.rows;
      const html = await (await ask(`${url}${url.includes("?") ? (url.endsWith("?") ? "" : "&") : "?"}offset=${next}`)).text();
      delete last.dataset.next;
      last.insertAdjacentHTML("afterend", html);
      const label = this.querySelector("[data-count]");
      const shown = `${this.rows().length.toLocaleString("en")}${this.box.querySelector(".blk:last-of-type").dataset.next ? "+" : ""} shown`;
      if (label) label.textContent = label.textContent.replace(/^[\d,]+\+? shown/, shown);
      this.busy = false;
      this.more();
    } catch (e) {
      toast(e.message, true);
    } finally {
      this.busy = false;
    }
  }

  click(e) {
    const check = e.target.closest(".ck");
    if (!check?.closest(".tr")) return;
    const input = check.querySelector("input");
    if (e.target !== input) input.checked = !input.checked;
    this.mark(input, e.shiftKey);
  }

  mark(input, range) {
    const boxes = this.boxes();
    const at = boxes.indexOf(input);
    if (range && this.anchor >= 0) for (let i = Math.min(at, this.anchor); i <= Math.max(at, this.anchor); i++) boxes[i].checked = input.checked;
    this.anchor = at;
    this.selected();
  }

  selected() {
    const rows = this.chosen();
    for (const row of this.rows()) row.classList.toggle("sel", !!row.querySelector(".ck input")?.checked);
    this.bulk?.remove();
    if (!rows.length) return;
    this.bulk = document.createElement("div");
    this.bulk.className = "bulk";
    this.bulk.setAttribute("role", "toolbar");
    this.bulk.setAttribute("aria-label", "Selected rows");
    this.bulk.innerHTML = `<b>${rows.length} selected</b><span class="grow"></span>${this.actions(rows)}<button class="btn gh ic" type="button" data-b="none" aria-label="Drop the selection">${icon("x")}</button>`;
    this.bulk.addEventListener("click", (e) => {
      const what = e.target.closest("[data-b]")?.dataset.b;
      if (what === "none") this.drop();
      else if (what) this.act(what).catch((x) => toast(x.message, true));
    });
    this.append(this.bulk);
  }

  drop() {
    for (const b of this.boxes()) b.checked = false;
    const all = this.querySelector("[data-all]");
    if (all) all.checked = false;
    this.selected();
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
    const isBox = e.target.matches?.(".ck input");
    if (isTyping(e.target) && !isBox) return;
    const rows = this.rows();
    const at = rows.indexOf(document.activeElement?.closest?.(".tr"));
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[e.key];
    if (step && rows.length) {
      e.preventDefault();
      const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
      next.querySelector("a[data-row]").focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else if ((e.key === "x" || e.key === "X") && at >= 0) {
      const input = rows[at].querySelector(".ck input");
      if (!input) return;
      input.checked = !input.checked;
      this.mark(input, e.shiftKey);
      e.preventDefault();
    } else if (e.key === "Escape" && this.chosen().length) this.drop();
  }
}
