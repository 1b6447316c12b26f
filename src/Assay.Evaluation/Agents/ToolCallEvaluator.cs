using Assay.Evaluation.Json;

namespace Assay.Evaluation.Agents;

/// <summary>
/// Precision, recall and F1 of the tool calls of a run against the expected ones, in any order, paired by maximum matching. A
/// reference call without arguments fits any arguments. No calls expected and none made is 1.
/// </summary>
public sealed class ToolCallEvaluator : DeterministicEvaluator
{
    /// <summary>Compare the names of tools only.</summary>
    public bool IgnoreArguments { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys { get; } =
    ["tool_call_precision", "tool_call_recall", "tool_call_f1"];

    /// <inheritdoc/>
    public override EvaluationResult Evaluate(EvaluationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.ToolCalls is not { } calls)
        {
            return Unjudged("The tool calls of the run were not recorded.");
        }

        if (input.ReferenceToolCalls is not { } expected)
        {
            return Unjudged("The example names no expected tool calls.");
        }

        var owner = BipartiteMatching.Match(
            calls.Count,
            expected.Count,
            (i, j) => ToolCallMatch.Fits(calls[i], expected[j], IgnoreArguments)
        );
        var pairs = owner.Count(i => i >= 0);
        var missing = expected.Where((_, j) => owner[j] < 0).Select(c => c.Name).ToList();
        var extra = calls.Where((_, i) => !owner.Contains(i)).Select(c => c.Name).ToList();
        var reason =
            $"missing [{string.Join(", ", missing)}], not expected [{string.Join(", ", extra)}]";
        return EvaluationResult.Of(
            Score.Numeric(Keys[0], Share(pairs, calls.Count), reason),
            Score.Numeric(Keys[1], Share(pairs, expected.Count), reason),
            Score.Numeric(Keys[2], Share(2 * pairs, calls.Count + expected.Count), reason)
        );
    }

    private static double Share(int part, int whole) => whole == 0 ? 1 : (double)part / whole;
}

/// <summary>When a made call is an expected one.</summary>
internal static class ToolCallMatch
{
    public static bool Fits(ToolCall call, ToolCall expected, bool ignoreArguments) =>
        string.Equals(call.Name, expected.Name, StringComparison.Ordinal)
        && (
            ignoreArguments
            || expected.Arguments is not { } wanted
            || (call.Arguments is { } given && JsonEquality.AreEqual(given, wanted))
        );
}
