namespace Assay.Evaluation.Statistics;

/// <summary>How much of the variation of a score comes from the examples and how much from running them again.</summary>
/// <param name="Examples">Examples with at least one score.</param>
/// <param name="Scores">All scores.</param>
/// <param name="Mean">Mean of the examples' means.</param>
/// <param name="WithinDeviation">Standard deviation between repetitions of one example; null without any repetition.</param>
/// <param name="BetweenDeviation">Standard deviation between examples, repetition noise taken out; null without any repetition or with one example.</param>
/// <param name="IntraclassCorrelation">
/// ICC(1), the share of variance that belongs to the examples (Shrout and Fleiss, Psychological Bulletin 86, 1979; with the
/// mean group size of unequal groups, Donner 1986). Null when it cannot be known.
/// </param>
public sealed record Repetitions(
    int Examples,
    int Scores,
    double Mean,
    double? WithinDeviation,
    double? BetweenDeviation,
    double? IntraclassCorrelation
)
{
    /// <summary>Splits the variance of scores grouped by example. Empty groups are left out.</summary>
    /// <exception cref="ArgumentException">No score, or a value that is not finite.</exception>
    public static Repetitions Of(IEnumerable<IReadOnlyList<double>> byExample)
    {
        ArgumentNullException.ThrowIfNull(byExample);
        var groups = byExample.Where(g => g.Count > 0).ToList();
        if (groups.Count == 0)
        {
            throw new ArgumentException("There is no score.", nameof(byExample));
        }

        groups.ForEach(g => Sample.Check(g, atLeast: 1));
        var means = groups.Select(Sample.Mean).ToArray();
        var total = groups.Sum(g => g.Count);
        var freedom = total - groups.Count;
        if (freedom == 0)
        {
            return new(groups.Count, total, Sample.Mean(means), null, null, null);
        }

        var within = groups.Zip(means, (g, m) => g.Sum(v => (v - m) * (v - m))).Sum() / freedom;
        if (groups.Count == 1)
        {
            return new(1, total, means[0], Math.Sqrt(within), null, null);
        }

        var grand = groups.Sum(g => g.Sum()) / total;
        var between =
            groups.Zip(means, (g, m) => g.Count * (m - grand) * (m - grand)).Sum()
            / (groups.Count - 1);
        var size =
            (total - (groups.Sum(g => (double)g.Count * g.Count) / total)) / (groups.Count - 1);
        // A negative estimate means that examples differ less than repetitions alone would make them; the truth is at least zero.
        var variance = Math.Max(0, (between - within) / size);
        return new(
            groups.Count,
            total,
            Sample.Mean(means),
            Math.Sqrt(within),
            Math.Sqrt(variance),
            within + variance > 0 ? variance / (within + variance) : null
        );
    }
}
