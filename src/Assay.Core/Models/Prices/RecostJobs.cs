using System.Globalization;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Models.Prices;

/// <summary>
/// Re-costing behind the screens: started, watched and cancelled by people, moved on by one worker of the host. Where a job stands is written
/// after each page, so that it goes on after a restart; a page done twice changes nothing. Thread-safe.
/// </summary>
public sealed class RecostJobs(
    IDbContextFactory<MetadataContext> metadata,
    Recosting recosting,
    TimeProvider time
) : IDisposable
{
    private readonly SemaphoreSlim _work = new(0, 1);

    /// <summary>Starts a re-costing by the prices in force; one that runs in the workspace ends for it.</summary>
    /// <param name="caller">Who asks; needs <see cref="Permission.Manage"/> and <see cref="Permission.Ingest"/>.</param>
    /// <param name="since">Only calls that began then or later; null for all.</param>
    /// <param name="cancellationToken">Cancels the start, not what was started.</param>
    public async Task<RecostJob> StartAsync(
        Caller caller,
        DateTimeOffset? since,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage | Permission.Ingest);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await EndAsync(
            db.RecostJobs.Where(j => j.WorkspaceId == caller.WorkspaceId),
            RecostState.Cancelled,
            "A newer re-costing took its place.",
            cancellationToken
        );
        var job = new RecostJob
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Since = since,
            StartedBy = caller.Name,
            MemberId = caller.UserId,
            StartedAt = now,
            ModifiedAt = now,
        };
        db.RecostJobs.Add(job);
        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "model_price.recost",
                since is { } from
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"calls since {from.UtcDateTime:yyyy-MM-dd}"
                    )
                    : "all calls",
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Wake();
        return job;
    }

    /// <summary>Stops a job; calls that it reached keep their new cost. False when it does not run.</summary>
    public async Task<bool> CancelAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var ended = await EndAsync(
            db.RecostJobs.Where(j => j.WorkspaceId == caller.WorkspaceId && j.Id == id),
            RecostState.Cancelled,
            $"Cancelled by {caller.Name}.",
            cancellationToken
        );
        if (ended == 0)
        {
            return false;
        }

        db.AuditEntries.Add(
            AuditEntry.Of(caller, "model_price.recost_cancel", null, time.GetUtcNow())
        );
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>The newest job of the workspace; null when there never was one.</summary>
    public async Task<RecostJob?> LatestAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .RecostJobs.AsNoTracking()
            .Where(j => j.WorkspaceId == caller.WorkspaceId)
            .OrderByDescending(j => j.StartedAt)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Waits until a job may be there; for the worker.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) =>
        _work.WaitAsync(cancellationToken);

    /// <summary>Moves the oldest running job on by one page; false when none runs. For the worker, one call at a time.</summary>
    public async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await db
            .RecostJobs.AsNoTracking()
            .Where(j => j.State == RecostState.Running)
            .OrderBy(j => j.StartedAt)
            .FirstOrDefaultAsync(cancellationToken);
        if (job is null)
        {
            return false;
        }

        var caller = new Caller(
            job.WorkspaceId,
            Permission.Read | Permission.Ingest | Permission.Manage,
            job.MemberId,
            Name: job.StartedBy
        );
        RecostPage page;
        try
        {
            job.Total ??= await recosting.CountAsync(caller, job.Since, cancellationToken);
            page = await PageAsync(db, caller, job, cancellationToken);
        }
        catch (Exception e) when (e is StoreBusyException or InvalidCursorException)
        {
            await EndAsync(
                db.RecostJobs.Where(j => j.Id == job.Id),
                RecostState.Failed,
                e.Message,
                cancellationToken
            );
            return true;
        }

        await SaveAsync(db, caller, job, page, cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();

    /// <summary>The next page, project by project in order of their ids; the cursor names the project before that of its list.</summary>
    private async Task<RecostPage> PageAsync(
        MetadataContext db,
        Caller caller,
        RecostJob job,
        CancellationToken cancellationToken
    )
    {
        var place = job.Cursor?.Split(':', 2) ?? [Guid.Empty.ToString("N"), ""];
        var project = Guid.ParseExact(place[0], "N");
        var page =
            project == Guid.Empty
                ? new RecostPage([], 0, null, null)
                : await recosting.ApplyAsync(
                    caller,
                    project,
                    job.Since,
                    place[1].Length == 0 ? null : place[1],
                    cancellationToken
                );
        if (page.Next is { } next)
        {
            return page with { Next = $"{project:N}:{next}" };
        }

        var following = await db
            .Projects.Where(p => p.WorkspaceId == job.WorkspaceId && p.Id.CompareTo(project) > 0)
            .OrderBy(p => p.Id)
            .Select(p => (Guid?)p.Id)
            .FirstOrDefaultAsync(cancellationToken);
        return page with { Next = following is { } id ? $"{id:N}:" : null };
    }

    private async Task SaveAsync(
        MetadataContext db,
        Caller caller,
        RecostJob job,
        RecostPage page,
        CancellationToken cancellationToken
    )
    {
        var state = page.Next is null ? RecostState.Done : RecostState.Running;
        var (changed, before, after) = (
            job.Changed + page.Lines.Sum(l => l.Calls),
            job.Before + page.Lines.Sum(l => l.Before),
            job.After + page.Lines.Sum(l => l.After)
        );
        var now = time.GetUtcNow();
        // Only while it runs: whoever cancelled it meanwhile has the last word.
        var isSaved = await db
            .RecostJobs.Where(j => j.Id == job.Id && j.State == RecostState.Running)
            .ExecuteUpdateAsync(
                u =>
                    u.SetProperty(j => j.State, state)
                        .SetProperty(j => j.Cursor, page.Next)
                        .SetProperty(j => j.Total, job.Total)
                        .SetProperty(j => j.Looked, job.Looked + page.Looked)
                        .SetProperty(j => j.Changed, changed)
                        .SetProperty(j => j.Before, before)
                        .SetProperty(j => j.After, after)
                        .SetProperty(j => j.ModifiedAt, now),
                cancellationToken
            );
        if (isSaved > 0 && state == RecostState.Done)
        {
            db.AuditEntries.Add(
                AuditEntry.Of(
                    caller,
                    "model_price.recost_done",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{changed:N0} of {job.Looked + page.Looked:N0} calls, ${before:0.######} to ${after:0.######}"
                    ),
                    now
                )
            );
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    private Task<int> EndAsync(
        IQueryable<RecostJob> jobs,
        RecostState state,
        string reason,
        CancellationToken cancellationToken
    ) =>
        jobs.Where(j => j.State == RecostState.Running)
            .ExecuteUpdateAsync(
                u =>
                    u.SetProperty(j => j.State, state)
                        .SetProperty(j => j.Problem, reason)
                        .SetProperty(j => j.ModifiedAt, time.GetUtcNow()),
                cancellationToken
            );

    private void Wake()
    {
        try
        {
            _work.Release();
        }
        catch (SemaphoreFullException)
        {
            // The worker is to look already.
        }
    }
}
