using System.Text.Json;
using Assay.Evaluation.Agents;
using Assay.Evaluation.Limits;
using Assay.Evaluation.Rag;

namespace Assay.Evaluation.Tests;

public sealed class AgentAndRetrievalTests
{
    [Fact]
    public void Retrieval_measures_follow_a_hand_computation()
    {
        // Relevant: a, c, z. Returned: a, b, c (k = 3). Hits at ranks 1 and 3.
        var result = new RetrievalEvaluator(3).Evaluate(
            new EvaluationInput
            {
                Documents = [new("a"), new("b"), new("a"), new("c"), new("d")],
                RelevantDocuments = [new("a"), new("c"), new("z")],
            }
        );
        Assert.Equal(2.0 / 3, result.Find("precision@3")!.Number!.Value, 10);
        Assert.Equal(2.0 / 3, result.Find("recall@3")!.Number!.Value, 10);
        Assert.Equal(2.0 / 3, result.Find("f1@3")!.Number!.Value, 10);
        Assert.Equal(1, result.Find("hit@3")!.Number);
        Assert.Equal(1, result.Find("mrr@3")!.Number);
        Assert.Equal((1 + (2.0 / 3)) / 3, result.Find("map@3")!.Number!.Value, 10);
        var ideal = 1 + (1 / Math.Log2(3)) + 0.5;
        Assert.Equal((1 + 0.5) / ideal, result.Find("ndcg@3")!.Number!.Value, 10);
    }

    [Fact]
    public void Tool_calls_are_paired_so_that_a_call_without_arguments_steals_nothing()
    {
        var input = new EvaluationInput
        {
            ToolCalls =
            [
                Call("search", """{"q":"x"}"""),
                Call("search", """{"q":"y"}"""),
                new("mail"),
            ],
            ReferenceToolCalls = [new("search"), Call("search", """{ "q": "x" }"""), new("book")],
        };
        var result = new ToolCallEvaluator().Evaluate(input);
        Assert.Equal(2.0 / 3, result.Find("tool_call_f1")!.Number!.Value, 10);
        Assert.Equal("missing [book], not expected [mail]", result.Scores[0].Reason);
    }

    [Theory]
    [InlineData(TrajectoryMatch.Strict, false)]
    [InlineData(TrajectoryMatch.Unordered, true)]
    [InlineData(TrajectoryMatch.Subset, true)]
    [InlineData(TrajectoryMatch.Superset, true)]
    public void A_trajectory_in_another_order_matches_all_but_strictly(
        TrajectoryMatch match,
        bool passes
    )
    {
        var input = new EvaluationInput
        {
            ToolCalls = [new("a"), new("b")],
            ReferenceToolCalls = [new("b"), new("a")],
        };
        Assert.Equal(passes, new TrajectoryMatchEvaluator(match).Evaluate(input).Scores[0].Passed);
    }

    [Fact]
    public void Limits_judge_what_was_measured_and_nothing_else()
    {
        var result = new RunLimitsEvaluator
        {
            Latency = TimeSpan.FromSeconds(2),
            UsDollars = 0.01m,
            Characters = 3,
        }.Evaluate(
            EvaluationInput.OfText("abcd") with
            {
                Facts = new RunFacts { Latency = TimeSpan.FromSeconds(1.5) },
            }
        );
        Assert.True(result.Find("latency_within")!.Passed);
        Assert.True(result.Find("cost_within")!.IsFailed);
        Assert.False(result.Find("length_within")!.Passed);
    }

    private static ToolCall Call(string name, string arguments) =>
        new(name, JsonElement.Parse(arguments));
}
