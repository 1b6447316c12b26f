using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;
using Assay.Core.Traces;
using Assay.UI.Traces.Messages;

namespace Assay.UI.Playground;

/// <summary>What the playground opens with when it is reached from a run or a prompt.</summary>
internal static class PlaygroundSeed
{
    private const int MaxPayload = 1 << 20;

    /// <summary>A variant that asks again what a run asked; null when the run is gone or holds no conversation.</summary>
    public static async Task<JsonObject?> OfRunAsync(
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
        using var inputs = Parse(run, PayloadKind.Inputs);
        if (run is null || inputs is null)
        {
            return null;
        }

        var messages = MessageReader.Read(inputs.RootElement);
        if (messages.Count == 0)
        {
            return null;
        }

        using var extra = Parse(run, PayloadKind.Extra);
        var parameters = new JsonObject();
        foreach (var holder in (JsonElement?[])[inputs.RootElement, Invocation(extra)])
        {
            AddParameters(parameters, holder);
        }

        var tools = ToolDefinitions.Read(inputs.RootElement, extra?.RootElement);
        var provider = providers.FirstOrDefault(p => p.PricedAs == run.Provider) ?? providers[0];
        return new JsonObject
        {
            ["provider"] = provider.Id.ToString(),
            ["model"] = run.Model ?? First(provider),
            // What a run holds is filled in already: braces in it are text.
            ["format"] = "none",
            ["messages"] = new JsonArray([.. messages.SelectMany(Message)]),
            ["parameters"] = parameters,
            ["tools"] =
                tools.Count == 0
                    ? ""
                    : "[\n" + string.Join(",\n", tools.Select(t => t.Json)) + "\n]",
            ["source"] = runId.ToString(),
        };
    }

    /// <summary>A variant of a prompt's commit.</summary>
    /// <exception cref="PromptNotFoundException">There is no such prompt or commit.</exception>
    /// <exception cref="InvalidPromptException">It cannot be edited here.</exception>
    public static async Task<JsonObject> OfPromptAsync(
        PromptHistory history,
        ModelProvider provider,
        Caller caller,
        PromptKey key,
        string? commit,
        CancellationToken cancellationToken
    )
    {
        var pulled = await history.FindAsync(caller, key, commit ?? "latest", cancellationToken);
        using var manifest = JsonDocument.Parse(pulled.Manifest);
        var prompt = ChatPrompt.FromManifest(manifest.RootElement);
        return new JsonObject
        {
            ["provider"] = provider.Id.ToString(),
            ["model"] = First(provider),
            ["format"] = prompt.Format == TemplateFormat.Mustache ? "mustache" : "f-string",
            ["messages"] = new JsonArray([
                .. prompt.Messages.Select(m => new JsonObject
                {
                    ["role"] = m.Role,
                    ["content"] = JsonNode.Parse(m.Content.GetRawText()),
                }),
            ]),
            ["schema"] = prompt.OutputSchema?.GetRawText() ?? "",
            // A public prompt of another workspace cannot be committed to: what becomes of it is a prompt of one's own.
            ["prompt"] =
                key.Owner == PromptHub.Self
                    ? new JsonObject { ["handle"] = key.Handle, ["commit"] = pulled.Hash }
                    : null,
        };
    }

    private static IEnumerable<JsonNode> Message(ChatMessage message)
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
                    parts.Add(new JsonObject { ["type"] = "text", ["text"] = text.Value });
                    break;
                case MessagePart.Json json:
                    parts.Add(new JsonObject { ["type"] = "text", ["text"] = json.Value });
                    break;
                case MessagePart.Media { Kind: "image", Url: { } url }:
                    parts.Add(
                        new JsonObject
                        {
                            ["type"] = "image_url",
                            ["image_url"] = new JsonObject { ["url"] = url },
                        }
                    );
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

    private static string First(ModelProvider provider) =>
        provider.Models.Count > 0 ? provider.Models[0] : "";

    private static JsonElement? Invocation(JsonDocument? extra) =>
        extra is { RootElement.ValueKind: JsonValueKind.Object }
        && extra.RootElement.TryGetProperty("invocation_params", out var given)
            ? given
            : null;

    private static void AddParameters(JsonObject parameters, JsonElement? holder)
    {
        if (holder is not { ValueKind: JsonValueKind.Object } given)
        {
            return;
        }

        foreach (
            var name in (string[])
                [
                    "temperature",
                    "top_p",
                    "max_tokens",
                    "frequency_penalty",
                    "presence_penalty",
                    "seed",
                ]
        )
        {
            if (
                given.TryGetProperty(name, out var value)
                && value.ValueKind == JsonValueKind.Number
            )
            {
                parameters[name] = JsonNode.Parse(value.GetRawText());
            }
        }
    }

    private static JsonDocument? Parse(Run? run, PayloadKind kind)
    {
        if (run?.Payloads.TryGetValue(kind, out var bytes) != true || bytes.Length > MaxPayload)
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
