// Splits: a dataset dealt out by weight, with progress, until the new version is there or nothing was changed.
import { ask, esc } from "./kit.js";

customElements.define(
  "split-deal",
  class extends HTMLElement {
    connectedCallback() {
      this.querySelector("form").addEventListener("submit", (e) => {
        e.preventDefault();
        this.deal(e.target);
      });
      this.querySelector("[data-add]").addEventListener("click", (e) => {
        const pair = this.querySelector(".pair").cloneNode(true);
        for (const field of pair.querySelectorAll("input")) field.value = "";
        e.currentTarget.before(pair);
        pair.querySelector("input").focus();
      });
      this.onLeave = (e) => this.stop && e.preventDefault();
      addEventListener("beforeunload", this.onLeave);
    }

    disconnectedCallback() {
      removeEventListener("beforeunload", this.onLeave);
      this.stop?.abort();
    }

    fault(text) {
      this.querySelector(".notice")?.remove();
      this.insertAdjacentHTML("beforeend", `<p class="notice err" role="alert">${esc(text)}</p>`);
    }

    async deal(form) {
      const data = new FormData(form);
      const weights = data.getAll("weight");
      const splits = data.getAll("name").map((name, i) => ({ name: name.trim(), weight: Number(weights[i]) })).filter((s) => s.name && s.weight > 0);
      if (!splits.length) return this.fault("Name at least one split and give it a weight above zero.");
      const all = Number(this.dataset.count);
      const panel = document.createElement("div");
      panel.className = "card imp";
      panel.innerHTML = `<b>Assigning splits</b><progress max="${all}" value="0" aria-label="Assigning splits"></progress><div class="row"><span class="mut" role="status" data-said>Starting…</span><button class="btn sm" type="button" data-cancel>Cancel</button></div>`;
      this.querySelector(".notice")?.remove();
      form.hidden = true;
      this.append(panel);
      this.stop = new AbortController();
      panel.querySelector("[data-cancel]").onclick = () => this.stop.abort();
      const said = panel.querySelector("[data-said]");
      const n = (v) => v.toLocaleString("en");
      try {
        const answer = await ask(`/ui/data/${this.dataset.dataset}/splits`, { method: "POST", headers: { "content-type": "application/json" }, body: `{"splits":${JSON.stringify(splits)},"seed":${data.get("seed")}}`, signal: this.stop.signal });
        let end;
        let rest = "";
        for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
          const lines = (rest + part).split("\n");
          rest = lines.pop();
          for (const line of lines.map((l) => JSON.parse(l))) {
            if (line.done === undefined) end = line;
            else {
              panel.querySelector("progress").value = line.done;
              said.textContent = line.done < all ? `${n(line.done)} of ${n(all)} examples` : "Publishing the new version…";
            }
          }
        }
        if (!end) throw new Error("The server stopped before it was done. Nothing was changed.");
        if (end.problem) throw new Error(end.problem);
        this.stop = undefined;
        location.href = `/data/${this.dataset.dataset}?tab=splits&done=${end.moved}`;
      } catch (e) {
        this.stop = undefined;
        panel.remove();
        form.hidden = false;
        this.fault(e.name === "AbortError" ? "Cancelled. Nothing was changed." : e instanceof TypeError ? "The server cannot be reached." : e.message);
      }
    }
  },
);
