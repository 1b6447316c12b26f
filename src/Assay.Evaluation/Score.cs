using System.Text.Json;

namespace Assay.Evaluation;

/// <summary>
/// One judgement under one key: a number, a label, any other value, or the statement that there is none.
/// Becomes one piece of feedback on a run.
/// </summary>
public sealed record Score
{
    /// <summary>The feedback key, for example <c>exact_match</c>.</summary>
    public required string Key { get; init; }

    /// <summary>
    /// The number, in the unit the evaluator documents (most use 0 to 1). Null when the answer could not be judged or
    /// the judgement is not a number. Never NaN or infinite.
    /// </summary>
    public double? Number { get; init; }

    /// <summary>The category, when the judgement is one.</summary>
    public string? Label { get; init; }

    /// <summary>A judgement or detail that is neither number nor category.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>Why, in a sentence. May quote the answer.</summary>
    public string? Reason { get; init; }

    /// <summary>What the judgement rests on, for people who check it: raw replies of a model, repetitions, calls. Null for evaluators that only compute.</summary>
    public JsonElement? Evidence { get; init; }

    /// <summary>Whether the answer meets the evaluator's bar; null when it sets none or could not judge.</summary>
    public bool? Passed { get; init; }

    /// <summary>What else the reader should know.</summary>
    public IReadOnlyList<EvaluationDiagnostic> Diagnostics { get; init; } = [];

    /// <summary>True when the evaluator could not do its work.</summary>
    public bool IsFailed => Diagnostics.Any(d => d.Severity == DiagnosticSeverity.Error);

    /// <summary>A yes (1) or no (0).</summary>
    public static Score Boolean(string key, bool passed, string? reason = null) =>
        new()
        {
            Key = key,
            Number = passed ? 1 : 0,
            Passed = passed,
            Reason = reason,
        };

    /// <summary>A number, and whether it reaches <paramref name="passAt"/> when a bar is given.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="number"/> is NaN or infinite.</exception>
    public static Score Numeric(
        string key,
        double number,
        string? reason = null,
        double? passAt = null
    )
    {
        if (!double.IsFinite(number))
        {
            throw new ArgumentOutOfRangeException(
                nameof(number),
                number,
                "A score is a finite number."
            );
        }

        return new()
        {
            Key = key,
            Number = number,
            Passed = passAt is { } bar ? number >= bar : null,
            Reason = reason,
        };
    }

    /// <summary>The statement that <paramref name="key"/> could not be judged, and why.</summary>
    public static Score Failed(string key, string message) =>
        new() { Key = key, Diagnostics = [EvaluationDiagnostic.Error(message)] };

    /// <summary>The same score with one more diagnostic.</summary>
    public Score With(EvaluationDiagnostic diagnostic) =>
        this with
        {
            Diagnostics = [.. Diagnostics, diagnostic],
        };
}
