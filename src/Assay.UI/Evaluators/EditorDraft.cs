using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Evaluators;

namespace Assay.UI.Evaluators;

/// <summary>An evaluator as the editor's element takes it.</summary>
internal static class EditorDraft
{
    public static string Of(
        string name,
        string key,
        EvaluatorKind kind,
        string? description,
        string settingsJson
    ) =>
        new JsonObject
        {
            ["name"] = name,
            ["key"] = key,
            ["kind"] = kind.ToString(),
            ["description"] = description,
            ["settings"] = JsonNode.Parse(settingsJson),
        }.ToJsonString(JsonSerializerOptions.Web);
}
