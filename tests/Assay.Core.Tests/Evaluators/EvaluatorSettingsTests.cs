using System.Text.Json;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Models.Providers;
using Assay.Evaluation;
using Microsoft.Extensions.AI;

namespace Assay.Core.Tests.Evaluators;

public sealed class EvaluatorSettingsTests
{
    public static TheoryData<string> Types() => [.. BuiltInEvaluators.All.Select(t => t.Id)];

    public static TheoryData<string> Rubrics() => [.. JudgeLibrary.All.Select(r => r.Id)];

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Every_built_in_evaluator_is_built_and_scores_under_its_key(string type)
    {
        var settings = JsonSerializer.SerializeToElement(
            new
            {
                type,
                pattern = "a",
                schema = "{}",
                most = 10,
                provider = Guid.Empty,
                model = "m",
            }
        );
        var evaluator = BuiltInEvaluators.Build(
            settings,
            "my_key",
            (_, _, texts, _) =>
                Task.FromResult(
                    new EmbeddingReply(
                        Guid.Empty,
                        [.. texts.Select(_ => new Embedding<float>(new float[] { 1, 2 }))],
                        null,
                        null,
                        null
                    )
                )
        );
        Assert.Equal(["my_key"], evaluator.Keys);
        var result = await evaluator.EvaluateAsync(
            EvaluationInput.OfText("a 1", "a 1", "a question") with
            {
                ToolCalls = [new ToolCall("t")],
                ReferenceToolCalls = [new ToolCall("t")],
                Documents = [new RetrievedDocument("d")],
                RelevantDocuments = [new RelevantDocument("d")],
                Facts = new RunFacts { Latency = TimeSpan.FromSeconds(1) },
            },
            TestContext.Current.CancellationToken
        );
        var score = Assert.Single(result.Scores);
        Assert.Equal("my_key", score.Key);
        Assert.True(score.Number is not null || score.IsFailed);
    }

    [Theory]
    [InlineData("""{"type":"none"}""", "type")]
    [InlineData("""{"type":"regex_match"}""", "pattern")]
    [InlineData("""{"type":"regex_match","pattern":"(a"}""", "settings")]
    [InlineData("""{"type":"regex_match","pattern":7}""", "pattern")]
    [InlineData("""{"type":"exact_match","output_path":"a["}""", "output_path")]
    [InlineData("""{"type":"json_schema","schema":"{"}""", "schema")]
    [InlineData("""{"type":"embedding_similarity","model":"m"}""", "provider")]
    [InlineData("""{"type":"embedding_similarity","provider":"mine","model":"m"}""", "provider")]
    [InlineData("""{"type":"limit","most":-1}""", "most")]
    [InlineData("""{"type":"retrieval","k":0}""", "k")]
    [InlineData("""{"type":"rouge","measure":"rouge_9"}""", "measure")]
    public void Settings_that_make_no_sense_are_named(string settings, string field) =>
        Assert.Equal(
            field,
            Assert
                .Throws<InvalidEvaluatorException>(() =>
                    BuiltInEvaluators.Build(JsonElement.Parse(settings), "k")
                )
                .Field
        );

    [Theory]
    [MemberData(nameof(Rubrics))]
    public void Every_rubric_is_a_judge_whose_variables_have_places(string id)
    {
        var settings = JudgeSettings.Read(
            JudgeLibrary.Find(id)!.Settings(ModelProvider.Simulated).ToJson()
        );
        var prompt = JudgePrompt.Of(settings, null);
        Assert.NotEmpty(prompt.Sources);
        Assert.All(prompt.Sources, s => Assert.NotNull(s.Value));
        // The same settings are the same text, or every save would be a version.
        Assert.Equal(settings.ToJson(), JudgeSettings.Read(settings.ToJson()).ToJson());
    }

    [Theory]
    [InlineData("inputs", "what?")]
    [InlineData("inputs.question", "what?")]
    [InlineData("outputs", "yes")]
    [InlineData("outputs.sources[0].id", "s1")]
    [InlineData("outputs.sources[*].id", """["s1","s2"]""")]
    [InlineData("reference.answer", null)]
    [InlineData("tool_calls", "1. search({\"q\":1})")]
    [InlineData("documents", "[1] d1\ntext")]
    [InlineData("documents[0].id", "d1")]
    [InlineData("error", null)]
    public void A_variable_is_found_in_its_part_of_the_row(string source, string? expected)
    {
        var input = new EvaluationInput
        {
            Inputs = JsonElement.Parse("""{"question":"what?"}"""),
            Outputs = JsonElement.Parse("""{"answer":"yes","sources":[{"id":"s1"},{"id":"s2"}]}"""),
            ToolCalls = [new ToolCall("search", JsonElement.Parse("""{"q":1}"""))],
            Documents = [new RetrievedDocument("d1", "text")],
        };
        var found = VariableSource.Parse("v", source).Find(input);
        Assert.Equal(
            expected,
            found is { ValueKind: JsonValueKind.String } text
                ? text.GetString()
                : found?.GetRawText()
        );
    }

    [Theory]
    [InlineData("output.answer")]
    [InlineData("inputs[")]
    [InlineData("")]
    public void A_place_that_is_none_is_refused(string source) =>
        Assert.Throws<InvalidEvaluatorException>(() => VariableSource.Parse("v", source));
}
