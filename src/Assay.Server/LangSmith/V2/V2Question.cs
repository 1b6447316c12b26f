using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.V2;

/// <summary>What v2 questions have in common: the window that defaults to the last day, page sizes, filters, cursors that count, and the project that must exist.</summary>
internal static class V2Question
{
    private static readonly TimeSpan DefaultWindow = TimeSpan.FromDays(1);

    /// <summary>The window of a question; without a beginning it is the last day.</summary>
    public static (DateTimeOffset From, DateTimeOffset? To) Window(
        JsonElement json,
        TimeProvider time
    ) =>
        (
            json.Time("min_start_time") ?? time.GetUtcNow() - DefaultWindow,
            json.Time("max_start_time")
        );

    /// <summary>A page size within its range.</summary>
    public static int PageSize(JsonElement json, int otherwise, int max) =>
        Math.Clamp(json.Int("page_size") ?? otherwise, 1, max);

    /// <summary>A filter in LangSmith's language.</summary>
    public static Filter? Filter(JsonElement json, string name) => Filter(json.Text(name));

    /// <summary>A filter in LangSmith's language.</summary>
    public static Filter? Filter(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : LangSmithFilterParser.Parse(text);

    /// <summary>All of those that are there; null when none is.</summary>
    public static Filter? All(params ReadOnlySpan<Filter?> filters)
    {
        var items = new List<Filter>();
        foreach (var filter in filters)
        {
            if (filter is not null)
            {
                items.Add(filter);
            }
        }

        return items.Count switch
        {
            0 => null,
            1 => items[0],
            _ => new Filter.And(items),
        };
    }

    /// <summary>One of these values; null when there are none.</summary>
    public static Filter? AnyOf(RunField field, IReadOnlyList<Guid> ids) =>
        ids.Count == 0 ? null : new Filter.In(field, [.. ids.Select(FilterValue.Of)]);

    /// <summary>A run type in any case; null when none is said.</summary>
    /// <exception cref="BadRequestBodyException">There is no such type.</exception>
    public static RunKind? Kind(JsonElement json) =>
        json.Text("run_type") is not { Length: > 0 } type ? null
        : Enum.TryParse<RunKind>(type, ignoreCase: true, out var kind)
        && Enum.IsDefined(kind)
        && !char.IsAsciiDigit(type[0])
            ? kind
        : throw new BadRequestBodyException(
            StatusCodes.Status422UnprocessableEntity,
            $"run_type: '{type}' is not a run type"
        );

    /// <summary>A cursor for lists that are paged by position.</summary>
    public static string Cursor(int position) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes($"at:{position}"));

    /// <summary>The position of a cursor; 0 without one.</summary>
    /// <exception cref="InvalidCursorException">It is none of ours.</exception>
    public static int Position(string? cursor)
    {
        if (string.IsNullOrEmpty(cursor))
        {
            return 0;
        }

        Span<byte> bytes = stackalloc byte[32];
        return
            Convert.TryFromBase64String(cursor, bytes, out var length)
            && Encoding.ASCII.GetString(bytes[..length]) is ['a', 't', ':', .. var digits]
            && int.TryParse(
                digits,
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out var position
            )
            ? position
            : throw new InvalidCursorException();
    }

    /// <summary>True when the workspace has the project.</summary>
    public static async Task<bool> HasProjectAsync(
        HttpContext context,
        Caller caller,
        Guid projectId
    )
    {
        var metadata = context.RequestServices.GetRequiredService<
            IDbContextFactory<MetadataContext>
        >();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return await db.Projects.AnyAsync(
            p => p.WorkspaceId == caller.WorkspaceId && p.Id == projectId,
            context.RequestAborted
        );
    }

    /// <summary>The address that the client used, without a path.</summary>
    public static string Host(HttpContext context) =>
        $"{context.Request.Scheme}://{context.Request.Host}";
}
