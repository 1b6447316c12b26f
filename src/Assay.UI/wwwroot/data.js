// Datasets: the list of examples, the form of one, files in. Fragments are HTML from the same Razor components.
import { CellEditor } from "./cells.js";
import { ask, bytes, confirmDialog, esc, icon, localTimes, toast } from "./kit.js";
import { post, promptDialog, RowGrid } from "./rows.js";

customElements.define(
  "data-grid",
  class extends RowGrid {
    connectedCallback() {
      super.connectedCallback();
      if (this.dataset.write) this.cells = new CellEditor(this);
    }

    disconnectedCallback() {
      super.disconnectedCallback();
      this.cells?.drop();
    }

    actions() {
      return `<button class="btn" type="button" data-b="ids">${icon("copy", "s")}Copy ids</button>${this.dataset.write ? `<button class="btn" type="button" data-b="split">${icon("tag", "s")}Put into a split</button><button class="btn" type="button" data-b="unsplit">Take out of a split</button>` : ""}${this.dataset.delete ? `<button class="btn danger" type="button" data-b="delete">${icon("x", "s")}Delete</button>` : ""}`;
    }

    async act(what) {
      const ids = this.chosen().map((r) => r.dataset.id);
      const url = `/ui/data/${this.dataset.dataset}/examples`;
      if (what === "ids") {
        await navigator.clipboard.writeText(ids.join("\n"));
        return toast("Copied");
      }
      if (what === "split" || what === "unsplit") {
        const remove = what === "unsplit";
        const split = await promptDialog(remove ? "Take out of a split" : "Put into a split", "Split", remove ? "Take out" : "Put in", remove ? "" : "test");
        if (!split) return;
        const { changed } = await (await post(`${url}/split`, { ids, split, remove })).json();
        toast(`${changed} examples changed`);
        location.reload();
      }
      if (what === "delete") {
        if (!(await confirmDialog(`Delete ${ids.length} example${ids.length === 1 ? "" : "s"}?`, "They go from the dataset as it is now. Earlier versions still show them."))) return;
        const { deleted } = await (await post(`${url}/delete`, { ids })).json();
        toast(`${deleted} examples deleted`);
        location.reload();
      }
    }
  },
);

// ---------- one example ----------
customElements.define(
  "example-form",
  class extends HTMLElement {
    connectedCallback() {
      for (const side of this.querySelectorAll("[data-side]")) {
        side.addEventListener("click", (e) => {
          const mode = e.target.closest("[data-mode]")?.dataset.mode;
          if (mode) this.mode(side, mode);
        });
        side.addEventListener("input", () => (this.isDirty = true));
        if (side.querySelector("[data-mode]") && this.simple(side)) this.mode(side, "fields");
      }
      this.addEventListener("click", (e) => {
        const what = e.target.closest("[data-do]")?.dataset.do;
        if (what === "delete") this.remove_();
        else if (what) this.save(what === "more");
      });
      this.onKey = (e) => {
        if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s" && this.dataset.write) {
          e.preventDefault();
          this.save(false);
        }
      };
      document.addEventListener("keydown", this.onKey);
      this.onLeave = (e) => this.isDirty && e.preventDefault();
      addEventListener("beforeunload", this.onLeave);
    }

    disconnectedCallback() {
      document.removeEventListener("keydown", this.onKey);
      removeEventListener("beforeunload", this.onLeave);
    }

    /** True when the JSON is an object of few values that read well as fields. */
    simple(side) {
      try {
        const value = JSON.parse(side.querySelector("textarea.code").value);
        const all = Object.values(value);
        return !Array.isArray(value) && all.length > 0 && all.length <= 12 && all.every((v) => v === null || typeof v !== "object");
      } catch {
        return false;
      }
    }

    mode(side, mode) {
      const text = side.querySelector("textarea.code");
      const box = side.querySelector("[data-fields]");
      if (mode === "fields") {
        let value;
        try {
          value = JSON.parse(text.value || "{}");
        } catch (e) {
          return this.fault(side, "", `Not JSON: ${e.message}`);
        }
        if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fault(side, "", "Fields need a JSON object.");
        box.className = "flds";
        box.innerHTML = Object.entries(value)
          .map(([key, v]) => {
            const isText = typeof v === "string";
            const shown = isText ? v : JSON.stringify(v, null, 2);
            const lines = Math.min(12, Math.max(1, shown.split("\n").length, Math.ceil(shown.length / 70)));
            return `<label data-key="${esc(key)}"><span dir="auto">${esc(key)}</span><textarea class="${isText ? "" : "j"}" data-text="${isText}" rows="${lines}" dir="auto" spellcheck="false" ${text.readOnly ? "readonly" : ""}>${esc(shown)}</textarea><em></em></label>`;
          })
          .join("") + (text.readOnly ? "" : `<button class="btn gh sm" type="button" data-add>${icon("plus", "s")}Field</button>`);
        box.querySelector("[data-add]")?.addEventListener("click", async () => {
          const name = await promptDialog("New field", "Name", "Add");
          if (!name) return;
          const now = this.read(side);
          if (now === undefined) return;
          text.value = JSON.stringify({ ...now, [name]: "" }, null, 2);
          this.mode(side, "fields");
        });
      } else if (side.dataset.mode === "fields") {
        const value = this.read(side);
        if (value === undefined) return;
        text.value = JSON.stringify(value, null, 2);
        box.innerHTML = "";
        box.className = "";
      }
      side.dataset.mode = mode;
      text.hidden = mode === "fields";
      for (const b of side.querySelectorAll("[data-mode]")) if (b.matches("button")) b.setAttribute("aria-pressed", String(b.dataset.mode === mode));
    }

    /** The value of a side; undefined when it is no JSON, null when empty. */
    read(side) {
      if (side.dataset.mode === "fields") {
        const value = {};
        for (const label of side.querySelectorAll("[data-key]")) {
          const field = label.querySelector("textarea");
          if (field.dataset.text === "true") value[label.dataset.key] = field.value;
          else
            try {
              value[label.dataset.key] = JSON.parse(field.value);
            } catch (e) {
              this.fault(side, `/${label.dataset.key}`, `Not JSON: ${e.message}`);
              return undefined;
            }
        }
        return value;
      }
      const text = side.querySelector("textarea.code").value.trim();
      if (!text) return null;
      try {
        return JSON.parse(text);
      } catch (e) {
        this.fault(side, "", `Not JSON: ${e.message}`);
        return undefined;
      }
    }

    fault(side, path, message) {
      side.classList.add("bad");
      const key = path.split("/")[1]?.replaceAll("~1", "/").replaceAll("~0", "~");
      const label = key !== undefined && side.dataset.mode === "fields" && [...side.querySelectorAll("[data-key]")].find((l) => l.dataset.key === key);
      if (label) {
        label.classList.add("bad");
        label.querySelector("em").textContent = path.split("/").length > 2 ? `${path}: ${message}` : message;
        label.querySelector("textarea").focus();
      } else side.querySelector(".faults").insertAdjacentHTML("beforeend", `<li><code>${esc(side.dataset.side + path)}</code>${esc(message)}</li>`);
    }

    async save(again) {
      const body = { id: this.dataset.id || null };
      for (const bad of this.querySelectorAll(".bad")) bad.classList.remove("bad");
      for (const list of this.querySelectorAll(".faults")) list.innerHTML = "";
      for (const em of this.querySelectorAll(".flds em")) em.textContent = "";
      let isWrong = false;
      for (const side of this.querySelectorAll("[data-side]")) {
        const value = this.read(side);
        if (value === undefined) isWrong = true;
        body[side.dataset.side] = value;
      }
      if (isWrong) return;
      body.splits = this.querySelector("[data-splits]").value.split(",").map((s) => s.trim()).filter(Boolean);
      const response = await fetch(`/ui/data/${this.dataset.dataset}/examples`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).catch(() => null);
      if (!response) return toast("The server cannot be reached. Nothing is lost: try again.", true);
      const answer = await response.json().catch(() => ({}));
      if (!response.ok || answer.faults?.length) {
        for (const f of answer.faults ?? []) this.fault(this.querySelector(`[data-side="${f.side}"]`), f.path, f.message);
        return toast(answer.faults?.length ? "The schema refuses this example" : (answer.detail ?? `The server answered ${response.status}.`), true);
      }
      this.isDirty = false;
      if (again || this.dataset.id) {
        toast(this.dataset.id ? "Saved" : "Added");
        setTimeout(() => location.reload(), 400);
      } else location.href = `/data/${this.dataset.dataset}`;
    }

    async remove_() {
      if (!(await confirmDialog("Delete this example?", "It goes from the dataset as it is now. Earlier versions still show it."))) return;
      try {
        await post(`/ui/data/${this.dataset.dataset}/examples/delete`, { ids: [this.dataset.id] });
        this.isDirty = false;
        location.href = `/data/${this.dataset.dataset}`;
      } catch (e) {
        toast(e.message, true);
      }
    }
  },
);

// ---------- files in ----------
const kinds = { csv: "csv", tsv: "tsv", tab: "tsv", jsonl: "jsonl", ndjson: "jsonl", json: "json", parquet: "parquet" };
const guess = (name) => {
  const n = name.toLowerCase();
  if (["id", "example_id"].includes(n)) return "";
  if (["split", "dataset_split"].includes(n)) return "split";
  if (/^(metadata_|meta_)|^(tag|tags|level|category|source|source_run_id)$/.test(n)) return "metadata";
  if (/^(output|answer|expected|reference|target|label|completion|response|ground_truth)/.test(n)) return "outputs";
  return "inputs";
};

customElements.define(
  "data-import",
  class extends HTMLElement {
    connectedCallback() {
      this.step = this.querySelector("[data-step]");
      const drop = this.querySelector(".drop");
      const input = drop.querySelector("input");
      input.addEventListener("change", () => input.files[0] && this.look(input.files[0]));
      for (const type of ["dragenter", "dragover"]) drop.addEventListener(type, (e) => (e.preventDefault(), drop.classList.add("over")));
      for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("over"));
      drop.addEventListener("drop", (e) => {
        e.preventDefault();
        if (e.dataTransfer.files[0]) this.look(e.dataTransfer.files[0]);
      });
    }

    show(html) {
      this.step.hidden = !html;
      this.step.innerHTML = html;
    }

    async look(file) {
      this.file = file;
      this.format = kinds[file.name.split(".").pop().toLowerCase()];
      if (!this.format) return this.show(`<p class="notice err" role="alert">${esc(file.name)} is not CSV, TSV, JSON Lines, JSON or Parquet by its name.</p>`);
      // Parquet says its columns at its end: the whole file, unless it is large.
      const most = this.format === "parquet" ? 64 << 20 : 256 << 10;
      const isWhole = file.size <= most;
      if (this.format === "parquet" && !isWhole) return this.map({ columns: ["inputs", "outputs", "metadata", "split"], rows: [], problems: [] });
      this.show(`<p class="notice" role="status">Reading the beginning of ${esc(file.name)}…</p>`);
      try {
        const answer = await ask(`/ui/data/${this.dataset.dataset}/import/preview?format=${this.format}&whole=${isWhole}`, { method: "POST", body: file.slice(0, most) });
        this.map(await answer.json());
      } catch (e) {
        this.show(`<p class="notice err" role="alert">${esc(e.message)}</p>`);
      }
    }

    map(preview) {
      const isOwn = preview.columns.includes("inputs") && preview.rows.every((r) => typeof r.inputs === "object" || (typeof r.inputs === "string" && r.inputs.startsWith("{")));
      const text = (v) => (v === null || v === undefined ? "" : typeof v === "string" ? v : JSON.stringify(v));
      const roles = [["inputs", "Input"], ["outputs", "Reference output"], ["metadata", "Metadata"], ["split", "Split"], ["id", "Id"], ["", "Leave out"]];
      const select = (column) => `<select data-role aria-label="What ${esc(column)} becomes">${roles.map(([key, title]) => `<option value="${key}" ${guess(column) === key ? "selected" : ""}>${title}</option>`).join("")}</select>`;
      this.show(`
        <section class="part"><h2>${esc(this.file.name)} · ${bytes(this.file.size)} · ${this.format.toUpperCase()}</h2>
        ${preview.problems.length ? `<p class="notice err">Among the first rows: ${preview.problems.map((p) => `line ${p.line}: ${esc(p.reason)}`).join("; ")}</p>` : ""}
        ${!preview.columns.length ? `<p class="notice err" role="alert">The file has no rows.</p>` : ""}
        ${isOwn && preview.columns.length ? `<label class="row own"><input type="checkbox" data-own checked> Rows are whole examples (<code>inputs</code>, <code>outputs</code>, <code>metadata</code>, <code>split</code>): take them as they are</label>` : ""}
        <div class="scroll" data-map ${isOwn ? "hidden" : ""}><table class="list map"><thead><tr><th>Column</th><th>Becomes</th><th>Name in the example</th><th>First rows</th></tr></thead><tbody>
        ${preview.columns.map((c) => `<tr data-column="${esc(c)}"><td class="nm" dir="auto">${esc(c)}</td><td>${select(c)}</td><td><input data-name aria-label="Name of ${esc(c)} in the example" value="${esc(c.replace(/^(input_|output_|metadata_)/, ""))}"></td><td class="smp ell" title="${esc(preview.rows.map((r) => text(r[c])).join("\n"))}">${esc(preview.rows.slice(0, 3).map((r) => text(r[c])).filter(Boolean).join(" · ").slice(0, 160))}</td></tr>`).join("")}
        </tbody></table></div>
        <div class="opts"><label><input type="checkbox" data-json ${preview.rows.some((r) => Object.values(r).some((v) => typeof v === "string" && /^\s*[[{]/.test(v))) ? "checked" : ""}> Read texts that are JSON objects or lists as JSON</label>${isOwn ? `<label data-own-only><input type="checkbox" data-ids> Keep their ids (refused when an example on this server has one of them)</label>` : ""}<label><input type="checkbox" data-skip> Leave bad rows out (otherwise one bad row refuses the file)</label></div>
        <h3 class="sec">The first example will be</h3><pre class="jbox mono snip" data-sample tabindex="0"></pre>
        <p class="notice err" data-wrong role="alert" hidden></p>
        <div class="row"><button class="btn pri" type="button" data-go ${preview.columns.length ? "" : "disabled"}>Import</button><button class="btn" type="button" data-other>Another file</button></div></section>`);
      this.rows = preview.rows;
      this.step.onchange = (e) => {
        if (e.target.matches("[data-own]")) this.step.querySelector("[data-map]").hidden = e.target.checked;
        this.sample();
      };
      this.step.oninput = () => this.sample();
      this.step.querySelector("[data-other]").onclick = () => location.reload();
      this.step.querySelector("[data-go]").onclick = () => this.go();
      this.sample();
    }

    chosen() {
      const isOwn = this.step.querySelector("[data-own]")?.checked;
      const map = { inputs: [], outputs: [], metadata: [], split: "", id: "", names: {} };
      if (isOwn) return map;
      for (const row of this.step.querySelectorAll("[data-column]")) {
        const role = row.querySelector("[data-role]").value;
        const column = row.dataset.column;
        const name = row.querySelector("[data-name]").value.trim();
        row.querySelector("[data-name]").disabled = !["inputs", "outputs", "metadata"].includes(role);
        if (role === "split" || role === "id") map[role] = column;
        else if (role) {
          map[role].push(column);
          if (name && name !== column) map.names[column] = name;
        }
      }
      return map;
    }

    sample() {
      const map = this.chosen();
      const row = this.rows[0];
      const isOwn = this.step.querySelector("[data-own]")?.checked;
      const wrong = this.step.querySelector("[data-wrong]");
      wrong.hidden = isOwn || map.inputs.length > 0;
      wrong.textContent = "Choose at least one column as an input.";
      const reads = this.step.querySelector("[data-json]").checked;
      const value = (v) => {
        if (reads && typeof v === "string" && /^\s*[[{]/.test(v))
          try {
            return JSON.parse(v);
          } catch {
            return v;
          }
        return v;
      };
      const pick = (columns) => Object.fromEntries(columns.map((c) => [map.names[c] ?? c, value(row?.[c])]));
      const example = isOwn ? { inputs: value(row?.inputs), outputs: value(row?.outputs), metadata: value(row?.metadata), split: row?.split } : { inputs: pick(map.inputs), ...(map.outputs.length && { outputs: pick(map.outputs) }), ...(map.metadata.length && { metadata: pick(map.metadata) }), ...(map.split && { split: row?.[map.split] }), ...(map.id && { id: row?.[map.id] }) };
      this.step.querySelector("[data-sample]").textContent = row ? JSON.stringify(example, null, 2).slice(0, 4000) : "The columns are read when the file arrives.";
      this.step.querySelector("[data-go]").disabled = !wrong.hidden;
    }

    go() {
      const map = this.chosen();
      const id = crypto.randomUUID();
      const q = new URLSearchParams({ import: id, format: this.format, json: this.step.querySelector("[data-json]").checked, skip: this.step.querySelector("[data-skip]").checked });
      for (const key of ["inputs", "outputs", "metadata"]) for (const column of map[key]) q.append(key, column);
      for (const key of ["split", "id"]) if (map[key]) q.set(key, map[key]);
      if (this.step.querySelector("[data-ids]")?.checked) q.set("ids", "true");
      if (Object.keys(map.names).length) q.set("names", JSON.stringify(map.names));
      const before = [...this.step.childNodes];
      const panel = document.createElement("div");
      panel.className = "card imp";
      panel.innerHTML = `<b>${esc(this.file.name)}</b><progress max="1" value="0" aria-label="Import"></progress><div class="row"><span class="mut" role="status" data-said>Sending…</span><button class="btn sm" type="button" data-cancel>Cancel</button></div>`;
      this.step.replaceChildren(panel);
      this.toggleAttribute("data-busy", true);
      const said = panel.querySelector("[data-said]");
      let sent = 0;
      let rows = 0;
      const say = () => (said.textContent = `${bytes(sent)} of ${bytes(this.file.size)} sent · ${rows.toLocaleString("en")} rows read`);
      const xhr = new XMLHttpRequest();
      xhr.upload.onprogress = (e) => {
        sent = e.loaded;
        panel.querySelector("progress").value = e.total ? e.loaded / e.total : 0;
        say();
      };
      const timer = setInterval(async () => {
        try {
          rows = (await (await ask(`/ui/data/${this.dataset.dataset}/import/${id}`)).json()).rows ?? rows;
          say();
        } catch {
          // The answer of the import itself is what counts.
        }
      }, 700);
      const done = () => (clearInterval(timer), this.toggleAttribute("data-busy", false));
      const back = (html) => {
        done();
        this.step.replaceChildren(...before);
        this.step.querySelector(".part").insertAdjacentHTML("afterbegin", html);
        this.step.firstElementChild.scrollIntoView();
      };
      const table = (problems) => `<div class="scroll"><table class="list"><thead><tr><th class="r">Line</th><th>Why</th></tr></thead><tbody>${problems.map((p) => `<tr><td class="r num">${p.line}</td><td class="wrap">${esc(p.reason)}</td></tr>`).join("")}</tbody></table></div>`;
      xhr.onload = () => {
        let answer = {};
        try {
          answer = JSON.parse(xhr.responseText);
        } catch {
          // Whoever stands between us and the server answered.
        }
        if (xhr.status !== 200) return back(`<p class="notice err" role="alert">${esc(answer.detail ?? `The server answered ${xhr.status}.`)} Nothing was imported.</p>`);
        if (!answer.imported) return back(`<div class="notice err" role="alert">Nothing was imported: ${answer.bad ? `${answer.bad.toLocaleString("en")} bad row${answer.bad === 1 ? "" : "s"}.` : "the file has no rows."}</div>${answer.problems.length ? table(answer.problems) : ""}`);
        done();
        this.show(`<div class="notice ok" role="status"><b>${answer.imported.toLocaleString("en")} ${answer.imported === 1 ? "example" : "examples"} imported.</b>${answer.bad ? ` ${answer.bad.toLocaleString("en")} bad ${answer.bad === 1 ? "row was" : "rows were"} left out.` : ""} <a href="/data/${this.dataset.dataset}">See them</a></div>${answer.problems.length ? table(answer.problems) : ""}`);
      };
      xhr.onerror = () => back(`<p class="notice err" role="alert">The connection broke. Nothing was imported; try again.</p>`);
      xhr.onabort = () => back(`<p class="notice" role="status">Cancelled. Nothing was imported.</p>`);
      panel.querySelector("[data-cancel]").onclick = () => xhr.abort();
      xhr.open("POST", `/ui/data/${this.dataset.dataset}/import?${q}`);
      xhr.send(this.file);
    }
  },
);

localTimes(document);
