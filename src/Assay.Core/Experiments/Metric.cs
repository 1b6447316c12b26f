namespace Assay.Core.Experiments;

/// <summary>What a metric measures.</summary>
public enum MetricKind
{
    /// <summary>A feedback key's score.</summary>
    Score,

    /// <summary>Seconds from start to end.</summary>
    Latency,

    /// <summary>Tokens of the run and its descendants.</summary>
    Tokens,

    /// <summary>US dollars of the run and its descendants.</summary>
    Cost,

    /// <summary>1 when the run failed, else 0.</summary>
    Errors,
}

/// <summary>One number per example that experiments are compared by.</summary>
/// <param name="Key">Its name in addresses: a feedback key, or <c>latency</c>, <c>tokens</c>, <c>cost</c>, <c>errors</c> behind a point.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Kind">What it measures.</param>
/// <param name="HigherIsBetter">Which way is better.</param>
public sealed record Metric(string Key, string Title, MetricKind Kind, bool HigherIsBetter)
{
    /// <summary>Those that every run has. A feedback key cannot begin with a point in an address, so they never meet.</summary>
    public static IReadOnlyList<Metric> OfRuns { get; } =
    [
        new(".latency", "Latency", MetricKind.Latency, HigherIsBetter: false),
        new(".tokens", "Tokens", MetricKind.Tokens, HigherIsBetter: false),
        new(".cost", "Cost", MetricKind.Cost, HigherIsBetter: false),
        new(".errors", "Errors", MetricKind.Errors, HigherIsBetter: false),
    ];
}
