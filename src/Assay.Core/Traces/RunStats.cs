using Assay.Core.Feedback;
using Assay.Core.Filters;

namespace Assay.Core.Traces;

/// <summary>Figures over a set of runs. Percentiles come from mergeable log histograms with at most 3 % relative error (see the ADR on aggregates).</summary>
public sealed record RunStats
{
    /// <summary>How many runs.</summary>
    public long RunCount { get; init; }

    /// <summary>How many of them failed.</summary>
    public long ErrorCount { get; init; }

    /// <summary>How many are pending.</summary>
    public long PendingCount { get; init; }

    /// <summary>How many have a first token time, that is: were streamed.</summary>
    public long StreamedCount { get; init; }

    /// <summary>Latency percentiles of the ended runs; null when none.</summary>
    public Percentiles? Latency { get; init; }

    /// <summary>First token latency percentiles; null when none streamed.</summary>
    public Percentiles? FirstToken { get; init; }

    /// <summary>Distribution of total tokens per run; null when none bears tokens.</summary>
    public Percentiles? Tokens { get; init; }

    /// <summary>Distribution of prompt tokens per run.</summary>
    public Percentiles? PromptTokensSpread { get; init; }

    /// <summary>Distribution of completion tokens per run.</summary>
    public Percentiles? CompletionTokensSpread { get; init; }

    /// <summary>Distribution of cost per run, US dollars.</summary>
    public Percentiles? CostSpread { get; init; }

    /// <summary>Sums over the set, each usage once (a parent and its child in the same set do not both count).</summary>
    public TraceTotals Totals { get; init; } = TraceTotals.None;

    /// <summary>Start of the newest run.</summary>
    public DateTimeOffset? LastRunStart { get; init; }

    /// <summary>Feedback on the runs by key.</summary>
    public IReadOnlyDictionary<string, FeedbackStats> Feedback { get; init; } =
        new Dictionary<string, FeedbackStats>();
}

/// <summary>Percentiles of a distribution; seconds for latencies.</summary>
public sealed record Percentiles(double P50, double P95, double P99, double Mean, double Max);

/// <summary>One bucket of a time series.</summary>
/// <param name="Start">Start of the bucket, UTC.</param>
/// <param name="Group">The group's value; empty when not grouped.</param>
/// <param name="Stats">Its figures.</param>
public sealed record RunBucket(DateTimeOffset Start, string Group, RunStats Stats);

/// <summary>A question for figures over time.</summary>
public sealed record RunSeriesQuery
{
    /// <summary>The runs to look at; <see cref="RunQuery.From"/> is needed, order, limit and parts are ignored.</summary>
    public required RunQuery Runs { get; init; }

    /// <summary>Bucket width; at least one minute. Whole hours are answered from pre-aggregates when the filter allows.</summary>
    public required TimeSpan Bucket { get; init; }

    /// <summary>Group by this, null for one series: a scalar field (name, kind, status, model, provider)…</summary>
    public RunField? GroupBy { get; init; }

    /// <summary>…or a metadata key.</summary>
    public string? GroupByMetadataKey { get; init; }

    /// <summary>…or tags: a run counts in the group of each of its tags, and in none when it has none.</summary>
    public bool GroupByTag { get; init; }

    /// <summary>At most this many groups, the largest; the rest is summed up as "other".</summary>
    public int MaxGroups { get; init; } = 6;
}

/// <summary>One value of a facet with its number of runs.</summary>
public sealed record FacetValue(string Value, long Count);

/// <summary>The values one field (or metadata key, or tag) takes, with counts, from maintained dictionaries; never a scan.</summary>
/// <param name="Name"><c>name</c>, <c>run_type</c>, <c>status</c>, <c>model</c>, <c>tag</c>, or <c>metadata.KEY</c>.</param>
/// <param name="Values">Largest first.</param>
/// <param name="IsTruncated">True when there were more values than are kept.</param>
public sealed record Facet(string Name, IReadOnlyList<FacetValue> Values, bool IsTruncated);
