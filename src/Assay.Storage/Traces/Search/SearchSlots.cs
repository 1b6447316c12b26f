using System.Collections.Concurrent;
using Assay.Core.Filters;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Search;

/// <summary>Candidates on their way into SQL: a set is held while the command that asks for it lives. Thread-safe.</summary>
internal sealed class SearchSlots(SearchIndex index)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<long, PostingSet> _held = new();
    private long _last;

    public PostingSet Find(SearchScope scope, IReadOnlyCollection<ulong> words) =>
        index.Find(scope, words);

    public PostingSet? FindValues(IEnumerable<long> values) => index.FindValues(values);

    /// <summary>Waits a moment until the newest runs are in the index; those that are not then are read.</summary>
    public Task SettleAsync(CancellationToken cancellationToken) =>
        index.SettleAsync(Patience, cancellationToken);

    public long Hold(PostingSet found, SqliteCommand command)
    {
        var slot = Interlocked.Increment(ref _last);
        _held[slot] = found;
        command.Disposed += (_, _) => _held.TryRemove(slot, out _);
        return slot;
    }

    /// <summary>SQL function <c>assay_candidate</c>.</summary>
    public bool Contains(long slot, long pk) =>
        !_held.TryGetValue(slot, out var found) || found.Contains(pk);
}
