using System.Text.Json;

namespace Assay.Core.Filters;

/// <summary>Whether one JSON value contains another: objects by subset, everything else by equality as text (<c>1</c> is <c>"1"</c>). Thread-safe.</summary>
public static class JsonSubset
{
    private static readonly JsonDocumentOptions s_deep = new() { MaxDepth = 256 };

    /// <summary>True when the <c>metadata</c> of a run's extra contains the wanted object; false when either cannot be read.</summary>
    public static bool MetadataContains(ReadOnlyMemory<byte> extra, string wanted)
    {
        try
        {
            using var have = JsonDocument.Parse(extra, s_deep);
            using var want = JsonDocument.Parse(wanted, s_deep);
            return have.RootElement.ValueKind == JsonValueKind.Object
                && have.RootElement.TryGetProperty("metadata", out var metadata)
                && Contains(metadata, want.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool Contains(JsonElement have, JsonElement want) =>
        want.ValueKind == JsonValueKind.Object
            ? have.ValueKind == JsonValueKind.Object
                && want.EnumerateObject()
                    .All(p =>
                        have.TryGetProperty(p.Name, out var value) && Contains(value, p.Value)
                    )
            : string.Equals(Text(have), Text(want), StringComparison.Ordinal);

    private static string? Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()
        // Lists are compared without regard to the blanks between their items.
        : value.ValueKind == JsonValueKind.Array ? JsonSerializer.Serialize(value)
        : value.GetRawText();
}
