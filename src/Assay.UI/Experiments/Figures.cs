using System.Globalization;
using Assay.Core.Experiments;
using Assay.Evaluation.Statistics;
using Assay.UI.Kit;

namespace Assay.UI.Experiments;

/// <summary>How values of metrics look.</summary>
internal static class Figures
{
    /// <summary>Colours of experiments, in order.</summary>
    public static readonly IReadOnlyList<string> Colors =
    [
        "--f-llm",
        "--f-tool",
        "--f-retriever",
        "--f-agent",
        "--f-prompt",
        "--f-parser",
        "--f-embedding",
        "--f-guardrail",
    ];

    public static string Value(Metric metric, double value) =>
        !double.IsFinite(value)
            ? "–"
            : metric.Kind switch
            {
                MetricKind.Latency => Format.Seconds(value),
                MetricKind.Tokens => Format.Count((long)Math.Round(value)),
                MetricKind.Cost => Format.Money((decimal)value),
                MetricKind.Errors => Format.Percentage(100 * value),
                _ => Number(value),
            };

    /// <summary>A difference with its sign; one that is too small to be seen in the digits shown has none.</summary>
    public static string Difference(Metric metric, double value)
    {
        if (!double.IsFinite(value))
        {
            return "–";
        }

        var text = Size(metric, Math.Abs(value));
        return value == 0 ? "±0"
            : text == Size(metric, 0) ? "±" + text
            : (value > 0 ? "+" : "−") + text;
    }

    private static string Size(Metric metric, double value) =>
        metric.Kind switch
        {
            MetricKind.Latency => Format.Seconds(value),
            MetricKind.Tokens => value.ToString("0.#", CultureInfo.InvariantCulture),
            MetricKind.Cost => Format.Money((decimal)value),
            MetricKind.Errors => Format.Percentage(100 * value),
            _ => Number(value),
        };

    /// <summary>How good a value is between the least and the most, 0 to 1, for colours.</summary>
    public static double Heat(Metric metric, double value, (double Low, double High) range)
    {
        if (!double.IsFinite(value) || range.High <= range.Low)
        {
            return double.NaN;
        }

        var share = (value - range.Low) / (range.High - range.Low);
        return metric.HigherIsBetter ? share : 1 - share;
    }

    public static string Number(double value) =>
        value.ToString(
            value != 0 && Math.Abs(value) < 0.001 ? "0.##e0" : "0.###",
            CultureInfo.InvariantCulture
        );

    public static (string Text, string Class, string Icon) Say(Verdict verdict) =>
        verdict switch
        {
            Verdict.Better => ("better", "ok", "up"),
            Verdict.Worse => ("worse", "err", "arrdown"),
            Verdict.NoEvidence => ("no evidence", "none", "more"),
            _ => ("too few", "none", "more"),
        };

    /// <summary>What a comparison says, in words, for people who look closer.</summary>
    public static string Explain(MetricComparison c)
    {
        var (metric, p) = (c.Metric, c.Comparison);
        var parts = new List<string> { $"n = {p.N} shared examples" };
        if (p.Difference is { } d)
        {
            parts.Add(
                $"difference {Difference(metric, d.Estimate)}, 95 % interval {Difference(metric, d.Lower)} to {Difference(metric, d.Upper)} ({d.Method})"
            );
        }

        if (p.PValue is { } raw)
        {
            parts.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"p = {raw:0.####} ({p.Test}), {c.AdjustedPValue:0.####} after correction for several metrics"
                )
            );
        }

        if (p.MinimumDetectableDifference is { } mde)
        {
            parts.Add(
                $"this many examples would find a difference of {Difference(metric, mde).TrimStart('+')} four times out of five"
            );
        }

        if (c.Verdict == Verdict.TooFew)
        {
            parts.Add($"below {PairedComparison.FewestPairs} shared examples nothing can be said");
        }

        return string.Join("; ", parts) + ".";
    }
}
