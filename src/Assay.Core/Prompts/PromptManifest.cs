using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Assay.Core.Prompts;

/// <summary>
/// What a commit holds: LangChain's serialized form of a prompt or of a prompt with its model
/// (<c>{"lc":1,"type":"constructor","id":["langchain_core","prompts","chat","ChatPromptTemplate"],"kwargs":{…}}</c>). Kept verbatim; this only
/// looks at it. Pure.
/// </summary>
public static class PromptManifest
{
    /// <summary>Longest manifest in characters.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    /// <summary>What is wrong with a manifest, in the words LangSmith's clients look for; null when nothing.</summary>
    public static string? Check(JsonElement manifest)
    {
        if (manifest.ValueKind != JsonValueKind.Object)
        {
            return "Manifest must be an object";
        }

        if (
            !manifest.TryGetProperty("id", out var id)
            || id.ValueKind != JsonValueKind.Array
            || id.GetArrayLength() == 0
            || id.EnumerateArray().Any(i => i.ValueKind != JsonValueKind.String)
        )
        {
            return "Manifest must have an id field";
        }

        // LangChain's packages all begin alike; what else serializes itself is nothing a client could load again.
        return id[0].GetString()!.StartsWith("lang", StringComparison.Ordinal)
            ? null
            : $"Manifest type {id[id.GetArrayLength() - 1].GetString()} is not supported";
    }

    /// <summary>Type of a serialized object: the last part of its id; null when it has none.</summary>
    public static string? TypeOf(JsonElement serialized) =>
        serialized.ValueKind == JsonValueKind.Object
        && serialized.TryGetProperty("id", out var id)
        && id.ValueKind == JsonValueKind.Array
        && id.GetArrayLength() > 0
        && id[id.GetArrayLength() - 1] is { ValueKind: JsonValueKind.String } last
            ? last.GetString()
            : null;

    /// <summary>The prompt of a prompt that was committed with its model; another manifest is itself.</summary>
    public static JsonElement WithoutModel(JsonElement manifest) =>
        TypeOf(manifest) is "RunnableSequence" or "PromptPlayground"
        && manifest.TryGetProperty("kwargs", out var parts)
        && parts.ValueKind == JsonValueKind.Object
        && parts.TryGetProperty("first", out var first)
        && first.ValueKind == JsonValueKind.Object
            ? first
            : manifest;

    /// <summary>The hash of a commit.</summary>
    public static string Hash(Guid promptId, string? parentHash, string manifest) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{promptId:N}\n{parentHash}\n{manifest}"))
        );
}
