using System.Text.Json;

namespace Assay.UI.Traces.Messages;

/// <summary>Small questions about texts of payloads.</summary>
internal static class PayloadText
{
    private const int MaxShown = 60_000;

    /// <summary>The text when it is a JSON object or array; texts that merely begin like one are left as texts.</summary>
    public static string? JsonOrNull(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (
            trimmed.Length is < 2 or > 1_000_000
            || trimmed[0] is not ('{' or '[')
            || trimmed[^1] is not ('}' or ']')
        )
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(
                text,
                new JsonDocumentOptions { MaxDepth = 256 }
            );
            return text;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The first line, short.</summary>
    public static string Line(string text) => text.Length <= 120 ? text : text[..120];

    /// <summary>As much as a page should hold.</summary>
    public static string Cut(string text) =>
        text.Length <= MaxShown
            ? text
            : string.Concat(
                text.AsSpan(0, MaxShown),
                "\n… cut here; the JSON view has the whole text"
            );
}
