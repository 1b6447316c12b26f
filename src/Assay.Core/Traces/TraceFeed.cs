using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Assay.Core.Traces;

/// <summary>
/// Tells live screens and rules that runs became readable. Bounded and lossy by design: a slow reader loses the oldest notices, never slows
/// the store, and re-queries anyway. Thread-safe.
/// </summary>
public sealed class TraceFeed
{
    private readonly ConcurrentDictionary<Channel<RunsChanged>, Func<RunsChanged, bool>> _readers =
        new();

    /// <summary>Connects the feed to a store for the life of the process.</summary>
    public void Attach(IRunStore store) => store.Changed += Publish;

    /// <summary>Notices of one workspace, from now on, until cancelled.</summary>
    /// <param name="workspaceId">The workspace.</param>
    /// <param name="projectId">Only this project, when given.</param>
    /// <param name="traceId">Only this trace, when given.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    public async IAsyncEnumerable<RunsChanged> WatchAsync(
        Guid workspaceId,
        Guid? projectId,
        Guid? traceId,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var channel = Channel.CreateBounded<RunsChanged>(
            new BoundedChannelOptions(256)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            }
        );
        _readers[channel] = change =>
            change.WorkspaceId == workspaceId
            && (projectId is null || change.ProjectId == projectId)
            && (traceId is null || change.TraceId == traceId);
        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            _readers.TryRemove(channel, out _);
        }
    }

    private void Publish(IReadOnlyList<RunsChanged> changes)
    {
        foreach (var (channel, wants) in _readers)
        {
            foreach (var change in changes)
            {
                if (wants(change))
                {
                    channel.Writer.TryWrite(change);
                }
            }
        }
    }
}
