namespace Assay.Evaluation.Agents;

/// <summary>How a trajectory is compared with its reference.</summary>
public enum TrajectoryMatch
{
    /// <summary>The same calls in the same order.</summary>
    Strict,

    /// <summary>The same calls in any order.</summary>
    Unordered,

    /// <summary>Only calls of the reference, each at most as often as there.</summary>
    Subset,

    /// <summary>At least the calls of the reference; more are allowed.</summary>
    Superset,
}

/// <summary>
/// 1 when the tool calls of the run match those of the example in the chosen sense, else 0. A reference call without
/// arguments fits any arguments. Pairs are found by maximum matching, so such a call never steals the only partner of
/// a stricter one.
/// </summary>
public sealed class TrajectoryMatchEvaluator(TrajectoryMatch match) : DeterministicEvaluator
{
    /// <summary>The feedback key.</summary>
    public string Key { get; } =
        match switch
        {
            TrajectoryMatch.Strict => "trajectory_strict_match",
            TrajectoryMatch.Unordered => "trajectory_unordered_match",
            TrajectoryMatch.Subset => "trajectory_subset_match",
            TrajectoryMatch.Superset => "trajectory_superset_match",
            _ => throw new ArgumentOutOfRangeException(nameof(match), match, "Unknown match."),
        };

    /// <summary>Compare the names of tools only.</summary>
    public bool IgnoreArguments { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Keys => [Key];

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

        var passed = match switch
        {
            TrajectoryMatch.Strict => calls.Count == expected.Count
                && calls.Zip(expected).All(p => Fits(p.First, p.Second)),
            TrajectoryMatch.Unordered => calls.Count == expected.Count
                && Paired() == expected.Count,
            TrajectoryMatch.Subset => Paired() == calls.Count,
            _ => Paired() == expected.Count,
        };
        return EvaluationResult.Of(
            Score.Boolean(
                Key,
                passed,
                $"called [{string.Join(", ", calls.Select(c => c.Name))}], "
                    + $"expected [{string.Join(", ", expected.Select(c => c.Name))}]"
            )
        );

        int Paired() =>
            BipartiteMatching.Size(
                calls.Count,
                expected.Count,
                (i, j) => Fits(calls[i], expected[j])
            );
    }

    private bool Fits(ToolCall call, ToolCall expected) =>
        ToolCallMatch.Fits(call, expected, IgnoreArguments);
}
