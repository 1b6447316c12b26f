using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>Writes values that may be missing: the key is always there, null when there is nothing to say.</summary>
internal static class JsonValues
{
    public static void WriteId(this Utf8JsonWriter w, string name, Guid? id)
    {
        if (id is { } value)
        {
            w.WriteString(name, value);
        }
        else
        {
            w.WriteNull(name);
        }
    }

    public static void WriteIds(this Utf8JsonWriter w, string name, IEnumerable<Guid> ids)
    {
        w.WriteStartArray(name);
        foreach (var id in ids)
        {
            w.WriteStringValue(id);
        }

        w.WriteEndArray();
    }

    public static void WriteTexts(this Utf8JsonWriter w, string name, IEnumerable<string> texts)
    {
        w.WriteStartArray(name);
        foreach (var text in texts)
        {
            w.WriteStringValue(text);
        }

        w.WriteEndArray();
    }

    public static void WriteTime(this Utf8JsonWriter w, string name, DateTimeOffset? time) =>
        w.WriteString(name, time is { } value ? Wire.Time(value) : null);

    /// <summary>A time with its offset.</summary>
    public static void WriteZoned(this Utf8JsonWriter w, string name, DateTimeOffset? time) =>
        w.WriteString(name, time is { } value ? Wire.Time(value) + "+00:00" : null);

    /// <summary>A time with Z, as v2 clients read it.</summary>
    public static void WriteUtc(this Utf8JsonWriter w, string name, DateTimeOffset? time) =>
        w.WriteString(name, time is { } value ? Wire.Time(value) + "Z" : null);

    public static void WriteNumber(this Utf8JsonWriter w, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            w.WriteNumber(name, number);
        }
        else
        {
            w.WriteNull(name);
        }
    }

    /// <summary>JSON text that was checked when it came in.</summary>
    public static void WriteJson(this Utf8JsonWriter w, string name, string? json)
    {
        w.WritePropertyName(name);
        w.WriteRawValue(json ?? "null", skipInputValidation: true);
    }
}
