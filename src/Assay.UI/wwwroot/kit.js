// Small things every screen shares. No framework, no build.
export const icon = (name, more = "") => `<svg class="i ${more}" aria-hidden="true"><use href="/_content/Assay.UI/icons.svg#${name}"></use></svg>`;

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const esc = (text) => String(text).replace(/[&<>"']/g, (c) => entities[c]);

export const duration = (us) =>
  us < 0 ? "–" : us === 0 ? "0ms" : us < 1e3 ? `${Math.round(us)}µs` : us < 1e6 ? `${Math.round(us / 1e3)}ms` : us < 6e7 ? `${(us / 1e6).toFixed(2)}s` : us < 3.6e9 ? `${Math.floor(us / 6e7)}m ${Math.floor((us % 6e7) / 1e6)}s` : `${Math.floor(us / 3.6e9)}h ${Math.floor((us % 3.6e9) / 6e7)}m`;
export const count = (n) => (n < 1e3 ? String(n) : n < 1e6 ? `${(n / 1e3).toFixed(1)}K` : `${(n / 1e6).toFixed(1)}M`);
export const money = (nano) => (nano === 0 ? "–" : nano >= 1e9 ? `$${(nano / 1e9).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}` : nano < 1e3 ? "<$0.000001" : `$${(+(nano / 1e9).toPrecision(nano < 1e6 ? 2 : 3)).toFixed(9).replace(/0+$/, "")}`);
export const bytes = (n) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KB` : n < 1 << 30 ? `${(n / (1 << 20)).toFixed(1)} MB` : `${(n / (1 << 30)).toFixed(2)} GB`);

/** A design token as a colour that canvas understands, in the theme of now. */
export function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Times in the reader's own zone. */
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(+date)) continue;
    const isToday = date.toDateString() === new Date().toDateString();
    time.textContent = date.toLocaleString(undefined, isToday ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    time.title = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
}

export const guid = (hex) => `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
export const isTyping = (target) => !!target?.closest?.("input, textarea, select, [contenteditable]");

/** Says something for a moment, to eyes and to screen readers. */
export function toast(text, isError = false) {
  let box = document.getElementById("toasts");
  if (!box) {
    box = document.createElement("div");
    box.id = "toasts";
    box.setAttribute("role", "status");
    document.body.append(box);
  }
  const item = document.createElement("div");
  item.className = isError ? "toast err" : "toast";
  item.textContent = text;
  box.append(item);
  setTimeout(() => item.remove(), isError ? 8000 : 3000);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser did not allow copying", true);
  }
}

/** Fetches, and turns every failure into words. */
export async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Error("The server cannot be reached.");
  }
  if (response.ok) return response;
  let detail = "";
  try {
    detail = (await response.json()).detail;
  } catch {
    // No JSON: the status has to do.
  }
  throw Object.assign(new Error(typeof detail === "string" && detail ? detail : `The server answered ${response.status}.`), { status: response.status });
}

/** Asks before something that cannot be undone. */
export function confirmDialog(title, text, action = "Delete") {
  return new Promise((done) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dlg";
    dialog.setAttribute("aria-label", title);
    dialog.innerHTML = `<form method="dialog"><h2>${esc(title)}</h2><p>${esc(text)}</p><div class="row end"><button class="btn" value="no">Cancel</button><button class="btn danger" value="yes">${esc(action)}</button></div></form>`;
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      done(dialog.returnValue === "yes");
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** Puts an open menu beside its button. */
export function place(menu) {
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  const at = button.getBoundingClientRect();
  const up = at.bottom + menu.offsetHeight + 8 > innerHeight && at.top > innerHeight - at.bottom;
  menu.style.top = `${up ? Math.max(8, at.top - menu.offsetHeight - 4) : at.bottom + 4}px`;
  menu.style.left = `${Math.max(8, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
}
