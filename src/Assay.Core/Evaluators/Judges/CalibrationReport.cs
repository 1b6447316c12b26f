using Assay.Evaluation.Statistics;

namespace Assay.Core.Evaluators.Judges;

/// <summary>A run that people judged, beside what the judge said.</summary>
public sealed record CalibrationItem
{
    /// <summary>The run.</summary>
    public Guid Run { get; init; }

    /// <summary>The second run of a pair; null where single runs were judged.</summary>
    public Guid? OtherRun { get; init; }

    /// <summary>Its trace.</summary>
    public Guid Trace { get; init; }

    /// <summary>Its project.</summary>
    public Guid Project { get; init; }

    /// <summary>The beginning of what was asked.</summary>
    public string? Title { get; init; }

    /// <summary>What people said.</summary>
    public required string Human { get; init; }

    /// <summary>The mean of their numbers on the judge's scale.</summary>
    public double? HumanNumber { get; init; }

    /// <summary>How many people judged it.</summary>
    public int People { get; init; }

    /// <summary>What one of them wrote.</summary>
    public string? Comment { get; init; }

    /// <summary>What the judge said; null when it gave no verdict.</summary>
    public string? Judge { get; init; }

    /// <summary>The judge's number.</summary>
    public double? JudgeNumber { get; init; }

    /// <summary>The judge's reason, or why there is no verdict.</summary>
    public string? Reason { get; init; }

    /// <summary>The run that recorded the judge's work.</summary>
    public Guid? JudgeRun { get; init; }

    /// <summary>Of a pair: how often the judge chose the answer it was shown first.</summary>
    public int FirstWins { get; init; }

    /// <summary>Of a pair: how often the judge chose the answer it was shown second.</summary>
    public int SecondWins { get; init; }

    /// <summary>US dollars the judging cost, where known.</summary>
    public decimal? UsDollars { get; init; }
}

/// <summary>A label, how often people gave it, and how well the judge finds it.</summary>
/// <param name="Label">The label.</param>
/// <param name="Human">How often people gave it.</param>
/// <param name="Judge">How often the judge gave it.</param>
/// <param name="Recall">Of those people gave it to, the share the judge gave it to.</param>
/// <param name="Precision">Of those the judge gave it to, the share people gave it to.</param>
public sealed record LabelQuality(
    string Label,
    int Human,
    int Judge,
    Interval? Recall,
    Interval? Precision
);

/// <summary>How a judge agrees with people. Computed from items; pure.</summary>
public sealed record CalibrationReport
{
    /// <summary>Runs both judged.</summary>
    public int Compared { get; private init; }

    /// <summary>Runs the judge gave no verdict about.</summary>
    public int Unjudged { get; private init; }

    /// <summary>The share both say the same about, with Wilson's interval.</summary>
    public Interval? Agreement { get; private init; }

    /// <summary>Cohen's kappa with a bootstrap interval over runs; null when one label explains everything.</summary>
    public Interval? Kappa { get; private init; }

    /// <summary>The label people gave most often.</summary>
    public string? MostCommon { get; private init; }

    /// <summary>How often they did (the base rate): a judge that always says it reaches this agreement.</summary>
    public Interval? BaseRate { get; private init; }

    /// <summary>People's label down, the judge's across.</summary>
    public ConfusionMatrix? Matrix { get; private init; }

    /// <summary>By label.</summary>
    public IReadOnlyList<LabelQuality> Labels { get; private init; } = [];

    /// <summary>Spearman's correlation of the numbers, for scores; null for other forms or where one side does not vary.</summary>
    public double? Correlation { get; private init; }

    /// <summary>Mean of judge minus people, for scores: above zero it is kinder than people.</summary>
    public double? Bias { get; private init; }

    /// <summary>
    /// For pairs: the share of its choices that fell on the answer shown first, with Wilson's interval. As every pair is shown in both orders, a judge that
    /// looks at the answers alone is at one half; null without choices.
    /// </summary>
    public Interval? FirstShare { get; private init; }

    /// <summary>For pairs: the share of pairs on which the two orders chose different answers; null for other forms.</summary>
    public Interval? OrderChanged { get; private init; }

    /// <summary>Computes the report.</summary>
    public static CalibrationReport Of(IReadOnlyList<CalibrationItem> items, VerdictForm form)
    {
        var both = items.Where(i => i.Judge is not null).ToList();
        var unjudged = items.Count - both.Count;
        if (both.Count == 0)
        {
            return new CalibrationReport { Unjudged = unjudged };
        }

        var pairs = both.Select(i => (i.Human, i.Judge!)).ToList();
        var matrix = ConfusionMatrix.Of(pairs);
        var common = both.GroupBy(i => i.Human, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count())
            .First();
        var numbers =
            form.Kind == VerdictKind.Score
                ? both.Where(i => i.HumanNumber is not null && i.JudgeNumber is not null)
                    .Select(i => (X: i.HumanNumber!.Value, Y: i.JudgeNumber!.Value))
                    .ToList()
                : [];
        return new CalibrationReport
        {
            Compared = both.Count,
            Unjudged = unjudged,
            Agreement = Intervals.Wilson(both.Count(i => i.Human == i.Judge), both.Count),
            Kappa = AgreementIntervals.Cohen(pairs),
            MostCommon = common.Key,
            BaseRate = Intervals.Wilson(common.Count(), both.Count),
            Matrix = matrix,
            Labels =
            [
                .. matrix.Labels.Select(
                    (label, i) =>
                    {
                        var (hits, human, judge) = (
                            matrix.Counts[i][i],
                            matrix.Rows[i],
                            matrix.Columns[i]
                        );
                        return new LabelQuality(
                            label,
                            human,
                            judge,
                            human == 0 ? null : Intervals.Wilson(hits, human),
                            judge == 0 ? null : Intervals.Wilson(hits, judge)
                        );
                    }
                ),
            ],
            Correlation =
                numbers.Count > 1 ? Evaluation.Statistics.Correlation.Spearman(numbers) : null,
            Bias = numbers.Count > 0 ? numbers.Average(n => n.Y - n.X) : null,
            FirstShare = PositionBias.FirstShare(both),
            OrderChanged = PositionBias.OrderChanged(both),
        };
    }
}
