using Assay.Evaluation.Json;

namespace Assay.Evaluation.Text;

/// <summary>
/// Base of evaluators that compare the text of an answer with the acceptable texts of its reference and keep the best.
/// </summary>
public abstract class TextReferenceEvaluator : DeterministicEvaluator
{
    /// <summary>The feedback key.</summary>
    public abstract string Key { get; }

    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <summary>Where the reference is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? ReferencePath { get; init; }

    /// <summary>The bar, 0 to 1; null sets none.</summary>
    public double? PassAt { get; init; }

    /// <inheritdoc/>
    public sealed override IReadOnlyList<string> Keys => [Key];

    /// <inheritdoc/>
    public sealed override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var references = AnswerText.ReadAlternatives(input.ReferenceOutputs, ReferencePath);
        if (references.Count == 0)
        {
            return Unjudged("The reference outputs hold no text to compare with.");
        }

        return AnswerText.Read(input.Outputs, OutputPath) is { } output
            ? EvaluationResult.Of(
                Score.Numeric(Key, references.Max(r => Compare(output, r)), passAt: PassAt)
            )
            : Unjudged("The outputs hold no text to judge.");
    }

    /// <summary>How well <paramref name="output"/> fits <paramref name="reference"/>, from 0 to 1.</summary>
    protected abstract double Compare(string output, string reference);
}
