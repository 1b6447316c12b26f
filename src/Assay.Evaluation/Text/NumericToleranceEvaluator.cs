using System.Globalization;
using System.Text.RegularExpressions;
using Assay.Evaluation.Json;

namespace Assay.Evaluation.Text;

/// <summary>
/// 1 when the number in the answer is near the number in the reference: within the absolute tolerance, or within the relative
/// tolerance times the reference. The number is the whole text, or else the last one in it ("The total is 1,234.50 EUR" → 1234.5).
/// </summary>
public sealed partial class NumericToleranceEvaluator : DeterministicEvaluator
{
    /// <summary>Largest accepted difference in the number's own unit.</summary>
    public double Absolute { get; init; }

    /// <summary>Largest accepted difference as a share of the reference, 0.01 being one per cent.</summary>
    public double Relative { get; init; }

    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <summary>Where the reference is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? ReferencePath { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } = ["numeric_match"];

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Number(AnswerText.Read(input.ReferenceOutputs, ReferencePath)) is not { } expected)
        {
            return Unjudged("The reference outputs hold no number.");
        }

        if (AnswerText.Read(input.Outputs, OutputPath) is not { } output)
        {
            return Unjudged("The outputs hold no text to judge.");
        }

        if (Number(output) is not { } said)
        {
            return EvaluationResult.Of(
                Score.Boolean(Keys[0], false, "The answer holds no number.")
            );
        }

        var difference = Math.Abs(said - expected);
        return EvaluationResult.Of(
            Score.Boolean(
                Keys[0],
                difference <= Math.Max(Absolute, Relative * Math.Abs(expected)),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{said} against {expected}, difference {difference}"
                )
            )
        );
    }

    /// <summary>The number a text states, or null.</summary>
    public static double? Number(string? text) =>
        text is not null
        && NumberPattern().Matches(text).LastOrDefault() is { } last
        && double.TryParse(
            last.Value.Replace(",", "", StringComparison.Ordinal),
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var number
        )
        && double.IsFinite(number)
            ? number
            : null;

    [GeneratedRegex(
        @"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex NumberPattern();
}
