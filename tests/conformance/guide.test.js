// docs/guides/csv-to-verdict.md, pasted: what it tells people to type works as it stands.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { all, apiKey, newClient } from "./server.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const guide = readFileSync(join(here, "../../docs/guides/csv-to-verdict.md"), "utf8");
const blocks = [""];
for (const line of guide.split("\n")) {
  if (line.startsWith("    ") || (line === "" && blocks.at(-1))) blocks[blocks.length - 1] += `${line.slice(4)}\n`;
  else if (blocks.at(-1)) blocks.push("");
}
const block = (words) => blocks.find((b) => b.includes(words)) ?? assert.fail(`no block with ${words} in ${blocks.length}`);
const has = (command) => { try { execFileSync("sh", ["-c", `command -v ${command}`]); return true; } catch { return false; } };

test("the guide from a CSV file to a verdict works as it is written", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "guide-"));
  const script = join(here, `guide-${randomUUID()}.mjs`);
  t.after(() => { rmSync(directory, { recursive: true }); rmSync(script, { force: true }); });
  const env = { ...process.env, URL: process.env.ASSAY_URL, KEY: apiKey, LANGSMITH_ENDPOINT: `${process.env.ASSAY_URL}/api/v1`, LANGSMITH_API_KEY: apiKey };
  writeFileSync(join(directory, "cases.csv"), "question,answer\n" + Array.from({ length: 30 }, (_, i) => `${i} + ${i},${2 * i}\n`).join(""));

  // The guide reads ids with jq; where there is none, a stand-in does that one thing.
  const jq = has("jq") ? "" : 'jq() { node -e \'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).id))\'; }\n';
  const made = await promisify(execFile)("sh", ["-ec", jq + block("curl")], { cwd: directory, env });
  assert.match(made.stdout, /30/, made.stdout + made.stderr);
  const client = newClient();
  const dataset = await client.readDataset({ datasetName: "support questions" });
  assert.equal(dataset.example_count, 30);

  const code = block("evaluate(async");
  const versions = { first: "const app = async (q) => (Number(q.split(' ')[0]) % 2 ? '?' : String(2 * Number(q.split(' ')[0])));", second: "const app = async (q) => String(2 * Number(q.split(' ')[0]));" };
  for (const [prefix, app] of Object.entries(versions)) {
    writeFileSync(script, `${app}\n${code.replace('"first"', `"${prefix}"`)}`);
    await promisify(execFile)(process.execPath, [script], { cwd: here, env });
  }
  const experiments = await all(client.listProjects({ referenceDatasetId: dataset.id }));
  const [first, second] = ["first", "second"].map((p) => experiments.find((e) => e.name.startsWith(p)));
  const page = await (await fetch(`${process.env.ASSAY_URL}/data/${dataset.id}/compare?selectedSessions=${first.id},${second.id}`, { headers: { "x-api-key": apiKey } })).text();
  assert.match(page, /second-[0-9a-f]+ is better in correct/);
  assert.ok(page.includes("15 / 15 / 0"), "15 better, 15 equal, none worse");

  if (has("python3")) execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: block("from langsmith import evaluate") });
});
