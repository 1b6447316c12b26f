using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Assay.UI.Kit;

/// <summary>JSON for people: every character as itself, emoji too, which the framework's own encoders leave as two escapes. Pure.</summary>
internal static partial class ReadableJson
{
    private static readonly JsonSerializerOptions s_line = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 256,
    };

    private static readonly JsonSerializerOptions s_indented = new(s_line) { WriteIndented = true };

    /// <summary>A value on one line.</summary>
    public static string Line(JsonElement value) =>
        Unescaped(JsonSerializer.Serialize(value, s_line));

    /// <summary>A value, indented.</summary>
    public static string Indented(JsonElement value) =>
        Unescaped(JsonSerializer.Serialize(value, s_indented));

    private static string Unescaped(string json) =>
        json.Contains("\\uD", StringComparison.Ordinal)
            ? Pair()
                .Replace(
                    json,
                    m =>
                        $"{(char)Convert.ToUInt16(m.Groups["high"].Value, 16)}{(char)Convert.ToUInt16(m.Groups["low"].Value, 16)}"
                )
            : json;

    /// <summary>A pair of escapes whose first backslash is not escaped itself.</summary>
    [GeneratedRegex(
        @"(?<=(^|[^\\])(\\\\)*)\\u(?<high>D[89AB][0-9A-F]{2})\\u(?<low>D[C-F][0-9A-F]{2})",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Pair();
}
