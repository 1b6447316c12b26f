using System.Text.RegularExpressions;
using Assay.Evaluation.Json;

namespace Assay.Evaluation.Text;

/// <summary>1 when a regular expression is found in the answer (or, negated, when it is not), else 0. The engine does not backtrack, so a hostile answer costs linear time.</summary>
public sealed class RegexEvaluator : DeterministicEvaluator
{
    private readonly Regex _pattern;

    /// <summary>Looks for <paramref name="pattern"/>.</summary>
    /// <exception cref="ArgumentException">The pattern is not one, or needs backtracking (back references, look-around).</exception>
    public RegexEvaluator(string pattern, bool ignoreCase = false, string key = "regex_match")
    {
        try
        {
            _pattern = new Regex(
                pattern,
                RegexOptions.NonBacktracking
                    | RegexOptions.CultureInvariant
                    | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None),
                TimeSpan.FromSeconds(1)
            );
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }

        Keys = [key];
    }

    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <summary>The answer must not contain it.</summary>
    public bool Negate { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; }

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (AnswerText.Read(input.Outputs, OutputPath) is not { } output)
        {
            return Unjudged("The outputs hold no text to judge.");
        }

        var match = _pattern.Match(output);
        return EvaluationResult.Of(
            Score.Boolean(
                Keys[0],
                match.Success != Negate,
                match.Success ? $"found at {match.Index}" : "not found"
            )
        );
    }
}
