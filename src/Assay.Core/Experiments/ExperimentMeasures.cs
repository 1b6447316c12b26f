using Assay.Core.Projects;
using Assay.Evaluation.Statistics;

namespace Assay.Core.Experiments;

/// <summary>
/// An experiment in numbers: every metric for every example, repetitions of an example averaged first, because ten runs of one example are
/// one observation. Immutable.
/// </summary>
public sealed class ExperimentMeasures
{
    private readonly MeasureTable _table;

    /// <summary>Measures of an experiment under metrics.</summary>
    public ExperimentMeasures(
        Project experiment,
        IReadOnlyList<Metric> metrics,
        ExperimentFigures figures
    )
    {
        Experiment = experiment;
        _table = MeasureTable.Of(metrics, figures);
    }

    /// <summary>The experiment.</summary>
    public Project Experiment { get; }

    /// <summary>What was measured, in order.</summary>
    public IReadOnlyList<Metric> Metrics => _table.Metrics;

    /// <summary>Runs in all.</summary>
    public int RunCount => _table.Figures.Runs.Count;

    /// <summary>Failed runs.</summary>
    public int ErrorCount => _table.ErrorCount;

    /// <summary>Runs that have not ended.</summary>
    public int PendingCount => _table.PendingCount;

    /// <summary>The most runs of one example.</summary>
    public int Repetitions => _table.Repetitions;

    /// <summary>US dollars.</summary>
    public decimal TotalCost => _table.TotalCost;

    /// <summary>Tokens.</summary>
    public long TotalTokens => _table.TotalTokens;

    /// <summary>Seconds of every ended run, shortest first.</summary>
    public IReadOnlyList<double> Latencies => _table.Latencies;

    /// <summary>The examples it ran.</summary>
    public IReadOnlyDictionary<Guid, ExampleMeasures> Examples => _table.Examples;

    /// <summary>The value of a metric for an example; NaN where there is none.</summary>
    public double Value(Guid exampleId, int metric) => _table.Value(exampleId, metric);

    /// <summary>Feedback keys that some run has a label under.</summary>
    public IReadOnlyList<string> LabelKeys => _table.Figures.LabelKeys;

    /// <summary>True when both people and evaluators gave scores under a key.</summary>
    public bool IsMixed(string key) => _table.Figures.MixedKeys.Contains(key);

    /// <summary>The labels of an example's runs under a key, oldest run first; empty for none.</summary>
    public IReadOnlyList<string> Labels(Guid exampleId, string key) =>
        _table.Labels(exampleId, key);

    /// <summary>The mean over examples with its interval; null where nothing was measured.</summary>
    public Interval? Mean(int metric) => _table.Mean(metric);

    /// <summary>The mean over clusters of examples with its interval; an example without a cluster is one of its own.</summary>
    public Interval? Mean(int metric, IReadOnlyDictionary<Guid, string> clusters)
    {
        var means = Clusters.Means(
            Examples
                .Values.Where(e => double.IsFinite(e.Values[metric]))
                .Select(e => (ClusterOf(e.ExampleId, clusters), e.Values[metric]))
        );
        var mean = Intervals.Mean(means);
        // Of shares of failures nothing below none and above all is possible.
        return mean is not null && Metrics[metric].Kind == MetricKind.Errors
            ? mean with
            {
                Lower = Math.Max(0, mean.Lower),
                Upper = Math.Min(1, mean.Upper),
            }
            : mean;
    }

    /// <summary>Smallest and largest value of a metric over the examples; infinities where nothing was measured.</summary>
    public (double Low, double High) Range(int metric) => _table.Range(metric);

    /// <summary>How repetitions of a score differ; null unless some example has two scores.</summary>
    public RepetitionFigures? RepetitionsOf(int metric) => _table.RepetitionsOf(metric);

    /// <summary>This experiment against a baseline under every metric, over the examples that both have, corrected for the number of metrics.</summary>
    public IReadOnlyList<MetricComparison> Against(ExperimentMeasures baseline) =>
        _table.Against(baseline._table);

    /// <summary>The same over clusters of examples, whose pairs are averaged first: examples of one document or one conversation are not independent.</summary>
    public IReadOnlyList<MetricComparison> Against(
        ExperimentMeasures baseline,
        IReadOnlyDictionary<Guid, string> clusters
    ) => _table.Against(baseline._table, clusters);

    internal static string ClusterOf(Guid exampleId, IReadOnlyDictionary<Guid, string> clusters) =>
        clusters.TryGetValue(exampleId, out var cluster) ? "c" + cluster : "e" + exampleId;
}

/// <summary>How the repetitions of examples differ under one metric.</summary>
/// <param name="Repetitions">The variance between examples and between repetitions of one.</param>
/// <param name="PassAtK">For scores that are all 0 or 1: the chance that one of k tries is 1, for k from 1 to the least number of repetitions; else empty.</param>
public sealed record RepetitionFigures(Repetitions Repetitions, IReadOnlyList<double> PassAtK);

/// <summary>One example in an experiment.</summary>
/// <param name="ExampleId">The example.</param>
/// <param name="RunIds">Its runs: one, or one for each repetition, oldest first.</param>
/// <param name="Values">By metric, means over the repetitions; NaN for none.</param>
/// <param name="HasError">One of the runs failed.</param>
public sealed record ExampleMeasures(
    Guid ExampleId,
    IReadOnlyList<Guid> RunIds,
    double[] Values,
    bool HasError
);

/// <summary>A candidate against the baseline under one metric.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Comparison">Differences, interval and test.</param>
/// <param name="AdjustedPValue">Corrected for the number of metrics (Benjamini and Hochberg).</param>
/// <param name="Verdict">What may be said after the correction.</param>
public sealed record MetricComparison(
    Metric Metric,
    PairedComparison Comparison,
    double? AdjustedPValue,
    Verdict Verdict
);
