using System.Collections.Concurrent;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Assay.Core.Insights;

/// <summary>Makes the reports.</summary>
public sealed partial class InsightsWorker(
    IDbContextFactory<MetadataContext> metadata,
    InsightsJobs jobs,
    InsightsExecutions executions,
    TimeProvider time,
    ILogger<InsightsWorker> logger
) : JobWorker(jobs.Signals, time, MaxJobs)
{
    /// <summary>Reports made at the same time.</summary>
    public const int MaxJobs = 2;

    private const int MaxFaults = 3;
    private readonly ConcurrentDictionary<Guid, int> _faults = new();

    /// <inheritdoc/>
    protected override async Task<IReadOnlyList<Guid>> NextAsync(
        IReadOnlyList<Guid> busy,
        int room,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsJobs.AsNoTracking()
            .Where(j =>
                (j.State == InsightsState.Waiting || j.State == InsightsState.Running)
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
            await executions.RunAsync(id, stop.AtOnce);
            _faults.TryRemove(id, out _);
        }
        catch (OperationCanceledException) when (stop.AtOnce.IsCancellationRequested)
        {
            // Given up by a person, or the server stops: the next start goes on from here.
        }
        catch (Exception e)
        {
            Log.JobFailed(logger, id, e);
            await PutOffAsync(id, stopping);
        }
    }

    /// <inheritdoc/>
    protected override void LookFailed(Exception error) => Log.LookFailed(logger, error);

    /// <summary>Tries again soon, a few times: what goes wrong every time would ask, and pay for, the same questions for ever.</summary>
    private async Task PutOffAsync(Guid id, CancellationToken stopping)
    {
        if (_faults.AddOrUpdate(id, 1, (_, n) => n + 1) < MaxFaults)
        {
            await WakeLaterAsync(stopping);
            return;
        }

        try
        {
            await executions.GiveUpAsync(id);
            _faults.TryRemove(id, out _);
        }
        catch (Exception e)
        {
            Log.LookFailed(logger, e);
            await WakeLaterAsync(stopping);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3211, LogLevel.Error, "Insights cannot be looked up; tried again soon")]
        public static partial void LookFailed(ILogger logger, Exception error);

        [LoggerMessage(3212, LogLevel.Error, "Insights {Job} stopped over an error of this server")]
        public static partial void JobFailed(ILogger logger, Guid job, Exception error);
    }
}
