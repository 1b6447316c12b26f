using Assay.Core.Annotation;
using Assay.Core.Datasets;
using Assay.Core.Feedback;
using Assay.Evaluation.Statistics;
using CsCheck;

namespace Assay.Core.Tests.Annotation;

public sealed class QueueAgreementTests
{
    private static readonly RubricQuestion s_label = Question(
        "verdict",
        new FeedbackScale(FeedbackType.Category, null, null, [new(1, "yes"), new(0, "no")])
    );

    private static readonly RubricQuestion s_grade = Question(
        "grade",
        new FeedbackScale(FeedbackType.Score, 1, 5, [])
    );

    private static readonly RubricQuestion s_score = Question("score", FeedbackScale.Unit);

    [Fact]
    public void Two_reviewers_of_fifty_proposals_agree_as_in_the_textbook()
    {
        // 20 yes yes, 5 yes no, 10 no yes, 15 no no: observed 0.7, by chance 0.5, kappa 0.4.
        var rows = Repeat(20, "yes", "yes")
            .Concat(Repeat(5, "yes", "no"))
            .Concat(Repeat(10, "no", "yes"))
            .Concat(Repeat(15, "no", "no"));
        var key = Of(s_label, rows.Select(r => r.Select(l => new Answer(null, l)))).Keys[0];
        Assert.Equal(50, key.Items);
        Assert.Equal(0.7, key.Same!.Estimate, 9);
        Assert.Equal(0.4, Assert.Single(key.Pairs).Kappa!.Estimate, 9);
        Assert.Null(key.Fleiss);
        Assert.Equal(20, key.Confusion!.Counts[1][1]);
        Assert.Equal(5, key.Confusion.Counts[1][0]);
        Assert.Equal(10, key.Confusion.Counts[0][1]);
        // Specific agreement: 2 · 20 of 55 answers "yes", 2 · 15 of 45 answers "no".
        Assert.Equal(40.0 / 55, key.Labels.Single(l => l.Label == "yes").Agreement!.Value, 9);
        Assert.Equal(30.0 / 45, key.Labels.Single(l => l.Label == "no").Agreement!.Value, 9);
        Assert.InRange(key.Alpha!.Estimate, key.Alpha.Lower, key.Alpha.Upper);
    }

    [Fact]
    public void Missing_answers_and_more_reviewers_give_alpha_and_fleiss()
    {
        var report = Of(
            s_label,
            [
                [new Answer(null, "yes"), new Answer(null, "yes"), new Answer(null, "yes")],
                [new Answer(null, "no"), new Answer(null, "no"), new Answer(null, "yes")],
                [new Answer(null, "no"), new Answer(null, "no"), new Answer(null, "no")],
                [new Answer(null, "yes")],
                [new Answer(null, "yes"), new Answer(null, "no")],
            ]
        );
        var key = report.Keys[0];
        Assert.Equal(4, key.Items);
        Assert.Equal(3, key.Fleiss!.N);
        Assert.Equal(3, key.Pairs.Count);
        Assert.Equal(2, report.Disagreements.Count);
        Assert.Equal(5, report.Reviewers[0].Done);
    }

    [Theory]
    [InlineData(0.5, 0.69, false)]
    [InlineData(0.5, 0.71, true)]
    public void Scores_disagree_beyond_a_fifth_of_the_scale(double a, double b, bool differ) =>
        Assert.Equal(differ, QueueAgreement.Differ(s_score, [new Answer(a), new Answer(b), null]));

    [Fact]
    public void Grades_are_ordinal_scores_are_numbers_and_texts_are_left_out()
    {
        Assert.Equal(
            Scale.Ordinal,
            Of(
                s_grade,
                [
                    [new Answer(1), new Answer(2)],
                ]
            )
                .Keys[0]
                .AlphaScale
        );
        var key = Of(
            s_score,
            [
                [new Answer(0.1), new Answer(0.3)],
            ]
        ).Keys[0];
        Assert.Equal(Scale.Interval, key.AlphaScale);
        Assert.Equal(0.2, key.MeanDifference!.Value, 9);
        Assert.Null(key.Confusion);
        Assert.Empty(
            Of(
                Question("why", FeedbackScale.FreeText),
                [
                    [new Answer(Text: "a"), new Answer(Text: "b")],
                ]
            ).Keys
        );
    }

    [Fact]
    public void Gold_items_measure_reviewers_and_are_no_disagreements()
    {
        var (items, reviews) = Reviews(
            s_label,
            [
                [new Answer(null, "yes"), new Answer(null, "no")],
                [new Answer(null, "no"), new Answer(null, "no")],
            ]
        );
        items[0].DecisionJson = new ReviewAnswers
        {
            Answers = new Dictionary<string, Answer> { ["verdict"] = new(1, "yes") },
        }.ToJson();
        items[0].IsGold = true;
        var report = QueueAgreement.Of([s_label], items, reviews);
        Assert.Empty(report.Disagreements);
        Assert.Equal(
            [1.0, 0.0],
            report.Reviewers.OrderBy(r => r.Reviewer).Select(r => r.Gold!.Estimate)
        );
    }

    [Fact]
    public void Alpha_of_numbers_is_the_same_in_closed_form_and_over_all_pairs() =>
        Gen.Double[-100, 100]
            .Array[2, 5]
            .Array[2, 12]
            .Sample(items =>
            {
                var all = items.SelectMany(i => i).ToArray();
                double n = all.Length;
                var observed = items.Sum(i => Pairs(i) / (i.Length - 1.0)) / n;
                var expected = Pairs(all) / (n * (n - 1));
                var alpha = Agreement.KrippendorffsAlpha(items, Scale.Interval);
                return expected < 1e-9
                    || Math.Abs(alpha!.Value - (1 - (observed / expected))) < 1e-6;
            });

    [Fact]
    public void Agreement_does_not_depend_on_the_order_of_items_or_reviewers() =>
        Gen.Int[1, 5]
            .Select(s => new Answer(s))
            .Array[2, 4]
            .Array[2, 15]
            .Sample(rows =>
            {
                var (a, b) = (Of(s_grade, rows).Keys[0], Of(s_grade, rows.Reverse()).Keys[0]);
                return a.Items == b.Items
                    && a.Same == b.Same
                    && Near(a.Alpha?.Estimate, b.Alpha?.Estimate)
                    && Near(a.Fleiss?.Estimate, b.Fleiss?.Estimate)
                    && a.Alpha is not { Estimate: > 1 + 1e-9 }
                    && a.Labels.Zip(b.Labels)
                        .All(l =>
                            l.First.Label == l.Second.Label
                            && l.First.Count == l.Second.Count
                            && Near(l.First.Agreement, l.Second.Agreement)
                        );
            });

    [Fact]
    public void Answers_that_do_not_fit_the_rubric_are_refused()
    {
        RubricQuestion[] questions = [s_label with { IsRequired = true }, s_grade];
        Assert.Contains("needs an answer", Refused(questions, new()), StringComparison.Ordinal);
        Assert.Contains(
            "must be one of yes, no",
            Refused(questions, new() { ["verdict"] = new(null, "maybe") }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "must be 1 to 5",
            Refused(questions, new() { ["verdict"] = new(null, "yes"), ["grade"] = new(6) }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is not in the rubric",
            Refused(questions, new() { ["other"] = new(1) }),
            StringComparison.Ordinal
        );
        var kept = new ReviewAnswers
        {
            Answers = new Dictionary<string, Answer> { ["verdict"] = new(null, "yes") },
            Note = "  ",
        }.Checked(questions);
        Assert.Equal(new Answer(1, "yes"), kept.Answers["verdict"]);
        Assert.Null(kept.Note);
    }

    private static string Refused(
        IReadOnlyList<RubricQuestion> questions,
        Dictionary<string, Answer> answers
    ) =>
        Assert
            .Throws<DatasetProblemException>(() =>
                new ReviewAnswers { Answers = answers }.Checked(questions)
            )
            .Message;

    private static double Pairs(double[] values) =>
        values
            .SelectMany((x, i) => values.Where((_, j) => i != j).Select(y => (x - y) * (x - y)))
            .Sum();

    private static bool Near(double? a, double? b) =>
        a is null ? b is null : b is not null && Math.Abs(a.Value - b.Value) < 1e-9;

    private static IEnumerable<string[]> Repeat(int count, params string[] labels) =>
        Enumerable.Repeat(labels, count);

    private static RubricQuestion Question(string key, FeedbackScale scale) =>
        new(key, null, false, scale, new Dictionary<string, string>());

    private static QueueAgreement Of(RubricQuestion question, IEnumerable<IEnumerable<Answer>> rows)
    {
        var (items, reviews) = Reviews(question, rows);
        return QueueAgreement.Of([question], items, reviews);
    }

    private static (List<QueueItem>, List<QueueReview>) Reviews(
        RubricQuestion question,
        IEnumerable<IEnumerable<Answer>> rows
    )
    {
        var (items, reviews) = (new List<QueueItem>(), new List<QueueReview>());
        foreach (var row in rows)
        {
            var item = new QueueItem { Id = Guid.NewGuid() };
            items.Add(item);
            foreach (var (answer, i) in row.Select((a, i) => (a, i)))
            {
                reviews.Add(
                    new QueueReview
                    {
                        ItemId = item.Id,
                        ReviewerId = new Guid(i + 1, 0, 0, new byte[8]),
                        CompletedAt = DateTimeOffset.UnixEpoch,
                        AnswersJson = new ReviewAnswers
                        {
                            Answers = new Dictionary<string, Answer> { [question.Key] = answer },
                        }.ToJson(),
                    }
                );
            }
        }

        return (items, reviews);
    }
}
