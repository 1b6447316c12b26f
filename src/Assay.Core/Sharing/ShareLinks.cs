using System.Security.Cryptography;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Sharing;

/// <summary>
/// Public links to runs: made, found, revoked and opened here. Making and revoking need <see cref="Permission.Write"/> and are in the audit
/// log; opening needs nothing but the token. Thread-safe.
/// </summary>
public sealed class ShareLinks(
    IDbContextFactory<MetadataContext> metadata,
    TraceQueries queries,
    TimeProvider time
)
{
    /// <summary>
    /// The link of a run, made when there is none. <paramref name="wishedToken"/> is taken when it is a version 4 UUID that no link uses
    /// (LangSmith's clients make the token); otherwise the token is made here, so that none is guessable.
    /// </summary>
    public async Task<ShareLink> ShareAsync(
        Caller caller,
        Run run,
        Guid? wishedToken,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (await OfAsync(db, caller, run, cancellationToken) is { } known)
        {
            return known;
        }

        var isFree =
            wishedToken is { Version: 4 } wished
            && !await db.ShareLinks.AnyAsync(l => l.Token == wished, cancellationToken);
        var now = time.GetUtcNow();
        var link = new ShareLink
        {
            Token = isFree ? wishedToken!.Value : NewToken(),
            WorkspaceId = caller.WorkspaceId,
            ProjectId = run.ProjectId,
            TraceId = run.TraceId,
            RunId = run.Id,
            CreatedBy = caller.Name,
            CreatedAt = now,
        };
        db.ShareLinks.Add(link);
        db.AuditEntries.Add(Audit(caller, "run.share", run.Id, now));
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return link;
        }
        catch (DbUpdateException)
        {
            // Somebody else shared it between our look and our insert: theirs is the one.
            db.ChangeTracker.Clear();
            if (await OfAsync(db, caller, run, cancellationToken) is { } other)
            {
                return other;
            }

            throw;
        }
    }

    /// <summary>Revokes the links of a run at once; false when there was none.</summary>
    public async Task<bool> RevokeAsync(
        Caller caller,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var links = await db
            .ShareLinks.Where(l => l.WorkspaceId == caller.WorkspaceId && l.RunId == runId)
            .ToListAsync(cancellationToken);
        if (links.Count == 0)
        {
            return false;
        }

        db.ShareLinks.RemoveRange(links);
        db.AuditEntries.Add(Audit(caller, "run.unshare", runId, time.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>The tokens of those of the runs that are shared.</summary>
    public async Task<IReadOnlyDictionary<Guid, Guid>> TokensAsync(
        Caller caller,
        IReadOnlyList<Guid> runIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .ShareLinks.AsNoTracking()
            .Where(l => l.WorkspaceId == caller.WorkspaceId && runIds.Contains(l.RunId))
            .ToListAsync(cancellationToken);
        return found.GroupBy(l => l.RunId).ToDictionary(g => g.Key, g => g.First().Token);
    }

    /// <summary>
    /// Takes away the links to what was deleted, so that a run sent again under the same id is not public by surprise. Any of the three may be
    /// empty.
    /// </summary>
    public async Task DropAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> runIds,
        IReadOnlyList<Guid> traceIds,
        Guid? projectId,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .ShareLinks.Where(l =>
                l.WorkspaceId == workspaceId
                && (
                    runIds.Contains(l.RunId)
                    || traceIds.Contains(l.TraceId)
                    || l.ProjectId == projectId
                )
            )
            .ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>What a token opens; null when there is no such link or its run is gone.</summary>
    public async Task<SharedRuns?> OpenAsync(Guid token, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var link = await db
            .ShareLinks.AsNoTracking()
            .FirstOrDefaultAsync(l => l.Token == token, cancellationToken);
        if (link is null)
        {
            return null;
        }

        // The token stands for a right to read; what it may read is bounded by the list that SharedRuns holds.
        var reader = new Caller(link.WorkspaceId, Permission.Read, Name: "share link");
        var trace = await queries.ReadTraceAsync(
            reader,
            link.TraceId,
            link.ProjectId,
            RunParts.Details,
            cancellationToken
        );
        var runs = new List<Run>();
        var inside = new HashSet<Guid>();
        foreach (var run in trace)
        {
            // Parents come before their children, so one pass finds every descendant.
            if (run.Id == link.RunId || (run.ParentRunId is { } p && inside.Contains(p)))
            {
                inside.Add(run.Id);
                runs.Add(run);
            }
        }

        return runs.Count == 0 ? null : new SharedRuns(link, reader, runs, queries);
    }

    /// <summary>122 random bits as a UUID of version 4: not guessable from the time.</summary>
    public static Guid NewToken()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private static Task<ShareLink?> OfAsync(
        MetadataContext db,
        Caller caller,
        Run run,
        CancellationToken cancellationToken
    ) =>
        db
            .ShareLinks.AsNoTracking()
            .FirstOrDefaultAsync(
                l =>
                    l.WorkspaceId == caller.WorkspaceId
                    && l.RunId == run.Id
                    && l.ProjectId == run.ProjectId,
                cancellationToken
            );

    private static AuditEntry Audit(Caller caller, string action, Guid runId, DateTimeOffset now) =>
        new()
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            At = now,
            Actor = caller.Name,
            Action = action,
            Subject = runId.ToString(),
        };
}

/// <summary>The runs that one link opens. Nothing else can be read through it.</summary>
public sealed class SharedRuns
{
    private readonly TraceQueries _queries;
    private readonly Caller _reader;
    private readonly HashSet<Guid> _ids;

    internal SharedRuns(
        ShareLink link,
        Caller reader,
        IReadOnlyList<Run> runs,
        TraceQueries queries
    )
    {
        Link = link;
        Runs = runs;
        _reader = reader;
        _queries = queries;
        _ids = [.. runs.Select(r => r.Id)];
    }

    /// <summary>The link.</summary>
    public ShareLink Link { get; }

    /// <summary>The shared run first, then its descendants in execution order; without payloads.</summary>
    public IReadOnlyList<Run> Runs { get; }

    /// <summary>True when the link opens this run.</summary>
    public bool Contains(Guid runId) => _ids.Contains(runId);

    /// <summary>Runs with what is asked of them, in execution order; ids that the link does not open are passed over.</summary>
    public async Task<IReadOnlyList<Run>> ReadAsync(
        IReadOnlyList<Guid> runIds,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var wanted = runIds.Where(_ids.Contains).Distinct().ToList();
        if (wanted.Count == 0)
        {
            return [];
        }

        var found = new Dictionary<Guid, Run>();
        foreach (var chunk in wanted.Chunk(500))
        {
            var page = await _queries.QueryAsync(
                _reader,
                new RunQuery
                {
                    WorkspaceId = Link.WorkspaceId,
                    ProjectIds = [Link.ProjectId],
                    RunIds = chunk,
                    Limit = chunk.Length,
                    Parts = parts,
                },
                cancellationToken
            );
            foreach (var run in page.Runs)
            {
                found[run.Id] = run;
            }
        }

        return [.. Runs.Where(r => found.ContainsKey(r.Id)).Select(r => found[r.Id])];
    }

    /// <summary>Feedback on the shared runs, newest first.</summary>
    public async Task<IReadOnlyList<FeedbackRecord>> FeedbackAsync(
        FeedbackQuery query,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<Guid> ids =
        [
            .. query.RunIds.Count == 0 ? _ids : query.RunIds.Where(Contains),
        ];

        // An empty list would mean any run of the workspace.
        return ids.Count == 0
            ? []
            : await _queries.FeedbackAsync(_reader, query with { RunIds = ids }, cancellationToken);
    }
}
