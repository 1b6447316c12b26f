// The code that the playground offers of a variant, run as it stands: curl and JavaScript against a provider of their own here, Python read by its parser.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { test } from "node:test";
import { promisify } from "node:util";
import { snippet } from "../../src/Assay.UI/wwwroot/playground-code.js";

const has = (program) => spawnSync(program, ["--version"]).error === undefined;
const run = promisify(execFile);
const schema = { title: "v", type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
const tools = [{ type: "function", function: { name: "get_weather", description: "It's \"the\" weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
const body = {
  model: "some-model",
  format: "f-string",
  partials: { tone: 'k"in\'d' },
  variables: { who: "A\"d'a $HOME `id` \\", what: "trains 😀" },
  parameters: { temperature: 0.2, max_tokens: 100 },
  tools,
  tool_choice: "get_weather",
  schema,
  messages: [
    { role: "system", content: 'Be {tone} & """three""" {{braces}}.' },
    { role: "user", content: [{ type: "text", text: "Tell {who}\nabout '{what}'" }, { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
  ],
};

async function provider() {
  const asked = [];
  const server = createServer(async (request, response) => {
    asked.push({ path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(await request.toArray()).toString()) });
    response.end("{}");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { asked, server, url: `http://127.0.0.1:${server.address().port}` };
}

for (const [kind, path, prefix] of [["OpenAI", "/v1/chat/completions", "/v1"], ["OpenAIResponses", "/v1/responses", "/v1"], ["Anthropic", "/v1/messages", ""], ["Ollama", "/v1/chat/completions", ""]])
  test(`${kind}: what curl and the client are told to send is the variant with its values`, { skip: !has("curl") }, async () => {
    const { asked, server, url } = await provider();
    try {
      await run("bash", ["-c", snippet("curl", { kind, url: url + prefix }, body)], { env: { ...process.env, OPENAI_API_KEY: "of-a-test", ANTHROPIC_API_KEY: "of-a-test" } });
      const [call] = asked;
      assert.equal(call.path, path);
      assert.equal(call.headers.authorization ?? `Bearer ${call.headers["x-api-key"]}`, "Bearer of-a-test");
      const sent = JSON.stringify(call.body);
      for (const part of ["Tell A\"d'a $HOME `id` \\\nabout 'trains 😀'", 'Be k"in\'d & """three""" {braces}.', "It's \"the\" weather"]) assert.ok(sent.includes(JSON.stringify(part).slice(1, -1)), part);
      assert.ok(sent.includes('"temperature":0.2') && sent.includes("AAAA") && sent.includes('"ok"'));

      // The client's package is not here: what it would be called with is.
      const script = snippet("javascript", { kind, url: url + prefix }, body).replace(/^import .*$/m, `const ${kind === "Anthropic" ? "Anthropic" : "OpenAI"} = function () { const call = async (given) => { globalThis.given = given; return { choices: [{}] }; }; return { chat: { completions: { create: call } }, responses: { create: call }, messages: { create: call } }; };`);
      assert.deepEqual(JSON.parse((await run("node", ["--input-type=module", "-e", `${script}\nconsole.log("\\n" + JSON.stringify(globalThis.given));`])).stdout.trim().split("\n").at(-1)), call.body);

      if (has("python3")) {
        const read = "import ast, json, sys\ncall = ast.parse(sys.stdin.read()).body[2].value\nprint(json.dumps({k.arg: ast.literal_eval(k.value) for k in call.keywords}))";
        const python = spawnSync("python3", ["-c", read], { input: snippet("python", { kind, url: url + prefix }, body) });
        assert.equal(python.status, 0, String(python.stderr));
        assert.deepEqual(JSON.parse(String(python.stdout)), call.body);
      }
    } finally {
      server.close();
    }
  });
