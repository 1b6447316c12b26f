using System.Globalization;
using System.Runtime.CompilerServices;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>Which entries of the audit log.</summary>
public sealed record AuditQuery
{
    /// <summary>Only these actions; null for all.</summary>
    public IReadOnlyList<string>? Actions { get; init; }

    /// <summary>Only actors whose name holds this text.</summary>
    public string? Actor { get; init; }

    /// <summary>Only from this time on.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Only before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Where the page before ended.</summary>
    public string? Cursor { get; init; }

    /// <summary>Entries on a page, 1 to 500.</summary>
    public int Limit { get; init; } = 50;
}

/// <summary>A page of the audit log, newest first.</summary>
/// <param name="Entries">The entries.</param>
/// <param name="Next">The cursor of the next page; null at the end.</param>
public sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, string? Next);

/// <summary>Writes and reads the audit log of a workspace. Thread-safe. Entries are never changed or deleted.</summary>
public sealed class AuditLog(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>Writes one entry by itself, for changes whose data live outside the metadata database.</summary>
    public async Task WriteAsync(
        Caller caller,
        string action,
        string? subject,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        db.AuditEntries.Add(AuditEntry.Of(caller, action, subject, time.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>A page, newest first. A cursor that is none begins at the newest entry.</summary>
    public async Task<AuditPage> ListAsync(
        Caller caller,
        AuditQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var limit = Math.Clamp(query.Limit, 1, 500);
        var entries = Select(db, caller, query);
        if (TryCursor(query.Cursor) is { } after)
        {
            entries = entries.Where(e =>
                e.At < after.At || (e.At == after.At && e.Id.CompareTo(after.Id) < 0)
            );
        }

        var page = await entries
            .OrderByDescending(e => e.At)
            .ThenByDescending(e => e.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        if (page.Count <= limit)
        {
            return new AuditPage(page, null);
        }

        page.RemoveAt(limit);
        var last = page[^1];
        return new AuditPage(
            page,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{UtcMicroseconds.ToMicroseconds(last.At)}_{last.Id:N}"
            )
        );
    }

    /// <summary>Every entry of the query, oldest first, read while it is sent.</summary>
    public async IAsyncEnumerable<AuditEntry> ExportAsync(
        Caller caller,
        AuditQuery query,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await foreach (
            var entry in Select(db, caller, query)
                .OrderBy(e => e.At)
                .ThenBy(e => e.Id)
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
        {
            yield return entry;
        }
    }

    /// <summary>The actions that occur in the workspace, for the filter on screen.</summary>
    public async Task<IReadOnlyList<string>> ActionsAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .AuditEntries.AsNoTracking()
            .Where(e => e.WorkspaceId == caller.WorkspaceId)
            .Select(e => e.Action)
            .Distinct()
            .OrderBy(a => a)
            .ToListAsync(cancellationToken);
    }

    private static IQueryable<AuditEntry> Select(
        MetadataContext db,
        Caller caller,
        AuditQuery query
    )
    {
        var entries = db
            .AuditEntries.AsNoTracking()
            .Where(e => e.WorkspaceId == caller.WorkspaceId);
        if (query.Actions is { } actions)
        {
            entries = entries.Where(e => actions.Contains(e.Action));
        }

        if (query.Actor is { Length: > 0 } actor)
        {
            entries = entries.Where(e => e.Actor.Contains(actor));
        }

        if (query.From is { } from)
        {
            entries = entries.Where(e => e.At >= from);
        }

        if (query.To is { } to)
        {
            entries = entries.Where(e => e.At < to);
        }

        return entries;
    }

    private static (DateTimeOffset At, Guid Id)? TryCursor(string? cursor) =>
        cursor?.Split('_') is [var micros, var id]
        && long.TryParse(micros, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
        && at < 253_402_300_800_000_000
        && Guid.TryParseExact(id, "N", out var guid)
            ? (UtcMicroseconds.FromMicroseconds(at), guid)
            : null;
}
