using System.Globalization;
using Assay.Core.Feedback;
using Assay.Evaluation.Statistics;

namespace Assay.Core.Annotation;

/// <summary>How two reviewers agree on one question.</summary>
/// <param name="First">One of them.</param>
/// <param name="Second">The other.</param>
/// <param name="Items">Items both answered.</param>
/// <param name="Kappa">Cohen's kappa; null when it is undefined.</param>
public sealed record PairAgreement(Guid First, Guid Second, int Items, Interval? Kappa);

/// <summary>How well a label is agreed on: of all answers that are this label, the share that a fellow reviewer of the item shares.</summary>
/// <param name="Label">The label.</param>
/// <param name="Count">How often it was given, on items with several answers.</param>
/// <param name="Agreement">Specific agreement, 0 to 1 (D. Cicchetti and A. Feinstein, 1990); null when it was never given.</param>
public sealed record LabelAgreement(string Label, int Count, double? Agreement);

/// <summary>Agreement on one question.</summary>
/// <param name="Question">The question.</param>
/// <param name="Items">Items that several people answered.</param>
/// <param name="Same">Share of those on which all say the same, with Wilson's interval; null without items.</param>
/// <param name="Alpha">Krippendorff's alpha, for any number of reviewers and missing answers.</param>
/// <param name="AlphaScale">How it took differences: of labels, of grades, of numbers.</param>
/// <param name="Fleiss">Fleiss' kappa over the items with the most common number of answers; null for scores, and below three reviewers.</param>
/// <param name="Pairs">Cohen's kappa of every two reviewers with items in common; empty for scores.</param>
/// <param name="Confusion">Which label met which: first reviewer down, second across; with more than two reviewers both ways round. Null for scores.</param>
/// <param name="Labels">By label; empty for scores.</param>
/// <param name="MeanDifference">Mean distance of two scores of an item; null for labels.</param>
public sealed record KeyAgreement(
    RubricQuestion Question,
    int Items,
    Interval? Same,
    Interval? Alpha,
    Scale AlphaScale,
    Interval? Fleiss,
    IReadOnlyList<PairAgreement> Pairs,
    ConfusionMatrix? Confusion,
    IReadOnlyList<LabelAgreement> Labels,
    double? MeanDifference
);

/// <summary>One reviewer's work in a queue.</summary>
/// <param name="Reviewer">The reviewer.</param>
/// <param name="Done">Items done.</param>
/// <param name="MedianSeconds">Median time on an item.</param>
/// <param name="Gold">Share of answers on gold items that are right, with Wilson's interval; null without any.</param>
public sealed record ReviewerFigures(
    Guid Reviewer,
    int Done,
    double? MedianSeconds,
    Interval? Gold
);

/// <summary>An item whose reviewers do not agree.</summary>
/// <param name="Item">The item.</param>
/// <param name="Answers">What was said, by reviewer.</param>
/// <param name="Keys">On which questions they differ.</param>
public sealed record Disagreement(
    QueueItem Item,
    IReadOnlyDictionary<Guid, ReviewAnswers> Answers,
    IReadOnlyList<string> Keys
);

/// <summary>How the reviewers of a queue agree, from finished reviews. Pure.</summary>
/// <param name="Keys">By question; free text has no agreement and is left out.</param>
/// <param name="Reviewers">By reviewer, most items first.</param>
/// <param name="Disagreements">Items to decide about, undecided ones first.</param>
public sealed record QueueAgreement(
    IReadOnlyList<KeyAgreement> Keys,
    IReadOnlyList<ReviewerFigures> Reviewers,
    IReadOnlyList<Disagreement> Disagreements
)
{
    /// <summary>Scores this far apart, as a share of the scale, disagree.</summary>
    public const double Tolerance = 0.2;

    /// <summary>Whole-number scales of up to this many points count as grades.</summary>
    private const int MaxGrades = 9;

    /// <summary>Computes it.</summary>
    public static QueueAgreement Of(
        IReadOnlyList<RubricQuestion> questions,
        IReadOnlyList<QueueItem> items,
        IReadOnlyList<QueueReview> reviews
    )
    {
        ArgumentNullException.ThrowIfNull(questions);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(reviews);
        var finished = reviews.Where(r => r.CompletedAt is not null).ToList();
        var answers = finished
            .Where(r => r.AnswersJson is not null)
            .GroupBy(r => r.ItemId)
            .ToDictionary(
                g => g.Key,
                IReadOnlyDictionary<Guid, ReviewAnswers> (g) =>
                    g.ToDictionary(
                        r => r.ReviewerId,
                        r => ReviewAnswers.Of(r.AnswersJson) ?? new ReviewAnswers()
                    )
            );
        return new QueueAgreement(
            [
                .. questions
                    .Where(q => q.Scale.Type != FeedbackType.Text)
                    .Select(q => Key(q, [.. answers.Values])),
            ],
            [
                .. finished
                    .GroupBy(r => r.ReviewerId)
                    .Select(g => Figures(g.Key, [.. g], questions, items, answers))
                    .OrderByDescending(f => f.Done)
                    .ThenBy(f => f.Reviewer),
            ],
            [
                .. items
                    .Where(i => answers.ContainsKey(i.Id) && !i.IsGold)
                    .Select(i => new Disagreement(
                        i,
                        answers[i.Id],
                        [
                            .. questions
                                .Where(q =>
                                    Differ(
                                        q,
                                        answers[i.Id]
                                            .Values.Select(a => a.Answers.GetValueOrDefault(q.Key))
                                    )
                                )
                                .Select(q => q.Key),
                        ]
                    ))
                    .Where(d => d.Keys.Count > 0)
                    .OrderBy(d => d.Item.DecisionJson is not null)
                    .ThenBy(d => d.Item.AddedAt),
            ]
        );
    }

    /// <summary>True when answers to a question are not the same: other labels, other grades, or scores more than <see cref="Tolerance"/> of the scale apart. Missing answers and texts never differ.</summary>
    public static bool Differ(RubricQuestion question, IEnumerable<Answer?> answers)
    {
        ArgumentNullException.ThrowIfNull(question);
        var given = answers.OfType<Answer>().ToList();
        if (question.Scale.Type == FeedbackType.Text || given.Count < 2)
        {
            return false;
        }

        if (HasLabels(question.Scale))
        {
            return given.Select(Label).Distinct(StringComparer.Ordinal).Count() > 1;
        }

        var scores = given.Select(a => a.Score ?? 0).ToList();
        return scores.Max() - scores.Min() > Tolerance * (question.Scale.Width ?? 0);
    }

    private static KeyAgreement Key(
        RubricQuestion question,
        IReadOnlyList<IReadOnlyDictionary<Guid, ReviewAnswers>> items
    )
    {
        List<Dictionary<Guid, Answer>> rated =
        [
            .. items
                .Select(i =>
                    i.Where(r => r.Value.Answers.ContainsKey(question.Key))
                        .ToDictionary(r => r.Key, r => r.Value.Answers[question.Key])
                )
                .Where(i => i.Count >= 2),
        ];
        var hasLabels = HasLabels(question.Scale);
        var scale =
            question.Scale.Categories.Count > 0 ? Scale.Nominal
            : hasLabels ? Scale.Ordinal
            : Scale.Interval;
        // Of labels only sameness counts: any numbers that tell them apart will do.
        var places = rated
            .SelectMany(i => i.Values.Select(Label))
            .Distinct(StringComparer.Ordinal)
            .Select((label, i) => (label, i))
            .ToDictionary(l => l.label, l => (double)l.i);
        var alpha = AgreementIntervals.Alpha(
            [
                .. rated.Select(
                    IReadOnlyList<double> (i) =>
                        [
                            .. i.Values.Select(a =>
                                scale == Scale.Nominal ? places[Label(a)] : a.Score ?? 0
                            ),
                        ]
                ),
            ],
            scale,
            resamples: Math.Clamp(400_000 / Math.Max(1, rated.Count), 200, 1_000)
        );
        var same =
            rated.Count == 0
                ? null
                : Intervals.Wilson(rated.Count(i => !Differ(question, i.Values)), rated.Count);
        if (!hasLabels)
        {
            return new KeyAgreement(
                question,
                rated.Count,
                same,
                alpha,
                scale,
                null,
                [],
                null,
                [],
                Difference(rated)
            );
        }

        List<Guid> reviewers = [.. rated.SelectMany(i => i.Keys).Distinct().Order()];
        var both = Both(rated, reviewers.Count == 2 ? reviewers[0] : null);
        return new KeyAgreement(
            question,
            rated.Count,
            same,
            alpha,
            scale,
            reviewers.Count > 2 ? Fleiss(rated) : null,
            Pairs(rated, reviewers),
            both.Count == 0 ? null : ConfusionMatrix.Of(both),
            Labels(rated),
            null
        );
    }

    private static List<PairAgreement> Pairs(
        List<Dictionary<Guid, Answer>> rated,
        List<Guid> reviewers
    )
    {
        var pairs = new List<PairAgreement>();
        for (var i = 0; i < reviewers.Count; i++)
        {
            for (var j = i + 1; j < reviewers.Count; j++)
            {
                List<(string, string)> common =
                [
                    .. rated
                        .Where(r => r.ContainsKey(reviewers[i]) && r.ContainsKey(reviewers[j]))
                        .Select(r => (Label(r[reviewers[i]]), Label(r[reviewers[j]]))),
                ];
                if (common.Count > 0)
                {
                    pairs.Add(
                        new PairAgreement(
                            reviewers[i],
                            reviewers[j],
                            common.Count,
                            Agreement.CohensKappa(common)
                        )
                    );
                }
            }
        }

        return pairs;
    }

    private static Interval? Fleiss(List<Dictionary<Guid, Answer>> rated)
    {
        // Fleiss wants the same number of ratings everywhere: the most common one keeps the most items.
        var size = rated
            .GroupBy(i => i.Count)
            .OrderByDescending(g => g.Count())
            .ThenByDescending(g => g.Key)
            .First()
            .Key;
        var chosen = rated.Where(i => i.Count == size).ToList();
        string[] labels = [.. chosen.SelectMany(i => i.Values.Select(Label)).Distinct()];
        return AgreementIntervals.Fleiss(
            [
                .. chosen.Select(
                    IReadOnlyList<int> (i) =>
                        [.. labels.Select(l => i.Values.Count(a => Label(a) == l))]
                ),
            ],
            resamples: Math.Clamp(400_000 / Math.Max(1, chosen.Count), 200, 1_000)
        );
    }

    private static List<LabelAgreement> Labels(List<Dictionary<Guid, Answer>> rated)
    {
        var shared = new Dictionary<string, (int Count, double Shared)>(StringComparer.Ordinal);
        foreach (var item in rated)
        {
            foreach (var group in item.Values.GroupBy(Label))
            {
                var (count, sum) = shared.GetValueOrDefault(group.Key);
                double n = group.Count();
                shared[group.Key] = (count + group.Count(), sum + (n * (n - 1) / (item.Count - 1)));
            }
        }

        return
        [
            .. shared
                .OrderBy(l => l.Key, StringComparer.Ordinal)
                .Select(l => new LabelAgreement(
                    l.Key,
                    l.Value.Count,
                    l.Value.Shared / l.Value.Count
                )),
        ];
    }

    /// <summary>Pairs of labels: first reviewer first where there are two, else both ways round.</summary>
    private static List<(string, string)> Both(List<Dictionary<Guid, Answer>> rated, Guid? first)
    {
        var both = new List<(string, string)>();
        foreach (var item in rated)
        {
            foreach (var (a, x) in item)
            {
                foreach (var (b, y) in item)
                {
                    if (a != b && (first is null || a == first))
                    {
                        both.Add((Label(x), Label(y)));
                    }
                }
            }
        }

        return both;
    }

    private static double? Difference(List<Dictionary<Guid, Answer>> rated)
    {
        var distances = new List<double>();
        foreach (var item in rated)
        {
            var scores = item.Values.Select(a => a.Score ?? 0).ToArray();
            for (var i = 0; i < scores.Length; i++)
            {
                for (var j = i + 1; j < scores.Length; j++)
                {
                    distances.Add(Math.Abs(scores[i] - scores[j]));
                }
            }
        }

        return distances.Count == 0 ? null : distances.Average();
    }

    private static ReviewerFigures Figures(
        Guid reviewer,
        IReadOnlyList<QueueReview> done,
        IReadOnlyList<RubricQuestion> questions,
        IReadOnlyList<QueueItem> items,
        Dictionary<Guid, IReadOnlyDictionary<Guid, ReviewAnswers>> answers
    )
    {
        var (right, all) = (0, 0);
        foreach (var gold in items.Where(i => i.IsGold && answers.ContainsKey(i.Id)))
        {
            if (
                ReviewAnswers.Of(gold.DecisionJson) is not { } truth
                || !answers[gold.Id].TryGetValue(reviewer, out var said)
            )
            {
                continue;
            }

            foreach (
                var question in questions.Where(q =>
                    q.Scale.Type != FeedbackType.Text && truth.Answers.ContainsKey(q.Key)
                )
            )
            {
                all++;
                var answer = said.Answers.GetValueOrDefault(question.Key);
                right +=
                    answer is not null && !Differ(question, [truth.Answers[question.Key], answer])
                        ? 1
                        : 0;
            }
        }

        double[] times = [.. done.Select(r => r.Seconds).OfType<double>().Order()];
        return new ReviewerFigures(
            reviewer,
            done.Count,
            times.Length == 0
                ? null
                : (times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2,
            all == 0 ? null : Intervals.Wilson(right, all)
        );
    }

    /// <summary>Categories and grades are compared as labels, everything else as numbers.</summary>
    private static bool HasLabels(FeedbackScale scale) =>
        scale.Categories.Count > 0
        || (
            scale is { Min: { } min, Max: { } max }
            && max - min is >= 2 and < MaxGrades
            && min == Math.Floor(min)
            && max == Math.Floor(max)
        );

    private static string Label(Answer answer) =>
        answer.Label ?? (answer.Score ?? 0).ToString("0.######", CultureInfo.InvariantCulture);
}
