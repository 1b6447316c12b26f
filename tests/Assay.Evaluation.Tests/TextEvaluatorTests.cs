using Assay.Evaluation.Json;
using Assay.Evaluation.Safety;
using Assay.Evaluation.Text;
using Microsoft.Extensions.AI;

namespace Assay.Evaluation.Tests;

public sealed class TextEvaluatorTests
{
    [Fact]
    public void Bleu_gives_the_guide_to_action_example()
    {
        string[] references =
        [
            "It is a guide to action that ensures that the military will forever heed Party commands",
            "It is the guiding principle which guarantees the military forces always being under the command of the Party",
            "It is the practical guide for the army always to heed the directions of the party",
        ];
        Assert.Equal(
            0.5045666840058485,
            BleuEvaluator.Bleu(
                "It is a guide to action which ensures that the military always obeys the commands of the party",
                references
            ),
            10
        );
    }

    [Fact]
    public void Bleu_of_a_repeated_word_is_clipped()
    {
        // "the" ×7 against a reference with two of them: precision 2/7 for single words, nothing longer matches.
        var score = BleuEvaluator.Bleu(
            "the the the the the the the",
            ["The cat is on the mat", "the cat is on the mat the"]
        );
        Assert.InRange(score, 0.01, 0.2);
        Assert.Equal(0, BleuEvaluator.Bleu("dog", ["cat"]));
    }

    [Theory]
    [InlineData("police kill the gunman", 0.75)]
    [InlineData("the gunman kill police", 0.5)]
    public void Rouge_L_gives_Lins_examples(string candidate, double expected) =>
        Assert.Equal(
            expected,
            RougeEvaluator.F1(RougeKind.L, candidate, "police killed the gunman"),
            10
        );

    [Theory]
    [InlineData("the cat sat on the mat", 0.9977)]
    [InlineData("on the mat sat the cat", 0.5)]
    [InlineData("the cat was sat on the mat", 0.9654)]
    public void Meteor_gives_the_cat_on_the_mat(string candidate, double expected) =>
        Assert.Equal(expected, MeteorEvaluator.Meteor(candidate, "the cat sat on the mat"), 4);

    [Theory]
    [InlineData("MARTHA", "MARHTA", 0.9444, 0.9611)]
    [InlineData("DWAYNE", "DUANE", 0.8222, 0.84)]
    [InlineData("DIXON", "DICKSONX", 0.7667, 0.8133)]
    public void Jaro_and_Winkler_give_the_census_examples(
        string a,
        string b,
        double jaro,
        double winkler
    )
    {
        Assert.Equal(jaro, JaroWinklerEvaluator.Jaro(a, b), 4);
        Assert.Equal(winkler, JaroWinklerEvaluator.Similarity(a, b), 4);
    }

    [Fact]
    public void Chrf_follows_a_hand_computation()
    {
        Assert.Equal(1, ChrfEvaluator.Chrf("the cat", "thecat"), 10);
        // "ab" against "ac": one of two single characters, no pair: P = R = 1/4, so F = 1/4.
        Assert.Equal(0.25, ChrfEvaluator.Chrf("ab", "ac"), 10);
        Assert.Equal(0, ChrfEvaluator.Chrf("xy", "ab"));
    }

    [Theory]
    [InlineData("The total is 1,234.50 EUR", 1234.5)]
    [InlineData("between 3 and 4", 4.0)]
    [InlineData("-2e3", -2000.0)]
    [InlineData("none", null)]
    public void The_number_of_a_text_is_its_last_one(string text, double? number) =>
        Assert.Equal(number, NumericToleranceEvaluator.Number(text));

    [Fact]
    public void A_number_is_near_by_its_own_or_by_the_relative_tolerance()
    {
        var evaluator = new NumericToleranceEvaluator { Relative = 0.01 };
        Assert.True(evaluator.Evaluate(EvaluationInput.OfText("99.5", "100")).Scores[0].Passed);
        Assert.False(evaluator.Evaluate(EvaluationInput.OfText("98", "100")).Scores[0].Passed);
        Assert.False(evaluator.Evaluate(EvaluationInput.OfText("many", "100")).Scores[0].Passed);
        Assert.True(evaluator.Evaluate(EvaluationInput.OfText("1", "many")).Scores[0].IsFailed);
    }

    [Fact]
    public void A_hostile_text_does_not_slow_a_regular_expression_and_back_references_are_refused()
    {
        var evaluator = new RegexEvaluator("(a+)+$");
        Assert.False(
            evaluator
                .Evaluate(EvaluationInput.OfText(new string('a', 50_000) + "!"))
                .Scores[0]
                .Passed
        );
        Assert.Throws<ArgumentException>(() => new RegexEvaluator(@"(a)\1"));
    }

    [Fact]
    public void Json_is_compared_by_path_also_when_the_model_wrote_it_as_text()
    {
        var evaluator = new JsonMatchEvaluator(JsonPath.Parse("$.a"), JsonPath.Parse("b[*].c"));
        var input = EvaluationInput.OfJson(
            """{"output":"{\"a\": 1.0, \"b\": [{\"c\": 1}, {\"c\": 3}]}"}""",
            """{"a":1,"b":[{"c":1},{"c":2}]}"""
        );
        var score = evaluator.Evaluate(input).Scores[0];
        Assert.Equal(0.5, score.Number);
        Assert.Equal("differs at b[*].c", score.Reason);
    }

    [Theory]
    [InlineData("The answer is that you can have it with the other one.", "en")]
    [InlineData("Das ist nicht die Antwort, die ich mir von dem Buch gewünscht habe.", "de")]
    [InlineData("C'est une réponse que vous pouvez donner dans les cas qui sont simples.", "fr")]
    [InlineData("Это не так, как вы думали.", "ru")]
    [InlineData("これは日本語の文章です。", "ja")]
    [InlineData("这是中文。", "zh")]
    [InlineData("42", null)]
    public void The_language_of_a_sentence_is_told_and_of_a_number_is_not(
        string text,
        string? language
    ) => Assert.Equal(language, LanguageDetector.Detect(text));

    [Fact]
    public void A_word_list_finds_whole_words_in_any_case_and_no_parts()
    {
        var evaluator = new WordListEvaluator(["ass", "shut up"]);
        Assert.True(
            evaluator.Evaluate(EvaluationInput.OfText("An assay passes.")).Scores[0].Passed
        );
        var score = evaluator.Evaluate(EvaluationInput.OfText("SHUT  UP, please")).Scores[0];
        Assert.False(score.Passed);
        Assert.Contains("shut up", score.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Embedding_similarity_takes_the_best_reference()
    {
        var evaluator = new EmbeddingSimilarityEvaluator(new LetterEmbeddings());
        var result = await evaluator.EvaluateAsync(
            EvaluationInput.OfJson("\"ab\"", """["c","ab"]"""),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(1, result.Scores[0].Number!.Value, 6);
        Assert.Equal(1, result.Cost!.ModelCalls);
    }

    /// <summary>A model provider by hand: one dimension per letter.</summary>
    private sealed class LetterEmbeddings : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values,
            EmbeddingGenerationOptions? options = null,
            CancellationToken cancellationToken = default
        ) =>
            Task.FromResult(
                new GeneratedEmbeddings<Embedding<float>>(
                    values.Select(v => new Embedding<float>(
                        "abcdefghij".Select(c => (float)v.Count(x => x == c)).ToArray()
                    ))
                )
            );

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }
}
