using System.Globalization;
using System.Text;
using Assay.UI.Traces;

namespace Assay.UI.Experiments;

/// <summary>The verdicts of a comparison as a file: a line for each metric of each experiment, the first of which is the baseline.</summary>
internal static class VerdictCsv
{
    private static readonly string[] s_head =
    [
        "metric",
        "higher_is_better",
        "experiment",
        "experiment_id",
        "mean",
        "mean_lower",
        "mean_upper",
        "n",
        "baseline",
        "difference",
        "difference_lower",
        "difference_upper",
        "shared_n",
        "better",
        "equal",
        "worse",
        "test",
        "p_value",
        "adjusted_p_value",
        "effect_size",
        "minimum_detectable_difference",
        "verdict",
    ];

    public static string Of(ResultsView view)
    {
        var text = new StringBuilder();
        Line(text, s_head);
        for (var m = 0; m < view.Metrics.Count; m++)
        {
            for (var e = 0; e < view.Experiments.Count; e++)
            {
                var mean = view.Mean(e, m);
                var c = e == 0 ? null : view.Comparisons[e - 1][m];
                var pairs = c?.Comparison;
                Line(
                    text,
                    [
                        view.Metrics[m].Title,
                        view.Metrics[m].HigherIsBetter ? "true" : "false",
                        view.Experiments[e].Experiment.Name,
                        view.Experiments[e].Experiment.Id.ToString(),
                        Text(mean?.Estimate),
                        Text(mean?.Lower),
                        Text(mean?.Upper),
                        Text(mean?.N),
                        e == 0 ? null : view.Experiments[0].Experiment.Name,
                        Text(pairs?.Difference?.Estimate),
                        Text(pairs?.Difference?.Lower),
                        Text(pairs?.Difference?.Upper),
                        Text(pairs?.N),
                        Text(pairs?.Wins),
                        Text(pairs?.Ties),
                        Text(pairs?.Losses),
                        pairs?.Test,
                        Text(pairs?.PValue),
                        Text(c?.AdjustedPValue),
                        Text(pairs?.EffectSize),
                        Text(pairs?.MinimumDetectableDifference),
                        c is null ? "baseline" : Figures.Say(c.Verdict).Text,
                    ]
                );
            }
        }

        return text.ToString();
    }

    private static void Line(StringBuilder to, IEnumerable<string?> cells) =>
        to.AppendJoin(',', cells.Select(RunCsv.Cell)).Append("\r\n");

    private static string? Text(double? value) =>
        value is { } number && double.IsFinite(number)
            ? number.ToString("0.#########", CultureInfo.InvariantCulture)
            : null;
}
