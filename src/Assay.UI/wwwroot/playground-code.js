// A variant as code that asks the same outside: Python, JavaScript, C#, curl, in the dialect of its provider. Keys are named, never written.

/** Fills in the variables that are plain texts, so that the code runs as it stands. */
function filled(body) {
  const pattern = { "f-string": /\{\{|\}\}|\{([^{}]+)\}/g, mustache: /\{\{\{?&?\s*([\w.-]+)\s*\}?\}\}/g }[body.format];
  const text = (value) =>
    pattern
      ? value.replace(pattern, (all, name) => {
          if (name === undefined) return all[0];
          const given = body.variables[name.trim()];
          return given === undefined ? all : typeof given === "string" ? given : JSON.stringify(given);
        })
      : value;
  return body.messages.flatMap((m) => {
    if (m.role === "placeholder") return Array.isArray(body.variables[m.content]) ? body.variables[m.content] : [];
    const content = typeof m.content === "string" ? text(m.content) : (m.content ?? []).map((p) => (p.type === "text" ? { ...p, text: text(p.text) } : p));
    return [{ ...m, content }];
  });
}

function openai(body) {
  const request = { model: body.model, messages: filled(body), ...body.parameters };
  if (body.tools) {
    request.tools = body.tools;
    if (body.tool_choice && body.tool_choice !== "auto") request.tool_choice = ["none", "required"].includes(body.tool_choice) ? body.tool_choice : { type: "function", function: { name: body.tool_choice } };
  }
  if (body.schema) request.response_format = { type: "json_schema", json_schema: { name: "answer", schema: body.schema } };
  return request;
}

function anthropic(body) {
  const messages = filled(body);
  const system = messages.filter((m) => m.role === "system").map((m) => m.content).join("\n\n");
  const { max_tokens = 1024, temperature, top_p } = body.parameters;
  const request = { model: body.model, max_tokens, messages: messages.filter((m) => m.role !== "system") };
  if (system) request.system = system;
  if (temperature !== undefined) request.temperature = temperature;
  if (top_p !== undefined) request.top_p = top_p;
  if (body.tools) request.tools = body.tools.map((t) => ({ name: t.function?.name, description: t.function?.description, input_schema: t.function?.parameters ?? { type: "object" } }));
  return request;
}

/** JSON as a Python literal. */
function python(value, depth = 1) {
  const pad = "    ".repeat(depth);
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return value.length ? `[\n${value.map((v) => pad + python(v, depth + 1)).join(",\n")},\n${"    ".repeat(depth - 1)}]` : "[]";
  if (typeof value === "object") return `{\n${Object.entries(value).map(([k, v]) => `${pad}${JSON.stringify(k)}: ${python(v, depth + 1)}`).join(",\n")},\n${"    ".repeat(depth - 1)}}`;
  return JSON.stringify(value);
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function snippet(language, provider, body) {
  const isAnthropic = provider.kind === "Anthropic";
  const request = isAnthropic ? anthropic(body) : openai(body);
  const base = provider.kind === "Ollama" ? `${provider.url}/v1` : provider.url;
  const key = isAnthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY";
  const json = JSON.stringify(request, null, 2);
  switch (language) {
    case "python": {
      const args = Object.entries(request).map(([k, v]) => `    ${k}=${python(v, 2)},`).join("\n");
      return isAnthropic
        ? `from anthropic import Anthropic\n\nclient = Anthropic(${base ? `base_url=${JSON.stringify(base)}` : ""})  # reads ANTHROPIC_API_KEY\nmessage = client.messages.create(\n${args}\n)\nprint(message.content)\n`
        : `from openai import OpenAI\n\nclient = OpenAI(${base ? `base_url=${JSON.stringify(base)}` : ""})  # reads OPENAI_API_KEY\ncompletion = client.chat.completions.create(\n${args}\n)\nprint(completion.choices[0].message)\n`;
    }
    case "javascript":
      return isAnthropic
        ? `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic(${base ? `{ baseURL: ${JSON.stringify(base)} }` : ""}); // reads ANTHROPIC_API_KEY\nconst message = await client.messages.create(${json});\nconsole.log(message.content);\n`
        : `import OpenAI from "openai";\n\nconst client = new OpenAI(${base ? `{ baseURL: ${JSON.stringify(base)} }` : ""}); // reads OPENAI_API_KEY\nconst completion = await client.chat.completions.create(${json});\nconsole.log(completion.choices[0].message);\n`;
    case "csharp": {
      const address = isAnthropic ? `${base ?? "https://api.anthropic.com"}/v1/messages` : `${base ?? "https://api.openai.com/v1"}/chat/completions`;
      const headers = isAnthropic ? `request.Headers.Add("x-api-key", key);\nrequest.Headers.Add("anthropic-version", "2023-06-01");` : `request.Headers.Authorization = new("Bearer", key);`;
      return `using System.Text;\n\nvar key = Environment.GetEnvironmentVariable("${key}");\nusing var client = new HttpClient();\nusing var request = new HttpRequestMessage(HttpMethod.Post, "${address}");\n${headers}\nrequest.Content = new StringContent(\n"""""\n${json}\n""""", Encoding.UTF8, "application/json");\nusing var response = await client.SendAsync(request);\nConsole.WriteLine(await response.Content.ReadAsStringAsync());\n`;
    }
    default:
      return isAnthropic
        ? `curl ${base ?? "https://api.anthropic.com"}/v1/messages \\\n  -H "x-api-key: $ANTHROPIC_API_KEY" -H "anthropic-version: 2023-06-01" -H "content-type: application/json" \\\n  -d ${shell(json)}\n`
        : `curl ${base ?? "https://api.openai.com/v1"}/chat/completions \\\n  -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\\n  -d ${shell(json)}\n`;
  }
}
