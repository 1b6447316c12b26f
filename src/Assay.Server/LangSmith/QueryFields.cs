using System.Globalization;

namespace Assay.Server.LangSmith;

/// <summary>Look-ups in query strings as LangSmith's clients write them: repeated keys for lists, <c>True</c> or <c>true</c>.</summary>
internal static class QueryFields
{
    /// <summary>A number, brought into its range; the default when there is none or it is none.</summary>
    public static int Int(
        this IQueryCollection query,
        string name,
        int otherwise,
        int min,
        int max
    ) =>
        int.TryParse(
            query[name],
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture,
            out var value
        )
            ? Math.Clamp(value, min, max)
            : otherwise;

    /// <summary>A flag; null when it is not said.</summary>
    public static bool? Bool(this IQueryCollection query, string name) =>
        bool.TryParse(query[name], out var value) ? value : null;

    /// <summary>A text that is not empty.</summary>
    public static string? Text(this IQueryCollection query, string name) =>
        query[name].ToString() is { Length: > 0 } text ? text : null;

    /// <summary>Ids, from repeated keys.</summary>
    /// <exception cref="BadRequestBodyException">One of them is no UUID.</exception>
    public static IReadOnlyList<Guid> Ids(this IQueryCollection query, string name) =>
        [
            .. query[name]
                .Select(v =>
                    Guid.TryParse(v, out var id) ? id : throw Bad(name, $"'{v}' is not a UUID")
                ),
        ];

    /// <summary>One id.</summary>
    /// <exception cref="BadRequestBodyException">It is no UUID.</exception>
    public static Guid? Id(this IQueryCollection query, string name) =>
        query.Text(name) is null ? null : query.Ids(name)[0];

    /// <summary>One id that must be there.</summary>
    /// <exception cref="BadRequestBodyException">It is missing or no UUID.</exception>
    public static Guid NeededId(this IQueryCollection query, string name) =>
        query.Id(name) ?? throw Bad(name, "is needed");

    /// <summary>A time.</summary>
    /// <exception cref="BadRequestBodyException">It is no time.</exception>
    public static DateTimeOffset? Time(this IQueryCollection query, string name) =>
        query.Text(name) is not { } text ? null
        : Wire.TryTime(text, out var time) ? time
        : throw Bad(name, "must be an ISO 8601 time");

    private static BadRequestBodyException Bad(string name, string reason) =>
        new(StatusCodes.Status422UnprocessableEntity, $"{name}: {reason}");
}
