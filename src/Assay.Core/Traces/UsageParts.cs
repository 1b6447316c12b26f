using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>
/// Parts of tokens and costs summed up by name over many runs, each usage once by the rule of <see cref="TraceRollup"/>. Not thread-safe
/// while it is being filled.
/// </summary>
public sealed class UsageParts
{
    private readonly Dictionary<string, long> _promptTokens = [];
    private readonly Dictionary<string, long> _completionTokens = [];
    private readonly Dictionary<string, decimal> _promptCosts = [];
    private readonly Dictionary<string, decimal> _completionCosts = [];

    /// <summary>Parts of the prompt tokens.</summary>
    public IReadOnlyDictionary<string, long> PromptTokens => _promptTokens;

    /// <summary>Parts of the completion tokens.</summary>
    public IReadOnlyDictionary<string, long> CompletionTokens => _completionTokens;

    /// <summary>Parts of the prompt cost, US dollars.</summary>
    public IReadOnlyDictionary<string, decimal> PromptCosts => _promptCosts;

    /// <summary>Parts of the completion cost, US dollars.</summary>
    public IReadOnlyDictionary<string, decimal> CompletionCosts => _completionCosts;

    /// <summary>Adds the parts of one usage.</summary>
    public void Add(TokenUsage? usage, RunCost? cost)
    {
        Add(_promptTokens, usage?.PromptDetails, static (a, b) => a + b);
        Add(_completionTokens, usage?.CompletionDetails, static (a, b) => a + b);
        Add(_promptCosts, cost?.PromptDetails, static (a, b) => a + b);
        Add(_completionCosts, cost?.CompletionDetails, static (a, b) => a + b);
    }

    /// <summary>Adds the runs of one trace that count: those that bear usage and have no descendant that does.</summary>
    /// <param name="trace">Every run of the trace, in any order.</param>
    public void AddTrace(
        IReadOnlyList<(Guid Id, Guid? Parent, TokenUsage? Usage, RunCost? Cost)> trace
    )
    {
        var parents = trace.DistinctBy(r => r.Id).ToDictionary(r => r.Id, r => r.Parent);
        var above = new HashSet<Guid>();
        foreach (var run in trace)
        {
            // Stops where another climb, or a cycle, has been.
            for (
                var parent = run.Usage is null ? null : run.Parent;
                parent is { } id && id != run.Id && above.Add(id);
                parent = parents.GetValueOrDefault(id)
            ) { }
        }

        foreach (var run in trace)
        {
            if (run.Usage is not null && !above.Contains(run.Id))
            {
                Add(run.Usage, run.Cost);
            }
        }
    }

    private static void Add<T>(
        Dictionary<string, T> sums,
        IReadOnlyDictionary<string, T>? parts,
        Func<T, T, T> plus
    )
        where T : struct
    {
        foreach (var (key, value) in parts ?? new Dictionary<string, T>())
        {
            sums[key] = plus(sums.GetValueOrDefault(key), value);
        }
    }
}
