using Assay.Core.Evaluators.Judges;
using Assay.Core.Feedback;

namespace Assay.Core.Tests.Evaluators;

public sealed class HumanLabelsTests
{
    private static readonly VerdictForm s_yesNo = new() { Kind = VerdictKind.Boolean };

    private static readonly VerdictForm s_grade = new()
    {
        Kind = VerdictKind.Score,
        Min = 1,
        Max = 5,
        PassAt = 4,
    };

    private static readonly VerdictForm s_label = new()
    {
        Kind = VerdictKind.Label,
        Labels = [new("good", 1), new("bad", 0)],
    };

    [Theory]
    [InlineData(1.0, null, "yes")]
    [InlineData(0.0, null, "no")]
    [InlineData(null, "Pass", "yes")]
    [InlineData(null, "no", "no")]
    [InlineData(null, "maybe", null)]
    public void Yes_and_no_come_from_scores_and_words(
        double? score,
        string? label,
        string? expected
    ) => Assert.Equal(expected, HumanLabels.Of([Given(score, label)], null, s_yesNo)?.Category);

    [Theory]
    [InlineData(3, "yes")]
    [InlineData(2, "no")]
    public void The_middle_of_peoples_scale_parts_yes_from_no(double score, string expected) =>
        Assert.Equal(
            expected,
            HumanLabels
                .Of([Given(score)], new FeedbackScale(FeedbackType.Score, 1, 5, []), s_yesNo)!
                .Category
        );

    [Theory]
    [InlineData(0.75, 4.0, "pass")]
    [InlineData(0.74, 3.96, "fail")]
    public void Scores_are_laid_over_the_judges_scale(double score, double number, string expected)
    {
        var label = HumanLabels.Of([Given(score)], FeedbackScale.Unit, s_grade)!;
        Assert.Equal(number, label.Number!.Value, 9);
        Assert.Equal(expected, label.Category);
    }

    [Fact]
    public void Labels_are_found_by_name_or_by_what_they_count_as()
    {
        Assert.Equal("good", HumanLabels.Of([Given(null, "GOOD")], null, s_label)!.Category);
        Assert.Equal("bad", HumanLabels.Of([Given(0)], null, s_label)!.Category);
        Assert.Null(HumanLabels.Of([Given(null, "other")], null, s_label));
    }

    [Fact]
    public void The_majority_counts_and_an_even_split_is_no_label()
    {
        Assert.Equal(
            "yes",
            HumanLabels.Of([Given(1), Given(1), Given(0)], null, s_yesNo)!.Category
        );
        var split = HumanLabels.Of([Given(1), Given(0)], null, s_yesNo)!;
        Assert.Null(split.Category);
        Assert.Equal(2, split.People);
    }

    [Fact]
    public void A_person_who_judged_twice_counts_once_with_the_later_judgement()
    {
        var person = Guid.NewGuid();
        var now = DateTimeOffset.UnixEpoch;
        var label = HumanLabels.Of(
            [
                Given(1) with
                {
                    UserId = person,
                    ModifiedAt = now,
                },
                Given(0) with
                {
                    UserId = person,
                    ModifiedAt = now.AddMinutes(1),
                },
            ],
            null,
            s_yesNo
        )!;
        Assert.Equal("no", label.Category);
        Assert.Equal(1, label.People);
    }

    [Theory]
    [InlineData("""{"score":0}""", "no")]
    [InlineData("""{"value":"yes"}""", "yes")]
    [InlineData("false", "no")]
    public void A_correction_of_an_evaluators_score_is_what_a_person_says(
        string correction,
        string expected
    )
    {
        var corrected = Given(1) with { SourceType = "auto_eval", CorrectionJson = correction };
        Assert.True(HumanLabels.IsPeoples(corrected));
        Assert.Equal(expected, HumanLabels.Of([corrected], null, s_yesNo)!.Category);
        Assert.False(HumanLabels.IsPeoples(corrected with { CorrectionJson = null }));
    }

    [Fact]
    public void A_better_answer_that_a_person_wrote_is_no_verdict()
    {
        var own = Given(1) with { CorrectionJson = """{"answer":"no"}""" };
        Assert.Equal("yes", HumanLabels.Of([own], null, s_yesNo)!.Category);
        Assert.False(HumanLabels.IsPeoples(own with { Score = null }));
    }

    private static FeedbackRecord Given(double? score, string? label = null) =>
        new()
        {
            Id = Guid.NewGuid(),
            RunId = Guid.NewGuid(),
            Key = "k",
            Score = score,
            ValueJson = label is null ? null : $"\"{label}\"",
            SourceType = "app",
        };
}
