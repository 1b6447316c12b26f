using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Assay.Core.Experiments.Jobs;

/// <summary>How those who ask for jobs reach the one who does them. Only hurries things: what counts is in the database. Thread-safe.</summary>
public sealed class JobSignals
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly ConcurrentDictionary<Guid, JobStop> _running = new();

    /// <summary>There may be something to do.</summary>
    internal void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Waits until somebody says so.</summary>
    internal async Task WaitAsync(CancellationToken cancellationToken) =>
        await _wake.Reader.ReadAsync(cancellationToken);

    /// <summary>Stops the job if it is being done: after the rows under way, or at once.</summary>
    internal void Stop(Guid jobId, bool isAtOnce)
    {
        if (_running.TryGetValue(jobId, out var stop))
        {
            stop.Ask(isAtOnce);
        }
    }

    /// <summary>True while rows of the job are under way, also after it was told to stop.</summary>
    public bool IsRunning(Guid jobId) => _running.ContainsKey(jobId);

    internal JobStop Begin(Guid jobId, CancellationToken stopping)
    {
        var stop = new JobStop(stopping);
        _running[jobId] = stop;
        return stop;
    }

    internal void End(Guid jobId)
    {
        if (_running.TryRemove(jobId, out var stop))
        {
            stop.Dispose();
        }
    }
}

/// <summary>The two ways in which a job is stopped.</summary>
internal sealed class JobStop(CancellationToken stopping) : IDisposable
{
    private readonly CancellationTokenSource _atOnce =
        CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private readonly CancellationTokenSource _noMore =
        CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private readonly Lock _gate = new();
    private bool _isDisposed;

    /// <summary>Ends what is under way.</summary>
    public CancellationToken AtOnce => _atOnce.Token;

    /// <summary>Starts nothing new.</summary>
    public CancellationToken NoMore => _noMore.Token;

    public void Ask(bool isAtOnce)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _noMore.Cancel();
            if (isAtOnce)
            {
                _atOnce.Cancel();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _atOnce.Dispose();
            _noMore.Dispose();
        }
    }
}
