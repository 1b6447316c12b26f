using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>
/// Look-ups in the JSON that LangSmith's clients send. Null and absent mean the same: not said. A text, number or flag of another type
/// counts as not said too; ids and times that cannot be read are the client's error and answered with 422.
/// </summary>
internal static class JsonFields
{
    /// <summary>The value of a field; undefined when there is none.</summary>
    public static JsonElement Field(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : default;

    /// <summary>False for null and for nothing.</summary>
    public static bool IsSaid(this JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public static string? Text(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>The value as JSON text, whatever its type.</summary>
    public static string? Raw(this JsonElement json, string name) =>
        json.Field(name) is var value && value.IsSaid() ? value.GetRawText() : null;

    /// <summary>An object as JSON text; null when it is none.</summary>
    public static string? RawObject(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Object } value ? value.GetRawText() : null;

    public static int? Int(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var value)
            ? value
            : null;

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

    /// <summary>False when the field holds something that is no id.</summary>
    public static bool TryId(this JsonElement json, string name, out Guid? id)
    {
        id = null;
        var value = json.Field(name);
        if (!value.IsSaid())
        {
            return true;
        }

        if (
            value.ValueKind != JsonValueKind.String
            || !Guid.TryParse(value.GetString(), out var parsed)
        )
        {
            return false;
        }

        id = parsed;
        return true;
    }

    /// <summary>An id; of a list, the first.</summary>
    /// <exception cref="BadRequestBodyException">It is no UUID.</exception>
    public static Guid? Id(this JsonElement json, string name) =>
        json.Ids(name) is [var id, ..] ? id : null;

    /// <summary>One id or a list of ids.</summary>
    /// <exception cref="BadRequestBodyException">One of them is no UUID.</exception>
    public static IReadOnlyList<Guid> Ids(this JsonElement json, string name)
    {
        var value = json.Field(name);
        IEnumerable<JsonElement> items = value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => [],
            JsonValueKind.Array => value.EnumerateArray(),
            _ => [value],
        };
        return
        [
            .. items.Select(i =>
                i.ValueKind == JsonValueKind.String && Guid.TryParse(i.GetString(), out var id)
                    ? id
                    : throw Bad(name, "must be a UUID or a list of UUIDs")
            ),
        ];
    }

    /// <summary>A time as <see cref="Wire.TryTime(JsonElement, out DateTimeOffset?)"/> reads it.</summary>
    /// <exception cref="BadRequestBodyException">It is no time.</exception>
    public static DateTimeOffset? Time(this JsonElement json, string name) =>
        Wire.TryTime(json.Field(name), out var time)
            ? time
            : throw Bad(
                name,
                "must be an ISO 8601 time or a number of seconds or milliseconds since 1970"
            );

    /// <summary>The body as an object.</summary>
    /// <exception cref="BadRequestBodyException">It is something else.</exception>
    public static JsonElement AsObject(this JsonDocument document) =>
        document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement
            : throw Bad("body", "must be a JSON object");

    private static BadRequestBodyException Bad(string field, string reason) =>
        new(StatusCodes.Status422UnprocessableEntity, $"{field}: {reason}");
}
