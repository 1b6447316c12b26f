// A local stand-in for OpenAI's API with fixed answers: 24 prompt tokens, of which 16 cached, 9 completion tokens, of which 4 reasoning. A model
// whose name contains "error" is refused; a request with tools and no tool result yet is answered with a tool call.
import { createServer } from "node:http";

const usage = { prompt_tokens: 24, completion_tokens: 9, total_tokens: 33, prompt_tokens_details: { cached_tokens: 16 }, completion_tokens_details: { reasoning_tokens: 4 } };
export const answerText = "It is 18C and sunny in Paris.";
const head = { id: "chatcmpl-1", created: 1790000000, model: "gpt-4o-mini-2024-07-18" };

const chat = (body) => {
  const wantsTool = body.tools?.length && !body.messages.some((m) => m.role === "tool");
  const message = wantsTool
    ? { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: body.tools[0].function.name, arguments: '{"city":"Paris"}' } }] }
    : { role: "assistant", content: answerText };
  return { ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: wantsTool ? "tool_calls" : "stop" }], usage };
};

const stream = (response, body) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (data) => response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...data })}\n\n`);
  for (const content of answerText.split(/(?<= )/)) send({ choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  if (body.stream_options?.include_usage) send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
};

const responses = (body) => {
  const items = Array.isArray(body.input) ? body.input : [];
  const wantsTool = body.tools?.length && !items.some((i) => i.type === "function_call_output");
  const output = wantsTool
    ? [{ type: "function_call", id: "fc_1", call_id: "call_1", name: body.tools[0].name, arguments: '{"city":"Paris"}', status: "completed" }]
    : [{ type: "message", id: "msg_1", role: "assistant", status: "completed", content: [{ type: "output_text", text: answerText, annotations: [] }] }];
  return {
    id: "resp_1", object: "response", created_at: 1790000000, model: head.model, status: "completed", error: null, incomplete_details: null, instructions: null, output,
    parallel_tool_calls: true, tool_choice: "auto", tools: body.tools ?? [], metadata: {},
    usage: { input_tokens: 24, output_tokens: 9, total_tokens: 33, input_tokens_details: { cached_tokens: 16 }, output_tokens_details: { reasoning_tokens: 4 } },
  };
};

export const startModel = async () => {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const body = text ? JSON.parse(text) : {};
    const json = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (String(body.model).includes("error")) return json(400, { error: { message: "The requested model is not available.", type: "invalid_request_error" } });
    if (request.url.endsWith("/embeddings")) return json(200, { object: "list", model: body.model, data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }], usage: { prompt_tokens: 5, total_tokens: 5 } });
    if (request.url.endsWith("/responses")) return json(200, responses(body));
    return body.stream ? stream(response, body) : json(200, chat(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, stop: () => { server.closeAllConnections(); server.close(); } };
};
