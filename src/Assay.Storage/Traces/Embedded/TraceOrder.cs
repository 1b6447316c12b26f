using Assay.Core.Traces;

namespace Assay.Storage.Traces.Embedded;

/// <summary>The order in which a trace is read: parents before children, siblings by start, then by order key.</summary>
internal static class TraceOrder
{
    private const int None = -1;

    /// <summary>Sorts the runs of a trace. A run whose id occurs twice is taken once; members of a parent cycle come last.</summary>
    public static IReadOnlyList<Run> Sort(IReadOnlyList<Run> runs)
    {
        var sorted = runs.ToArray();
        Array.Sort(sorted, Compare);
        var places = new Dictionary<Guid, int>(sorted.Length);
        for (var i = 0; i < sorted.Length; i++)
        {
            places.TryAdd(sorted[i].Id, i);
        }

        // Children of each run as linked lists; built from the end, so that each list begins with the first.
        var (first, next) = (new int[sorted.Length], new int[sorted.Length]);
        Array.Fill(first, None);
        var firstRoot = None;
        for (var i = sorted.Length - 1; i >= 0; i--)
        {
            var run = sorted[i];
            if (places[run.Id] != i)
            {
                continue;
            }

            ref var head = ref firstRoot;
            if (run.ParentRunId is { } parent && places.TryGetValue(parent, out var place))
            {
                head = ref first[place];
            }

            next[i] = head;
            head = i;
        }

        var ordered = new List<Run>(sorted.Length);
        var seen = new bool[sorted.Length];
        var later = new Stack<int>();
        for (var at = firstRoot; at != None || later.TryPop(out at); at = first[at])
        {
            ordered.Add(sorted[at]);
            seen[at] = true;
            if (next[at] != None)
            {
                later.Push(next[at]);
            }
        }

        for (var i = 0; i < sorted.Length && ordered.Count < places.Count; i++)
        {
            if (!seen[i] && places[sorted[i].Id] == i)
            {
                ordered.Add(sorted[i]);
            }
        }

        return ordered;
    }

    private static int Compare(Run a, Run b)
    {
        var byStart = a.StartTime.CompareTo(b.StartTime);
        return byStart != 0 ? byStart : string.CompareOrdinal(a.DottedOrder, b.DottedOrder);
    }
}
