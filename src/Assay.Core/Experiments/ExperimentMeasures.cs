using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Evaluation.Statistics;

namespace Assay.Core.Experiments;

/// <summary>
/// An experiment in numbers: every metric for every example, repetitions of an example averaged first, because ten runs of one example are
/// one observation. Immutable.
/// </summary>
public sealed class ExperimentMeasures
{
    private readonly Dictionary<Guid, ExampleMeasures> _examples;

    /// <summary>Measures of an experiment under metrics.</summary>
    public ExperimentMeasures(
        Project experiment,
        IReadOnlyList<Metric> metrics,
        ExperimentFigures figures
    )
    {
        Experiment = experiment;
        Metrics = metrics;
        RunCount = figures.Runs.Count;
        ErrorCount = figures.Runs.Count(r => r.Status == RunStatus.Error);
        PendingCount = figures.Runs.Count(r => r.Status == RunStatus.Pending);
        TotalCost = figures.Runs.Sum(r => r.Cost);
        TotalTokens = figures.Runs.Sum(r => r.Tokens);
        Latencies = [.. figures.Runs.Select(r => r.Latency).OfType<double>().Order()];
        var places = metrics
            .Select(m => m.Kind == MetricKind.Score ? IndexOf(figures.Keys, m.Key) : -1)
            .ToArray();
        _examples = new Dictionary<Guid, ExampleMeasures>(figures.Runs.Count);
        foreach (var group in figures.Runs.GroupBy(r => r.ExampleId))
        {
            var runs = group.ToList();
            var values = new double[metrics.Count];
            for (var m = 0; m < metrics.Count; m++)
            {
                var (sum, count) = (0.0, 0);
                foreach (var run in runs)
                {
                    var value = metrics[m].Kind switch
                    {
                        MetricKind.Score => places[m] < 0 ? double.NaN : run.Scores[places[m]],
                        MetricKind.Latency => run.Latency ?? double.NaN,
                        MetricKind.Tokens => run.Tokens,
                        MetricKind.Cost => (double)run.Cost,
                        _ => run.Status == RunStatus.Error ? 1 : 0,
                    };
                    if (double.IsFinite(value))
                    {
                        sum += value;
                        count++;
                    }
                }

                values[m] = count == 0 ? double.NaN : sum / count;
            }

            _examples[group.Key] = new ExampleMeasures(
                group.Key,
                [.. runs.Select(r => r.RunId)],
                values,
                runs.Exists(r => r.Status == RunStatus.Error)
            );
        }

        Repetitions = _examples.Count == 0 ? 0 : _examples.Values.Max(e => e.RunIds.Count);
    }

    /// <summary>The experiment.</summary>
    public Project Experiment { get; }

    /// <summary>What was measured, in order.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>Runs in all.</summary>
    public int RunCount { get; }

    /// <summary>Failed runs.</summary>
    public int ErrorCount { get; }

    /// <summary>Runs that have not ended.</summary>
    public int PendingCount { get; }

    /// <summary>The most runs of one example.</summary>
    public int Repetitions { get; }

    /// <summary>US dollars.</summary>
    public decimal TotalCost { get; }

    /// <summary>Tokens.</summary>
    public long TotalTokens { get; }

    /// <summary>Seconds of every ended run, shortest first.</summary>
    public IReadOnlyList<double> Latencies { get; }

    /// <summary>The examples it ran.</summary>
    public IReadOnlyDictionary<Guid, ExampleMeasures> Examples => _examples;

    /// <summary>The value of a metric for an example; NaN where there is none.</summary>
    public double Value(Guid exampleId, int metric) =>
        _examples.TryGetValue(exampleId, out var example) ? example.Values[metric] : double.NaN;

    /// <summary>The mean over examples with its interval; null where nothing was measured.</summary>
    public Interval? Mean(int metric) =>
        Intervals.Mean([.. _examples.Values.Select(e => e.Values[metric]).Where(double.IsFinite)]);

    private static int IndexOf(IReadOnlyList<string> keys, string key)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (keys[i] == key)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>This experiment against a baseline under every metric, over the examples that both have, corrected for the number of metrics.</summary>
    public IReadOnlyList<MetricComparison> Against(ExperimentMeasures baseline)
    {
        var comparisons = Metrics
            .Select(
                (metric, m) =>
                    PairedComparison.Of(
                        [
                            .. _examples
                                .Values.Select(e =>
                                    (
                                        Baseline: baseline.Value(e.ExampleId, m),
                                        Candidate: e.Values[m]
                                    )
                                )
                                .Where(p =>
                                    double.IsFinite(p.Baseline) && double.IsFinite(p.Candidate)
                                ),
                        ],
                        metric.HigherIsBetter
                    )
            )
            .ToList();
        return
        [
            .. PairedComparison
                .Together(comparisons)
                .Select(
                    (t, m) =>
                        new MetricComparison(
                            Metrics[m],
                            comparisons[m],
                            t.AdjustedPValue,
                            t.Verdict
                        )
                ),
        ];
    }
}

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
