using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Traces;
using Assay.UI.Traces.Messages;

namespace Assay.UI.Playground;

/// <summary>What the playground opens with when it is reached from a run: what that run asked, of the same model, with the same settings.</summary>
/// <param name="Variant">The variant.</param>
/// <param name="Notes">What of the run could not be filled in, in sentences.</param>
internal sealed record RunSeed(JsonObject Variant, IReadOnlyList<string> Notes)
{
    /// <summary>The longest inputs that are filled in: a browser keeps about as much.</summary>
    private const int MaxPayload = 4 << 20;

    private static readonly string[] s_texts =
    [
        "prompt",
        "prompts",
        "input",
        "inputs",
        "text",
        "question",
        "query",
    ];

    /// <summary>A variant that asks again what a run asked; null when the run is gone.</summary>
    public static async Task<RunSeed?> OfAsync(
        TraceQueries queries,
        IReadOnlyList<ModelProvider> providers,
        Caller caller,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        var run = await queries.FindAsync(
            caller,
            runId,
            null,
            RunParts.Details | RunParts.Inputs | RunParts.Extra,
            cancellationToken
        );
        return run is null ? null : Of(run, providers);
    }

    private static RunSeed Of(Run run, IReadOnlyList<ModelProvider> providers)
    {
        var notes = new List<string>();
        using var inputs = Parse(run, PayloadKind.Inputs);
        using var extra = Parse(run, PayloadKind.Extra);
        var asked = inputs?.RootElement ?? default;
        var settings = new ClientSettings(asked, extra?.RootElement ?? default);
        var messages = MessagesOf(asked, notes);
        if (messages.Count == 0)
        {
            notes.Add(
                run.Payloads.TryGetValue(PayloadKind.Inputs, out var bytes)
                && bytes.Length > MaxPayload
                    ? "What this run asked is too long to be edited here."
                    : "This run recorded nothing of what it asked: clients leave contents out unless they are told otherwise."
            );
        }

        var tools = ToolsOf(asked, extra?.RootElement, notes);
        var provider = providers.FirstOrDefault(p => p.PricedAs == run.Provider);
        if (provider is null && run.Provider is { Length: > 0 } missing)
        {
            notes.Add(
                $"This workspace has no provider for {missing}, which this run asked; choose one to ask again."
            );
        }

        var model = run.Model ?? settings.Model;
        if (run.Provider is not { Length: > 0 } && model is { Length: > 0 })
        {
            provider = providers.FirstOrDefault(p => p.Models.Contains(model));
            if (provider is null)
            {
                notes.Add(
                    $"This run does not say whose model {model} is; choose a provider to ask again."
                );
            }
        }

        provider ??= providers[0];
        return new RunSeed(
            new JsonObject
            {
                ["provider"] = provider.Id.ToString(),
                ["model"] = model ?? (provider.Models is [var offered, ..] ? offered : ""),
                // What a run holds is filled in already: braces in it are text.
                ["format"] = "none",
                ["messages"] = messages,
                ["parameters"] = settings.Parameters(),
                ["tools"] = tools.Count == 0 ? "" : PromptSeed.Indented(tools),
                ["tool_choice"] = settings.ToolChoice ?? "auto",
                ["schema"] = settings.Schema is { } schema
                    ? PromptSeed.Indented(JsonNode.Parse(schema.GetRawText())!)
                    : "",
                ["source"] = run.Id.ToString(),
            },
            notes
        );
    }

    /// <summary>The conversation; of a completion, its prompt as what a user says; of anything else, the whole as JSON.</summary>
    private static JsonArray MessagesOf(JsonElement inputs, List<string> notes)
    {
        var written = new JsonArray();
        foreach (var message in MessageReader.Read(inputs))
        {
            foreach (var one in Written(message, inputs, notes))
            {
                written.Add(one);
            }
        }

        if (written.Count == 0 && Prompt(inputs) is { } prompt)
        {
            written.Add(new JsonObject { ["role"] = "user", ["content"] = prompt });
        }

        return written;
    }

    private static string? Prompt(JsonElement inputs)
    {
        foreach (var name in s_texts)
        {
            var said = inputs.Field(name) switch
            {
                { ValueKind: JsonValueKind.String } text => text.GetString(),
                { ValueKind: JsonValueKind.Array } list
                    when list.GetArrayLength() > 0
                        && list.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String) =>
                    string.Join("\n\n", list.EnumerateArray().Select(t => t.GetString())),
                _ => null,
            };
            if (!string.IsNullOrWhiteSpace(said))
            {
                return said;
            }
        }

        return inputs.ValueKind switch
        {
            JsonValueKind.String => inputs.GetString(),
            JsonValueKind.Object when inputs.EnumerateObject().Any() => inputs.GetRawText(),
            JsonValueKind.Array when inputs.GetArrayLength() > 0 => inputs.GetRawText(),
            _ => null,
        };
    }

    private static IEnumerable<JsonNode> Written(
        ChatMessage message,
        JsonElement inputs,
        List<string> notes
    )
    {
        foreach (var result in message.Parts.OfType<MessagePart.ToolResult>())
        {
            yield return new JsonObject
            {
                ["role"] = "tool",
                ["tool_call_id"] = result.Id ?? "",
                ["content"] = result.Value,
            };
        }

        var parts = new JsonArray();
        var calls = new JsonArray();
        foreach (var part in message.Parts)
        {
            switch (part)
            {
                case MessagePart.Text text:
                    parts.Add(Text(text.Value));
                    break;
                case MessagePart.Json json:
                    parts.Add(Text(json.Value));
                    break;
                case MessagePart.Media media:
                    if (media.Kind == "image" && Address(media, inputs) is { } url)
                    {
                        parts.Add(
                            new JsonObject
                            {
                                ["type"] = "image_url",
                                ["image_url"] = new JsonObject { ["url"] = url },
                            }
                        );
                    }
                    else
                    {
                        notes.Add(
                            media.Kind == "image"
                                ? "An image of this run is a file beside it and is not filled in; add it to its message."
                                : $"A part of type {media.Kind} cannot be asked again from here and is left out."
                        );
                    }

                    break;
                case MessagePart.ToolCall call:
                    calls.Add(
                        new JsonObject
                        {
                            ["id"] = call.Id ?? "",
                            ["type"] = "function",
                            ["function"] = new JsonObject
                            {
                                ["name"] = call.Name,
                                ["arguments"] = call.Arguments,
                            },
                        }
                    );
                    break;
            }
        }

        if (parts.Count + calls.Count == 0)
        {
            yield break;
        }

        var isText = parts.All(p => p!["type"]!.GetValue<string>() == "text");
        var written = new JsonObject
        {
            ["role"] = message.Role,
            ["content"] = isText
                ? string.Join("\n\n", parts.Select(p => p!["text"]!.GetValue<string>()))
                : parts,
        };
        if (calls.Count > 0)
        {
            written["tool_calls"] = calls;
        }

        yield return written;
    }

    private static JsonObject Text(string value) => new() { ["type"] = "text", ["text"] = value };

    /// <summary>Where an image is: its address, or its bytes from the place in the payload that holds them.</summary>
    private static string? Address(MessagePart.Media media, JsonElement inputs)
    {
        if (media.Url is not null || media.Place is not { } place)
        {
            return media.Url;
        }

        var at = inputs;
        foreach (var step in place.Split('/').Skip(1))
        {
            at =
                at.ValueKind == JsonValueKind.Array
                && int.TryParse(step, CultureInfo.InvariantCulture, out var index)
                && index < at.GetArrayLength()
                    ? at[index]
                    : at.Field(step);
        }

        return at.ValueKind != JsonValueKind.String ? null
            : at.GetString()!.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
                ? at.GetString()
            : $"data:{media.ContentType};base64,{at.GetString()}";
    }

    /// <summary>The tools as function definitions, whatever dialect they were offered in.</summary>
    private static JsonArray ToolsOf(JsonElement inputs, JsonElement? extra, List<string> notes)
    {
        var written = new JsonArray();
        foreach (var (name, text) in ToolDefinitions.Read(inputs, extra))
        {
            var tool = JsonElement.Parse(text);
            var declared = tool.Field("functionDeclarations")
                is { ValueKind: JsonValueKind.Array } list
                ? list
                : tool.Field("function_declarations");
            IEnumerable<JsonElement> all =
                declared.ValueKind == JsonValueKind.Array ? declared.EnumerateArray() : [tool];
            foreach (var one in all)
            {
                if (Function(one) is { } function)
                {
                    written.Add(new JsonObject { ["type"] = "function", ["function"] = function });
                }
                else
                {
                    notes.Add(
                        $"The tool {name} is one of the provider's own and is not offered from here."
                    );
                }
            }
        }

        return written;
    }

    private static JsonObject? Function(JsonElement tool)
    {
        var function = tool.Field("function") is { ValueKind: JsonValueKind.Object } inner
            ? inner
            : tool;
        if (function.Text("name") is not { Length: > 0 } name)
        {
            return null;
        }

        var written = new JsonObject { ["name"] = name };
        if (function.Text("description") is { Length: > 0 } description)
        {
            written["description"] = description;
        }

        foreach (
            var field in (string[])["parameters", "input_schema", "inputSchema", "args_schema"]
        )
        {
            if (function.Field(field) is { ValueKind: JsonValueKind.Object } schema)
            {
                // Some libraries wrap the schema once more.
                var bare = schema.Field("jsonSchema") is { ValueKind: JsonValueKind.Object } wrapped
                    ? wrapped
                    : schema;
                written["parameters"] = JsonNode.Parse(bare.GetRawText());
                break;
            }
        }

        written.TryAdd("parameters", new JsonObject { ["type"] = "object" });
        return written;
    }

    private static JsonDocument? Parse(Run run, PayloadKind kind)
    {
        if (!run.Payloads.TryGetValue(kind, out var bytes) || bytes.Length > MaxPayload)
        {
            return null;
        }

        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 256 });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
