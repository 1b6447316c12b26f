using System.Collections.Concurrent;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Does the jobs: those that were under way when the server stopped first, then in the order they were asked for, a few at a time.</summary>
public sealed partial class ExperimentJobWorker(
    IDbContextFactory<MetadataContext> metadata,
    JobExecutions executions,
    JobSignals signals,
    TimeProvider time,
    ILogger<ExperimentJobWorker> logger
) : BackgroundService
{
    /// <summary>Jobs done at the same time; each has its own concurrency inside.</summary>
    public const int MaxJobs = 4;

    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<Guid, bool> _busy = new();
    private List<Task> _tasks = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signals.Wake();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await signals.WaitAsync(stoppingToken);
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
        var room = MaxJobs - _busy.Count;
        if (room <= 0)
        {
            return [];
        }

        var busy = _busy.Keys.ToList();
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

    private async Task DoAsync(Guid id, CancellationToken stopping)
    {
        // Away from the loop: the first steps of a job must not hold up the next one.
        await Task.Yield();
        var stop = signals.Begin(id, stopping);
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
        finally
        {
            signals.End(id);
            _busy.TryRemove(id, out _);
            signals.Wake();
        }
    }

    private async Task WakeLaterAsync(CancellationToken stopping)
    {
        try
        {
            await Task.Delay(s_again, time, stopping);
            signals.Wake();
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

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
