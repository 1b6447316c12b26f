using System.Collections.Concurrent;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.Core.Insights;

/// <summary>Makes the reports: those that were under way when the server stopped first, then in the order they were asked for, a few at a time.</summary>
public sealed partial class InsightsWorker(
    IDbContextFactory<MetadataContext> metadata,
    InsightsJobs jobs,
    InsightsExecutions executions,
    TimeProvider time,
    ILogger<InsightsWorker> logger
) : BackgroundService
{
    /// <summary>Reports made at the same time.</summary>
    public const int MaxJobs = 2;

    private const int MaxFaults = 3;
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<Guid, bool> _busy = new();
    private readonly ConcurrentDictionary<Guid, int> _faults = new();
    private List<Task> _tasks = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        jobs.Signals.Wake();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await jobs.Signals.WaitAsync(stoppingToken);
                _tasks = [.. _tasks.Where(t => !t.IsCompleted)];
                foreach (var id in await NextAsync(stoppingToken))
                {
                    _busy[id] = true;
                    _tasks.Add(DoAsync(id, stoppingToken));
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // Stopping.
            }
            catch (Exception e)
            {
                // The database may be busy or the disk full: what is asked for stays asked for.
                Log.LookFailed(logger, e);
                await WakeLaterAsync(stoppingToken);
            }
        }

        await Task.WhenAll(_tasks);
    }

    private async Task<IReadOnlyList<Guid>> NextAsync(CancellationToken cancellationToken)
    {
        var busy = _busy.Keys.ToList();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsJobs.AsNoTracking()
            .Where(j =>
                (j.State == InsightsState.Waiting || j.State == InsightsState.Running)
                && !busy.Contains(j.Id)
            )
            .OrderByDescending(j => j.State)
            .ThenBy(j => j.CreatedAt)
            .Take(Math.Max(0, MaxJobs - busy.Count))
            .Select(j => j.Id)
            .ToListAsync(cancellationToken);
    }

    private async Task DoAsync(Guid id, CancellationToken stopping)
    {
        // Away from the loop: the first steps of a report must not hold up the next one.
        await Task.Yield();
        var stop = jobs.Signals.Begin(id, stopping);
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
        finally
        {
            jobs.Signals.End(id);
            _busy.TryRemove(id, out _);
            jobs.Signals.Wake();
        }
    }

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

    private async Task WakeLaterAsync(CancellationToken stopping)
    {
        await Task.Delay(s_again, time, stopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        jobs.Signals.Wake();
    }

    private static partial class Log
    {
        [LoggerMessage(3211, LogLevel.Error, "Insights cannot be looked up; tried again soon")]
        public static partial void LookFailed(ILogger logger, Exception error);

        [LoggerMessage(3212, LogLevel.Error, "Insights {Job} stopped over an error of this server")]
        public static partial void JobFailed(ILogger logger, Guid job, Exception error);
    }
}
