using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Prompts;
using Assay.Core.Prompts.Templates;

namespace Assay.UI.Playground;

/// <summary>What the playground opens with when it is reached from a prompt.</summary>
internal static class PromptSeed
{
    /// <summary>A variant of a prompt's commit.</summary>
    /// <exception cref="PromptNotFoundException">There is no such prompt or commit.</exception>
    /// <exception cref="InvalidPromptException">It cannot be edited here.</exception>
    public static async Task<JsonObject> OfAsync(
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

    private static string First(ModelProvider provider) =>
        provider.Models.Count > 0 ? provider.Models[0] : "";
}
