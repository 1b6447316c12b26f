using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Assay.Core.Traces;

/// <summary>The first characters of what a person would want to see of a payload: the last user message, the answer's text, else the JSON.</summary>
internal static class PayloadPreview
{
    private const int MaxLength = 300;

    /// <summary>How much of a text is looked at: what is left when blanks and line ends are gone is as long as a preview, nearly always.</summary>
    private const int Looked = 4 * MaxLength;
    private const int MaxItems = 4;
    private static readonly byte[][] s_wrappers = Names("kwargs", "message", "data");
    private static readonly byte[][] s_inputKeys = Names(
        "input",
        "question",
        "query",
        "prompt",
        "text",
        "messages",
        "content"
    );
    private static readonly byte[][] s_outputKeys = Names(
        "output",
        "answer",
        "result",
        "text",
        "choices",
        "generations",
        "messages",
        "message",
        "content"
    );

    /// <summary>Everything that <see cref="string.ReplaceLineEndings(string)"/> takes for the end of a line.</summary>
    private static readonly SearchValues<char> s_lineEnds = SearchValues.Create(
        "\r\n\f\u0085\u2028\u2029"
    );

    public static string Of(JsonElement json, bool isInput)
    {
        if (Meaning(json, isInput ? s_inputKeys : s_outputKeys, 0) is not { } meaning)
        {
            return InOneLine(json.GetRawText());
        }

        var raw = JsonMarshal.GetRawUtf8Value(meaning)[1..^1];
        if (raw.Contains((byte)'\\') || !Utf8.IsValid(raw))
        {
            // Not decoded as a whole otherwise; here it is, since a text with broken characters has to be refused.
            return InOneLine(meaning.GetString() ?? "");
        }

        Span<char> text = stackalloc char[Looked];
        text = text[
            ..Encoding.UTF8.GetChars(raw.Length <= Looked ? raw : Whole(raw[..Looked]), text)
        ];
        return InOneLine(text);
    }

    private static string InOneLine(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        text = text[..Math.Min(text.Length, Looked)];
        // Cut first: the rest of a long text is not worth a second look.
        if (text.ContainsAny(s_lineEnds))
        {
            text = text.ToString().ReplaceLineEndings(" ");
        }

        text = text.Trim();
        return text[..CutAt(text, MaxLength)].ToString();
    }

    /// <summary>The text without the part of a character that the cut has left at its end.</summary>
    private static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> utf8)
    {
        var end = utf8.Length;
        while (end > 0 && (utf8[end - 1] & 0xC0) == 0x80)
        {
            end--;
        }

        return utf8[..Math.Max(0, end - 1)];
    }

    /// <summary>At most so many characters, never half of a surrogate pair.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length ? text : text[..CutAt(text, length)];

    private static int CutAt(ReadOnlySpan<char> text, int length) =>
        text.Length <= length ? text.Length
        : char.IsHighSurrogate(text[length - 1]) ? length - 1
        : length;

    private static byte[][] Names(params string[] names) =>
        [.. names.Select(Encoding.UTF8.GetBytes)];

    /// <summary>The string that a person would want to see; null when there is none.</summary>
    private static JsonElement? Meaning(JsonElement json, byte[][] keys, int depth)
    {
        if (depth > 8)
        {
            return null;
        }

        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                return json;
            case JsonValueKind.Array:
                // The last that says something: a picture may stand behind the question.
                var last = json.GetArrayLength() - 1;
                for (var i = last; i >= 0 && i > last - MaxItems; i--)
                {
                    if (Meaning(json[i], keys, depth + 1) is { } said)
                    {
                        return said;
                    }
                }

                return null;
            case JsonValueKind.Object:
                foreach (var wrapper in s_wrappers)
                {
                    if (
                        json.TryGetProperty(wrapper, out var inner)
                        && inner.ValueKind == JsonValueKind.Object
                        && Meaning(inner, keys, depth + 1) is { } found
                    )
                    {
                        return found;
                    }
                }

                foreach (var key in keys)
                {
                    if (
                        json.TryGetProperty(key, out var value)
                        && Meaning(value, keys, depth + 1) is { } found
                        && !found.ValueEquals(""u8)
                    )
                    {
                        return found;
                    }
                }

                return json.GetPropertyCount() == 1 ? Only(json) : null;
            default:
                return null;
        }
    }

    private static JsonElement? Only(JsonElement json)
    {
        foreach (var property in json.EnumerateObject())
        {
            return property.Value.ValueKind == JsonValueKind.String ? property.Value : null;
        }

        return null;
    }
}
