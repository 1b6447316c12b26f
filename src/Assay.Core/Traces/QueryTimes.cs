using System.Collections.Concurrent;

namespace Assay.Core.Traces;

/// <summary>How long questions of one shape took since the start of the process.</summary>
/// <param name="Shape">Which conditions were asked, never with which values.</param>
/// <param name="Count">How often.</param>
/// <param name="Median">Median time; within 3 %.</param>
/// <param name="Worst">Longest time.</param>
public sealed record QueryTime(string Shape, long Count, TimeSpan Median, TimeSpan Worst);

/// <summary>
/// Times of the questions for runs by shape and workspace, in memory, since the start of the process. Shapes beyond a bound are summed up as
/// one. Thread-safe.
/// </summary>
public sealed class QueryTimes(TimeProvider time)
{
    private const int MaxShapes = 1_000;
    private const string Others = "other shapes";
    private readonly ConcurrentDictionary<(Guid Workspace, string Shape), Times> _times = new();

    private sealed class Times
    {
        public LogHistogram Seconds { get; } = new();

        public TimeSpan Worst { get; set; }
    }

    /// <summary>Asks, and notes how long the answer took.</summary>
    public async Task<T> TakeAsync<T>(Guid workspaceId, string shape, Func<Task<T>> ask)
    {
        var began = time.GetTimestamp();
        try
        {
            return await ask();
        }
        finally
        {
            Add(workspaceId, shape, time.GetElapsedTime(began));
        }
    }

    /// <summary>The slowest shapes of a workspace, by their worst time.</summary>
    public IReadOnlyList<QueryTime> Slowest(Guid workspaceId, int limit)
    {
        var found = new List<QueryTime>();
        foreach (var ((workspace, shape), times) in _times)
        {
            if (workspace == workspaceId)
            {
                lock (times)
                {
                    // The median of a histogram may be a little over the longest time.
                    var median = TimeSpan.FromSeconds(times.Seconds.Quantile(0.5));
                    found.Add(
                        new QueryTime(
                            shape,
                            times.Seconds.Count,
                            median < times.Worst ? median : times.Worst,
                            times.Worst
                        )
                    );
                }
            }
        }

        return [.. found.OrderByDescending(q => q.Worst).Take(limit)];
    }

    private void Add(Guid workspaceId, string shape, TimeSpan took)
    {
        var key = (workspaceId, shape);
        if (!_times.ContainsKey(key) && _times.Count >= MaxShapes)
        {
            key = (workspaceId, Others);
        }

        var times = _times.GetOrAdd(key, _ => new Times());
        lock (times)
        {
            times.Seconds.Add(took.TotalSeconds);
            times.Worst = took > times.Worst ? took : times.Worst;
        }
    }
}
