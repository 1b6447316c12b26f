using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Assay.Core.Traces;

/// <summary>The first characters of what a person would want to see of a payload: the last user message, the answer's text, else the JSON.</summary>
internal static class PayloadPreview
{
    private const int MaxLength = 300;
    private static readonly string[] s_inputKeys =
    [
        "input",
        "question",
        "query",
        "prompt",
        "text",
        "messages",
        "content",
    ];
    private static readonly string[] s_outputKeys =
    [
        "output",
        "answer",
        "result",
        "text",
        "choices",
        "generations",
        "messages",
        "message",
        "content",
    ];

    public static string Of(JsonElement json, bool isInput)
    {
        var text = Meaning(json, isInput ? s_inputKeys : s_outputKeys, 0) ?? json.GetRawText();
        // Cut first: the rest of a long text is not worth a second look.
        text = Cut(text.TrimStart(), 4 * MaxLength).ReplaceLineEndings(" ").Trim();
        return Cut(text, MaxLength);
    }

    /// <summary>
    /// The beginning of a string, more than a preview needs. One without escapes is not decoded as a whole, only checked, since a text with
    /// broken characters has to be refused.
    /// </summary>
    private static string? Beginning(JsonElement json)
    {
        const int most = 4 * MaxLength;
        var raw = JsonMarshal.GetRawUtf8Value(json)[1..^1];
        return raw.Length <= most || raw.Contains((byte)'\\') || !Utf8.IsValid(raw)
            ? json.GetString()
            : Whole(raw[..most]);
    }

    /// <summary>The text without the part of a character that the cut has left at its end.</summary>
    private static string Whole(ReadOnlySpan<byte> utf8)
    {
        var end = utf8.Length;
        while (end > 0 && (utf8[end - 1] & 0xC0) == 0x80)
        {
            end--;
        }

        return Encoding.UTF8.GetString(utf8[..Math.Max(0, end - 1)]);
    }

    /// <summary>At most so many characters, never half of a surrogate pair.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length
            ? text
            : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    private static string? Meaning(JsonElement json, string[] keys, int depth)
    {
        if (depth > 8)
        {
            return null;
        }

        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                return Beginning(json);
            case JsonValueKind.Array when json.GetArrayLength() > 0:
                return Meaning(json[json.GetArrayLength() - 1], keys, depth + 1);
            case JsonValueKind.Object:
                foreach (var wrapper in (string[])["kwargs", "message", "data"])
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
                        && Meaning(value, keys, depth + 1) is { Length: > 0 } found
                    )
                    {
                        return found;
                    }
                }

                var properties = json.EnumerateObject().Take(2).ToList();
                return properties is [{ Value.ValueKind: JsonValueKind.String } only]
                    ? Beginning(only.Value)
                    : null;
            default:
                return null;
        }
    }
}
