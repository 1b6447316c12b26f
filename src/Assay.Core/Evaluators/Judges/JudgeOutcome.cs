using System.Globalization;
using System.Text.Json;
using Assay.Evaluation;

namespace Assay.Core.Evaluators.Judges;

/// <summary>
/// One score out of one or many askings. The number is the mean, the label the majority; where askings are split evenly there is no label. Two orders that
/// contradict each other are a tie. Whatever went wrong or differs is said. Pure.
/// </summary>
internal static class JudgeOutcome
{
    public static Score Score(
        string key,
        JudgeSettings settings,
        IReadOnlyList<JudgeReply> asked,
        string? commit
    )
    {
        var diagnostics = new List<EvaluationDiagnostic>();
        var said = settings.Pairwise
            ? Both(asked, diagnostics)
            : [.. asked.Where(a => a.Verdict is not null).Select(a => a.Verdict!)];
        var evidence = Evidence(settings, asked, commit, said);
        if (said.Count == 0)
        {
            var failed = asked.First(a => a.Verdict is null);
            return Evaluation.Score.Failed(key, $"Not judged: {failed.Problem}") with
            {
                Evidence = evidence,
            };
        }

        var wanted = settings.Repeats;
        if (said.Count < wanted)
        {
            diagnostics.Add(
                EvaluationDiagnostic.Warning(
                    $"{wanted - said.Count} of {wanted} repetitions gave no verdict: {asked.First(a => a.Verdict is null).Problem}"
                )
            );
        }

        Notes(asked, diagnostics);
        var numbers = said.Where(v => v.Number is not null).Select(v => v.Number!.Value).ToList();
        double? number = numbers.Count == said.Count ? numbers.Average() : null;
        var label = Majority(said, diagnostics);
        if (
            settings.Verdict.Kind == VerdictKind.Score
            && numbers.Count > 1
            && numbers.Max() - numbers.Min() is > 0 and var range
        )
        {
            diagnostics.Add(
                EvaluationDiagnostic.Warning(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{numbers.Count} repetitions differ by up to {range:0.###}."
                    )
                )
            );
        }

        return new Score
        {
            Key = key,
            Number = number,
            Label = settings.Verdict.Kind == VerdictKind.Label ? label : null,
            Passed = settings.Verdict.Kind switch
            {
                VerdictKind.Boolean => label is null ? null : label == Verdict.Yes,
                VerdictKind.Score => settings.Verdict.PassAt is { } bar ? number >= bar : null,
                _ => null,
            },
            Reason = Reason(said, number, label),
            Diagnostics = diagnostics,
            Evidence = evidence,
        };
    }

    /// <summary>One verdict per pair of orders: what both say, or a tie.</summary>
    private static List<Verdict> Both(
        IReadOnlyList<JudgeReply> asked,
        List<EvaluationDiagnostic> diagnostics
    )
    {
        var said = new List<Verdict>();
        var contradictions = 0;
        foreach (var pair in asked.Chunk(2))
        {
            if (pair is not [{ Verdict: { } first }, { Verdict: { } second }])
            {
                continue;
            }

            if (first.Label == second.Label)
            {
                said.Add(first);
                continue;
            }

            contradictions++;
            said.Add(
                new Verdict(
                    0.5,
                    "tie",
                    $"The verdict changed with the order of the answers. In the given order: {first.Reason} In the other order: {second.Reason}"
                )
            );
        }

        if (contradictions > 0)
        {
            diagnostics.Add(
                EvaluationDiagnostic.Warning(
                    $"{contradictions} of {said.Count} verdicts changed when the answers changed places; they count as ties."
                )
            );
        }

        return said;
    }

    private static void Notes(
        IReadOnlyList<JudgeReply> asked,
        List<EvaluationDiagnostic> diagnostics
    )
    {
        if (asked.Any(a => a.IsRepaired))
        {
            diagnostics.Add(
                EvaluationDiagnostic.Information(
                    "The first reply could not be read; the model was asked once more."
                )
            );
        }

        if (asked.Any(a => a.IsUnstructured))
        {
            diagnostics.Add(
                EvaluationDiagnostic.Information(
                    "The provider takes no answer schema; the form was asked for in words."
                )
            );
        }

        if (asked.All(a => a.IsCached))
        {
            diagnostics.Add(
                EvaluationDiagnostic.Information(
                    "This verdict was given before for the same question and is shown again."
                )
            );
        }
    }

    private static string? Majority(List<Verdict> said, List<EvaluationDiagnostic> diagnostics)
    {
        var counts = said.Where(v => v.Label is not null)
            .GroupBy(v => v.Label!, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count())
            .ToList();
        if (counts.Count < 2)
        {
            return counts is [var only] ? only.Key : null;
        }

        var isSplit = counts[0].Count() == counts[1].Count();
        diagnostics.Add(
            EvaluationDiagnostic.Warning(
                $"Repetitions disagree: {string.Join(", ", counts.Select(c => $"{c.Key} {c.Count()}×"))}."
                    + (isSplit ? " There is no majority." : "")
            )
        );
        return isSplit ? null : counts[0].Key;
    }

    private static string? Reason(List<Verdict> said, double? number, string? label) =>
        (
            label is not null ? said.Find(v => v.Label == label)
            : number is { } mean ? said.MinBy(v => Math.Abs((v.Number ?? mean) - mean))
            : said[0]
        )?.Reason;

    private static JsonElement Evidence(
        JudgeSettings settings,
        IReadOnlyList<JudgeReply> asked,
        string? commit,
        List<Verdict> said
    )
    {
        var numbers = said.Where(v => v.Number is not null).Select(v => v.Number!.Value).ToList();
        var mean = numbers.Count > 0 ? numbers.Average() : 0;
        return JsonSerializer.SerializeToElement(
            new
            {
                model = settings.Model,
                prompt_commit = commit,
                repeats = settings.Repeats,
                standard_deviation = numbers.Count < 2
                    ? (double?)null
                    : Math.Sqrt(numbers.Sum(n => (n - mean) * (n - mean)) / (numbers.Count - 1)),
                replies = asked,
            },
            JudgeSettings.Json
        );
    }
}
