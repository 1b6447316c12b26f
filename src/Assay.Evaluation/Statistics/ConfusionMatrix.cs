namespace Assay.Evaluation.Statistics;

/// <summary>How often each label of one rater met each label of another.</summary>
/// <param name="Labels">All labels, ordered.</param>
/// <param name="Counts">First rater's label down, second rater's across.</param>
public sealed record ConfusionMatrix(
    IReadOnlyList<string> Labels,
    IReadOnlyList<IReadOnlyList<int>> Counts
)
{
    /// <summary>Totals of the first rater.</summary>
    public IReadOnlyList<int> Rows => [.. Counts.Select(r => r.Sum())];

    /// <summary>Totals of the second rater.</summary>
    public IReadOnlyList<int> Columns =>
        [.. Enumerable.Range(0, Labels.Count).Select(j => Counts.Sum(r => r[j]))];

    /// <summary>The share of items both label the same.</summary>
    public double Agreement =>
        (double)Enumerable.Range(0, Labels.Count).Sum(i => Counts[i][i]) / Counts.Sum(r => r.Sum());

    /// <summary>Counts pairs of labels.</summary>
    /// <exception cref="ArgumentException">No items.</exception>
    public static ConfusionMatrix Of(IReadOnlyList<(string First, string Second)> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            throw new ArgumentException("There are no items.", nameof(items));
        }

        string[] labels =
        [
            .. items
                .SelectMany(i => new[] { i.First, i.Second })
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
        var counts = labels.Select(_ => new int[labels.Length]).ToArray();
        foreach (var (first, second) in items)
        {
            counts[Array.IndexOf(labels, first)][Array.IndexOf(labels, second)]++;
        }

        return new(labels, counts);
    }

    /// <summary>Precision, recall and F1 of the second rater for a label, the first rater being the truth; null where the denominator is zero.</summary>
    public (double? Precision, double? Recall, double? F1) For(string label)
    {
        var i = Labels.ToList().IndexOf(label);
        if (i < 0)
        {
            return (null, null, null);
        }

        double hits = Counts[i][i];
        var (actual, said) = (Rows[i], Columns[i]);
        return (
            said == 0 ? null : hits / said,
            actual == 0 ? null : hits / actual,
            actual + said == 0 ? null : 2 * hits / (actual + said)
        );
    }
}
