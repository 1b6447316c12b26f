using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Does durable jobs of one kind: those that were under way when the server stopped first, then in the order they were asked for, a few at a time.</summary>
/// <param name="signals">How those who ask for jobs reach the one who does them.</param>
/// <param name="time">The clock.</param>
/// <param name="most">Jobs done at the same time.</param>
public abstract class JobWorker(JobSignals signals, TimeProvider time, int most) : BackgroundService
{
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
                var busy = _busy.Keys.ToList();
                if (busy.Count >= most)
                {
                    continue;
                }

                foreach (var id in await NextAsync(busy, most - busy.Count, stoppingToken))
                {
                    _busy[id] = true;
                    _tasks.Add(BeginAsync(id, stoppingToken));
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // Stopping.
            }
            catch (Exception e)
            {
                // The database may be busy or the disk full: what is asked for stays asked for.
                LookFailed(e);
                await WakeLaterAsync(stoppingToken);
            }
        }

        await Task.WhenAll(_tasks);
    }

    /// <summary>The next jobs to begin with, at most so many, none of those that are being done.</summary>
    protected abstract Task<IReadOnlyList<Guid>> NextAsync(
        IReadOnlyList<Guid> busy,
        int room,
        CancellationToken cancellationToken
    );

    /// <summary>Does a job to its end, or to where it is stopped; throws nothing.</summary>
    private protected abstract Task DoAsync(Guid id, JobStop stop, CancellationToken stopping);

    /// <summary>Tells that the jobs could not be looked up.</summary>
    protected abstract void LookFailed(Exception error);

    /// <summary>Looks for jobs again after a pause.</summary>
    protected async Task WakeLaterAsync(CancellationToken stopping)
    {
        await Task.Delay(s_again, time, stopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        signals.Wake();
    }

    private async Task BeginAsync(Guid id, CancellationToken stopping)
    {
        // Away from the loop: the first steps of a job must not hold up the next one.
        await Task.Yield();
        var stop = signals.Begin(id, stopping);
        try
        {
            await DoAsync(id, stop, stopping);
        }
        finally
        {
            signals.End(id);
            _busy.TryRemove(id, out _);
            signals.Wake();
        }
    }
}
