using System.Text.Json;

namespace Assay.UI.Traces.Messages;

/// <summary>From one message object of any dialect to a <see cref="ChatMessage"/>.</summary>
internal static class MessageParser
{
    public static ChatMessage Parse(JsonElement json, string at)
    {
        var role =
            MessageReader.Text(json, "role") ?? MessageReader.Text(json, "type") ?? "message";
        if (
            json.TryGetProperty("kwargs", out var kwargs)
            && kwargs.ValueKind == JsonValueKind.Object
        )
        {
            role =
                json.TryGetProperty("id", out var path)
                && path.ValueKind == JsonValueKind.Array
                && path.GetArrayLength() > 0
                    ? path[path.GetArrayLength() - 1].ToString()
                    : role;
            json = kwargs;
            at += "/kwargs";
        }
        else if (
            json.TryGetProperty("data", out var data)
            && data.ValueKind == JsonValueKind.Object
        )
        {
            json = data;
            at += "/data";
        }

        role = Role(role);
        var parts = new List<MessagePart>();
        foreach (var name in (ReadOnlySpan<string>)["reasoning_content", "reasoning", "thinking"])
        {
            if (MessageReader.Text(json, name) is { Length: > 0 } thought)
            {
                parts.Add(new MessagePart.Reasoning(thought));
                break;
            }
        }

        var speaker = MessageReader.Text(json, "name");
        var callId =
            MessageReader.Text(json, "tool_call_id") ?? MessageReader.Text(json, "call_id");
        if (role == "tool")
        {
            var content =
                json.TryGetProperty("content", out var c) ? c
                : json.TryGetProperty("output", out var o) ? o
                : default;
            parts.AddRange(
                content.ValueKind switch
                {
                    JsonValueKind.Undefined => Content(
                        json.TryGetProperty("parts", out var p) ? p : default,
                        at + "/parts"
                    ),
                    JsonValueKind.String =>
                    [
                        new MessagePart.ToolResult(callId, speaker, content.GetString() ?? ""),
                    ],
                    JsonValueKind.Array => Content(content, at + "/content"),
                    _ => [new MessagePart.ToolResult(callId, speaker, content.GetRawText())],
                }
            );
            return new ChatMessage(role, speaker, parts);
        }

        switch (MessageReader.Text(json, "type"))
        {
            case "function_call":
                return new ChatMessage(
                    "assistant",
                    null,
                    [
                        new MessagePart.ToolCall(
                            callId,
                            speaker ?? "function",
                            MessageReader.Text(json, "arguments") ?? "{}"
                        ),
                    ]
                );
            case "reasoning":
                return new ChatMessage(
                    "assistant",
                    null,
                    [new MessagePart.Reasoning(Joined(json, "summary") ?? "")]
                );
        }

        foreach (var name in (ReadOnlySpan<string>)["content", "parts", "text", "refusal"])
        {
            if (
                json.TryGetProperty(name, out var content)
                && content.ValueKind != JsonValueKind.Null
            )
            {
                parts.AddRange(Content(content, $"{at}/{name}"));
                break;
            }
        }

        AddCalls(json, parts);
        return new ChatMessage(role, speaker, parts);
    }

    /// <summary>A message's content: a text, one part, or a list of parts.</summary>
    public static IReadOnlyList<MessagePart> Content(JsonElement json, string at)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                return json.GetString() is { Length: > 0 } text ? Said(text) : [];
            case JsonValueKind.Array:
                var parts = new List<MessagePart>();
                var i = 0;
                foreach (var item in json.EnumerateArray())
                {
                    parts.AddRange(Part(item, $"{at}/{i++}"));
                }

                return parts;
            case JsonValueKind.Object when json.TryGetProperty("parts", out var inner):
                return Content(inner, at + "/parts");
            case JsonValueKind.Object:
                return Part(json, at);
            default:
                return [];
        }
    }

    private static IReadOnlyList<MessagePart> Said(string text) =>
        MediaTokens.IsIn(text) ? MediaTokens.Split(text) : [new MessagePart.Text(text)];

    private static IReadOnlyList<MessagePart> Part(JsonElement json, string at)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return Content(json, at);
        }

        var type = MessageReader.Text(json, "type") ?? "";
        var id =
            MessageReader.Text(json, "id")
            ?? MessageReader.Text(json, "tool_use_id")
            ?? MessageReader.Text(json, "call_id");
        var name = MessageReader.Text(json, "name");
        if (MediaReader.Read(json, type, at) is { } media)
        {
            return [media];
        }

        switch (type)
        {
            case "thinking" or "reasoning" or "redacted_thinking":
                return
                [
                    new MessagePart.Reasoning(
                        MessageReader.Text(json, "thinking")
                            ?? MessageReader.Text(json, "text")
                            ?? MessageReader.Text(json, "content")
                            ?? Joined(json, "summary")
                            ?? "(redacted)"
                    ),
                ];
            case "tool_use" or "tool_call" or "server_tool_use" or "function_call":
                return
                [
                    new MessagePart.ToolCall(
                        id,
                        name ?? "tool",
                        Raw(json, "input") ?? Raw(json, "arguments") ?? Raw(json, "args") ?? "{}"
                    ),
                ];
            case "tool_result" or "tool_call_response" or "function_call_output":
                return
                [
                    new MessagePart.ToolResult(
                        id,
                        name,
                        Joined(json, "content")
                            ?? Raw(json, "content")
                            ?? Raw(json, "response")
                            ?? Raw(json, "result")
                            ?? Raw(json, "output")
                            ?? ""
                    ),
                ];
        }

        if (
            json.TryGetProperty("functionCall", out var call)
            && call.ValueKind == JsonValueKind.Object
        )
        {
            return
            [
                new MessagePart.ToolCall(
                    MessageReader.Text(call, "id"),
                    MessageReader.Text(call, "name") ?? "tool",
                    Raw(call, "args") ?? "{}"
                ),
            ];
        }

        if (
            json.TryGetProperty("functionResponse", out var answer)
            && answer.ValueKind == JsonValueKind.Object
        )
        {
            return
            [
                new MessagePart.ToolResult(
                    MessageReader.Text(answer, "id"),
                    MessageReader.Text(answer, "name"),
                    Raw(answer, "response") ?? ""
                ),
            ];
        }

        if (
            (
                MessageReader.Text(json, "text")
                ?? (type == "text" ? MessageReader.Text(json, "content") : null)
            ) is
            { } text
        )
        {
            return
                json.TryGetProperty("thought", out var thought)
                && thought.ValueKind == JsonValueKind.True
                ? [new MessagePart.Reasoning(text)]
                : Said(text);
        }

        return [new MessagePart.Json(json.GetRawText())];
    }

    private static void AddCalls(JsonElement json, List<MessagePart> parts)
    {
        var holder = json;
        if (
            (
                !json.TryGetProperty("tool_calls", out var calls)
                || calls.ValueKind != JsonValueKind.Array
                || calls.GetArrayLength() == 0
            )
            && json.TryGetProperty("additional_kwargs", out var more)
            && more.ValueKind == JsonValueKind.Object
        )
        {
            holder = more;
            more.TryGetProperty("tool_calls", out calls);
        }

        if (calls.ValueKind == JsonValueKind.Array && !parts.Exists(p => p is MessagePart.ToolCall))
        {
            foreach (
                var call in calls.EnumerateArray().Where(c => c.ValueKind == JsonValueKind.Object)
            )
            {
                var function =
                    call.TryGetProperty("function", out var f)
                    && f.ValueKind == JsonValueKind.Object
                        ? f
                        : call;
                parts.Add(
                    new MessagePart.ToolCall(
                        MessageReader.Text(call, "id"),
                        MessageReader.Text(function, "name") ?? "tool",
                        Raw(function, "arguments") ?? Raw(function, "args") ?? "{}"
                    )
                );
            }
        }

        if (
            holder.TryGetProperty("function_call", out var one)
            && one.ValueKind == JsonValueKind.Object
        )
        {
            parts.Add(
                new MessagePart.ToolCall(
                    null,
                    MessageReader.Text(one, "name") ?? "tool",
                    Raw(one, "arguments") ?? "{}"
                )
            );
        }
    }

    /// <summary>A property as text: strings as they are, everything else as JSON.</summary>
    private static string? Raw(JsonElement json, string name) =>
        !json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : value.GetRawText();

    /// <summary>The texts of a list of parts, when it is nothing but texts.</summary>
    private static string? Joined(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var texts = list.EnumerateArray().Select(p => MessageReader.Text(p, "text")).ToList();
        return texts.Contains(null) ? null : string.Join('\n', texts);
    }

    private static string Role(string role) =>
        role switch
        {
            "human" or "HumanMessage" or "HumanMessageChunk" => "user",
            "ai" or "AIMessage" or "AIMessageChunk" or "model" or "function_call" or "reasoning" =>
                "assistant",
            "SystemMessage" or "developer" => "system",
            "ToolMessage" or "FunctionMessage" or "function" or "function_call_output" => "tool",
            _ => role,
        };
}
