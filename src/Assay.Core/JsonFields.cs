using System.Text.Json;

namespace Assay.Core;

/// <summary>
/// Lenient look-ups in JSON that somebody else wrote. Null and absent mean the same: not said. A text, number or flag of another type counts as not
/// said too. Whoever has to tell them apart asks for the <see cref="Field"/>. Pure.
/// </summary>
public static class JsonFields
{
    /// <summary>The value of a field; undefined when there is none.</summary>
    public static JsonElement Field(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : default;

    /// <summary>False for null and for nothing.</summary>
    public static bool IsSaid(this JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    /// <summary>A text.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>The value as JSON text, whatever its type.</summary>
    public static string? Raw(this JsonElement json, string name) =>
        json.Field(name) is var value && value.IsSaid() ? value.GetRawText() : null;

    /// <summary>An object as JSON text; null when it is none.</summary>
    public static string? RawObject(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Object } value ? value.GetRawText() : null;

    /// <summary>A flag.</summary>
    public static bool? Bool(this JsonElement json, string name) =>
        json.Field(name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    /// <summary>The items of an array; none when it is something else.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : [];

    /// <summary>The texts of an array.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement json, string name) =>
        [
            .. json.Items(name)
                .Where(i => i.ValueKind == JsonValueKind.String)
                .Select(i => i.GetString() ?? ""),
        ];
}
