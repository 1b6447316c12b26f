using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments.Jobs;

/// <summary>The stored state of one job: read in pages, written in batches.</summary>
internal sealed class JobRows(
    IDbContextFactory<MetadataContext> metadata,
    Guid jobId,
    TimeProvider time
)
{
    private const int MaxError = 1_000;

    /// <summary>Marks the job as being done; null when somebody stopped it first. Tells whether it is the first time.</summary>
    public async Task<(ExperimentJob Job, bool IsFirst)?> BeginAsync(
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await db
            .ExperimentJobs.AsNoTracking()
            .FirstOrDefaultAsync(j => j.Id == jobId, cancellationToken);
        if (job is null)
        {
            return null;
        }

        var started = job.StartedAt ?? time.GetUtcNow();
        var changed = await db
            .ExperimentJobs.Where(j =>
                j.Id == jobId
                && (j.State == ExperimentJobState.Waiting || j.State == ExperimentJobState.Running)
            )
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, ExperimentJobState.Running)
                        .SetProperty(j => j.StartedAt, started),
                cancellationToken
            );
        return changed == 0 ? null : (job, job.StartedAt is null);
    }

    /// <summary>Whether rows are still to be done.</summary>
    public async Task<bool> AnyWaitingAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db.ExperimentJobRows.AnyAsync(
            r => r.JobId == jobId && r.State == JobRowState.Waiting,
            cancellationToken
        );
    }

    /// <summary>What the answered rows hold, in order.</summary>
    public async Task<IReadOnlyList<string>> ItemsAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobRows.AsNoTracking()
            .Where(r =>
                r.JobId == jobId
                && (r.State == JobRowState.Done || r.State == JobRowState.Unscored)
                && r.ItemJson != null
            )
            .OrderBy(r => r.Number)
            .Select(r => r.ItemJson!)
            .ToListAsync(cancellationToken);
    }

    /// <summary>True while what the job works on is there: its experiment and dataset, or its judge.</summary>
    public async Task<bool> SubjectExistsAsync(
        ExperimentJob job,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (job.Kind == ExperimentJobKind.Calibrate)
        {
            return await db.Evaluators.AnyAsync(
                e => e.WorkspaceId == job.WorkspaceId && e.Id == job.EvaluatorId,
                cancellationToken
            );
        }

        return await db.Projects.AnyAsync(
                p => p.WorkspaceId == job.WorkspaceId && p.Id == job.ExperimentId,
                cancellationToken
            )
            && await db.Datasets.AnyAsync(
                d => d.WorkspaceId == job.WorkspaceId && d.Id == job.DatasetId,
                cancellationToken
            );
    }

    /// <summary>The next rows to do.</summary>
    public async Task<IReadOnlyList<ExperimentJobRow>> WaitingAsync(
        int after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobRows.AsNoTracking()
            .Where(r => r.JobId == jobId && r.State == JobRowState.Waiting && r.Number > after)
            .OrderBy(r => r.Number)
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Rows with a run that is still to be removed.</summary>
    public async Task<IReadOnlyList<ExperimentJobRow>> StaleAsync(
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobRows.AsNoTracking()
            .Where(r => r.JobId == jobId && r.StaleRunId != null)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Gives rows new runs; the old ones are noted for removal.</summary>
    public async Task RenewAsync(
        IReadOnlyList<ExperimentJobRow> rows,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        foreach (var row in rows)
        {
            (row.StaleRunId, row.RunId) = (row.RunId, Guid.CreateVersion7(now));
        }

        await WriteAsync(
            rows,
            (db, row) =>
                db
                    .ExperimentJobRows.Where(r => r.JobId == jobId && r.Number == row.Number)
                    .ExecuteUpdateAsync(
                        set =>
                            set.SetProperty(r => r.RunId, row.RunId)
                                .SetProperty(r => r.StaleRunId, row.StaleRunId),
                        cancellationToken
                    ),
            cancellationToken
        );
    }

    /// <summary>The old runs of rows are gone.</summary>
    public async Task CleanAsync(
        IReadOnlyList<ExperimentJobRow> rows,
        CancellationToken cancellationToken
    )
    {
        foreach (var row in rows)
        {
            row.StaleRunId = null;
        }

        var numbers = rows.Select(r => r.Number).ToList();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        foreach (var chunk in numbers.Chunk(500))
        {
            await db
                .ExperimentJobRows.Where(r => r.JobId == jobId && chunk.Contains(r.Number))
                .ExecuteUpdateAsync(
                    set => set.SetProperty(r => r.StaleRunId, (Guid?)null),
                    cancellationToken
                );
        }
    }

    /// <summary>Writes how rows ended, with the job's counts, in one transaction.</summary>
    public async Task FinishAsync(
        IReadOnlyList<RowOutcome> outcomes,
        CancellationToken cancellationToken
    )
    {
        if (outcomes.Count == 0)
        {
            return;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var outcome in outcomes)
        {
            var error =
                outcome.Error?.Length > MaxError ? outcome.Error[..MaxError] : outcome.Error;
            await db
                .ExperimentJobRows.Where(r => r.JobId == jobId && r.Number == outcome.Number)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(r => r.State, outcome.State)
                            .SetProperty(r => r.Error, error)
                            .SetProperty(r => r.ItemJson, r => outcome.ItemJson ?? r.ItemJson),
                    cancellationToken
                );
        }

        var failed = outcomes.Count(o => o.State == JobRowState.Failed);
        var unscored = outcomes.Count(o => o.State == JobRowState.Unscored);
        var done = outcomes.Count - failed;
        await db
            .ExperimentJobs.Where(j => j.Id == jobId)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.Done, j => j.Done + done)
                        .SetProperty(j => j.Failed, j => j.Failed + failed)
                        .SetProperty(j => j.Unscored, j => j.Unscored + unscored),
                cancellationToken
            );
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Ends the job's turn: done when no row is left, otherwise in the given state unless somebody chose another.</summary>
    public async Task EndAsync(
        ExperimentJobState state,
        string? reason,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var isDone = state == ExperimentJobState.Done && !await AnyWaitingAsync(cancellationToken);
        if (state == ExperimentJobState.Done && !isDone)
        {
            return;
        }

        var isFinal = state != ExperimentJobState.Paused;
        await db
            .ExperimentJobs.Where(j =>
                j.Id == jobId
                && (
                    j.State == ExperimentJobState.Running
                    // The last rows may end after somebody said "pause": nothing is left to go on with.
                    || (isDone && j.State == ExperimentJobState.Paused)
                )
            )
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, state)
                        .SetProperty(j => j.Reason, reason)
                        .SetProperty(j => j.FinishedAt, isFinal ? now : (DateTimeOffset?)null),
                cancellationToken
            );
        if (isDone)
        {
            await db
                .Projects.Where(p =>
                    db.ExperimentJobs.Any(j =>
                        j.Id == jobId
                        && j.Kind == ExperimentJobKind.Run
                        && j.ExperimentId == p.Id
                        && j.WorkspaceId == p.WorkspaceId
                    )
                )
                .ExecuteUpdateAsync(set => set.SetProperty(p => p.EndTime, now), cancellationToken);
        }
    }

    private async Task WriteAsync(
        IReadOnlyList<ExperimentJobRow> rows,
        Func<MetadataContext, ExperimentJobRow, Task> write,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var row in rows)
        {
            await write(db, row);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}
