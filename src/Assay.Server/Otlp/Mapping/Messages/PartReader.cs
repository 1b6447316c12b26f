using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>
/// Parts of a message in any dialect (OpenAI chat and responses, Anthropic, Bedrock, Gemini, Genkit, the AI SDK, the semantic conventions)
/// added to a turn in the normal form. A tool's result inside a message becomes a turn of its own. Pure; unknown parts are kept as they are.
/// </summary>
internal static class PartReader
{
    private const int MaxDepth = 12;

    /// <summary>Adds content (a text, one part or a list) to the turn; results of tools go to <paramref name="results"/>.</summary>
    public static void Read(JsonNode? content, Turn turn, List<Turn> results, int depth = 0)
    {
        switch (content)
        {
            case JsonArray list when depth < MaxDepth:
                foreach (var item in list)
                {
                    Read(item, turn, results, depth + 1);
                }

                break;
            case JsonObject part when depth < MaxDepth:
                ReadPart(part, turn, results, depth);
                break;
            case JsonValue:
                turn.Say(content.Scalar());
                break;
        }
    }

    /// <summary>What a tool gave back, as text.</summary>
    public static string Result(JsonNode? value)
    {
        switch (value)
        {
            case null:
                return "";
            case JsonArray { Count: > 0 } list
                when list.All(i => i.Text() is not null || i.Text("text") is not null):
                return string.Join('\n', list.Select(i => i.Text() ?? i.Text("text")));
            case JsonArray { Count: 1 } list when list[0].Get("json") is { } json:
                return json.Compact();
            case JsonObject output
                when output.Text("type")
                    is "json"
                        or "text"
                        or "error-text"
                        or "error-json"
                        or "content"
                    && output.HasMember("value"):
                return Result(output.Get("value"));
            case JsonObject output
                when output.Text("type") is "text" or "output_text" or "input_text"
                    && output.Text("text") is { } text:
                return text;
            default:
                return value.Text() ?? value.Compact();
        }
    }

    /// <summary>Arguments as JSON text.</summary>
    public static string Arguments(JsonNode? value) =>
        value switch
        {
            null => "{}",
            JsonValue when value.Text() is { } text => text.Length == 0 ? "{}" : text,
            _ => value.Compact(),
        };

    private static void ReadPart(JsonObject part, Turn turn, List<Turn> results, int depth)
    {
        switch (part.Text("type") ?? "")
        {
            case "text" or "input_text" or "output_text" or "summary_text":
                var said = part.Text("text") ?? part.Text("content");
                _ = IsThought(part) ? turn.Think(said) : turn.Say(said);
                return;
            case "refusal":
                turn.Say(part.Text("refusal"));
                return;
            case "reasoning" or "thinking" or "redacted_thinking" or "thought":
                turn.Think(Thought(part));
                return;
            case "tool_call"
            or "tool_use"
            or "tool-call"
            or "toolUse"
            or "function_call"
            or "server_tool_call"
            or "server_tool_use":
                turn.Calls.Add(Call(part));
                return;
            case "tool_call_response"
            or "tool_result"
            or "tool-result"
            or "toolResult"
            or "function_call_output"
            or "function_call_result"
            or "server_tool_call_response":
                results.Add(ResultTurn(part));
                return;
        }

        if (Wrapped(part, turn, results))
        {
            return;
        }

        if (MediaParts.Read(part) is { } media)
        {
            turn.Parts.Add(Part.Of(media));
            return;
        }

        if (part.Text("text") is { } text)
        {
            _ = IsThought(part) ? turn.Think(text) : turn.Say(text);
        }
        else if (part.Get("parts") is JsonArray inner)
        {
            Read(inner, turn, results, depth + 1);
        }
        else
        {
            turn.Parts.Add(Part.Of(part));
        }
    }

    /// <summary>Dialects that name the part by its only member: Bedrock, Gemini, Genkit.</summary>
    private static bool Wrapped(JsonObject part, Turn turn, List<Turn> results)
    {
        if (part.Get("toolUse", "functionCall", "function_call", "toolRequest") is JsonObject call)
        {
            turn.Calls.Add(Call(call));
            return true;
        }

        if (
            part.Get("toolResult", "functionResponse", "function_response", "toolResponse")
            is JsonObject result
        )
        {
            results.Add(ResultTurn(result));
            return true;
        }

        if (part.Get("reasoningContent") is JsonObject bedrock)
        {
            turn.Think(bedrock.Get("reasoningText").Text("text") ?? bedrock.Text("text"));
            return true;
        }

        if (part.Get("reasoning") is JsonValue thought && part.Text("type") is null)
        {
            turn.Think(thought.Text());
            return true;
        }

        return false;
    }

    /// <summary>A call by whatever its members are called.</summary>
    public static ToolCall Call(JsonNode call)
    {
        var function = call.Get("function", "custom") as JsonObject ?? call;
        return new ToolCall(
            call.Text("id") is { Length: > 0 } id && call.Text("call_id", "callId") is null
                ? id
                : call.Text("call_id", "callId", "toolCallId", "tool_call_id", "toolUseId", "ref"),
            function.Text("name", "toolName", "tool_name") ?? "tool",
            Arguments(function.Get("arguments", "input", "args"))
        );
    }

    private static Turn ResultTurn(JsonNode result)
    {
        var turn = new Turn("tool")
        {
            CallId = result.Text(
                "tool_call_id",
                "toolCallId",
                "call_id",
                "callId",
                "toolUseId",
                "tool_use_id",
                "ref",
                "id"
            ),
            Name = result.Text("name", "toolName", "tool_name"),
        };
        return turn.Say(Result(result.Get("response", "result", "output", "content", "value")));
    }

    private static bool IsThought(JsonObject part) =>
        part.Get("thought") is JsonValue value && value.TryGetValue<bool>(out var yes) && yes;

    private static string Thought(JsonObject part)
    {
        if (part.Text("text", "thinking", "content", "reasoning") is { } text)
        {
            return text;
        }

        var list = part.Get("summary") ?? part.Get("content");
        return list is JsonArray { Count: > 0 }
            ? string.Join('\n', list.Items().Select(i => i.Text("text") ?? i.Text() ?? ""))
            : "(hidden)";
    }
}
