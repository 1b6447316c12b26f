using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>
/// Strict look-ups, beside the lenient ones of <see cref="JsonFields"/> and <see cref="QueryFields"/>: a value of the wrong kind is a 422 that
/// names the field. For objects that people write by hand and that would be stored wrong for good, such as datasets and examples.
/// </summary>
internal static class BodyFields
{
    public static bool Has(this JsonElement json, string name) =>
        json.Field(name).ValueKind != JsonValueKind.Undefined;

    public static string? StrictText(this JsonElement json, string name) =>
        json.Field(name) switch
        {
            { ValueKind: JsonValueKind.String } value => value.GetString(),
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw Wrong(name, "a text"),
        };

    public static Guid? Uuid(this JsonElement json, string name) =>
        json.StrictText(name) is { Length: > 0 } text
            ? Guid.TryParse(text, out var id)
                ? id
                : throw Wrong(name, "a UUID")
            : null;

    public static IReadOnlyList<Guid> Uuids(this JsonElement json, string name)
    {
        var value = json.Field(name);
        return value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => [],
            JsonValueKind.Array =>
            [
                .. value
                    .EnumerateArray()
                    .Select(i =>
                        i.ValueKind == JsonValueKind.String
                        && Guid.TryParse(i.GetString(), out var id)
                            ? id
                            : throw Wrong(name, "a list of UUIDs")
                    ),
            ],
            JsonValueKind.String when Guid.TryParse(value.GetString(), out var one) => [one],
            _ => throw Wrong(name, "a list of UUIDs"),
        };
    }

    /// <summary>One text or a list of texts; null when absent.</summary>
    public static IReadOnlyList<string>? Names(this JsonElement json, string name)
    {
        var value = json.Field(name);
        return value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array =>
            [
                .. value
                    .EnumerateArray()
                    .Select(i =>
                        i.ValueKind == JsonValueKind.String
                            ? i.GetString()!
                            : throw Wrong(name, "a text or a list of texts")
                    ),
            ],
            _ => throw Wrong(name, "a text or a list of texts"),
        };
    }

    public static bool? Flag(this JsonElement json, string name) =>
        json.Field(name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            _ => throw Wrong(name, "true or false"),
        };

    public static int? Number(this JsonElement json, string name) =>
        json.Field(name) switch
        {
            { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) =>
                number,
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw Wrong(name, "a whole number"),
        };

    public static DateTimeOffset? Moment(this JsonElement json, string name) =>
        Wire.TryTime(json.Field(name), out var time) ? time : throw Wrong(name, "an ISO 8601 time");

    /// <summary>The JSON text of an object; null when absent or null.</summary>
    public static string? ObjectText(this JsonElement json, string name) =>
        json.Field(name) switch
        {
            { ValueKind: JsonValueKind.Object } value => value.GetRawText(),
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw Wrong(name, "a JSON object"),
        };

    /// <summary>The JSON text of an array; null when absent or null.</summary>
    public static string? ArrayText(this JsonElement json, string name) =>
        json.Field(name) switch
        {
            { ValueKind: JsonValueKind.Array } value => value.GetRawText(),
            { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
            _ => throw Wrong(name, "a list"),
        };

    public static void MustBeObject(this JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("body", "a JSON object");
        }
    }

    public static IReadOnlyList<Guid> Uuids(this IQueryCollection query, string name) =>
        [
            .. query[name]
                .SelectMany(v => (v ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
                .Select(v =>
                    Guid.TryParse(v, out var id) ? id : throw Wrong(name, "a UUID or several")
                ),
        ];

    public static string? Word(this IQueryCollection query, string name) =>
        query[name].ToString() is { Length: > 0 } value ? value : null;

    public static IReadOnlyList<string> Words(this IQueryCollection query, string name) =>
        [.. query[name].OfType<string>().Where(v => v.Length > 0)];

    /// <summary>Whole number within bounds: outside them it is moved to the nearest, not refused, as clients expect.</summary>
    public static int Whole(
        this IQueryCollection query,
        string name,
        int absent,
        int least,
        int most
    ) =>
        query[name] is { Count: > 0 } values
            ? int.TryParse(
                values.ToString(),
                System.Globalization.CultureInfo.InvariantCulture,
                out var number
            )
                ? Math.Clamp(number, least, most)
                : throw Wrong(name, "a whole number")
            : absent;

    public static bool? Flag(this IQueryCollection query, string name) =>
        query.Word(name) is not { } word ? null
        : bool.TryParse(word, out var flag) ? flag
        : throw Wrong(name, "true or false");

    public static BadRequestBodyException Wrong(string name, string wanted) =>
        new(StatusCodes.Status422UnprocessableEntity, $"{name}: must be {wanted}");
}
