using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>
/// From one message of any dialect to turns: OpenAI (chat messages and response items), Anthropic, Bedrock, Gemini, Genkit, LangChain's
/// serialized messages, the AI SDK, the semantic conventions. Pure.
/// </summary>
internal static class TurnReader
{
    /// <summary>Longer histories are cut from the front; nobody reads them and no list here may grow without bound.</summary>
    public const int MaxTurns = 2_000;

    private const int MaxNesting = 3;

    /// <summary>Turns of a list of messages; null when one of them is no message.</summary>
    public static List<Turn>? ReadList(JsonNode? list, string? defaultRole = null, int depth = 0)
    {
        if (list is not JsonArray { Count: > 0 } items || depth > MaxNesting)
        {
            return null;
        }

        var turns = new List<Turn>();
        foreach (var item in items.Skip(Math.Max(0, items.Count - MaxTurns)))
        {
            // LangChain batches: a list of conversations.
            if (item is JsonArray && ReadList(item, defaultRole, depth + 1) is { } inner)
            {
                turns.AddRange(inner);
            }
            else if (item is JsonObject message && IsMessage(message, defaultRole))
            {
                turns.AddRange(Read(message, defaultRole));
            }
            else
            {
                return null;
            }
        }

        return turns;
    }

    /// <summary>Whether an object reads as a message.</summary>
    public static bool IsMessage(JsonObject json, string? defaultRole = null)
    {
        if (json.Text("role") is { Length: > 0 })
        {
            return json.HasMember("content")
                || json.HasMember("parts")
                || json.HasMember("tool_calls")
                || json.HasMember("function_call")
                || json.HasMember("text");
        }

        if (json.HasMember("lc") && json.Get("kwargs") is JsonObject)
        {
            return true;
        }

        return json.Text("type") switch
        {
            "function_call"
            or "function_call_output"
            or "function_call_result"
            or "reasoning"
            or "custom_tool_call"
            or "custom_tool_call_output" => true,
            "human" or "ai" or "AIMessageChunk" or "system" or "tool" or "function" or "chat" =>
                json.HasMember("content") || json.HasMember("data"),
            "message" => json.HasMember("content"),
            _ => defaultRole is not null && (json.HasMember("content") || json.HasMember("parts")),
        };
    }

    /// <summary>The turns of one message: its own, then one for each tool result inside it.</summary>
    public static List<Turn> Read(JsonObject message, string? defaultRole = null)
    {
        var role =
            message.Text("role")
            ?? (message.Text("type") is "message" ? null : message.Text("type"))
            ?? defaultRole
            ?? "assistant";
        if (message.Get("kwargs") is JsonObject kwargs && message.HasMember("lc"))
        {
            role = message.Get("id").Items().LastOrDefault().Text() ?? role;
            message = kwargs;
        }
        else if (message.Get("data") is JsonObject data && data.HasMember("content"))
        {
            message = data;
        }

        switch (message.Text("type"))
        {
            case "function_call" or "custom_tool_call" when !message.HasMember("role"):
                var asking = new Turn("assistant");
                asking.Calls.Add(PartReader.Call(message));
                return [asking];
            case "function_call_output"
            or "function_call_result"
            or "custom_tool_call_output" when !message.HasMember("role"):
                return
                [
                    new Turn("tool")
                    {
                        CallId = message.Text("call_id", "callId"),
                        Name = message.Text("name"),
                    }.Say(PartReader.Result(message.Get("output"))),
                ];
            case "reasoning" when !message.HasMember("role"):
                var thinking = new Turn("assistant");
                PartReader.Read(
                    new JsonObject
                    {
                        ["type"] = "reasoning",
                        ["summary"] = (
                            message.Get("summary") is JsonArray { Count: > 0 } s
                                ? s
                                : message.Get("content")
                        )?.DeepClone(),
                    },
                    thinking,
                    []
                );
                return [thinking];
        }

        return ReadMessage(message, Role(role));
    }

    /// <summary>Everybody's roles in four words.</summary>
    public static string Role(string role) =>
        role.ToLowerInvariant() switch
        {
            "human" or "humanmessage" or "humanmessagechunk" or "user" => "user",
            "ai"
            or "aimessage"
            or "aimessagechunk"
            or "model"
            or "assistant"
            or "bot"
            or "agent"
            or "chatmessage" => "assistant",
            "systemmessage" or "system" or "developer" or "systemmessagechunk" => "system",
            "toolmessage" or "functionmessage" or "toolmessagechunk" or "tool" or "function" =>
                "tool",
            _ => role,
        };

    private static List<Turn> ReadMessage(JsonObject message, string role)
    {
        var turn = new Turn(role)
        {
            Name = message.Text("name"),
            FinishReason = FinishReasons.Normalize(
                message.Text("finish_reason", "finishReason", "stop_reason")
            ),
        };
        var results = new List<Turn>();
        turn.Think(message.Text("reasoning_content", "reasoning", "thinking"));
        var content = message.Get("content") ?? message.Get("parts") ?? message.Get("text");
        if (role == "tool")
        {
            return ReadToolMessage(message, turn, content);
        }

        PartReader.Read(content, turn, results);
        turn.Say(content is null ? message.Text("refusal") : null);
        if (message.Get("audio") is JsonObject audio)
        {
            turn.Say(audio.Text("transcript"));
        }

        AddCalls(message, turn);
        return Ordered(turn, results);
    }

    private static List<Turn> ReadToolMessage(JsonObject message, Turn turn, JsonNode? content)
    {
        var inside = new Turn("tool");
        var results = new List<Turn>();
        if (content is JsonArray or JsonObject)
        {
            PartReader.Read(content, inside, results);
        }

        if (results.Count > 0)
        {
            // The parts name their calls themselves; a message's own id belongs to a single result.
            foreach (var result in results)
            {
                result.CallId ??= OwnCallId(message);
                result.Name ??= turn.Name;
            }

            return results;
        }

        turn.CallId = OwnCallId(message);
        if (inside.Parts.Exists(p => !p.IsText))
        {
            turn.Parts.AddRange(inside.Parts);
            return [turn];
        }

        turn.Say(PartReader.Result(content));
        return [turn];
    }

    private static string? OwnCallId(JsonObject message) =>
        message.Text("tool_call_id", "toolCallId", "call_id", "callId", "tool_use_id", "id");

    /// <summary>
    /// An assistant's message that holds results too (AI SDK 7's agents) happened in another order: calls, results, then the answer. A user's
    /// message with results (Anthropic, Strands) is the results first.
    /// </summary>
    private static List<Turn> Ordered(Turn turn, List<Turn> results)
    {
        if (results.Count == 0)
        {
            return [turn];
        }

        if (turn.Role != "assistant")
        {
            return turn.IsEmpty ? results : [.. results, turn];
        }

        var asking = new Turn("assistant") { Name = turn.Name };
        asking.Calls.AddRange(turn.Calls);
        asking.Parts.AddRange(turn.Parts.Where(p => p.IsThought));
        var answer = new Turn("assistant") { Name = turn.Name, FinishReason = turn.FinishReason };
        answer.Parts.AddRange(turn.Parts.Where(p => !p.IsThought));
        List<Turn> turns = asking.IsEmpty ? [.. results] : [asking, .. results];
        if (!answer.IsEmpty)
        {
            turns.Add(answer);
        }

        return turns;
    }

    private static void AddCalls(JsonObject message, Turn turn)
    {
        if (turn.Calls.Count == 0)
        {
            var calls =
                message.Get("tool_calls", "toolCalls")
                ?? message.Get("additional_kwargs").Get("tool_calls");
            foreach (var call in calls.Items().OfType<JsonObject>())
            {
                // OpenInference wraps each call once more.
                turn.Calls.Add(PartReader.Call(call.Get("tool_call") ?? call));
            }
        }

        if (message.Get("function_call") is JsonObject old && old.Text("name") is not null)
        {
            turn.Calls.Add(PartReader.Call(old));
        }
    }
}
