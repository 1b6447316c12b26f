// A variant as code that asks the same outside: Python, JavaScript, C#, curl, in the dialect of its provider. Keys are named, never written.
import { isOther, mapTexts } from "./message-parts.js";

/** Fills in the variables that are plain texts, so that the code runs as it stands. */
function filled(body) {
  const variables = { ...body.partials, ...body.variables };
  const pattern = { "f-string": /\{\{|\}\}|\{([^{}]+)\}/g, mustache: /\{\{\{?&?\s*([\w.-]+)\s*\}?\}\}/g }[body.format];
  const text = (value) =>
    pattern && !value.startsWith("data:")
      ? value.replace(pattern, (all, name) => {
          if (name === undefined) return all[0];
          const given = variables[name.trim()];
          return given === undefined ? all : typeof given === "string" ? given : JSON.stringify(given);
        })
      : value;
  return body.messages.flatMap((m) => {
    if (m.role === "placeholder") return Array.isArray(variables[m.content]) ? variables[m.content] : [];
    const part = (p) => (isOther(p) ? mapTexts(p, text) : p.type === "text" ? { ...p, text: text(p.text) } : p.image_url ? { ...p, image_url: { ...p.image_url, url: text(p.image_url.url) } } : p);
    return [{ ...m, content: typeof m.content === "string" ? text(m.content) : (m.content ?? []).map(part) }];
  });
}

const parts = (content) => (typeof content === "string" ? (content ? [{ type: "text", text: content }] : []) : content ?? []);
const functionsOf = (body) => (body.tools ?? []).map((t) => t.function ?? t);
const isChosen = (body) => body.tools && body.tool_choice && body.tool_choice !== "auto";

function chat(body) {
  const request = { model: body.model, messages: filled(body), ...body.parameters };
  if (body.tools) request.tools = body.tools;
  if (isChosen(body)) request.tool_choice = ["none", "required"].includes(body.tool_choice) ? body.tool_choice : { type: "function", function: { name: body.tool_choice } };
  if (body.schema) request.response_format = { type: "json_schema", json_schema: { name: "answer", schema: body.schema } };
  return request;
}

function responses(body) {
  const input = filled(body).flatMap((m) => {
    if (m.role === "tool") return [{ type: "function_call_output", call_id: m.tool_call_id, output: m.content }];
    const said = parts(m.content).map((p) => (isOther(p) ? p : p.type === "text" ? { type: m.role === "assistant" ? "output_text" : "input_text", text: p.text } : { type: "input_image", image_url: p.image_url?.url }));
    const calls = (m.tool_calls ?? []).map((c) => ({ type: "function_call", call_id: c.id, name: c.function?.name, arguments: c.function?.arguments }));
    return [...(said.length ? [{ role: m.role, content: said }] : []), ...calls];
  });
  const { max_tokens, temperature, top_p } = body.parameters;
  const request = { model: body.model, input };
  for (const [name, value] of Object.entries({ max_output_tokens: max_tokens, temperature, top_p })) if (value !== undefined) request[name] = value;
  if (body.tools) request.tools = functionsOf(body).map((f) => ({ type: "function", name: f.name, description: f.description, parameters: f.parameters ?? { type: "object" }, strict: false }));
  if (isChosen(body)) request.tool_choice = ["none", "required"].includes(body.tool_choice) ? body.tool_choice : { type: "function", name: body.tool_choice };
  if (body.schema) request.text = { format: { type: "json_schema", name: "answer", schema: body.schema } };
  return request;
}

function anthropic(body) {
  const image = (url) => {
    const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url ?? "");
    return { type: "image", source: inline ? { type: "base64", media_type: inline[1], data: inline[2] } : { type: "url", url } };
  };
  const json = (text) => {
    try {
      return JSON.parse(text || "{}");
    } catch {
      return {};
    }
  };
  const all = filled(body);
  const messages = all
    .filter((m) => m.role !== "system")
    .map((m) => {
      if (m.role === "tool") return { role: "user", content: [{ type: "tool_result", tool_use_id: m.tool_call_id, content: m.content }] };
      if (typeof m.content === "string" && !m.tool_calls?.length) return { role: m.role, content: m.content };
      return { role: m.role, content: [...parts(m.content).map((p) => (p.image_url ? image(p.image_url.url) : p)), ...(m.tool_calls ?? []).map((c) => ({ type: "tool_use", id: c.id, name: c.function?.name, input: json(c.function?.arguments) }))] };
    });
  const system = all.filter((m) => m.role === "system").map((m) => parts(m.content).map((p) => p.text).join("\n\n")).join("\n\n");
  const { max_tokens = 1024, temperature, top_p, stop } = body.parameters;
  const request = { model: body.model, max_tokens, messages };
  for (const [name, value] of Object.entries({ system: system || undefined, temperature, top_p, stop_sequences: stop })) if (value !== undefined) request[name] = value;
  if (body.tools) request.tools = functionsOf(body).map((f) => ({ name: f.name, description: f.description, input_schema: f.parameters ?? f.input_schema ?? { type: "object" } }));
  if (isChosen(body)) request.tool_choice = body.tool_choice === "none" ? { type: "none" } : body.tool_choice === "required" ? { type: "any" } : { type: "tool", name: body.tool_choice };
  if (body.schema) request.output_config = { format: { type: "json_schema", schema: body.schema } };
  return request;
}

/** What the dialects differ in. */
const CHAT = { write: chat, home: "https://api.openai.com/v1", path: "/chat/completions", key: "OPENAI_API_KEY", python: ["openai", "OpenAI", "chat.completions.create", "choices[0].message"], package: "openai", option: "baseURL" };
const DIALECTS = {
  OpenAIResponses: { ...CHAT, write: responses, path: "/responses", python: ["openai", "OpenAI", "responses.create", "output_text"] },
  Anthropic: { write: anthropic, home: "https://api.anthropic.com", path: "/v1/messages", key: "ANTHROPIC_API_KEY", python: ["anthropic", "Anthropic", "messages.create", "content"], package: "@anthropic-ai/sdk", option: "baseURL" },
};

/** JSON as a Python literal. */
function python(value, depth = 1) {
  const pad = "    ".repeat(depth);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return value.length ? `[\n${value.map((v) => pad + python(v, depth + 1)).join(",\n")},\n${"    ".repeat(depth - 1)}]` : "[]";
  if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return entries.length ? `{\n${entries.map(([k, v]) => `${pad}${JSON.stringify(k)}: ${python(v, depth + 1)}`).join(",\n")},\n${"    ".repeat(depth - 1)}}` : "{}";
  }
  return JSON.stringify(value);
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** More quotation marks than the text has in a row: what a raw string of C# needs around it. */
const fence = (text) => '"'.repeat(Math.max(3, ...[...text.matchAll(/"+/g)].map((m) => m[0].length + 1)));

export function snippet(language, provider, body) {
  const dialect = DIALECTS[provider.kind] ?? CHAT;
  const isAnthropic = dialect.package !== "openai";
  const request = dialect.write(body);
  const base = provider.kind === "Ollama" ? `${provider.url ?? "http://localhost:11434"}/v1` : provider.url;
  const json = JSON.stringify(request, null, 2);
  const [module, type, call, answer] = dialect.python;
  const address = `${base ?? dialect.home}${dialect.path}`;
  // The simulated model answers nowhere else: whoever takes the code along has to name another one.
  const note = (mark) => (provider.kind === "Simulated" ? `${mark} ${body.model} exists in Assay only: name a model of your provider\n` : "");
  switch (language) {
    case "python": {
      const args = Object.entries(request).map(([k, v]) => `    ${k}=${python(v, 2)},`).join("\n");
      return `${note("#")}from ${module} import ${type}\n\nclient = ${type}(${base ? `base_url=${JSON.stringify(base)}` : ""})  # reads ${dialect.key}\nanswer = client.${call}(\n${args}\n)\nprint(answer.${answer})\n`;
    }
    case "javascript":
      return `${note("//")}import ${type} from "${dialect.package}";\n\nconst client = new ${type}(${base ? `{ ${dialect.option}: ${JSON.stringify(base)} }` : ""}); // reads ${dialect.key}\nconst answer = await client.${call}(${json});\nconsole.log(answer.${answer});\n`;
    case "csharp": {
      const headers = isAnthropic ? `request.Headers.Add("x-api-key", key);\nrequest.Headers.Add("anthropic-version", "2023-06-01");` : `request.Headers.Authorization = new("Bearer", key);`;
      const quotes = fence(json);
      return `${note("//")}using System.Text;\n\nvar key = Environment.GetEnvironmentVariable("${dialect.key}");\nusing var client = new HttpClient();\nusing var request = new HttpRequestMessage(HttpMethod.Post, "${address}");\n${headers}\nrequest.Content = new StringContent(\n${quotes}\n${json}\n${quotes}, Encoding.UTF8, "application/json");\nusing var response = await client.SendAsync(request);\nConsole.WriteLine(await response.Content.ReadAsStringAsync());\n`;
    }
    default: {
      const headers = isAnthropic ? `-H "x-api-key: $ANTHROPIC_API_KEY" -H "anthropic-version: 2023-06-01"` : `-H "Authorization: Bearer $OPENAI_API_KEY"`;
      return `${note("#")}curl ${address} \\\n  ${headers} -H "content-type: application/json" \\\n  -d ${shell(json)}\n`;
    }
  }
}
