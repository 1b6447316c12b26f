using System.Runtime.CompilerServices;
using Assay.Core.Traces;
using Assay.Evaluation.Statistics;

namespace Assay.Core.Experiments;

/// <summary>
/// The numbers behind <see cref="ExperimentMeasures"/>. They follow from the figures and the metrics alone, so they are kept for as long as
/// somebody keeps the figures, and comparisons for as long as both tables: an experiment that nobody changes is computed once. Thread-safe.
/// </summary>
internal sealed class MeasureTable
{
    private static readonly ConditionalWeakTable<ExperimentFigures, MeasureTable> s_last = [];
    private static readonly ConditionalWeakTable<
        MeasureTable,
        ConditionalWeakTable<MeasureTable, IReadOnlyList<MetricComparison>>
    > s_comparisons = [];

    private readonly Dictionary<Guid, ExampleMeasures> _examples;
    private readonly Dictionary<(Guid Example, string Key), List<string>> _labels = [];
    private readonly Lazy<(Interval? Mean, double Low, double High)>[] _means;

    private MeasureTable(IReadOnlyList<Metric> metrics, ExperimentFigures figures)
    {
        Metrics = metrics;
        Figures = figures;
        var places = metrics
            .Select(m => m.Kind == MetricKind.Score ? IndexOf(figures.Keys, m.Key) : -1)
            .ToArray();
        var latencies = new List<double>(figures.Runs.Count);
        var groups = new Dictionary<Guid, List<ExperimentRunFigures>>(figures.Runs.Count);
        foreach (var run in figures.Runs)
        {
            ErrorCount += run.Status == RunStatus.Error ? 1 : 0;
            PendingCount += run.Status == RunStatus.Pending ? 1 : 0;
            TotalCost += run.Cost;
            TotalTokens += run.Tokens;
            if (run.Latency is { } seconds)
            {
                latencies.Add(seconds);
            }

            if (!groups.TryGetValue(run.ExampleId, out var own))
            {
                groups[run.ExampleId] = own = new List<ExperimentRunFigures>(1);
            }

            own.Add(run);
            for (var k = 0; k < run.Labels.Count; k++)
            {
                if (run.Labels[k] is { } label)
                {
                    var key = (run.ExampleId, figures.LabelKeys[k]);
                    if (!_labels.TryGetValue(key, out var labels))
                    {
                        _labels[key] = labels = new List<string>(1);
                    }

                    labels.Add(label);
                }
            }
        }

        latencies.Sort();
        Latencies = latencies;
        _examples = new Dictionary<Guid, ExampleMeasures>(groups.Count);
        foreach (var (example, runs) in groups)
        {
            var values = new double[metrics.Count];
            for (var m = 0; m < metrics.Count; m++)
            {
                var (sum, count) = (0.0, 0);
                foreach (var run in runs)
                {
                    var value = ValueOf(run, metrics[m], places[m]);
                    if (double.IsFinite(value))
                    {
                        sum += value;
                        count++;
                    }
                }

                values[m] = count == 0 ? double.NaN : sum / count;
            }

            _examples[example] = new ExampleMeasures(
                example,
                runs.ConvertAll(r => r.RunId),
                values,
                runs.Exists(r => r.Status == RunStatus.Error)
            );
            Repetitions = Math.Max(Repetitions, runs.Count);
        }

        _means =
        [
            .. Enumerable
                .Range(0, metrics.Count)
                .Select(m => new Lazy<(Interval?, double, double)>(() => Summarize(m))),
        ];
    }

    public IReadOnlyList<Metric> Metrics { get; }

    public ExperimentFigures Figures { get; }

    public int ErrorCount { get; }

    public int PendingCount { get; }

    public int Repetitions { get; }

    public decimal TotalCost { get; }

    public long TotalTokens { get; }

    public IReadOnlyList<double> Latencies { get; }

    public IReadOnlyDictionary<Guid, ExampleMeasures> Examples => _examples;

    /// <summary>The table of figures under metrics.</summary>
    public static MeasureTable Of(IReadOnlyList<Metric> metrics, ExperimentFigures figures)
    {
        if (s_last.TryGetValue(figures, out var last) && last.Metrics.SequenceEqual(metrics))
        {
            return last;
        }

        var table = new MeasureTable(metrics, figures);
        s_last.AddOrUpdate(figures, table);
        return table;
    }

    public double Value(Guid exampleId, int metric) =>
        _examples.TryGetValue(exampleId, out var example) ? example.Values[metric] : double.NaN;

    public IReadOnlyList<string> Labels(Guid exampleId, string key) =>
        _labels.TryGetValue((exampleId, key), out var labels) ? labels : [];

    public Interval? Mean(int metric) => _means[metric].Value.Mean;

    public (double Low, double High) Range(int metric) =>
        (_means[metric].Value.Low, _means[metric].Value.High);

    public RepetitionFigures? RepetitionsOf(int metric)
    {
        var place =
            Metrics[metric].Kind == MetricKind.Score
                ? IndexOf(Figures.Keys, Metrics[metric].Key)
                : -1;
        var groups = Figures
            .Runs.GroupBy(r => r.ExampleId)
            .Select(g =>
                (IReadOnlyList<double>)
                    [.. g.Select(r => ValueOf(r, Metrics[metric], place)).Where(double.IsFinite)]
            )
            .Where(g => g.Count > 0)
            .ToList();
        if (!groups.Exists(g => g.Count > 1))
        {
            return null;
        }

        var least = groups.Min(g => g.Count);
        var isBinary = groups.TrueForAll(g => g.All(v => v is 0 or 1));
        return new RepetitionFigures(
            Evaluation.Statistics.Repetitions.Of(groups),
            isBinary && Metrics[metric].Kind == MetricKind.Score
                ?
                [
                    .. Enumerable
                        .Range(1, least)
                        .Select(k =>
                            groups.Average(g => PassAtK.Estimate(g.Count, g.Count(v => v == 1), k))
                        ),
                ]
                : []
        );
    }

    public IReadOnlyList<MetricComparison> Against(MeasureTable baseline) =>
        s_comparisons.GetOrCreateValue(this).GetValue(baseline, b => Compare(b, null));

    public IReadOnlyList<MetricComparison> Against(
        MeasureTable baseline,
        IReadOnlyDictionary<Guid, string> clusters
    ) => Compare(baseline, clusters);

    private IReadOnlyList<MetricComparison> Compare(
        MeasureTable baseline,
        IReadOnlyDictionary<Guid, string>? clusters
    )
    {
        var shared = new List<(ExampleMeasures Candidate, ExampleMeasures Baseline)>(
            _examples.Count
        );
        foreach (var (id, own) in _examples)
        {
            if (baseline._examples.TryGetValue(id, out var other))
            {
                shared.Add((own, other));
            }
        }

        var comparisons = new List<PairedComparison>(Metrics.Count);
        for (var m = 0; m < Metrics.Count; m++)
        {
            var pairs = new List<(double Baseline, double Candidate)>(shared.Count);
            var owners = new List<Guid>(clusters is null ? 0 : shared.Count);
            foreach (var (candidate, other) in shared)
            {
                if (double.IsFinite(other.Values[m]) && double.IsFinite(candidate.Values[m]))
                {
                    pairs.Add((other.Values[m], candidate.Values[m]));
                    if (clusters is not null)
                    {
                        owners.Add(candidate.ExampleId);
                    }
                }
            }

            if (clusters is not null)
            {
                pairs =
                [
                    .. pairs
                        .Zip(
                            owners,
                            (p, id) =>
                                (Pair: p, Cluster: ExperimentMeasures.ClusterOf(id, clusters))
                        )
                        .GroupBy(p => p.Cluster, p => p.Pair, StringComparer.Ordinal)
                        .Select(g => (g.Average(p => p.Baseline), g.Average(p => p.Candidate))),
                ];
            }

            comparisons.Add(PairedComparison.Of(pairs, Metrics[m].HigherIsBetter));
        }

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

    private (Interval? Mean, double Low, double High) Summarize(int metric)
    {
        var values = new List<double>(_examples.Count);
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var example in _examples.Values)
        {
            var value = example.Values[metric];
            if (double.IsFinite(value))
            {
                values.Add(value);
                low = Math.Min(low, value);
                high = Math.Max(high, value);
            }
        }

        return (Intervals.Mean(values), low, high);
    }

    private static double ValueOf(ExperimentRunFigures run, Metric metric, int place) =>
        metric.Kind switch
        {
            MetricKind.Score => place < 0 ? double.NaN : run.Scores[place],
            MetricKind.Latency => run.Latency ?? double.NaN,
            MetricKind.Tokens => run.Tokens,
            MetricKind.Cost => (double)run.Cost,
            _ => run.Status == RunStatus.Error ? 1 : 0,
        };

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
}
