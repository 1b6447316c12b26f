using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>One row of the tree with its bar in the waterfall; places are percentages of the trace's time.</summary>
/// <param name="Run">The run.</param>
/// <param name="Depth">How deep it hangs; 0 for a root.</param>
/// <param name="Left">Where its bar begins.</param>
/// <param name="Width">How wide its bar is.</param>
public sealed record TraceRow(Run Run, int Depth, double Left, double Width)
{
    private const int MaxDepth = 40;

    /// <summary>Lays out the runs of a trace, parents before children, and tells how long the trace is.</summary>
    public static (IReadOnlyList<TraceRow> Rows, TimeSpan Length) Lay(IReadOnlyList<Run> runs)
    {
        if (runs.Count == 0)
        {
            return ([], TimeSpan.Zero);
        }

        var start = runs.Min(r => r.StartTime);
        var end = runs.Max(r =>
            r.EndTime is { } ended && ended > r.StartTime ? ended : r.StartTime
        );
        var length = Math.Max((end - start).TotalMilliseconds, 1);
        var depths = new Dictionary<Guid, int>();
        var rows = new List<TraceRow>(runs.Count);
        foreach (var run in runs)
        {
            var depth =
                run.ParentRunId is { } parent && depths.TryGetValue(parent, out var above)
                    ? Math.Min(above + 1, MaxDepth)
                    : 0;
            depths[run.Id] = depth;
            var left = Math.Clamp(100 * (run.StartTime - start).TotalMilliseconds / length, 0, 100);
            var width = Math.Clamp(
                100 * ((run.EndTime ?? end) - run.StartTime).TotalMilliseconds / length,
                0,
                100 - left
            );
            rows.Add(new TraceRow(run, depth, left, width));
        }

        return (rows, end - start);
    }
}
