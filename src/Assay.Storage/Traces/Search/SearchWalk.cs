namespace Assay.Storage.Traces.Search;

/// <summary>
/// A page of runs met along its order, newest first: how many rows would be passed until it is full. Row keys grow with arrival, which is
/// about the order of starts; where it is not, the estimate is wrong and the answer still right.
/// </summary>
/// <param name="from">The row key at which the page begins.</param>
/// <param name="wanted">How many candidates fill it; null when all rows are met.</param>
internal sealed class SearchWalk(Lazy<long> from, int? wanted)
{
    /// <summary>The rows passed until enough of the candidates have been met.</summary>
    public long Length(PostingSet candidates) =>
        wanted is { } count && candidates.FromTop(from.Value, count - 1) is { } last
            ? from.Value - last + 1
            : from.Value;
}
