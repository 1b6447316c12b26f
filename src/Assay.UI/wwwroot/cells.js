// Examples changed where they stand in the list: a cell opens as a field, what is saved is a version like any other.
import { ask, esc, isTyping, toast } from "./kit.js";

const columns = [
  ["inputs", "Inputs", 1],
  ["outputs", "Reference outputs", 2],
  ["metadata", "Metadata", 3],
  ["splits", "Splits", 4],
];

/** The one text of an object that holds nothing else: it is edited as text, not as JSON. */
const single = (value) => {
  const all = Object.entries(value ?? {});
  return all.length === 1 && typeof all[0][1] === "string" ? all[0][0] : undefined;
};

export class CellEditor {
  constructor(grid) {
    this.grid = grid;
    this.button = document.querySelector("[data-cells]");
    this.button?.addEventListener("click", () => this.turn(!this.isOn));
    // Before the link of the row and the selection hear of it.
    grid.box.addEventListener("click", (e) => this.isOn && this.click(e), true);
    this.onKey = (e) => this.key(e);
    document.addEventListener("keydown", this.onKey);
  }

  drop() {
    document.removeEventListener("keydown", this.onKey);
    this.close();
  }

  turn(on) {
    this.isOn = on;
    this.button?.setAttribute("aria-pressed", String(on));
    this.grid.toggleAttribute("data-editing", on);
    if (!on) this.close();
  }

  click(e) {
    const cell = e.target.closest(".tr > [role=cell]");
    const at = cell && [...cell.parentElement.children].indexOf(cell);
    if (!columns.some((c) => c[2] === at) || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    e.stopPropagation();
    this.open(cell.parentElement, at);
  }

  key(e) {
    if (e.key !== "e" || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target) || document.querySelector("dialog[open]")) return;
    const row = document.activeElement?.closest?.("data-grid .tr");
    if (!row) return;
    e.preventDefault();
    this.turn(true);
    this.open(row, 1);
  }

  async open(row, at) {
    this.close();
    const [name, title] = columns.find((c) => c[2] === at);
    let example;
    try {
      example = await (await ask(this.address(row))).json();
    } catch (x) {
      return toast(x.message, true);
    }
    const value = name === "splits" ? example.splits.join("\n") : example[name];
    const key = name === "inputs" || name === "outputs" ? single(value) : undefined;
    const text = name === "splits" ? value : key !== undefined ? value[key] : value === null ? "" : JSON.stringify(value, null, 2);
    const box = document.createElement("div");
    box.className = "cell-ed";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${title} of the example`);
    box.innerHTML = `<div class="row"><b>${esc(title)}${key !== undefined ? ` <span class="dim">${esc(key)}</span>` : ""}</b><span class="grow"></span><span class="dim">${name === "splits" ? "one a line" : key === undefined ? "JSON" : "text"}</span></div><textarea rows="${Math.min(14, Math.max(3, text.split("\n").length, Math.ceil(text.length / 60)))}" class="${key === undefined && name !== "splits" ? "mono" : ""}" dir="auto" spellcheck="false" aria-label="${esc(title)}"></textarea><p class="err" role="alert" hidden></p><div class="row"><button class="btn pri sm" type="button" data-save>Save</button><button class="btn sm" type="button" data-cancel>Cancel</button><span class="grow"></span><span class="keys"><kbd>Ctrl</kbd> <kbd>Enter</kbd> save, <kbd>Tab</kbd> next, <kbd>Esc</kbd> leave</span></div>`;
    this.box = box;
    this.now = { row, at, name, key, text };
    const area = box.querySelector("textarea");
    area.value = text;
    const cell = row.children[at];
    cell.classList.add("editing");
    this.grid.append(box);
    const outer = this.grid.getBoundingClientRect();
    const inner = cell.getBoundingClientRect();
    box.style.width = `${Math.min(outer.width - 16, Math.max(420, inner.width))}px`;
    box.style.left = `${Math.max(8, Math.min(inner.left - outer.left, outer.width - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(8, Math.min(inner.top - outer.top, outer.height - box.offsetHeight - 8))}px`;
    box.querySelector("[data-save]").onclick = () => this.save();
    box.querySelector("[data-cancel]").onclick = () => this.close(true);
    box.addEventListener("keydown", async (e) => {
      if (e.key === "Escape") {
        e.stopPropagation();
        this.close(true);
      } else if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        this.save();
      } else if (e.key === "Tab" && e.target === area) {
        e.preventDefault();
        const next = e.shiftKey ? at - 1 : at + 1;
        if ((await this.save()) && columns.some((c) => c[2] === next)) this.open(this.rowOf(row.dataset.id), next);
      }
    });
    area.focus();
  }

  address(row) {
    return `/ui/data/${this.grid.dataset.dataset}/examples/${row.dataset.id}`;
  }

  rowOf(id) {
    return this.grid.box.querySelector(`.tr[data-id="${id}"]`);
  }

  fault(text) {
    const said = this.box.querySelector(".err");
    said.textContent = text;
    said.hidden = false;
    this.box.querySelector("textarea").setAttribute("aria-invalid", "true");
  }

  /** True when it is kept, or was as it is. */
  async save() {
    const { row, name, key, text } = this.now;
    const said = this.box.querySelector("textarea").value;
    if (said === text) return this.close(true), true;
    let value;
    if (name === "splits") value = said.split("\n").map((s) => s.trim()).filter(Boolean);
    else if (key !== undefined) value = { [key]: said };
    else
      try {
        value = JSON.parse(said.trim() || "{}");
        if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("a JSON object is needed");
      } catch (x) {
        return this.fault(`Not saved: ${x.message}`), false;
      }
    if (name === "splits" && !value.length) value = ["base"];
    try {
      const id = row.dataset.id;
      const { refused } = await (await ask(this.address(row), { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ [name]: value }) })).json();
      if (refused) return this.fault(`Not saved: ${refused}`), false;
      const html = await (await ask(`/ui/data/${this.grid.dataset.dataset}/rows?example=${id}`)).text();
      const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".tr");
      if (fresh) row.replaceWith(fresh);
      this.close();
      fresh?.querySelector("a[data-row]").focus({ preventScroll: true });
      return true;
    } catch (x) {
      return this.fault(`Not saved: ${x.message}`), false;
    }
  }

  close(isBack = false) {
    if (!this.box) return;
    this.box.remove();
    this.box = undefined;
    const { row, at } = this.now;
    row.children[at].classList.remove("editing");
    if (isBack) row.querySelector("a[data-row]")?.focus({ preventScroll: true });
  }
}
