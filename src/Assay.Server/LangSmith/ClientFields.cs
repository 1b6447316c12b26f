using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>
/// Numbers, ids and times in the JSON that LangSmith's clients send, beside the other fields (<see cref="JsonFields"/>): ids and times that cannot be read are the
/// client's error and answered with 422.
/// </summary>
internal static class ClientFields
{
    /// <summary>A whole number; of another type it counts as not said.</summary>
    public static int? Int(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var value)
            ? value
            : null;

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
