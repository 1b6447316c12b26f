using Assay.Core.Access;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.V2;

/// <summary>Parts of tokens and costs summed up over traces; only runs that count for a trace's totals count here.</summary>
internal sealed record ThreadDetails
{
    public static IReadOnlyDictionary<string, long> NoTokens { get; } =
        new Dictionary<string, long>();

    public static IReadOnlyDictionary<string, decimal> NoCosts { get; } =
        new Dictionary<string, decimal>();

    public IReadOnlyDictionary<string, long> PromptTokens { get; init; } = NoTokens;

    public IReadOnlyDictionary<string, long> CompletionTokens { get; init; } = NoTokens;

    public IReadOnlyDictionary<string, decimal> PromptCosts { get; init; } = NoCosts;

    public IReadOnlyDictionary<string, decimal> CompletionCosts { get; init; } = NoCosts;

    /// <summary>Sums over the traces of the roots that a question finds, at most its limit of them.</summary>
    public static async Task<ThreadDetails> SumAsync(
        Caller caller,
        TraceQueries queries,
        RunQuery roots,
        CancellationToken cancellationToken
    )
    {
        var (promptTokens, completionTokens) = (
            new Dictionary<string, long>(),
            new Dictionary<string, long>()
        );
        var (promptCosts, completionCosts) = (
            new Dictionary<string, decimal>(),
            new Dictionary<string, decimal>()
        );
        var page = await queries.QueryAsync(caller, roots, cancellationToken);
        foreach (var root in page.Runs)
        {
            var trace = await queries.ReadTraceAsync(
                caller,
                root.TraceId,
                root.ProjectId,
                RunParts.Details,
                cancellationToken
            );
            foreach (var run in Counted(trace))
            {
                Add(promptTokens, run.Usage?.PromptDetails);
                Add(completionTokens, run.Usage?.CompletionDetails);
                Add(promptCosts, run.Cost?.PromptDetails);
                Add(completionCosts, run.Cost?.CompletionDetails);
            }
        }

        return new ThreadDetails
        {
            PromptTokens = promptTokens,
            CompletionTokens = completionTokens,
            PromptCosts = promptCosts,
            CompletionCosts = completionCosts,
        };
    }

    /// <summary>Runs that bear usage and have no descendant that does: the rule of <see cref="TraceRollup"/>.</summary>
    private static IEnumerable<Run> Counted(IReadOnlyList<Run> trace)
    {
        // Parents come before their children, so going backwards every descendant is seen before its ancestors.
        var above = new HashSet<Guid>();
        foreach (var run in trace.Reverse())
        {
            var isBearing = run.Usage is not null;
            var hasBearingBelow = above.Contains(run.Id);
            if ((isBearing || hasBearingBelow) && run.ParentRunId is { } parent)
            {
                above.Add(parent);
            }

            if (isBearing && !hasBearingBelow)
            {
                yield return run;
            }
        }
    }

    private static void Add(
        Dictionary<string, long> sums,
        IReadOnlyDictionary<string, long>? details
    )
    {
        foreach (var (key, value) in details ?? NoTokens)
        {
            sums[key] = sums.GetValueOrDefault(key) + value;
        }
    }

    private static void Add(
        Dictionary<string, decimal> sums,
        IReadOnlyDictionary<string, decimal>? details
    )
    {
        foreach (var (key, value) in details ?? NoCosts)
        {
            sums[key] = sums.GetValueOrDefault(key) + value;
        }
    }
}
