using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;

namespace Assay.UI.Playground;

/// <summary>What the playground opens with when it is reached from a prompt.</summary>
internal static class PromptSeed
{
    private static readonly JsonSerializerOptions s_indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A variant of a prompt's commit.</summary>
    /// <exception cref="PromptNotFoundException">There is no such prompt or commit.</exception>
    /// <exception cref="InvalidPromptException">It cannot be edited here.</exception>
    public static async Task<JsonObject> OfAsync(
        PromptHistory history,
        IReadOnlyList<ModelProvider> providers,
        Caller caller,
        PromptKey key,
        string? commit,
        CancellationToken cancellationToken
    )
    {
        var pulled = await history.FindAsync(caller, key, commit ?? "latest", cancellationToken);
        using var manifest = JsonDocument.Parse(pulled.Manifest);
        var prompt = ChatPrompt.FromManifest(manifest.RootElement);
        var choice = SerializedModel.Of(manifest.RootElement) is { } serialized
            ? SerializedModel.Read(serialized, providers)
            : null;
        var provider = choice is null ? null : choice.Provider ?? providers[0];
        return new JsonObject
        {
            // A prompt alone leaves the choice to whoever opens it.
            ["provider"] = provider?.Id.ToString(),
            ["model"] = choice?.Model,
            ["parameters"] = choice?.Parameters,
            ["tools"] = choice?.Tools is { } tools ? Indented(tools) : "",
            ["tool_choice"] = choice?.ToolChoice,
            ["format"] = prompt.Format == TemplateFormat.Mustache ? "mustache" : "f-string",
            ["messages"] = new JsonArray([
                .. prompt.Messages.Select(m => new JsonObject
                {
                    ["role"] = m.Role,
                    ["content"] = JsonNode.Parse(m.Content.GetRawText()),
                }),
            ]),
            ["partials"] = ChatPromptManifest.Partials(manifest.RootElement),
            ["schema"] = prompt.OutputSchema is { } schema
                ? Indented(JsonNode.Parse(schema.GetRawText())!)
                : "",
            // A public prompt of another workspace cannot be committed to: what becomes of it is a prompt of one's own.
            ["prompt"] =
                key.Owner == PromptHub.Self
                    ? new JsonObject { ["handle"] = key.Handle, ["commit"] = pulled.Hash }
                    : null,
        };
    }

    /// <summary>JSON as people edit it.</summary>
    internal static string Indented(JsonNode json) => json.ToJsonString(s_indented);
}
