// A local stand-in for the APIs of OpenAI and Anthropic with fixed answers: 24 prompt tokens, of which 16 cached, 9 completion tokens, of which 4 reasoning. A model
// whose name contains "error" is refused; a request with tools and no tool result yet is answered with a tool call.
import { createServer } from "node:http";

const text = (value) => JSON.stringify(value);
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
  const [{ message, finish_reason }] = chat(body).choices;
  if (message.tool_calls) send({ choices: [{ index: 0, delta: { role: "assistant", tool_calls: message.tool_calls.map((call, index) => ({ index, ...call })) }, finish_reason: null }] });
  else for (const content of answerText.split(/(?<= )/)) send({ choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason }] });
  if (body.stream_options?.include_usage) send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
};

// Anthropic counts cached tokens beside the others: 8 + 16 cached = 24; of a long prompt 100 + 16 = 116.
const anthropicUsage = (body) => ({ input_tokens: text(body.messages).includes("long") ? 100 : 8, cache_read_input_tokens: 16, cache_creation_input_tokens: 0, output_tokens: 9 });

const messages = (body) => {
  const wantsTool = body.tools?.length && !text(body.messages).includes("tool_result");
  const content = wantsTool ? [{ type: "text", text: "Let me look." }, { type: "tool_use", id: "toolu_1", name: body.tools[0].name, input: { city: "Paris" } }] : [{ type: "text", text: answerText }];
  return { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content, stop_reason: wantsTool ? "tool_use" : "end_turn", stop_sequence: null, usage: anthropicUsage(body) };
};

const messageStream = (response, body) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send("message_start", { message: { ...messages(body), content: [], stop_reason: null, usage: { ...anthropicUsage(body), output_tokens: 1 } } });
  send("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  for (const said of answerText.split(/(?<= )/)) send("content_block_delta", { index: 0, delta: { type: "text_delta", text: said } });
  send("content_block_stop", { index: 0 });
  send("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 9 } });
  send("message_stop", {});
  response.end();
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
    if (String(body.model).includes("error")) return json(400, { error: { message: "The requested model is not available.", type: "invalid_request_error" }, type: "error" });
    if (request.url.endsWith("/messages")) return body.stream ? messageStream(response, body) : json(200, messages(body));
    if (request.url.endsWith("/embeddings")) return json(200, { object: "list", model: body.model, data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }], usage: { prompt_tokens: 5, total_tokens: 5 } });
    if (request.url.endsWith("/responses")) return json(200, responses(body));
    return body.stream ? stream(response, body) : json(200, chat(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${server.address().port}`;
  return { url: `${address}/v1`, anthropic: address, stop: () => { server.closeAllConnections(); server.close(); } };
};
