using System.Globalization;
using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Evaluation.Statistics;

namespace Assay.UI.Experiments;

/// <summary>What a results page shows, computed once for a request.</summary>
public sealed class ResultsView
{
    /// <summary>Rows in a block.</summary>
    public const int Block = 50;

    private const int MaxLabels = 8;

    private IReadOnlyList<IReadOnlyList<MetricComparison>>? _comparisons;

    private ResultsView(
        ResultsSource source,
        ResultsState state,
        IReadOnlyList<ExperimentMeasures> experiments
    )
    {
        Source = source;
        State = state;
        Experiments = experiments;
        Metrics = experiments.Count == 0 ? Metric.OfRuns : experiments[0].Metrics;
        LabelKeys =
        [
            .. experiments
                .SelectMany(e => e.LabelKeys)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
        var metric = ResultsState.Find(Metrics, state.Metric);
        MetricAt = metric < 0 ? 0 : metric;
        var against = experiments
            .Select((e, i) => (e.Experiment.Id, Place: i))
            .FirstOrDefault(e => e.Place > 0 && e.Id == state.Against, (default, 1));
        AgainstAt = Math.Min(against.Item2, experiments.Count - 1);
    }

    /// <summary>Whose.</summary>
    public ResultsSource Source { get; }

    /// <summary>What was asked for.</summary>
    public ResultsState State { get; }

    /// <summary>The experiments, baseline first.</summary>
    public IReadOnlyList<ExperimentMeasures> Experiments { get; }

    /// <summary>Their metrics.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>Feedback keys that some run has a label under; one may be a metric too.</summary>
    public IReadOnlyList<string> LabelKeys { get; }

    /// <summary>Those that are shown as columns of their own, because there is no score to show.</summary>
    public IEnumerable<string> LabelColumns =>
        LabelKeys.Where(k =>
            Metrics.All(m => m.Kind != MetricKind.Score || m.Key != k)
            && Columns.FirstOrDefault(c => c.IsOf(k)) is not { IsHidden: true }
        );

    /// <summary>Place of the metric in question.</summary>
    public int MetricAt { get; }

    /// <summary>Place of the candidate in question.</summary>
    public int AgainstAt { get; }

    /// <summary>The examples of all rows, filtered and sorted.</summary>
    public IReadOnlyList<Guid> Rows { get; private set; } = [];

    /// <summary>How many examples there are without the filter.</summary>
    public int Total { get; private set; }

    /// <summary>One experiment by itself.</summary>
    public bool IsSingle => Experiments.Count == 1;

    /// <summary>The cluster of each example that has one; null when examples are taken as independent.</summary>
    public IReadOnlyDictionary<Guid, string>? Clusters { get; private set; }

    /// <summary>How the columns are to be shown.</summary>
    public IReadOnlyList<ColumnView> Columns { get; private set; } = [];

    /// <summary>Each candidate against the baseline.</summary>
    public IReadOnlyList<IReadOnlyList<MetricComparison>> Comparisons =>
        _comparisons ??= [
            .. Experiments
                .Skip(1)
                .Select(e =>
                    Clusters is null
                        ? e.Against(Experiments[0])
                        : e.Against(Experiments[0], Clusters)
                ),
        ];

    /// <summary>Measures the experiments and finds the rows.</summary>
    /// <exception cref="DatasetProblemException">An experiment is not there.</exception>
    public static async Task<ResultsView> ReadAsync(
        ResultsSource source,
        ResultsState state,
        ExperimentTables tables,
        ExampleReader reader,
        CancellationToken cancellationToken
    )
    {
        var measures =
            state.Ids.Count == 0
                ? []
                : await tables.MeasureAsync(
                    source.Caller,
                    source.Dataset.Id,
                    state.Ids,
                    cancellationToken
                );
        var view = new ResultsView(source, state, measures);
        if (measures.Count > 0)
        {
            view.Columns = await tables.ColumnsAsync(
                source.Caller,
                source.Dataset.Id,
                cancellationToken
            );
            if (state.Cluster is { } key && !view.IsSingle)
            {
                view.Clusters = await reader.MetadataAsync(
                    source.Caller,
                    source.Dataset.Id,
                    ExperimentTables.AsOfOf([.. measures.Select(m => m.Experiment)]),
                    key,
                    cancellationToken
                );
            }

            await view.FilterAsync(tables, reader, cancellationToken);
        }

        return view;
    }

    /// <summary>The mean of a metric, over clusters where they are.</summary>
    public Interval? Mean(int experiment, int metric) =>
        Clusters is null
            ? Experiments[experiment].Mean(metric)
            : Experiments[experiment].Mean(metric, Clusters);

    /// <summary>False for errors, which are seen in the output, and for what the dataset's view hides.</summary>
    public bool IsShown(int metric) =>
        Metrics[metric].Kind != MetricKind.Errors
        && Columns.FirstOrDefault(c => c.IsOf(Metrics[metric])) is not { IsHidden: true };

    /// <summary>A value as the dataset's view wants it.</summary>
    public string Show(int metric, double value) =>
        double.IsFinite(value)
        && Metrics[metric].Kind == MetricKind.Score
        && Columns.FirstOrDefault(c => c.IsOf(Metrics[metric]))?.Precision is { } digits
            ? value.ToString(
                "F" + digits.ToString(CultureInfo.InvariantCulture),
                CultureInfo.InvariantCulture
            )
            : Figures.Value(Metrics[metric], value);

    /// <summary>The labels of an example under a key, each once with how often when repetitions differ; null for none.</summary>
    public string? Label(int experiment, Guid example, string key)
    {
        var labels = Experiments[experiment].Labels(example, key);
        return labels.Count == 0
            ? null
            : string.Join(
                ", ",
                labels
                    .GroupBy(l => l, StringComparer.Ordinal)
                    .OrderByDescending(g => g.Count())
                    .Select(g => g.Count() == 1 ? g.Key : $"{g.Key} ×{g.Count()}")
            );
    }

    /// <summary>True when a metric's values are means over scores of people and of evaluators.</summary>
    public bool IsMixed(int metric) =>
        Metrics[metric].Kind == MetricKind.Score
        && Experiments.Any(e => e.IsMixed(Metrics[metric].Key));

    /// <summary>The colour the dataset's view gives a label.</summary>
    public string? ColorOf(string key, string label) =>
        Columns.FirstOrDefault(c => c.IsOf(key))?.ColorOf(label);

    /// <summary>Candidate minus baseline for an example, signed so that more is better; NaN where one has nothing.</summary>
    public double Gain(Guid example, int candidate, int metric)
    {
        var difference =
            Experiments[candidate].Value(example, metric) - Experiments[0].Value(example, metric);
        return Metrics[metric].HigherIsBetter ? difference : -difference;
    }

    /// <summary>Smallest and largest value of a metric over all experiments, for colours.</summary>
    public (double Low, double High) Range(int metric)
    {
        var ranges = Experiments
            .Select(e => e.Range(metric))
            .Where(r => r.Low <= r.High)
            .DefaultIfEmpty((0, 0))
            .ToList();
        var (low, high) = (ranges.Min(r => r.Item1), ranges.Max(r => r.Item2));

        // Scores that lie between 0 and 1 mean something there; others are seen against each other.
        return Metrics[metric].Kind == MetricKind.Score && low >= 0 && high <= 1
            ? (0, 1)
            : (low, high);
    }

    /// <summary>
    /// Conditions worth a click, by feedback key: of scores each value where there are few, else below and from the middle on; of labels the most
    /// frequent; with the number of examples that one of the experiments meets them on. Keys with blanks cannot be searched by and are left out.
    /// </summary>
    public IReadOnlyList<Facet> Facets()
    {
        var facets = new List<Facet>();
        for (var m = 0; m < Metrics.Count; m++)
        {
            var key = Metrics[m].Key;
            if (
                Metrics[m].Kind == MetricKind.Score
                && IsShown(m)
                && !key.Any(char.IsWhiteSpace)
                && Scores(m) is { Count: > 0 } values
            )
            {
                facets.Add(new Facet(key, values));
            }
        }

        foreach (var key in LabelKeys.Where(k => !k.Any(char.IsWhiteSpace)))
        {
            List<FacetValue> values =
            [
                .. Experiments
                    .SelectMany(e =>
                        e.Examples.Keys.SelectMany(id =>
                            e.Labels(id, key).Select(label => (Label: label, Id: id))
                        )
                    )
                    .GroupBy(l => l.Label, l => l.Id, StringComparer.Ordinal)
                    .Select(g => new FacetValue(
                        $"{key}={ResultsState.Quoted(g.Key)}",
                        g.Key,
                        g.Distinct().Count()
                    ))
                    .OrderByDescending(v => v.Count)
                    .ThenBy(v => v.Text, StringComparer.Ordinal)
                    .Take(MaxLabels),
            ];
            if (facets.FindIndex(f => f.Key == key) is var at and >= 0)
            {
                facets[at] = new Facet(key, [.. facets[at].Values, .. values]);
            }
            else
            {
                facets.Add(new Facet(key, values));
            }
        }

        return facets;
    }

    private List<FacetValue> Scores(int metric)
    {
        const int few = 6;
        var key = Metrics[metric].Key;
        var values = Experiments
            .SelectMany(e => e.Examples.Values.Select(x => (x.ExampleId, V: x.Values[metric])))
            .Where(x => double.IsFinite(x.V))
            .ToList();
        FacetValue Value(string sign, double v, Func<double, bool> meets)
        {
            var text = sign + v.ToString("0.######", CultureInfo.InvariantCulture);
            return new FacetValue(
                key + text,
                text,
                values.Where(x => meets(x.V)).Select(x => x.ExampleId).Distinct().Count()
            );
        }

        var distinct = values.Select(x => x.V).Distinct().Order().ToList();
        if (distinct.Count is > 1 and <= few)
        {
            return distinct.ConvertAll(v => Value("=", v, x => Math.Abs(x - v) < 1e-9));
        }

        var middle = distinct.Count > few ? distinct[distinct.Count / 2] : 0;
        return distinct.Count > few
            ? [Value("<", middle, x => x < middle), Value(">=", middle, x => x >= middle)]
            : [];
    }

    private async Task FilterAsync(
        ExperimentTables tables,
        ExampleReader reader,
        CancellationToken cancellationToken
    )
    {
        var all = await tables.ExamplesAsync(
            Source.Caller,
            Source.Dataset.Id,
            Experiments,
            cancellationToken
        );
        Total = all.Count;
        IEnumerable<Guid> rows = all;
        var (conditions, words) = State.Parse(Metrics, LabelKeys);
        foreach (var condition in conditions)
        {
            rows = rows.Where(id => Experiments.Any(e => condition.Holds(e, id)));
        }

        if (words.Count > 0)
        {
            var found = (
                await reader.IdsAsync(
                    Source.Caller,
                    new ExampleQuery { DatasetId = Source.Dataset.Id, Texts = words },
                    cancellationToken
                )
            ).ToHashSet();
            rows = rows.Where(found.Contains);
        }

        rows = State.Show switch
        {
            "improved" when !IsSingle => rows.Where(id => Gain(id, AgainstAt, MetricAt) > 0),
            "regressed" when !IsSingle => rows.Where(id => Gain(id, AgainstAt, MetricAt) < 0),
            "changed" when !IsSingle => rows.Where(id =>
                Gain(id, AgainstAt, MetricAt) is not 0 and not double.NaN
            ),
            "same" when !IsSingle => rows.Where(id => Gain(id, AgainstAt, MetricAt) is 0),
            "errors" => rows.Where(id =>
                Experiments.Any(e => e.Examples.TryGetValue(id, out var x) && x.HasError)
            ),
            "missing" => rows.Where(id => Experiments.Any(e => !e.Examples.ContainsKey(id))),
            _ => rows,
        };
        Rows = [.. Sorted(rows)];
    }

    private IEnumerable<Guid> Sorted(IEnumerable<Guid> rows)
    {
        Func<Guid, double>? key = null;
        if (State.Sort == "delta" && !IsSingle)
        {
            key = id => Gain(id, AgainstAt, MetricAt);
        }
        else if (ResultsState.Find(Metrics, State.Sort) is var metric and >= 0)
        {
            key = id => Experiments[IsSingle ? 0 : AgainstAt].Value(id, metric);
        }

        if (key is null)
        {
            return rows;
        }

        // Rows without a value stay at the end whichever way.
        var keyed = rows.Select(id => (Id: id, Key: key(id))).ToList();
        var have = keyed.Where(r => double.IsFinite(r.Key));
        return (State.IsAscending ? have.OrderBy(r => r.Key) : have.OrderByDescending(r => r.Key))
            .Concat(keyed.Where(r => !double.IsFinite(r.Key)))
            .Select(r => r.Id);
    }
}

/// <summary>Conditions on one feedback key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Values">The conditions.</param>
public sealed record Facet(string Key, IReadOnlyList<FacetValue> Values);

/// <summary>A condition worth a click.</summary>
/// <param name="Condition">As it is searched for.</param>
/// <param name="Text">As it is shown below its key.</param>
/// <param name="Count">Examples that one of the experiments meets it on.</param>
public sealed record FacetValue(string Condition, string Text, int Count);
