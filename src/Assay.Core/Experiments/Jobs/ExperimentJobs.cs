using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments.Jobs;

/// <summary>
/// The background work of a workspace: listed, paused, resumed, cancelled, done again where it failed. <see cref="ExperimentJobStarts"/> and
/// <see cref="CalibrationStarts"/> ask for it, <see cref="ExperimentJobWorker"/> does it. Thread-safe.
/// </summary>
public sealed class ExperimentJobs(
    IDbContextFactory<MetadataContext> metadata,
    JobSignals signals,
    TimeProvider time
)
{
    /// <summary>Jobs, newest first; of one dataset or experiment when it is named.</summary>
    public async Task<(IReadOnlyList<ExperimentJob> Jobs, int Total)> ListAsync(
        Caller caller,
        Guid? datasetId,
        Guid? experimentId,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var all = db.ExperimentJobs.AsNoTracking().Where(j => j.WorkspaceId == caller.WorkspaceId);
        if (datasetId is { } dataset)
        {
            all = all.Where(j => j.DatasetId == dataset);
        }

        if (experimentId is { } experiment)
        {
            all = all.Where(j => j.ExperimentId == experiment);
        }

        return (
            await all.OrderByDescending(j => j.CreatedAt)
                .ThenBy(j => j.Id)
                .Skip(offset)
                .Take(limit)
                .ToListAsync(cancellationToken),
            await all.CountAsync(cancellationToken)
        );
    }

    /// <summary>One job; null when the workspace has none of that id.</summary>
    public async Task<ExperimentJob?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobs.AsNoTracking()
            .FirstOrDefaultAsync(
                j => j.WorkspaceId == caller.WorkspaceId && j.Id == id,
                cancellationToken
            );
    }

    /// <summary>Rows of a job in the given states, in order.</summary>
    public async Task<IReadOnlyList<ExperimentJobRow>> RowsAsync(
        Caller caller,
        ExperimentJob job,
        IReadOnlyList<JobRowState> states,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobRows.AsNoTracking()
            .Where(r => r.JobId == job.Id && states.Contains(r.State))
            .Where(r =>
                db.ExperimentJobs.Any(j => j.Id == r.JobId && j.WorkspaceId == caller.WorkspaceId)
            )
            .OrderBy(r => r.Number)
            .Skip(offset)
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Starts no more rows; those under way end normally. False when the job is not at work.</summary>
    public async Task<bool> PauseAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        await MoveAsync(
            caller,
            id,
            [ExperimentJobState.Waiting, ExperimentJobState.Running],
            ExperimentJobState.Paused,
            "experiment_job.pause",
            cancellationToken
        );

    /// <summary>Goes on with a paused job. False when it is not paused.</summary>
    public async Task<bool> ResumeAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        await MoveAsync(
            caller,
            id,
            [ExperimentJobState.Paused],
            ExperimentJobState.Waiting,
            "experiment_job.resume",
            cancellationToken
        );

    /// <summary>Gives a job up; calls under way are broken off and leave no run. False when it has ended already.</summary>
    public async Task<bool> CancelAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        await MoveAsync(
            caller,
            id,
            [ExperimentJobState.Waiting, ExperimentJobState.Running, ExperimentJobState.Paused],
            ExperimentJobState.Cancelled,
            "experiment_job.cancel",
            cancellationToken
        );

    /// <summary>Does the failed rows again: those without an answer are asked again, those an evaluator could not judge are judged again.</summary>
    /// <returns>How many rows; 0 when nothing failed or the job is still at work.</returns>
    public async Task<int> RetryAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await db.ExperimentJobs.FirstOrDefaultAsync(
            j => j.WorkspaceId == caller.WorkspaceId && j.Id == id,
            cancellationToken
        );
        if (
            job?.State
                is not (
                    ExperimentJobState.Done
                    or ExperimentJobState.Paused
                    or ExperimentJobState.Cancelled
                )
            || signals.IsRunning(id)
        )
        {
            return 0;
        }

        var rows = await db
            .ExperimentJobRows.Where(r =>
                r.JobId == id && (r.State == JobRowState.Failed || r.State == JobRowState.Unscored)
            )
            .ToListAsync(cancellationToken);
        if (rows.Count == 0)
        {
            return 0;
        }

        var now = time.GetUtcNow();
        foreach (var row in rows)
        {
            if (row.State == JobRowState.Failed && job.Kind == ExperimentJobKind.Run)
            {
                // The new id first, then the old run goes: a crash in between loses neither.
                (row.StaleRunId, row.RunId) = (row.RunId, Guid.CreateVersion7(now));
            }

            (row.State, row.Error) = (JobRowState.Waiting, null);
        }

        job.Done -= job.Unscored;
        job.Unscored = 0;
        job.Failed = 0;
        job.State = ExperimentJobState.Waiting;
        job.Reason = null;
        job.FinishedAt = null;
        db.AuditEntries.Add(AuditEntry.Of(caller, "experiment_job.retry", job.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        signals.Wake();
        return rows.Count;
    }

    /// <summary>Keeps a job with its rows; both are durable when this returns.</summary>
    /// <param name="db">Where it is added, with whatever else has to become durable with it.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="job">The job.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="cancellationToken">Cancels.</param>
    internal async Task AddAsync(
        MetadataContext db,
        Caller caller,
        ExperimentJob job,
        IEnumerable<ExperimentJobRow> rows,
        CancellationToken cancellationToken
    )
    {
        db.ExperimentJobs.Add(job);
        db.ExperimentJobRows.AddRange(rows);
        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                job.Kind switch
                {
                    ExperimentJobKind.Run => "experiment_job.run",
                    ExperimentJobKind.Calibrate => "evaluator.calibrate",
                    _ => "experiment_job.evaluate",
                },
                job.Name,
                job.CreatedAt
            )
        );
        await db.SaveChangesAsync(cancellationToken);
        signals.Wake();
    }

    private async Task<bool> MoveAsync(
        Caller caller,
        Guid id,
        IReadOnlyList<ExperimentJobState> from,
        ExperimentJobState to,
        string action,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await db.ExperimentJobs.FirstOrDefaultAsync(
            j => j.WorkspaceId == caller.WorkspaceId && j.Id == id,
            cancellationToken
        );
        if (job is null || !from.Contains(job.State))
        {
            return false;
        }

        // The counts are the worker's to write: only the state is ours.
        await db
            .ExperimentJobs.Where(j => j.Id == id && from.Contains(j.State))
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, to)
                        .SetProperty(j => j.Reason, (string?)null)
                        .SetProperty(
                            j => j.FinishedAt,
                            to == ExperimentJobState.Cancelled ? now : (DateTimeOffset?)null
                        ),
                cancellationToken
            );
        if (to == ExperimentJobState.Cancelled && job.Kind == ExperimentJobKind.Run)
        {
            await db
                .Projects.Where(p => p.Id == job.ExperimentId)
                .ExecuteUpdateAsync(set => set.SetProperty(p => p.EndTime, now), cancellationToken);
        }

        db.AuditEntries.Add(AuditEntry.Of(caller, action, job.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        if (to != ExperimentJobState.Waiting)
        {
            signals.Stop(id, isAtOnce: to == ExperimentJobState.Cancelled);
        }

        signals.Wake();
        return true;
    }
}
