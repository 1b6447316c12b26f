using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Core.Datasets;

/// <summary>How datasets read JSON that a client sent: objects only, bounded depth, no doubled names.</summary>
internal static class DatasetJson
{
    private static readonly JsonDocumentOptions s_strict = new()
    {
        MaxDepth = 128,
        AllowDuplicateProperties = false,
    };

    /// <summary>A JSON object.</summary>
    /// <exception cref="DatasetProblemException">It is none.</exception>
    public static JsonObject Object(string json, string field) =>
        Parse(json, field) as JsonObject
        ?? throw DatasetProblemException.Invalid($"{field}: must be a JSON object");

    /// <summary>Any JSON.</summary>
    /// <exception cref="DatasetProblemException">It is none.</exception>
    public static JsonNode? Parse(string json, string field)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: s_strict);
        }
        catch (JsonException e)
        {
            throw DatasetProblemException.Invalid($"{field}: invalid JSON: {e.Message}");
        }
    }
}
