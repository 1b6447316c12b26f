// Screenshots of the screens with the sample data.
//   node eng/screenshots/shoot.mjs                    the pictures of README and docs, into docs/images
//   node eng/screenshots/shoot.mjs --all --out DIR    every screen, light and dark, on a desk and on a phone; --only NAME,NAME for some,
//                                                    --mix for light on the desk and dark on the phone alone
//   --url URL --link LOGIN_LINK                       a running server instead of one of its own
//   --state FILE                                     keeps what was made and the sign-in, for the next portion on the same --url
// Needs a built server, Chromium (CHROMIUM or /usr/bin/chromium) and `npm install` in this folder.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import * as seed from "./seed.mjs";

const { values: options } = parseArgs({
  options: { out: { type: "string", default: "docs/images" }, only: { type: "string" }, url: { type: "string" }, link: { type: "string" }, state: { type: "string" }, config: { type: "string", default: "debug" }, all: { type: "boolean", default: false }, mix: { type: "boolean", default: false } },
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
  const kept = options.state && existsSync(options.state) ? JSON.parse(readFileSync(options.state, "utf8")) : undefined;
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", storageState: kept?.storage });
  const page = await context.newPage();
  page.on("pageerror", (e) => problems.push(`${page.url()}: ${e}`));
  page.on("console", (m) => m.type() === "error" && problems.push(`${page.url()}: ${m.text()} ${m.location().url}`));
  if (!kept) {
    await page.goto(server.link);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/auth/link"));
  } else await page.goto(server.url);
  const project = kept?.project ?? await page.evaluate(async () => (await (await fetch("/ui/samples", { method: "POST" })).json()).project);
  const runs = kept?.runs ?? await page.evaluate(
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
  const api = (method, path, body) =>
    page.evaluate(async ([method, path, body]) => {
      const answer = await fetch(path, { method, body: body && JSON.stringify(body), headers: { "content-type": "application/json" } });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    }, [method, path, body]);
  const asKey = async (method, path, body) => {
    const answer = await fetch(server.url + path, { method, body: body && JSON.stringify(body), headers: { "content-type": "application/json", "x-api-key": "sample-key-for-screenshots" } });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const wants = (names) => !options.only || options.only.split(",").some((n) => names.test(n));
  // Only what the pictures of README leave out needs more than the sample data.
  const more = kept?.more ?? {};
  const raw = (method, path, body) =>
    page.evaluate(async ([method, path, body]) => {
      const answer = await fetch(path, { method, body, headers: { "content-type": method === "PUT" ? "text/plain" : "application/json" } });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.text();
    }, [method, path, body]);
  const post = (path, body) => raw("POST", path, JSON.stringify(body));
  /** A second member, invited and joined, in a profile of their own. */
  const colleague = async () => {
    await page.goto(`${server.url}/settings/members`);
    await page.getByLabel("E-mail").fill("colleague@example.org");
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = await page.locator("#new-link").innerText();
    const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    await other.goto(server.url + new URL(link).pathname);
    await other.getByLabel("Name").fill(`Wolfeschlegelsteinhausenbergerdorff ${"Hubert ".repeat(7)}`.slice(0, 90));
    await other.getByLabel("Password").fill("correct horse battery");
    await other.getByRole("button", { name: "Join" }).click();
    await other.waitForURL((url) => !url.pathname.startsWith("/invite"));
    return other;
  };
  const reviewed = async (who, queue, keys) => {
    await who.goto(`${server.url}/queues/${queue}/review`);
    for (const key of keys) {
      const item = await who.locator("article.rv").getAttribute("data-item");
      await who.keyboard.press(key);
      await who.keyboard.press("Enter");
      await who.waitForSelector(`article.rv[data-item='${item}']`, { state: "detached" });
    }
  };
  if (options.all && !kept) {
    const makes = {
      async data() {
        more.data = await seed.dataset(api);
        more.token = (await api("PUT", `/datasets/${more.data?.id}/share`)).share_token;
      },
      queue: async () => (more.queue = await seed.queue(api, runs["rag-answer"].map((r) => r.id))),
      async ugly() {
        more.ugly = await seed.ugly(api);
        more.uglyProject = (await api("GET", `/api/v1/sessions?name=${encodeURIComponent(more.ugly.project)}`))[0].id;
        more.uglyPublic = new URL((await api("POST", `/ui/traces/${more.ugly.trace}/share`)).url).pathname;
      },
      async uglyData() {
        more.uglyData = await seed.uglyData(api);
        more.uglyToken = (await api("PUT", `/datasets/${more.uglyData.id}/share`)).share_token;
      },
      async reports() {
        more.report = await seed.report(api, project);
        more.uglyReport = await seed.report(api, more.uglyProject);
      },
      prompts: async () => (more.hub = await seed.hub(api, asKey)),
      evaluators: async () => (more.evaluators = await seed.evaluators(api, post, runs["rag-answer"].concat(runs["support-agent"], runs["chat-turn"]).map((r) => r.id), project)),
      jobs: async () => (more.jobs = await seed.jobs(api, more.data.id, more.evaluators)),
      tracking: () => seed.tracking(api, (path, text) => raw("PUT", path, text), more.data?.experiments),
      twice: async () => (more.twice = await seed.twice(api, runs["rag-answer"].concat(runs["support-agent"]).map((r) => r.id), more.data.id)),
      shared: async () => (more.public = new URL((await api("POST", `/ui/traces/${agent.id}/share`)).url).pathname),
      async reviews() {
        await reviewed(page, more.twice.id, ["1", "1", "2", "1", "2"]);
        const other = await colleague();
        await reviewed(other, more.twice.id, ["1", "2", "2", "1", "1"]);
        await other.context().close();
      },
    };
    for (const [name, make] of Object.entries(makes)) {
      try {
        await make();
      } catch (e) {
        problems.push(`seed ${name}: ${e.message}`);
      }
    }
  }
  if (options.state && !kept) writeFileSync(options.state, JSON.stringify({ storage: await context.storageState(), project, runs, more }));
  const at = (path, wait) => async () => {
    await page.goto(path.startsWith("http") ? path : server.url + path);
    if (wait) await page.waitForSelector(wait, { timeout: 15000 });
    await page.waitForTimeout(300);
  };
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
      await page.goto(`${server.url}/compare?a=${agent.id}&b=${broken.id}`);
      await page.waitForSelector("trace-compare[data-ready] .cheads");
      await page.keyboard.press("n");
      await page.keyboard.press("n");
      await page.waitForTimeout(500);
    },
    prices: () => page.goto(`${server.url}/settings/prices?new=1`),
    start: () => page.goto(`${server.url}/start`),
    storage: () => page.goto(`${server.url}/manage/storage`),
    retention: () => page.goto(`${server.url}/manage/retention`),
    ...(!options.all
      ? {}
      : {
          "ugly-projects": at("/", ".vt .tr"),
          "ugly-runs": at(`/projects/${more.uglyProject}?tab=runs`, "run-grid .tr"),
          "ugly-trace": at(`/t/${more.ugly?.trace}`, "trace-view[data-ready] .detail .dh"),
          "ugly-chat": at(`/t/${more.ugly?.trace}?view=chat`, "[data-pane=chat] .msg"),
          "runs-llm": at(`/projects/${project}?tab=llm&sort=output`, "run-grid .tr"),
          "runs-none": at(`/projects/${project}?q=name:nothing-like-this`, ".empty"),
          "runs-wrong": at(`/projects/${project}?q=status:error+latency>soon`, ".qp"),
          views: async () => {
            await at(`/projects/${project}?q=status:error`)();
            await page.click("[popovertarget=views]");
            await page.waitForTimeout(300);
          },
          facets: async () => {
            await at(`/projects/${project}`)();
            await page.click("[data-facets]");
            await page.waitForTimeout(500);
          },
          insights: at(`/projects/${project}/insights`, ".list"),
          "insights-none": at(`/projects/${more.uglyProject}/insights?page=9`, "main"),
          "insights-new": async () => {
            await at(`/projects/${project}/insights`, "html[data-insights]")();
            await page.click("[data-new-report]");
            await page.waitForSelector(".est b");
          },
          report: at(`/projects/${project}/insights/${more.report?.id}`, ".clusters"),
          "report-runs": at(`/projects/${project}/insights/${more.report?.id}?cluster=${more.report?.clusters[0].id}#runs`, ".iruns"),
          "ugly-report": at(`/projects/${more.uglyProject}/insights/${more.uglyReport?.id}`, "insights-view .card"),
          "trace-gone": at("/t/00000000-0000-4000-8000-000000000000", ".empty"),
          "trace-raw": at(`/t/${agent.id}?view=raw`, "[data-pane=raw] json-view"),
          "compare-empty": at("/compare", ".cform"),
          datasets: at("/data", ".vt .tr, .list"),
          dataset: at(`/data/${more.data?.id}`, "data-grid .tr"),
          example: at(`/data/${more.data?.id}/examples/${more.data?.example}`),
          "dataset-import": at(`/data/${more.data?.id}?tab=import`),
          "dataset-versions": at(`/data/${more.data?.id}?tab=versions`),
          "dataset-settings": at(`/data/${more.data?.id}?tab=settings`),
          experiments: at(`/data/${more.data?.id}?tab=experiments`, "experiment-grid .tr"),
          experiment: at(`/data/${more.data?.id}/experiments/${more.data?.experiments[1]}`, "result-grid .tr"),
          "experiments-compared": at(`/data/${more.data?.id}/compare?selectedSessions=${more.data?.experiments.join(",")}`, "result-grid .tr"),
          queues: at("/queues"),
          queue: at(`/queues/${more.queue}`),
          review: at(`/queues/${more.queue}/review`, "article.rv"),
          "queue-new": at("/queues/new"),
          agreement: at(`/queues/${more.queue}/agreement`),
          "ugly-threads": at(`/projects/${more.uglyProject}?tab=threads`, ".vt .tr"),
          "ugly-thread": at(`/projects/${more.uglyProject}/threads/${encodeURIComponent(`thread-${"t".repeat(200)}`)}`),
          "ugly-panel": at(`/projects/${more.uglyProject}?trace=${more.ugly?.trace}`, "dialog.panel trace-view[data-ready] .dh"),
          "ugly-compare": at(`/compare?a=${more.ugly?.trace}&b=${agent.id}`, "trace-compare[data-ready] .cheads"),
          "ugly-datasets": at("/data", ".vt .tr, .list"),
          "ugly-dataset": at(`/data/${more.uglyData?.id}`, "data-grid .tr"),
          "ugly-example": at(`/data/${more.uglyData?.id}/examples/${more.uglyData?.example}`),
          "ugly-bare": at(`/data/${more.uglyData?.id}/examples/${more.uglyData?.bare}`),
          "ugly-splits": at(`/data/${more.uglyData?.id}?tab=splits`),
          "ugly-experiments": at(`/data/${more.uglyData?.id}?tab=experiments`, "experiment-grid .tr"),
          "ugly-experiment": at(`/data/${more.uglyData?.id}/experiments/${more.uglyData?.experiments[0]}`, "result-grid .tr"),
          "ugly-compared": at(`/data/${more.uglyData?.id}/compare?selectedSessions=${more.uglyData?.experiments.join(",")}`, "result-grid .tr"),
          "example-new": at(`/data/${more.data?.id}/examples/new`),
          "dataset-splits": at(`/data/${more.data?.id}?tab=splits`),
          "dataset-schema": at(`/data/${more.data?.id}?tab=schema`),
          "dataset-export": at(`/data/${more.data?.id}?tab=export`),
          "dataset-gone": at("/data/00000000-0000-4000-8000-000000000000", ".empty"),
          "experiment-row": async () => {
            await at(`/data/${more.data?.id}/compare?selectedSessions=${more.data?.experiments.join(",")}`, "result-grid .tr")();
            await page.locator("result-grid .tr .in").first().click();
            await page.waitForSelector(".rowd");
            await page.waitForTimeout(300);
          },
          evaluate: async () => {
            await at(`/data/${more.data?.id}/experiments/${more.data?.experiments[1]}`, "result-grid .tr")();
            await page.getByRole("button", { name: "Evaluate" }).click();
            await page.waitForTimeout(500);
          },
          "evaluate-end": async () => {
            await shots.evaluate();
            await page.evaluate(() => document.querySelectorAll("dialog[open], dialog[open] *").forEach((e) => (e.scrollTop = 1e6)));
          },
          tracked: async () => {
            await at(`/data/${more.data?.id}/compare?selectedSessions=${more.data?.experiments.join(",")}`, "result-grid .tr")();
            await page.locator(".trk").scrollIntoViewIfNeeded();
            await page.waitForTimeout(200);
          },
          prompts: at("/prompts", ".vt .tr, .empty"),
          ...Object.fromEntries(["prompt", "commits", "compare", "tags", "comments", "use", "edit", "settings"].flatMap((tab) => [[`prompt-${tab}`, at(`/prompts/${more.hub?.name}?tab=${tab}`)], [`ugly-prompt-${tab}`, at(`/prompts/${more.hub?.ugly}?tab=${tab}`)]])),
          "prompt-commit": at(`/prompts/${more.hub?.name}/${more.hub?.hash}`),
          "prompt-bare": at("/prompts/no-commit-yet"),
          "prompt-gone": at("/prompts/nobody", ".empty"),
          "prompt-new": async () => {
            await at("/prompts")();
            await page.getByRole("button", { name: "New prompt" }).first().click();
            await page.waitForTimeout(200);
          },
          "prompt-fork": async () => {
            await at(`/prompts/${more.hub?.name}`)();
            await page.getByRole("button", { name: "Fork" }).first().click();
            await page.waitForTimeout(200);
          },
          evaluators: at("/evaluators"),
          "evaluator-library": at("/evaluators/new", ".ev-cards"),
          "evaluator-new": at("/evaluators/new?judge=tone", ".ev-map input"),
          "evaluator-built-in": at("/evaluators/new?builtin=regex_match", "evaluator-editor .btn.pri"),
          evaluator: at(`/evaluators/${more.evaluators?.judge}`, "evaluator-editor .btn.pri"),
          "evaluator-end": async () => {
            await shots.evaluator();
            await page.waitForTimeout(500);
            await page.evaluate(() => document.querySelectorAll("main, main *").forEach((e) => (e.scrollTop = 1e6)));
          },
          "evaluator-versions": at(`/evaluators/${more.evaluators?.judge}/versions`),
          calibration: at(`/evaluators/${more.evaluators?.judge}/calibration`),
          "calibration-end": async () => {
            await shots.calibration();
            await page.evaluate(() => document.querySelectorAll("main, main *").forEach((e) => (e.scrollTop = 700)));
          },
          "calibration-none": at(`/evaluators/${more.evaluators?.ugly}/calibration`),
          "evaluator-delete": at(`/evaluators?delete=${more.evaluators?.judge}`),
          "ugly-evaluator": at(`/evaluators/${more.evaluators?.ugly}`, "evaluator-editor .btn.pri"),
          "evaluator-gone": at("/evaluators/00000000-0000-4000-8000-000000000000", ".empty"),
          jobs: at("/jobs"),
          job: at(`/jobs/${more.jobs?.good}`, "job-view"),
          "job-failed": at(`/jobs/${more.jobs?.bad}`, "job-view"),
          "job-running": at(`/jobs/${more.jobs?.slow}`, "job-view"),
          "job-gone": at("/jobs/00000000-0000-4000-8000-000000000000", ".empty"),
          "review-two": at(`/queues/${more.twice?.id}/review`, "article.rv, .empty"),
          "review-pair": at(`/queues/${more.twice?.pairs}/review`, "article.rv, .empty"),
          "review-ugly": at(`/queues/${more.twice?.ugly}/review`, "article.rv, .empty"),
          "queue-two": at(`/queues/${more.twice?.id}`),
          "queue-ugly": at(`/queues/${more.twice?.ugly}`),
          "queue-settings": at(`/queues/${more.twice?.id}/settings`),
          "queue-ugly-settings": at(`/queues/${more.twice?.ugly}/settings`),
          "queue-item": async () => {
            await at(`/queues/${more.twice?.id}/agreement`)();
            await page.locator("main table a").last().click();
            await page.waitForTimeout(500);
          },
          "queue-gone": at("/queues/00000000-0000-4000-8000-000000000000", ".empty"),
          "agreement-two": at(`/queues/${more.twice?.id}/agreement`),
          "agreement-end": async () => {
            await shots["agreement-two"]();
            await page.evaluate(() => document.querySelectorAll("main, main *").forEach((e) => (e.scrollTop = 1e6)));
          },
          playground: at("/playground", "main textarea"),
          "playground-prompt": at(`/playground?prompt=${more.hub?.name}`, "main textarea"),
          "playground-run": async () => {
            await at(`/playground?run=${await llmOf(agent.id)}`, "main textarea")();
          },
          "playground-answer": async () => {
            await at(`/playground?prompt=${more.hub?.name}`, "main textarea")();
            await page.keyboard.press("Control+Enter");
            await page.waitForTimeout(2500);
          },
          "playground-dataset": async () => {
            await at(`/playground?dataset=${more.data?.id}`, "main textarea")();
            await page.getByRole("button", { name: "Run on a dataset" }).first().click();
            await page.waitForTimeout(700);
          },
          "playground-ugly": at(`/playground?prompt=${more.hub?.ugly}`, "main textarea"),
          "playground-wrong": at("/playground?prompt=nobody", "main textarea"),
          "provider-test": at("/settings/providers?test=5173a7ed-0000-4000-8000-000000000001"),
          "public-experiment": at(`/public/${more.token}/d/experiments/${more.data?.experiments[0]}`),
          "public-compare": at(`/public/${more.token}/d/compare?selectedSessions=${more.data?.experiments.join(",")}`),
          "public-ugly-dataset": at(`/public/${more.uglyToken}/d`),
          "public-ugly-experiment": at(`/public/${more.uglyToken}/d/experiments/${more.uglyData?.experiments[0]}`),
          "public-ugly-trace": at(more.uglyPublic ?? "/"),
          "public-gone": at("/public/00000000-0000-4000-8000-000000000000/d"),
          denied: at("/denied"),
          invite: at("/invite/nothing-like-this"),
          providers: at("/settings/providers"),
          ...(more.hub
            ? {
                prompts: at("/prompts", ".vt .tr"),
                "prompts-none": at("/prompts?q=nothing-like-this", ".empty"),
                prompt: at(`/prompts/${more.hub.name}`, ".msg"),
                "prompt-empty": at("/prompts/nothing-yet", ".empty"),
                "prompt-gone": at("/prompts/nobody", ".empty"),
                "prompt-edit": at(`/prompts/${more.hub.name}?tab=edit`, ".pe-msg"),
                "prompt-commits": at(`/prompts/${more.hub.name}?tab=commits`, ".pcommits"),
                "prompt-compare": at(`/prompts/${more.hub.name}?tab=compare`, ".pdiff"),
                "prompt-words": at(`/prompts/${more.hub.name}?tab=compare&view=words`, ".wd"),
                "prompt-tags": at(`/prompts/${more.hub.name}?tab=tags`, ".penv"),
                "prompt-tags-try": at(`/prompts/${more.hub.name}?tab=tags&try=staging`, ".pform"),
                "prompt-tags-move": at(`/prompts/${more.hub.name}?tab=tags&move=production`, ".penv"),
                "prompt-tags-remove": at(`/prompts/${more.hub.name}?tab=tags&remove=canary`, ".ask"),
                "prompt-comments": at(`/prompts/${more.hub.name}?tab=comments`, ".pcomment"),
                "prompt-webhooks": at(`/prompts/${more.hub.name}?tab=webhooks&hook=${more.hub.webhook}`, "#deliveries"),
                "prompt-webhook-edit": at(`/prompts/${more.hub.name}?tab=webhooks&edit=${more.hub.webhook}`, "#webhook"),
                "prompt-use": at(`/prompts/${more.hub.name}?tab=use`, ".jbox"),
                "prompt-settings": at(`/prompts/${more.hub.name}?tab=settings`, ".pown"),
                "set-prompts": at("/settings/prompts", "[name=Environments]"),
                ...Object.fromEntries(["", "commits", "compare", "tags", "comments", "webhooks", "use", "settings"].map((tab) => [`prompt-ugly-${tab || "text"}`, at(`/prompts/${more.hub.ugly}${tab && `?tab=${tab}`}`, ".tabs")])),
              }
            : {}),
          "set-keys": at("/settings/keys"),
          members: at("/settings/members"),
          workspaces: at("/settings/workspaces"),
          audit: at("/settings/audit"),
          "set-feedback": at("/settings/feedback"),
          account: at("/account"),
          login: at("/login"),
          nowhere: at("/nowhere-at-all"),
          "public-trace": at(more.public ?? "/"),
          "public-dataset": at(`/public/${more.token}/d`),
          "public-experiments": at(`/public/${more.token}/d?tab=experiments`, ".list"),
        }),
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
  const shoot = async (name, theme, width, height, file) => {
    await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
    await page.setViewportSize({ width, height });
    try {
      await shots[name]();
      await page.waitForTimeout(150);
    } catch (e) {
      problems.push(`${file}: ${e.message.split("\n")[0]}`);
    }
    const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth);
    if (wide > 0) problems.push(`${file}: ${wide} px wider than the window`);
    await page.screenshot({ path: resolve(top, options.out, `${file}.png`) });
  };
  if (options.all) {
    for (const name of options.only?.split(",") ?? Object.keys(shots))
      for (const theme of ["light", "dark"])
        for (const [width, height, mark] of [[1440, 900, ""], [390, 844, "-phone"]]) if (!options.mix || (theme === "light") === (width > 400)) await shoot(name, theme, width, height, `${name}-${theme}${mark}`);
  } else
    for (const [name, theme, file] of [["projects", "light", "projects"], ["runs", "light", "project"], ["trace", "light", "trace"], ["trace", "dark", "trace-dark"], ["compare", "light", "compare"]])
      if (!options.only || options.only.split(",").includes(name)) await shoot(name, theme, 1440, 900, file);
} finally {
  await browser.close();
  server.stop();
}
for (const p of problems) console.error(p);
process.exitCode = problems.length ? 1 : 0;
