using Assay.Evaluation.Json;

namespace Assay.Evaluation.Text;

/// <summary>1 when the answer is in the expected language, else 0; the expected one is given, or is that of the inputs. A text too short to tell is not judged.</summary>
/// <param name="expected">ISO 639-1 code; null means the language of the inputs.</param>
public sealed class LanguageEvaluator(string? expected = null) : DeterministicEvaluator
{
    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } = ["language_match"];

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var wanted =
            expected
            ?? (AnswerText.Read(input.Inputs) is { } asked ? LanguageDetector.Detect(asked) : null);
        if (wanted is null)
        {
            return Unjudged("The language of the inputs cannot be told.");
        }

        if (AnswerText.Read(input.Outputs, OutputPath) is not { } output)
        {
            return Unjudged("The outputs hold no text to judge.");
        }

        return LanguageDetector.Detect(output) is { } said
            ? EvaluationResult.Of(
                Score.Boolean(
                    Keys[0],
                    said == wanted,
                    $"answered in {said}, expected {wanted}"
                ) with
                {
                    Label = said,
                }
            )
            : Unjudged("The language of the answer cannot be told.");
    }
}
