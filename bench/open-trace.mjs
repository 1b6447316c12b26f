// How long a trace takes to open, in the browser's own marks, and what it costs the server.
//   node bench/open-trace.mjs [--runs 10000] [--times 15] [--warm 10] [--open 20] [--detail]
// "rows on screen" is the frame after the one in which a row was in the document; with --detail every request of the last three openings.
// Needs the server built for Release, Chromium (CHROMIUM or /usr/bin/chromium) and `npm install` in eng/screenshots.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "../eng/screenshots/node_modules/playwright-core/index.mjs";

const { values: o } = parseArgs({ options: { runs: { type: "string", default: "10000" }, times: { type: "string", default: "15" }, warm: { type: "string", default: "10" }, open: { type: "string", default: "20" }, config: { type: "string", default: "release" }, detail: { type: "boolean" } } });
const [runs, times, open] = [+o.runs, +o.times, +o.open];
const key = "bench-key-0123456789abcdef";
const top = resolve(import.meta.dirname, "..");
const data = mkdtempSync(join(tmpdir(), "assay-open-"));
const server = spawn("dotnet", [join(top, `artifacts/bin/Assay.Server/${o.config}/assay-server.dll`), "--data", data, "--urls", "http://127.0.0.1:0"], { env: { ...process.env, ASSAY_API_KEY: key } });
let text = "";
server.stderr.on("data", (d) => process.stderr.write(d));
const link = await new Promise((done, fail) => {
  server.stdout.on("data", (d) => {
    text += d;
    const found = /Open\s+(\S+)/.exec(text);
    if (found && /LANGSMITH_ENDPOINT=\S+/.test(text)) done(found[1]);
  });
  server.on("exit", () => fail(new Error(`The server did not start:\n${text}`)));
});
const url = new URL(link).origin;
const ask = async (path, init) => {
  const answer = await fetch(url + path, { ...init, headers: { "x-api-key": key, "content-type": "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
};
const resident = () => +/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1] * 1024;

// One agent, steps of 19 children; every fifth leaf is a model call.
const start = Date.now() - 900_000;
const stamp = (ms) => new Date(start + ms).toISOString().replace(/[-:]/g, "").replace(/\.(\d{3})Z/, ".$1000Z").replace(".", "");
const uuid = () => {
  const b = randomBytes(16);
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const h = b.toString("hex");
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
};
const root = uuid();
let batch = [];
const flush = async () => {
  if (batch.length) await ask("/runs/batch", { method: "POST", body: JSON.stringify({ post: batch, patch: [] }) });
  batch = [];
};
let parent = null;
for (let i = 0; i < runs; i++) {
  const isStep = i % 20 === 1;
  const id = i ? uuid() : root;
  const order = `${stamp(i)}${id}`;
  const above = i === 0 ? null : isStep ? { id: root, order: `${stamp(0)}${root}` } : (parent ?? { id: root, order: `${stamp(0)}${root}` });
  const run = { id, trace_id: root, dotted_order: above ? `${above.order}.${order}` : order, parent_run_id: above?.id, session_name: "open-trace", name: i === 0 ? "agent" : isStep ? "step" : i % 5 ? "tool" : "ChatOpenAI", run_type: i === 0 || isStep ? "chain" : i % 5 ? "tool" : "llm", start_time: new Date(start + i).toISOString(), end_time: new Date(start + i + (i === 0 ? runs : 12)).toISOString(), inputs: { text: `input ${i}` }, outputs: { text: `output ${i}` } };
  if (isStep) parent = { id, order: run.dotted_order };
  batch.push(run);
  if (batch.length === 1000) await flush();
}
await flush();
while (!(await fetch(`${url}/api/v1/runs/${root}`, { headers: { "x-api-key": key } })).ok) await new Promise((r) => setTimeout(r, 200));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"] });
try {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  // When rows have come on screen: the frame after the one that has them in the document.
  await page.addInitScript(() => {
    const look = () => (document.querySelector(".tn") ? requestAnimationFrame(() => setTimeout(() => performance.mark("rows-painted"))) : requestAnimationFrame(look));
    requestAnimationFrame(look);
  });
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((u) => !u.pathname.startsWith("/auth/link"));
  const rounds = [];
  // A server that has just started compiles what it does first; those openings are not counted.
  for (let i = -o.warm; i < times; i++) {
    await page.goto("about:blank");
    await page.goto(`${url}/t/${root}`);
    await page.waitForSelector("trace-view[data-ready]", { timeout: 60000 });
    const round = await page.evaluate(() => {
      const [nav] = performance.getEntriesByType("navigation");
      const rows = performance.getEntriesByType("resource").filter((r) => /\/rows($|\?)/.test(r.name));
      return { page: nav.responseEnd, painted: performance.getEntriesByName("rows-painted")[0].startTime, asked: rows[0].requestStart, rows: rows.at(-1).responseEnd, ready: performance.getEntriesByName("trace-ready")[0].startTime, bytes: rows[0].encodedBodySize, reads: rows.length, elements: document.querySelectorAll("*").length, paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime, all: [nav, ...performance.getEntriesByType("resource"), ...performance.getEntriesByType("mark")].map((r) => [r.startTime, r.requestStart, r.responseStart, r.responseEnd, r.transferSize, r.name.slice(0, 90)]).sort((x, y) => x[0] - y[0]), dcl: nav.domContentLoadedEventEnd };
    });
    if (i >= 0) rounds.push(round);
  }
  const show = (name) => {
    const sorted = rounds.map((r) => r[name]).sort((a, b) => a - b);
    return `${Math.round(sorted[sorted.length >> 1])} (${Math.round(sorted[0])} – ${Math.round(sorted.at(-1))})`;
  };
  console.log(`runs ${runs}, openings ${times}, milliseconds: median (least – most)`);
  for (const [name, label] of [["page", "page read"], ["paint", "first paint"], ["painted", "rows on screen"], ["asked", "rows asked for"], ["rows", "rows read"], ["ready", "trace-ready"]]) console.log(`  ${label.padEnd(16)} ${show(name)}`);
  if (o.detail) for (const r of rounds.slice(-3)) { console.log("paint", r.paint, "dcl", r.dcl); for (const line of r.all) console.log(line.slice(0, 5).map((x) => String(Math.round(x)).padStart(7)).join(" "), line[5]); }
  console.log(`  bytes of rows ${rounds[0].bytes.toLocaleString("en")}, reads per opening ${rounds[0].reads}, elements ${rounds[0].elements}`);

  // The server alone: the same rows again, then held open as browsers hold them.
  const took = [];
  for (let i = 0; i < 9; i++) {
    const from = performance.now();
    await (await ask(`/ui/traces/${root}/rows`, { headers: {} })).arrayBuffer();
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  console.log(`  server alone, rows: ${Math.round(took[4])} (${Math.round(took[0])} – ${Math.round(took.at(-1))})`);
  // A list of the same runs, sorted by what no index has.
  const [{ id: project }] = await (await ask("/api/v1/sessions?name=open-trace")).json();
  for (const sort of ["start", "latency", "input", "output", "tags", "feedback.quality"]) {
    const took = [];
    for (let i = 0; i < 5; i++) {
      const from = performance.now();
      await (await ask(`/ui/projects/${project}/rows?tab=runs&range=all&sort=${sort}`)).arrayBuffer();
      took.push(performance.now() - from);
    }
    took.sort((a, b) => a - b);
    console.log(`  first rows by ${sort.padEnd(16)} ${Math.round(took[2])} (${Math.round(took[0])} – ${Math.round(took[4])})`);
  }
  const hold = async () => {
    const streams = [];
    for (let i = 0; i < open; i++) {
      await (await ask(`/t/${root}`)).arrayBuffer();
      await (await ask(`/ui/traces/${root}/rows`)).arrayBuffer();
      streams.push(await ask(`/ui/traces/${root}/events`));
    }
    return streams;
  };
  const drop = (streams) => Promise.all(streams.map((s) => s.body.cancel()));
  await drop(await hold());
  const before = resident();
  const held = await hold();
  console.log(`  server memory per open trace, ${open} open: ${((resident() - before) / open / 1e6).toFixed(2)} MB of ${(resident() / 1e6).toFixed(0)} MB resident`);
  await drop(held);
} finally {
  await browser.close();
  server.kill();
  rmSync(data, { recursive: true, force: true });
}
process.exit(0);
