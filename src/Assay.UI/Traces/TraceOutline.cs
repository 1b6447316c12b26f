using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>
/// What of a trace is seen before any script runs: its figures and the first rows of the tree, laid out by the rules of trace-model.js and
/// trace-list.js, so that the script finds in place what it would have drawn.
/// </summary>
public sealed class TraceOutline
{
    /// <summary>Rows that come with the page: what fits on a window 1,000 pixels high, since each costs time before the first paint.</summary>
    private const int MaxRows = 34;

    /// <summary>Of a larger trace two levels are unfolded at first, here and in trace.js.</summary>
    private const int MaxUnfolded = 5_000;
    private const int UnfoldedLevels = 2;

    /// <summary>So long after the last sign of life, what runs is thought to run still (15 minutes in microseconds).</summary>
    private const long MaxSilence = 900_000_000;

    /// <summary>Runs of the trace.</summary>
    public required int Count { get; init; }

    /// <summary>Failed ones among them.</summary>
    public required int Errors { get; init; }

    /// <summary>True while something runs.</summary>
    public required bool IsAlive { get; init; }

    /// <summary>Length of the trace in microseconds.</summary>
    public required long End { get; init; }

    /// <summary>Rows of the tree, those not shown included; each is 30 pixels high.</summary>
    public required int Total { get; init; }

    /// <summary>The first rows; none when the selected run is not among them, since the script scrolls there.</summary>
    public required IReadOnlyList<TraceOutlineRow> Rows { get; init; }

    /// <summary>The run beside the tree: the selected one, or the root.</summary>
    public required Guid Shown { get; init; }

    /// <summary>The root's row, whether in sight or not.</summary>
    public required TraceOutlineRow Root { get; init; }

    /// <param name="reading">The trace; not empty.</param>
    /// <param name="selected">The run to show; null for the root.</param>
    public static TraceOutline Of(TraceReading reading, Guid? selected)
    {
        var runs = reading.Runs;
        var start = runs.Min(r => r.StartTime);
        var (depths, lasts) = Tree(runs);
        var now = TraceRows.Micros(reading.Now - start);
        var (errors, pending, known) = (0, 0, 0L);
        foreach (var run in runs)
        {
            errors += run.Status == RunStatus.Error ? 1 : 0;
            pending += run.Status == RunStatus.Pending ? 1 : 0;
            known = Math.Max(
                known,
                TraceRows.Micros(run.StartTime - start) + Math.Max(0, TraceRows.Took(run))
            );
        }

        var end = pending > 0 && now - known < MaxSilence ? Math.Max(known, now) : known;
        var chosen = selected is { } id ? Math.Max(0, IndexOf(runs, id)) : 0;
        var isFolded = chosen == 0 && runs.Count > MaxUnfolded;
        bool Folds(int i) => isFolded && depths[i] >= UnfoldedLevels && lasts[i] > i;
        TraceOutlineRow Row(int i) =>
            new(
                runs[i],
                i,
                depths[i],
                lasts[i] - i,
                Folds(i),
                i == chosen,
                TraceRows.Micros(runs[i].StartTime - start),
                TraceRows.Took(runs[i]) is >= 0 and var took
                    ? TraceRows.Micros(runs[i].StartTime - start) + took
                    : Math.Max(TraceRows.Micros(runs[i].StartTime - start), end),
                reading.Feedback.GetValueOrDefault(runs[i].Id)
            );
        var rows = new List<TraceOutlineRow>(MaxRows);
        var total = 0;
        for (var i = 0; i < runs.Count; i = Folds(i) ? lasts[i] + 1 : i + 1)
        {
            total++;
            if (rows.Count < MaxRows)
            {
                rows.Add(Row(i));
            }
        }

        return new TraceOutline
        {
            Count = runs.Count,
            Errors = errors,
            IsAlive = pending > 0 && end > known,
            End = Math.Max(1, end),
            Total = total,
            Rows = rows.Exists(r => r.IsSelected) ? rows : [],
            Shown = runs[chosen].Id,
            Root = Row(0),
        };
    }

    private static int IndexOf(IReadOnlyList<Run> runs, Guid id)
    {
        for (var i = 0; i < runs.Count; i++)
        {
            if (runs[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>How deep each run hangs, and the last row below each.</summary>
    private static (int[] Depths, int[] Lasts) Tree(IReadOnlyList<Run> runs)
    {
        var (depths, lasts) = (new int[runs.Count], new int[runs.Count]);
        var path = new Stack<int>();
        for (var i = 0; i < runs.Count; i++)
        {
            while (path.TryPeek(out var above) && runs[above].Id != runs[i].ParentRunId)
            {
                lasts[path.Pop()] = i - 1;
            }

            depths[i] = path.Count;
            path.Push(i);
        }

        while (path.TryPop(out var open))
        {
            lasts[open] = runs.Count - 1;
        }

        return (depths, lasts);
    }
}

/// <summary>A row of the outline; times in microseconds from the start of the trace.</summary>
/// <param name="Run">The run.</param>
/// <param name="Index">Its place among all runs of the trace.</param>
/// <param name="Depth">How deep it hangs; 0 for a root.</param>
/// <param name="Below">How many runs hang below it.</param>
/// <param name="IsFolded">They are not shown.</param>
/// <param name="IsSelected">It is the one shown beside the tree.</param>
/// <param name="From">When it started.</param>
/// <param name="To">When it ended, or now.</param>
/// <param name="Feedback">Figures of its feedback by key.</param>
public sealed record TraceOutlineRow(
    Run Run,
    int Index,
    int Depth,
    int Below,
    bool IsFolded,
    bool IsSelected,
    long From,
    long To,
    IReadOnlyDictionary<string, FeedbackStats>? Feedback
)
{
    /// <summary>How long it took, or takes.</summary>
    public TimeSpan Took => TimeSpan.FromMicroseconds(To - From);
}
