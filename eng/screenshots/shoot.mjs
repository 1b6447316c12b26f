// Screenshots for README and docs, from the sample data: node eng/screenshots/shoot.mjs [--out DIR] [--only NAME] [--url URL --link LOGIN_LINK]
// Needs a built server, Chromium (CHROMIUM or /usr/bin/chromium) and `npm install` in this folder.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: { out: { type: "string", default: "docs/images" }, only: { type: "string" }, url: { type: "string" }, link: { type: "string" }, config: { type: "string", default: "debug" }, all: { type: "boolean", default: false } },
});
const top = resolve(import.meta.dirname, "../..");

async function startServer() {
  const data = mkdtempSync(join(tmpdir(), "assay-shots-"));
  const server = spawn("dotnet", [join(top, `artifacts/bin/Assay.Server/${options.config}/assay-server.dll`), "--data", data, "--urls", "http://127.0.0.1:0"], { env: { ...process.env, ASSAY_API_KEY: "sample-key-for-screenshots" } });
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
  return { link, url: new URL(link).origin, stop: () => (server.kill(), rmSync(data, { recursive: true, force: true })) };
}

const server = options.url ? { url: options.url, link: options.link, stop() {} } : await startServer();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"] });
const problems = [];
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("pageerror", (e) => problems.push(`${page.url()}: ${e}`));
  page.on("console", (m) => m.type() === "error" && problems.push(`${page.url()}: ${m.text()} ${m.location().url}`));
  await page.goto(server.link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/link"));
  const project = await page.evaluate(async () => (await (await fetch("/ui/samples", { method: "POST" })).json()).project);
  const runs = await page.evaluate(
    async (project) => {
      const found = {};
      for (const name of ["support-agent", "rag-answer", "damage-check", "market-research-agent", "chat-turn", "invoice-extractor"]) {
        const answer = await fetch("/api/v1/runs/query", { method: "POST", body: JSON.stringify({ session: [project], filter: `eq(name, "${name}")`, is_root: true, limit: 20 }) });
        found[name] = (await answer.json()).runs;
      }
      return found;
    },
    project,
  );
  const agent = runs["support-agent"].find((r) => r.status === "success") ?? runs["support-agent"][0];
  const broken = runs["support-agent"].find((r) => r.status === "error");
  const llmOf = (trace, name = "ChatOpenAI") =>
    page.evaluate(async ([trace, name]) => {
      const answer = await fetch("/api/v1/runs/query", { method: "POST", body: JSON.stringify({ trace, run_type: "llm", limit: 50 }) });
      const all = (await answer.json()).runs.filter((r) => r.name === name).sort((a, b) => a.start_time.localeCompare(b.start_time));
      return all[0]?.id;
    }, [trace, name]);
  const ready = () => page.waitForSelector("trace-view[data-ready] .detail .dh", { timeout: 15000 });
  const shots = {
    trace: async () => {
      await page.goto(`${server.url}/t/${agent.id}?run=${await llmOf(agent.id)}`);
      await ready();
    },
    "trace-error": async () => {
      await page.goto(`${server.url}/t/${broken.id}`);
      await ready();
      await page.keyboard.press("e");
      await page.waitForTimeout(400);
    },
    "trace-image": async () => {
      await page.goto(`${server.url}/t/${runs["damage-check"][0].id}?run=${await llmOf(runs["damage-check"][0].id)}`);
      await ready();
      await page.waitForTimeout(300);
    },
    "trace-long": async () => {
      await page.goto(`${server.url}/t/${runs["market-research-agent"][0].id}`);
      await ready();
      await page.keyboard.press("e");
      await page.keyboard.press("p");
      await page.waitForTimeout(400);
    },
    "trace-conversation": async () => {
      await page.goto(`${server.url}/t/${agent.id}?view=chat`);
      await ready();
      await page.waitForSelector(".chat .msg");
    },
    "trace-timeline": async () => {
      await page.goto(`${server.url}/t/${agent.id}?view=time`);
      await ready();
      await page.waitForTimeout(300);
    },
    "trace-feedback": async () => {
      await page.goto(`${server.url}/t/${agent.id}`);
      await ready();
      await page.click("[data-tab=feedback]");
    },
    "trace-retriever": async () => {
      await page.goto(`${server.url}/t/${runs["rag-answer"][0].id}`);
      await ready();
      for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowDown");
      await page.waitForTimeout(500);
    },
    projects: () => page.goto(`${server.url}/`),
    runs: async () => {
      await page.goto(`${server.url}/projects/${project}`);
      await page.waitForTimeout(600);
    },
    "runs-panel": async () => {
      await page.goto(`${server.url}/projects/${project}`);
      await page.locator("a[data-row]").nth(3).click();
      await ready();
    },
    threads: () => page.goto(`${server.url}/projects/${project}?tab=threads`),
    thread: () => page.goto(`${server.url}/projects/${project}/threads/chat-7310`),
    compare: async () => {
      const [a, b] = runs["support-agent"].filter((r) => r.status === "success");
      await page.goto(`${server.url}/compare?a=${a.id}&b=${b.id}`);
      await page.waitForTimeout(800);
    },
    start: () => page.goto(`${server.url}/start`),
    storage: () => page.goto(`${server.url}/manage/storage`),
    retention: () => page.goto(`${server.url}/manage/retention`),
    palette: async () => {
      await page.goto(`${server.url}/`);
      await page.keyboard.press("Control+k");
      await page.waitForTimeout(300);
    },
    keys: async () => {
      await page.goto(`${server.url}/`);
      await page.keyboard.press("?");
    },
  };
  mkdirSync(resolve(top, options.out), { recursive: true });
  const names = options.only ? options.only.split(",") : options.all ? Object.keys(shots) : ["trace", "runs", "trace-timeline", "compare", "projects"];
  for (const name of names)
    for (const theme of ["light", "dark"])
      for (const [width, height, mark] of options.all ? [[1440, 900, ""], [390, 844, "-phone"]] : [[1440, 900, ""]]) {
        await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
        await page.setViewportSize({ width, height });
        try {
          await shots[name]();
          await page.waitForTimeout(150);
        } catch (e) {
          problems.push(`${name} ${theme}${mark}: ${e.message.split("\n")[0]}`);
        }
        await page.screenshot({ path: resolve(top, options.out, `${name}-${theme}${mark}.png`) });
      }
} finally {
  await browser.close();
  server.stop();
}
for (const p of problems) console.error(p);
process.exitCode = problems.length ? 1 : 0;
