using System.Text.Json;
using Assay.UI.Kit;

namespace Assay.UI.Datasets;

/// <summary>JSON values as people read them.</summary>
internal static class JsonText
{
    /// <summary>One line: the text of an object with one value, the content of its last message, else the JSON.</summary>
    public static string Line(string? json, int most = 240)
    {
        if (string.IsNullOrEmpty(json))
        {
            return "";
        }

        if (json.Length > 200_000)
        {
            return Cut(json, most);
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return Cut(Line(document.RootElement), most);
        }
        catch (JsonException)
        {
            return Cut(json, most);
        }
    }

    /// <summary>The whole value for reading and for comparing: texts as they are, everything else as indented JSON.</summary>
    public static string Full(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return "";
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return Full(document.RootElement);
        }
        catch (JsonException)
        {
            return json;
        }
    }

    /// <summary>Indented JSON.</summary>
    public static string Pretty(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return "";
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return ReadableJson.Indented(document.RootElement);
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static string Full(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() ?? "",
            JsonValueKind.Object when value.EnumerateObject().ToList() is [var only] => Full(
                only.Value
            ),
            JsonValueKind.Object or JsonValueKind.Array => ReadableJson.Indented(value),
            _ => value.GetRawText(),
        };

    private static string Line(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return value.GetString() ?? "";
            case JsonValueKind.Object:
                var fields = value.EnumerateObject().ToList();
                if (fields is [var only])
                {
                    return Line(only.Value);
                }

                return
                    value.TryGetProperty("content", out var content)
                    && value.TryGetProperty("role", out _)
                    ? Line(content)
                    : ReadableJson.Line(value);
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                var last = value[value.GetArrayLength() - 1];
                return last.ValueKind == JsonValueKind.Object && last.TryGetProperty("role", out _)
                    ? Line(last)
                    : ReadableJson.Line(value);
            default:
                return value.GetRawText();
        }
    }

    private static string Cut(string text, int most)
    {
        var line = text.AsSpan().TrimStart();
        return line.Length <= most ? line.ToString() : string.Concat(line[..most], "…");
    }
}
