using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>
/// Counts tokens and cost once per trace: frameworks repeat a model call's usage on its parents, so only a usage-bearing run with no
/// usage-bearing descendant counts, and everybody above shows the sum of what counts below. Pure.
/// </summary>
public static class TraceRollup
{
    /// <summary>A run as the rollup needs it.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="ParentId">Its parent.</param>
    /// <param name="Own">Its own usage and cost as totals; null when it bears no usage.</param>
    public readonly record struct Node(Guid Id, Guid? ParentId, TraceTotals? Own);

    /// <summary>Totals per run, in the order given. A parent that is not among the nodes, or a cycle, ends the climb.</summary>
    public static TraceTotals[] Compute(IReadOnlyList<Node> nodes)
    {
        var index = new Dictionary<Guid, int>(nodes.Count);
        for (var i = 0; i < nodes.Count; i++)
        {
            index[nodes[i].Id] = i;
        }

        var parent = new int[nodes.Count];
        var open = new int[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
        {
            parent[i] =
                nodes[i].ParentId is { } p && index.TryGetValue(p, out var at) && at != i ? at : -1;
            if (parent[i] >= 0)
            {
                open[parent[i]]++;
            }
        }

        // Leaves first: a node is ready when all its children are done. Members of a cycle never become ready and keep their own figures.
        var totals = new TraceTotals[nodes.Count];
        var below = new TraceTotals?[nodes.Count];
        var ready = new Stack<int>();
        for (var i = 0; i < nodes.Count; i++)
        {
            totals[i] = nodes[i].Own ?? TraceTotals.None;
            if (open[i] == 0)
            {
                ready.Push(i);
            }
        }

        while (ready.TryPop(out var i))
        {
            totals[i] = below[i] ?? nodes[i].Own ?? TraceTotals.None;
            if (parent[i] < 0)
            {
                continue;
            }

            if (below[i] is not null || nodes[i].Own is not null)
            {
                below[parent[i]] = below[parent[i]] is { } sum ? Add(sum, totals[i]) : totals[i];
            }

            if (--open[parent[i]] == 0)
            {
                ready.Push(parent[i]);
            }
        }

        return totals;
    }

    /// <summary>The sum of two totals; the weaker source wins (unknown, then estimated, then computed, then reported).</summary>
    public static TraceTotals Add(TraceTotals a, TraceTotals b) =>
        new(
            a.PromptTokens + b.PromptTokens,
            a.CompletionTokens + b.CompletionTokens,
            a.TotalTokens + b.TotalTokens,
            a.PromptCost + b.PromptCost,
            a.CompletionCost + b.CompletionCost,
            a.TotalCost + b.TotalCost,
            Strength(a.Source) <= Strength(b.Source) ? a.Source : b.Source
        );

    private static int Strength(FigureSource source) =>
        source switch
        {
            FigureSource.Unknown => 0,
            FigureSource.Estimated => 1,
            FigureSource.Computed => 2,
            _ => 3,
        };
}
