using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// The rule for content attributes: lists and maps as they are; a text that begins like JSON is decoded, once more when a quoted text holds
/// an object or a list again (Langfuse, MLflow), and as far as it goes when the SDK cut it; any other text stays a text. Pure, never throws.
/// </summary>
internal static class Decoding
{
    /// <summary>Longer texts are not looked into; they stay texts, so a mapping's memory stays a small multiple of its input.</summary>
    public const int MaxDecoded = 8 * 1024 * 1024;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 128 };

    public static JsonNode? Decode(AnyValue? value, out bool isCut)
    {
        isCut = false;
        return value?.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue => Decode(value.StringValue, out isCut),
            AnyValue.ValueOneofCase.BytesValue => Decode(AnyValues.Text(value) ?? "", out isCut),
            _ => AnyValues.Json(value),
        };
    }

    public static JsonNode? Decode(string text, out bool isCut)
    {
        isCut = false;
        if (!LooksLikeJson(text))
        {
            return JsonValue.Create(text);
        }

        var json = Parse(text);
        if (json is null)
        {
            json = text.AsSpan().TrimStart()[0] == '"' ? null : CutJson.Mend(text);
            isCut = json is not null;
        }

        return
            json is JsonValue value
            && value.TryGetValue<string>(out var inner)
            && inner.AsSpan().TrimStart() is ['{' or '[' or '"', ..]
            && Parse(inner) is { } again
            ? again
            : json ?? JsonValue.Create(text);
    }

    /// <summary>A text without the quotes that an encoding as JSON put around it.</summary>
    public static string Unquote(string text) =>
        text is ['"', .., '"']
        && Parse(text) is JsonValue value
        && value.TryGetValue<string>(out var inner)
            ? inner
            : text;

    /// <summary>JSON or null. Half a character in an escape becomes the replacement character, since no text can hold it.</summary>
    public static JsonNode? Parse(string text)
    {
        if (text.Length > MaxDecoded)
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(WithoutLoneSurrogates(text), documentOptions: s_options);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // The second: half a character, cut by whoever made the text.
            return null;
        }
    }

    private static bool LooksLikeJson(string text) =>
        text.AsSpan().TrimStart() is ['{' or '[' or '"', ..] && text.Length <= MaxDecoded;

    private static string WithoutLoneSurrogates(string text)
    {
        // Two looks at the letter as it is are faster by far than one that ignores its case.
        if (
            !text.Contains("\\ud", StringComparison.Ordinal)
            && !text.Contains("\\uD", StringComparison.Ordinal)
        )
        {
            return text;
        }

        var copy = text.ToCharArray();
        for (var i = 0; i + 5 < copy.Length; i++)
        {
            if (copy[i] != '\\')
            {
                continue;
            }

            if (Unit(copy, i) is not { } unit)
            {
                i++;
                continue;
            }

            if (
                char.IsHighSurrogate(unit)
                && Unit(copy, i + 6) is { } low
                && char.IsLowSurrogate(low)
            )
            {
                i += 11;
                continue;
            }

            if (char.IsSurrogate(unit))
            {
                "FFFD".CopyTo(copy.AsSpan(i + 2));
            }

            i += 5;
        }

        return new string(copy);
    }

    private static char? Unit(char[] text, int at) =>
        at + 5 < text.Length
        && text[at] == '\\'
        && text[at + 1] == 'u'
        && ushort.TryParse(
            text.AsSpan(at + 2, 4),
            System.Globalization.NumberStyles.AllowHexSpecifier,
            System.Globalization.CultureInfo.InvariantCulture,
            out var unit
        )
            ? (char)unit
            : null;
}
