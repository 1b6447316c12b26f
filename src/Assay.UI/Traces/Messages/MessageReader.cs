using System.Text.Json;

namespace Assay.UI.Traces.Messages;

/// <summary>
/// Finds the conversation in a payload: OpenAI (chat and responses), Anthropic, Gemini, LangChain's serialized messages, OpenTelemetry's
/// parts. Never throws on odd shapes: what it does not know is shown as JSON.
/// </summary>
internal static class MessageReader
{
    private const int MaxMessages = 1_000;
    private static readonly string[] s_wrappers =
    [
        "messages",
        "input",
        "output",
        "contents",
        "choices",
        "candidates",
        "generations",
        "message",
        "inputs",
        "outputs",
        "result",
        "response",
        "data",
    ];

    /// <summary>The messages, or none when the payload is not a conversation.</summary>
    public static IReadOnlyList<ChatMessage> Read(JsonElement payload)
    {
        var found = new List<ChatMessage>();
        Find(payload, "", 0, found);
        return found;
    }

    private static bool Find(JsonElement json, string at, int depth, List<ChatMessage> found)
    {
        if (depth > 5 || found.Count >= MaxMessages)
        {
            return false;
        }

        if (json.ValueKind == JsonValueKind.Array)
        {
            var any = false;
            var i = 0;
            foreach (var item in json.EnumerateArray())
            {
                any |= Find(item, $"{at}/{i++}", depth + 1, found);
            }

            return any;
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        if (IsMessage(json))
        {
            found.Add(MessageParser.Parse(json, at));
            return true;
        }

        if (
            Text(json, "text") is { Length: > 0 } completion
            && at.Contains("/generations/", StringComparison.Ordinal)
            && !json.TryGetProperty("message", out _)
        )
        {
            found.Add(new ChatMessage("assistant", null, [new MessagePart.Text(completion)]));
            return true;
        }

        var before = found.Count;
        foreach (
            var (name, role) in (ReadOnlySpan<(string, string)>)
                [
                    ("system", "system"),
                    ("instructions", "system"),
                    ("systemInstruction", "system"),
                    ("system_instruction", "system"),
                ]
        )
        {
            if (
                json.TryGetProperty(name, out var system)
                && system.ValueKind != JsonValueKind.Null
                && HasConversation(json)
            )
            {
                found.Add(
                    new ChatMessage(role, null, MessageParser.Content(system, $"{at}/{name}"))
                );
            }
        }

        var hasSystem = found.Count > before;
        foreach (var wrapper in s_wrappers)
        {
            if (!json.TryGetProperty(wrapper, out var inner))
            {
                continue;
            }

            if (
                wrapper == "input"
                && inner.ValueKind == JsonValueKind.String
                && (hasSystem || json.TryGetProperty("model", out _))
            )
            {
                found.Add(
                    new ChatMessage("user", null, [new MessagePart.Text(inner.GetString() ?? "")])
                );
                return true;
            }

            if (wrapper == "candidates" && inner.ValueKind == JsonValueKind.Array)
            {
                var i = 0;
                foreach (var candidate in inner.EnumerateArray())
                {
                    if (
                        candidate.ValueKind == JsonValueKind.Object
                        && candidate.TryGetProperty("content", out var content)
                    )
                    {
                        Find(content, $"{at}/candidates/{i}/content", depth + 1, found);
                    }

                    i++;
                }

                return found.Count > before;
            }

            if (
                inner.ValueKind is JsonValueKind.Array or JsonValueKind.Object
                && Find(inner, $"{at}/{wrapper}", depth + 1, found)
            )
            {
                return true;
            }
        }

        return found.Count > before;
    }

    private static bool HasConversation(JsonElement json) =>
        json.TryGetProperty("messages", out _)
        || json.TryGetProperty("input", out _)
        || json.TryGetProperty("contents", out _);

    private static bool IsMessage(JsonElement json)
    {
        if (Text(json, "role") is { Length: > 0 })
        {
            return json.TryGetProperty("content", out _)
                || json.TryGetProperty("parts", out _)
                || json.TryGetProperty("tool_calls", out _)
                || json.TryGetProperty("function_call", out _)
                || json.TryGetProperty("text", out _);
        }

        if (json.TryGetProperty("lc", out _) && json.TryGetProperty("kwargs", out _))
        {
            return true;
        }

        return Text(json, "type") switch
        {
            "human" or "ai" or "AIMessageChunk" or "chat" or "tool" or "system" or "function" =>
                json.TryGetProperty("content", out _) || json.TryGetProperty("data", out _),
            "function_call" or "function_call_output" => true,
            "reasoning" => json.TryGetProperty("summary", out _),
            _ => false,
        };
    }

    /// <summary>A text property; null when it is missing or something else.</summary>
    internal static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
