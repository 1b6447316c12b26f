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

    /// <summary>Reads messages; content is a text or a list of parts (text, image_url).</summary>
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
                case UriContent uri:
                    parts.Add(Image(uri.Uri.ToString()));
                    break;
                case DataContent data:
                    parts.Add(Image(data.Uri));
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

    private static JsonObject Image(string url) =>
        new()
        {
            ["type"] = "image_url",
            ["image_url"] = new JsonObject { ["url"] = url },
        };

    private static ChatMessage ReadMessage(JsonElement json, string at)
    {
        if (
            json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("role", out var name)
            || name.ValueKind != JsonValueKind.String
        )
        {
            throw new FormatException($"{at}: must be an object with a role");
        }

        var role = name.GetString() switch
        {
            "system" or "developer" => ChatRole.System,
            "user" or "human" => ChatRole.User,
            "assistant" or "ai" => ChatRole.Assistant,
            "tool" => ChatRole.Tool,
            var other => new ChatRole(other!),
        };
        var message = new ChatMessage { Role = role };
        json.TryGetProperty("content", out var content);
        if (role == ChatRole.Tool)
        {
            message.Contents.Add(
                new FunctionResultContent(
                    json.TryGetProperty("tool_call_id", out var id) ? id.ToString() : "",
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
                    message.Contents.Add(ReadPart(part, at));
                }

                break;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                break;
            default:
                message.Contents.Add(new TextContent(content.GetRawText()));
                break;
        }

        if (
            json.TryGetProperty("tool_calls", out var calls)
            && calls.ValueKind == JsonValueKind.Array
        )
        {
            foreach (var call in calls.EnumerateArray())
            {
                message.Contents.Add(ReadCall(call, at));
            }
        }

        return message;
    }

    private static AIContent ReadPart(JsonElement part, string at)
    {
        var type =
            part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var t)
                ? t.ToString()
                : null;
        switch (type)
        {
            case "text"
            or "input_text"
            or "output_text" when part.TryGetProperty("text", out var text):
                return new TextContent(text.ToString());
            case "image_url" or "input_image" when part.TryGetProperty("image_url", out var image):
                var url =
                    image.ValueKind == JsonValueKind.Object
                    && image.TryGetProperty("url", out var u)
                        ? u.ToString()
                        : image.ToString();
                if (url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
                {
                    return new DataContent(url);
                }

                return Uri.TryCreate(url, UriKind.Absolute, out var address)
                    ? new UriContent(address, "image/*")
                    : throw new FormatException($"{at}: the image has no usable address");
            default:
                throw new FormatException(
                    $"{at}: a part of type {type ?? "(none)"} cannot be sent to a model from here"
                );
        }
    }

    private static FunctionCallContent ReadCall(JsonElement call, string at)
    {
        var function = call.TryGetProperty("function", out var f) ? f : call;
        if (!function.TryGetProperty("name", out var name))
        {
            throw new FormatException($"{at}: a tool call has no name");
        }

        Dictionary<string, object?>? arguments = null;
        if (
            function.TryGetProperty("arguments", out var given)
            || function.TryGetProperty("args", out given)
        )
        {
            try
            {
                arguments = JsonSerializer.Deserialize<Dictionary<string, object?>>(
                    given.ValueKind == JsonValueKind.String
                        ? given.GetString()!
                        : given.GetRawText()
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

        return new FunctionCallContent(
            call.TryGetProperty("id", out var id) ? id.ToString() : "",
            name.ToString(),
            arguments
        );
    }
}
