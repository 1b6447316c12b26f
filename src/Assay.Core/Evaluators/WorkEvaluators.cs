using System.Globalization;
using Assay.Evaluation.Agents;
using Assay.Evaluation.Limits;
using Assay.Evaluation.Rag;
using Assay.Evaluation.Safety;

namespace Assay.Core.Evaluators;

/// <summary>Built-in evaluators that look at how an answer came about and what it must keep to: documents, tools, limits, words.</summary>
internal static class WorkEvaluators
{
    private const string Output = "output_path";

    private static readonly BuiltInField s_measure = new(
        "measure",
        "Measure",
        BuiltInFieldKind.Choice,
        null,
        ["ndcg", "precision", "recall", "f1", "hit", "mrr", "map"]
    );

    private static readonly BuiltInField s_part = new(
        "measure",
        "Measure",
        BuiltInFieldKind.Choice,
        null,
        ["f1", "precision", "recall"]
    );

    private static readonly BuiltInField s_match = new(
        "match",
        "Match",
        BuiltInFieldKind.Choice,
        null,
        ["strict", "unordered", "subset", "superset"]
    );

    private static readonly BuiltInField s_limit = new(
        "limit",
        "What",
        BuiltInFieldKind.Choice,
        null,
        ["latency", "first_token", "cost", "tokens", "characters"]
    );

    private static readonly BuiltInField s_names = new(
        "ignore_arguments",
        "Compare only the names of tools",
        BuiltInFieldKind.Flag
    );

    public static IReadOnlyList<BuiltIn> All { get; } =
    [
        new(
            "retrieval",
            "Retrieval",
            "How well the retrieved documents match the relevant ones the example names.",
            [s_measure, new("k", "First k documents", BuiltInFieldKind.Number, "Usually 5")]
        )
        {
            Make = given => new RetrievalEvaluator(K(given)),
            KeyOf = given =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{given.Choice(s_measure)}@{K(given)}"
                ),
            Needs = EvaluatorNeeds.Documents,
        },
        new(
            "tool_calls",
            "Tool calls",
            "Tool calls made against the calls the example expects, in any order.",
            [s_part, s_names]
        )
        {
            Make = given => new ToolCallEvaluator
            {
                IgnoreArguments = given.Flag("ignore_arguments"),
            },
            KeyOf = given => $"tool_call_{given.Choice(s_part)}",
            Needs = EvaluatorNeeds.ToolCalls,
        },
        new(
            "trajectory",
            "Trajectory",
            "1 when the sequence of tool calls matches the expected one.",
            [s_match, s_names]
        )
        {
            Make = given => new TrajectoryMatchEvaluator(
                given.Choice(s_match) switch
                {
                    "unordered" => TrajectoryMatch.Unordered,
                    "subset" => TrajectoryMatch.Subset,
                    "superset" => TrajectoryMatch.Superset,
                    _ => TrajectoryMatch.Strict,
                }
            )
            {
                IgnoreArguments = given.Flag("ignore_arguments"),
            },
            Needs = EvaluatorNeeds.ToolCalls,
        },
        new(
            "limit",
            "Limit",
            "1 when a run kept a limit; what was not measured is not judged.",
            [
                s_limit,
                new(
                    "most",
                    "At most",
                    BuiltInFieldKind.Number,
                    "Seconds, US dollars, tokens or characters",
                    IsRequired: true
                ),
                new("least", "At least", BuiltInFieldKind.Number, "For characters only"),
            ]
        )
        {
            Make = Limit,
        },
        new(
            "word_list_clean",
            "Word list",
            "1 when no word of a list occurs; an alarm, not a measure of toxicity.",
            [
                new(
                    "words",
                    "Words",
                    BuiltInFieldKind.List,
                    "One a line; empty: a small English list"
                ),
                BuiltInFields.Output,
            ]
        )
        {
            Make = given => new WordListEvaluator(
                given.List("words") is { Count: > 0 } words ? words : WordListEvaluator.English
            )
            {
                OutputPath = given.Path(Output),
            },
        },
    ];

    private static RunLimitsEvaluator Limit(BuiltInSettings given)
    {
        var most =
            given.Between("most", 0, 1e12)
            ?? throw new InvalidEvaluatorException("most", "is needed");
        return given.Choice(s_limit) switch
        {
            "first_token" => new() { FirstToken = TimeSpan.FromSeconds(Math.Min(most, 1e6)) },
            "cost" => new() { UsDollars = (decimal)most },
            "tokens" => new() { Tokens = (long)most },
            "characters" => new()
            {
                Characters = (int)Math.Min(most, int.MaxValue),
                MinCharacters = (int)(given.Between("least", 0, int.MaxValue) ?? 0),
            },
            _ => new() { Latency = TimeSpan.FromSeconds(Math.Min(most, 1e6)) },
        };
    }

    private static int K(BuiltInSettings given) => (int)(given.Between("k", 1, 1_000) ?? 5);
}
