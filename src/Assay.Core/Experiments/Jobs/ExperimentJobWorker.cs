using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Does the jobs that run prompts, evaluators and calibrations.</summary>
public sealed partial class ExperimentJobWorker(
    IDbContextFactory<MetadataContext> metadata,
    JobExecutions executions,
    JobSignals signals,
    TimeProvider time,
    ILogger<ExperimentJobWorker> logger
) : JobWorker(signals, time, MaxJobs)
{
    /// <summary>Jobs done at the same time; each has its own concurrency inside.</summary>
    public const int MaxJobs = 4;

    /// <inheritdoc/>
    protected override async Task<IReadOnlyList<Guid>> NextAsync(
        IReadOnlyList<Guid> busy,
        int room,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobs.AsNoTracking()
            .Where(j =>
                (j.State == ExperimentJobState.Waiting || j.State == ExperimentJobState.Running)
                && !busy.Contains(j.Id)
            )
            .OrderByDescending(j => j.State)
            .ThenBy(j => j.CreatedAt)
            .Take(room)
            .Select(j => j.Id)
            .ToListAsync(cancellationToken);
    }

    /// <inheritdoc/>
    private protected override async Task DoAsync(Guid id, JobStop stop, CancellationToken stopping)
    {
        try
        {
            await executions.RunAsync(id, stop, stopping);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // The next start goes on from here.
        }
        catch (Exception e)
        {
            Log.JobFailed(logger, id, e);
            await WakeLaterAsync(stopping);
        }
    }

    /// <inheritdoc/>
    protected override void LookFailed(Exception error) => Log.LookFailed(logger, error);

    private static partial class Log
    {
        [LoggerMessage(
            3201,
            LogLevel.Error,
            "Background jobs cannot be looked up; tried again soon"
        )]
        public static partial void LookFailed(ILogger logger, Exception error);

        [LoggerMessage(
            3202,
            LogLevel.Error,
            "Job {Job} stopped over an error of this server and is taken up again soon"
        )]
        public static partial void JobFailed(ILogger logger, Guid job, Exception error);
    }
}
