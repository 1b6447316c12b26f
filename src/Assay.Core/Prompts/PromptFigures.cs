using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Prompts;

/// <summary>What is known of the traces that used a commit.</summary>
public sealed record CommitFigures
{
    /// <summary>Traces in which some run named the commit.</summary>
    public required int Traces { get; init; }

    /// <summary>Traces whose root failed.</summary>
    public required int Errors { get; init; }

    /// <summary>Median latency of the roots, seconds; null while none ended.</summary>
    public double? LatencyP50 { get; init; }

    /// <summary>95th percentile of the roots' latency, seconds.</summary>
    public double? LatencyP95 { get; init; }

    /// <summary>Mean tokens of a trace that counted any.</summary>
    public double? Tokens { get; init; }

    /// <summary>US dollars of all traces together.</summary>
    public decimal Cost { get; init; }

    /// <summary>Figures of the scores by feedback key, over the roots.</summary>
    public IReadOnlyDictionary<string, FeedbackStats> Scores { get; init; } =
        new Dictionary<string, FeedbackStats>();

    /// <summary>Start of the newest trace.</summary>
    public DateTimeOffset? LastUsed { get; init; }
}

/// <summary>
/// How commits do in use. LangSmith's Python client writes <c>lc_hub_commit_hash</c> into the metadata of the run that formats the
/// prompt, and so do the playground and runs on datasets; the figures are those of the whole traces such runs belong to, since latency, cost
/// and scores are the answer's and not the template's. Thread-safe.
/// </summary>
public sealed class PromptFigures(TraceQueries queries)
{
    /// <summary>Metadata key of the commit's hash.</summary>
    public const string HashKey = "lc_hub_commit_hash";

    /// <summary>Metadata key of the prompt's handle.</summary>
    public const string HandleKey = "lc_hub_repo";

    /// <summary>Metadata key of the owner's handle.</summary>
    public const string OwnerKey = "lc_hub_owner";

    /// <summary>At most this many runs are looked at; beyond them, the figures are of the newest.</summary>
    public const int MaxRuns = 5_000;

    private const int PageSize = 1_000;

    /// <summary>Figures by hash, without those that nothing used.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="hashes">Full hashes of commits.</param>
    /// <param name="since">From when on; null for all time.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyDictionary<string, CommitFigures>> OfAsync(
        Caller caller,
        IReadOnlyCollection<string> hashes,
        DateTimeOffset? since,
        CancellationToken cancellationToken
    )
    {
        if (hashes.Count == 0)
        {
            return new Dictionary<string, CommitFigures>();
        }

        // A trace may use several commits, and several runs of it may name the same one.
        var uses = new HashSet<(string Hash, Guid TraceId)>();
        string? cursor = null;
        var seen = 0;
        do
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    From = since,
                    Filter = Uses(hashes),
                    Limit = PageSize,
                    Cursor = cursor,
                    Parts = RunParts.Details,
                },
                cancellationToken
            );
            foreach (var run in page.Runs)
            {
                foreach (var (key, value) in run.Metadata)
                {
                    if (key == HashKey && hashes.Contains(value))
                    {
                        uses.Add((value, run.TraceId));
                    }
                }
            }

            seen += page.Runs.Count;
            cursor = page.Next;
        } while (cursor is not null && seen < MaxRuns);

        var roots = new Dictionary<Guid, Run>();
        foreach (var ids in uses.Select(u => u.TraceId).Distinct().Chunk(PageSize))
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    RunIds = ids,
                    Limit = PageSize,
                    Parts = RunParts.Feedback,
                },
                cancellationToken
            );
            foreach (var root in page.Runs)
            {
                roots[root.Id] = root;
            }
        }

        return uses.Where(u => roots.ContainsKey(u.TraceId))
            .GroupBy(u => u.Hash, u => roots[u.TraceId])
            .ToDictionary(g => g.Key, g => Sum([.. g]), StringComparer.Ordinal);
    }

    /// <summary>The newest runs that name a commit, with their inputs and outputs: examples of its use. None for a commit of another workspace.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="hash">Full hash of the commit.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<Run>> NewestAsync(
        Caller caller,
        string hash,
        int limit,
        CancellationToken cancellationToken
    ) =>
        (
            await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    Filter = Uses([hash]),
                    Limit = limit,
                    Parts = RunParts.Inputs | RunParts.Outputs,
                },
                cancellationToken
            )
        ).Runs;

    /// <summary>Runs whose metadata names one of the commits.</summary>
    private static Filter.PairExists Uses(IReadOnlyCollection<string> hashes) =>
        new(
            PairKind.Metadata,
            [new(Comparison.Equal, [FilterValue.Of(HashKey)])],
            [new(Comparison.OneOf, [.. hashes.Select(h => FilterValue.Of(h))])]
        );

    private static CommitFigures Sum(IReadOnlyList<Run> roots)
    {
        var latencies = new LogHistogram();
        foreach (var latency in roots.Select(r => r.Latency).OfType<TimeSpan>())
        {
            latencies.Add(latency.TotalSeconds);
        }

        var tokens = roots.Where(r => r.Totals.TotalTokens > 0).ToList();
        return new CommitFigures
        {
            Traces = roots.Count,
            Errors = roots.Count(r => r.Status == RunStatus.Error),
            LatencyP50 = latencies.Count > 0 ? latencies.Quantile(0.5) : null,
            LatencyP95 = latencies.Count > 0 ? latencies.Quantile(0.95) : null,
            Tokens = tokens.Count > 0 ? tokens.Average(r => (double)r.Totals.TotalTokens) : null,
            Cost = roots.Sum(r => r.Totals.TotalCost),
            Scores = FeedbackStats.Together(
                roots.SelectMany(r => r.FeedbackStats).Where(f => f.Value.Average is not null)
            ),
            LastUsed = roots.Max(r => r.StartTime),
        };
    }
}
