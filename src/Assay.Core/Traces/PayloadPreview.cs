using System.Text.Json;

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
        text = text.ReplaceLineEndings(" ").Trim();
        return Cut(text, MaxLength);
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
                return json.GetString();
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
                    ? only.Value.GetString()
                    : null;
            default:
                return null;
        }
    }
}
