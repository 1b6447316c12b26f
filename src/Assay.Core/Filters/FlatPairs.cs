using System.Text.Json;

namespace Assay.Core.Filters;

/// <summary>
/// The pairs of a JSON payload that filters see: paths joined by dots, arrays transparent, at most 100 of them, values as text cut at 250
/// characters. Thread-safe.
/// </summary>
public static class FlatPairs
{
    /// <summary>The most pairs of one payload.</summary>
    public const int MaxPairs = 100;

    /// <summary>The longest value in characters.</summary>
    public const int MaxValue = 250;

    private static readonly JsonDocumentOptions s_deep = new() { MaxDepth = 256 };

    /// <summary>The pairs of a payload; none when it is no JSON.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Of(ReadOnlyMemory<byte> json)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        try
        {
            using var document = JsonDocument.Parse(json, s_deep);
            Add(document.RootElement, "", pairs);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What cannot be read (a text of half a character, for one) ends the pairs; those before it stay.
        }

        return pairs;
    }

    private static void Add(
        JsonElement element,
        string path,
        List<KeyValuePair<string, string>> pairs
    )
    {
        if (pairs.Count >= MaxPairs)
        {
            return;
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    Add(
                        property.Value,
                        path.Length == 0 ? property.Name : $"{path}.{property.Name}",
                        pairs
                    );
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Add(item, path, pairs);
                }

                break;
            default:
                var text =
                    element.ValueKind == JsonValueKind.String
                        ? element.GetString() ?? ""
                        : element.GetRawText();
                pairs.Add(new KeyValuePair<string, string>(path, Cut(text)));
                break;
        }
    }

    private static string Cut(string text) =>
        text.Length <= MaxValue
            ? text
            : text[..(char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue)];
}
