using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>Chat messages as JSON in the form that runs, datasets and the screens share (role, content, tool calls), and back.</summary>
public static class ChatJson
{
    /// <summary>Inputs of a run: messages and the tools that were offered.</summary>
    public static byte[] Inputs(IEnumerable<ChatMessage> messages, ChatOptions options)
    {
        var inputs = new JsonObject
        {
            ["messages"] = new JsonArray([.. messages.SelectMany(Messages)]),
        };
        if (options.Tools is { Count: > 0 } tools)
        {
            inputs["tools"] = new JsonArray([
                .. tools
                    .OfType<AIFunctionDeclaration>()
                    .Select(t => new JsonObject
                    {
                        ["type"] = "function",
                        ["function"] = new JsonObject
                        {
                            ["name"] = t.Name,
                            ["description"] = t.Description,
                            ["parameters"] = JsonNode.Parse(t.JsonSchema.GetRawText()),
                        },
                    }),
            ]);
        }

        return JsonSerializer.SerializeToUtf8Bytes(inputs);
    }

    /// <summary>Outputs of a run: the messages of an answer and why it ended.</summary>
    public static byte[] Outputs(ChatResponse response)
    {
        var outputs = new JsonObject
        {
            ["messages"] = new JsonArray([.. response.Messages.SelectMany(Messages)]),
        };
        if (response.FinishReason is { } reason)
        {
            outputs["finish_reason"] = reason.Value;
        }

        return JsonSerializer.SerializeToUtf8Bytes(outputs);
    }

    /// <summary>What was asked of the model besides the messages.</summary>
    public static JsonObject Parameters(string model, ChatOptions options)
    {
        var parameters = new JsonObject { ["model"] = model };
        void Add(string name, JsonNode? value)
        {
            if (value is not null)
            {
                parameters[name] = value;
            }
        }

        // A float like 0.2 must read as 0.2, not as the nearest double of the nearest float.
        Add("temperature", Short(options.Temperature));
        Add("top_p", Short(options.TopP));
        Add("max_tokens", options.MaxOutputTokens);
        Add("frequency_penalty", Short(options.FrequencyPenalty));
        Add("presence_penalty", Short(options.PresencePenalty));
        Add("seed", options.Seed);
        if (options.StopSequences is { Count: > 0 } stop)
        {
            Add("stop", new JsonArray([.. stop.Select(s => (JsonNode)s)]));
        }

        if (options.ResponseFormat is ChatResponseFormatJson json)
        {
            Add(
                "response_format",
                json.Schema is { } schema
                    ? new JsonObject
                    {
                        ["type"] = "json_schema",
                        ["json_schema"] = new JsonObject
                        {
                            ["name"] = json.SchemaName,
                            ["schema"] = JsonNode.Parse(schema.GetRawText()),
                        },
                    }
                    : new JsonObject { ["type"] = "json_object" }
            );
        }

        return parameters;
    }

    /// <summary>Reads messages; content is a text or a list of parts (<see cref="ChatParts"/>).</summary>
    /// <exception cref="FormatException">A message has no role or an unreadable part; the message says which.</exception>
    public static IReadOnlyList<ChatMessage> Read(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("messages: must be a list");
        }

        return [.. messages.EnumerateArray().Select((m, i) => ReadMessage(m, $"messages[{i}]"))];
    }

    /// <summary>Tokens as the provider reported them, in one meaning; null when it did not.</summary>
    public static TokenUsage? Usage(UsageDetails? reported)
    {
        if (reported is not { } usage || (usage.InputTokenCount ?? usage.OutputTokenCount) is null)
        {
            return null;
        }

        var prompt = usage.InputTokenCount ?? 0;
        var completion = usage.OutputTokenCount ?? 0;
        return new TokenUsage
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = usage.TotalTokenCount ?? (prompt + completion),
            PromptDetails = Details(("cache_read", usage.CachedInputTokenCount)),
            CompletionDetails = Details(("reasoning", usage.ReasoningTokenCount)),
        };
    }

    private static Dictionary<string, long>? Details((string Name, long? Tokens) part) =>
        part.Tokens is > 0 and var tokens ? new() { [part.Name] = tokens } : null;

    private static decimal? Short(float? value) =>
        value is { } number ? Math.Round((decimal)number, 7) : null;

    /// <summary>One message of the library may be several of ours: each tool result is a message of its own.</summary>
    private static IEnumerable<JsonNode> Messages(ChatMessage message)
    {
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
        {
            yield return new JsonObject
            {
                ["role"] = "tool",
                ["tool_call_id"] = result.CallId,
                ["content"] = result.Result as string ?? JsonSerializer.Serialize(result.Result),
            };
        }

        var parts = new JsonArray();
        var calls = new JsonArray();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextReasoningContent { Text.Length: > 0 } reasoning:
                    parts.Add(
                        new JsonObject { ["type"] = "reasoning", ["reasoning"] = reasoning.Text }
                    );
                    break;
                case TextContent { Text.Length: > 0 } text:
                    parts.Add(new JsonObject { ["type"] = "text", ["text"] = text.Text });
                    break;
                case ErrorContent { Message.Length: > 0 } refusal:
                    parts.Add(
                        new JsonObject { ["type"] = "refusal", ["refusal"] = refusal.Message }
                    );
                    break;
                case UriContent or DataContent:
                    parts.Add(ChatParts.Write(content));
                    break;
                case FunctionCallContent call:
                    calls.Add(
                        new JsonObject
                        {
                            ["id"] = call.CallId,
                            ["type"] = "function",
                            ["function"] = new JsonObject
                            {
                                ["name"] = call.Name,
                                ["arguments"] = JsonSerializer.Serialize(
                                    call.Arguments ?? new Dictionary<string, object?>()
                                ),
                            },
                        }
                    );
                    break;
            }
        }

        if (parts.Count + calls.Count == 0 && message.Contents.Any(c => c is FunctionResultContent))
        {
            yield break;
        }

        var written = new JsonObject
        {
            ["role"] = message.Role.Value,
            ["content"] = parts switch
            {
                [] => "",
                [JsonObject only] when only["type"]!.GetValue<string>() == "text" => only[
                    "text"
                ]!.DeepClone(),
                _ => parts,
            },
        };
        if (calls.Count > 0)
        {
            written["tool_calls"] = calls;
        }

        yield return written;
    }

    private static ChatMessage ReadMessage(JsonElement json, string at)
    {
        if (json.Text("role") is not { } name)
        {
            throw new FormatException($"{at}: must be an object with a role");
        }

        var role = name switch
        {
            "system" or "developer" => ChatRole.System,
            "user" or "human" => ChatRole.User,
            "assistant" or "ai" => ChatRole.Assistant,
            "tool" => ChatRole.Tool,
            var other => new ChatRole(other),
        };
        var message = new ChatMessage { Role = role };
        var content = json.Field("content");
        if (role == ChatRole.Tool)
        {
            message.Contents.Add(
                new FunctionResultContent(
                    json.Field("tool_call_id").ToString(),
                    content.ValueKind == JsonValueKind.String
                        ? content.GetString()
                        : content.ToString()
                )
            );
            return message;
        }

        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                message.Contents.Add(new TextContent(content.GetString()));
                break;
            case JsonValueKind.Array:
                foreach (var part in content.EnumerateArray())
                {
                    message.Contents.Add(ChatParts.Read(part, at));
                }

                break;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                break;
            default:
                message.Contents.Add(new TextContent(content.GetRawText()));
                break;
        }

        foreach (var call in json.Items("tool_calls"))
        {
            message.Contents.Add(ReadCall(call, at));
        }

        return message;
    }

    private static FunctionCallContent ReadCall(JsonElement call, string at)
    {
        var function = call.Field("function") is { ValueKind: JsonValueKind.Object } inner
            ? inner
            : call;
        if (function.Text("name") is not { } name)
        {
            throw new FormatException($"{at}: a tool call has no name");
        }

        var given = function.Field("arguments").IsSaid()
            ? function.Field("arguments")
            : function.Field("args");
        try
        {
            return new FunctionCallContent(
                call.Field("id").ToString(),
                name,
                given.ValueKind switch
                {
                    JsonValueKind.Undefined or JsonValueKind.Null => null,
                    JsonValueKind.String => given.GetString() is { Length: > 0 } text
                        ? JsonSerializer.Deserialize<Dictionary<string, object?>>(text)
                        : null,
                    _ => given.Deserialize<Dictionary<string, object?>>(),
                }
            );
        }
        catch (JsonException e)
        {
            throw new FormatException(
                $"{at}: the arguments of the tool call {name} are not a JSON object",
                e
            );
        }
    }
}
