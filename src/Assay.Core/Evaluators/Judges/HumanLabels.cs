using System.Text.Json;
using Assay.Core.Feedback;

namespace Assay.Core.Evaluators.Judges;

/// <summary>What people said about one run, in the judge's own terms.</summary>
/// <param name="Category">The label they agree on; null when they are split evenly.</param>
/// <param name="Number">The mean of their numbers, on the judge's scale; null when they gave labels that count as nothing.</param>
/// <param name="People">How many judgements there are.</param>
/// <param name="Comment">What one of them wrote.</param>
public sealed record HumanLabel(string? Category, double? Number, int People, string? Comment);

/// <summary>
/// Puts judgements of people and verdicts of a judge into the same categories: yes and no, labels, or, for scores, <c>pass</c> and <c>fail</c> at the
/// judge's bar (the middle of its scale when it has none). Pure.
/// </summary>
public static class HumanLabels
{
    /// <summary>A score at or above the bar.</summary>
    public const string Pass = "pass";

    /// <summary>A score below the bar.</summary>
    public const string Fail = "fail";

    /// <summary>The bar of a score.</summary>
    public static double BarOf(VerdictForm form) => form.PassAt ?? ((form.Min + form.Max) / 2);

    /// <summary>True for what a person said about a run: on the screens or signed in, or as the correction of an evaluator's score.</summary>
    public static bool IsPeoples(FeedbackRecord feedback) =>
        feedback.RunId is not null
        && (
            feedback.IsByEvaluator
                ? feedback.CorrectionJson is not null
                : feedback.IsByPerson
                    && (feedback.Score is not null || feedback.ValueJson is not null)
        );

    /// <summary>The category of a judge's score; null when it has none (repetitions without a majority).</summary>
    public static string? Category(VerdictForm form, double? number, string? label) =>
        form.Kind switch
        {
            VerdictKind.Boolean => number switch
            {
                > 0.5 => Verdict.Yes,
                < 0.5 => Verdict.No,
                _ => null,
            },
            VerdictKind.Score => number is { } score
                ? score >= BarOf(form)
                    ? Pass
                    : Fail
                : null,
            _ => label,
        };

    /// <summary>Everything people said about one run under one key as one label; null when nothing of it can be read in the judge's terms.</summary>
    /// <param name="given">The judgements.</param>
    /// <param name="scale">What the key means; null when nobody set it.</param>
    /// <param name="form">The judge's form.</param>
    public static HumanLabel? Of(
        IReadOnlyList<FeedbackRecord> given,
        FeedbackScale? scale,
        VerdictForm form
    )
    {
        // A person who judged twice changed their mind: the later judgement counts.
        var read = given
            .GroupBy(f => f.UserId ?? f.Id)
            .Select(g => g.OrderBy(f => f.ModifiedAt).Last())
            .Select(f => Read(f, scale, form))
            .OfType<(double? Number, string? Label)>()
            .ToList();
        if (read.Count == 0)
        {
            return null;
        }

        var counts = read.Select(r => Category(form, r.Number, r.Label))
            .OfType<string>()
            .GroupBy(c => c, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count())
            .ToList();
        if (counts.Count == 0)
        {
            return null;
        }

        var numbers = read.Where(r => r.Number is not null).Select(r => r.Number!.Value).ToList();
        return new HumanLabel(
            counts.Count > 1 && counts[0].Count() == counts[1].Count() ? null : counts[0].Key,
            numbers.Count > 0 ? numbers.Average() : null,
            read.Count,
            given.Select(f => f.Comment).FirstOrDefault(c => c is { Length: > 0 })
        );
    }

    private static (double? Number, string? Label)? Read(
        FeedbackRecord given,
        FeedbackScale? scale,
        VerdictForm form
    )
    {
        var (score, label) = (given.Score, given.Label);
        // On an evaluator's score a correction is what a person says instead; on a person's own it is a better answer, and no verdict.
        if (
            given.IsByEvaluator
            && given.CorrectionJson is { } correction
            && Corrected(correction) is var (s, l)
        )
        {
            (score, label) = (s, l);
        }

        // A label of the key's settings stands for its number.
        if (
            score is null
            && label is not null
            && scale?.Categories.FirstOrDefault(c =>
                string.Equals(c.Label, label, StringComparison.OrdinalIgnoreCase)
            )
                is { } category
        )
        {
            score = category.Value;
        }

        switch (form.Kind)
        {
            case VerdictKind.Label:
                var known =
                    form.Labels.FirstOrDefault(f =>
                        string.Equals(f.Label, label, StringComparison.OrdinalIgnoreCase)
                    )
                    ?? (
                        score is { } counted
                            ? form.Labels.FirstOrDefault(f =>
                                f.Score is { } worth && Math.Abs(worth - counted) < 1e-9
                            )
                            : null
                    );
                return known is null ? null : (known.Score, known.Label);
            case VerdictKind.Boolean:
                var said = label?.Trim().ToLowerInvariant() switch
                {
                    "yes" or "true" or "pass" or "good" => true,
                    "no" or "false" or "fail" or "bad" => false,
                    _ => (bool?)null,
                };
                return score is { } number ? (number >= Middle(scale, 0, 1) ? 1 : 0, null)
                    : said is { } yes ? (yes ? 1 : 0, null)
                    : null;
            default:
                return score is { } given2 ? (Rescaled(given2, scale, form), null) : null;
        }
    }

    /// <summary>A correction is the value itself, or an object with it under <c>score</c>, <c>label</c> or <c>value</c>.</summary>
    private static (double? Score, string? Label)? Corrected(string json)
    {
        JsonElement value;
        try
        {
            value = JsonElement.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Object)
        {
            var found = ((string[])["score", "label", "value"])
                .Select(n => value.TryGetProperty(n, out var v) ? v : default)
                .FirstOrDefault(v =>
                    v.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null)
                );
            value = found;
        }

        return value.ValueKind switch
        {
            JsonValueKind.Number => (value.GetDouble(), null),
            JsonValueKind.True => (1, null),
            JsonValueKind.False => (0, null),
            JsonValueKind.String => (null, value.GetString()),
            _ => null,
        };
    }

    private static double Middle(FeedbackScale? scale, double low, double high)
    {
        var (min, max) = BoundsOf(scale) ?? (low, high);
        return (min + max) / 2;
    }

    /// <summary>People may have answered on another scale than the judge has; both are laid over each other.</summary>
    private static double Rescaled(double score, FeedbackScale? scale, VerdictForm form) =>
        BoundsOf(scale) is var (min, max) && max > min
            ? form.Min + ((score - min) / (max - min) * (form.Max - form.Min))
            : score;

    private static (double Min, double Max)? BoundsOf(FeedbackScale? scale) =>
        scale switch
        {
            { Min: { } min, Max: { } max } => (min, max),
            { Categories: { Count: > 1 } categories } => (
                categories.Min(c => c.Value),
                categories.Max(c => c.Value)
            ),
            _ => null,
        };
}
