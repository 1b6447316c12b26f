using System.Text.Json.Nodes;
using Assay.Evaluation.Json;
using Assay.Evaluation.Text;

namespace Assay.Evaluation.Tests;

public sealed class JsonAndWordEvaluatorTests
{
    // The product of json-schema.org's "Creating your first schema".
    private const string Product = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "type": "object",
          "properties": {
            "productId": { "type": "integer" },
            "productName": { "type": "string" },
            "price": { "type": "number", "exclusiveMinimum": 0 },
            "tags": { "type": "array", "items": { "type": "string" }, "minItems": 1, "uniqueItems": true }
          },
          "required": ["productId", "productName", "price"]
        }
        """;

    [Theory]
    [InlineData(
        """{"productId":1,"productName":"An ice sculpture","price":12.5,"tags":["cold","ice"]}""",
        null
    )]
    [InlineData("""{"productId":1,"productName":"An ice sculpture","price":0}""", "/price")]
    [InlineData("""{"productId":"1","productName":"An ice sculpture","price":1}""", "/productId")]
    [InlineData("""{"productId":1,"productName":"x","price":1,"tags":["a","a"]}""", "/tags")]
    [InlineData("""{"productId":1,"productName":"x"}""", "price")]
    [InlineData("no JSON at all", "object")]
    public void An_answer_meets_the_published_schema_or_the_reason_names_the_place(
        string answer,
        string? wrong
    )
    {
        var schema = new JsonSchemaEvaluator(JsonNode.Parse(Product)!)
        {
            Path = JsonPath.Parse("output"),
        };
        // As models answer: JSON inside a text.
        var input = EvaluationInput.OfJson(
            new JsonObject { ["output"] = answer }.ToJsonString(),
            null
        );
        var score = schema.Evaluate(input).Scores[0];
        Assert.Equal(wrong is null, score.Passed);
        Assert.Equal(wrong is null ? 1 : 0, score.Number);
        if (wrong is not null)
        {
            Assert.Contains(wrong, score.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_schema_is_judged_of_the_whole_output_and_nothing_is_judged_of_none()
    {
        var schema = new JsonSchemaEvaluator(JsonNode.Parse("""{"required":["answer"]}""")!);
        Assert.True(
            schema.Evaluate(EvaluationInput.OfJson("""{"answer":1}""", null)).Scores[0].Passed
        );
        Assert.False(
            schema.Evaluate(EvaluationInput.OfJson("""{"other":1}""", null)).Scores[0].Passed
        );
        Assert.True(schema.Evaluate(new EvaluationInput()).Scores[0].IsFailed);
        Assert.Throws<FormatException>(() =>
            new JsonSchemaEvaluator(JsonNode.Parse("""{"type":"thing"}""")!)
        );
    }

    [Theory]
    // One chunk, six chunks, two chunks and a word too many: the usual worked examples of the 2005 formula.
    [InlineData("the cat sat on the mat", 0.9977)]
    [InlineData("on the mat sat the cat", 0.5)]
    [InlineData("the cat was sat on the mat", 0.9654)]
    public void Meteor_gives_the_worked_examples(string output, double expected) =>
        Assert.Equal(expected, MeteorEvaluator.Meteor(output, "the cat sat on the mat"), 4);

    [Theory]
    [InlineData("The Broncos!", "broncos", true)]
    [InlineData("a  cat", "The cat.", true)]
    [InlineData("cats", "cat", false)]
    public void Normalization_is_that_of_SQuAD(string output, string reference, bool same)
    {
        var input = EvaluationInput.OfText(output, reference);
        Assert.Equal(
            same,
            new ExactMatchEvaluator { Normalize = true }
                .Evaluate(input)
                .Scores[0]
                .Passed
        );
        Assert.False(new ExactMatchEvaluator().Evaluate(input).Scores[0].Passed);
    }

    [Fact]
    public void Token_f1_follows_a_hand_computation()
    {
        // Articles go; "denver broncos won" and "denver broncos": two shared, P = 2/3, R = 1, F1 = 0.8.
        var score = new TokenF1Evaluator()
            .Evaluate(EvaluationInput.OfText("The Denver Broncos won", "Denver Broncos"))
            .Scores[0];
        Assert.Equal(0.8, score.Number!.Value, 10);
    }
}
