using Assay.Core.Filters;
using Assay.Core.Traces;
using CsCheck;

namespace Assay.Core.Tests.Filters;

public sealed class LangSmithFilterParserTests
{
    [Fact]
    public void A_comparison_keeps_field_operator_and_value()
    {
        var filter = Assert.IsType<Filter.Compare>(
            LangSmithFilterParser.Parse("gt( latency , '1500ms' )")
        );
        Assert.Equal(RunField.Latency, filter.Field);
        Assert.Equal(Comparison.Greater, filter.Operator);
        Assert.Equal(1.5, filter.Value.Number, 9);
    }

    [Fact]
    public void Key_and_value_of_one_and_bind_to_one_pair()
    {
        var pair = Assert.IsType<Filter.PairExists>(
            LangSmithFilterParser.Parse("and(eq(metadata_key, \"k\"), eq(metadata_value, \"v\"))")
        );
        Assert.Equal("k", Assert.Single(pair.Key).Values[0].Text);
        Assert.Equal("v", Assert.Single(pair.Value).Values[0].Text);
    }

    [Theory]
    [InlineData("neq(metadata_key, \"k\")")]
    [InlineData("and(neq(metadata_key, \"k\"))")]
    public void An_unequal_key_means_the_key_is_absent(string text)
    {
        var not = Assert.IsType<Filter.Not>(LangSmithFilterParser.Parse(text));
        Assert.Equal(
            Comparison.Equal,
            Assert.Single(Assert.IsType<Filter.PairExists>(not.Item).Key).Operator
        );
    }

    [Theory]
    [InlineData("eq(nam, \"x\")", 3, "name")]
    [InlineData("equ(name, \"x\")", 0, "eq")]
    [InlineData("eq(name, \"x\"", 12, null)]
    [InlineData("eq(start_time, \"soon\")", 15, null)]
    [InlineData("eq(name, \"x\", 1)", 14, null)]
    [InlineData("not(eq(name, \"x\"), eq(name, \"y\"))", 19, null)]
    [InlineData("search(\"a\", \"b\", \"c\")", 17, null)]
    [InlineData("eq(run_type, \"lm\")", 13, "llm")]
    [InlineData("eq(status, \"eror\")", 11, "error")]
    [InlineData("eq(metadata_kee, \"x\")", 3, "metadata_key")]
    [InlineData("and(eq(feedback_scor, 1), eq(name, \"x\"))", 7, "feedback_score")]
    [InlineData("exists(metadat, \"x\")", 7, "metadata")]
    [InlineData("", 0, null)]
    public void A_mistake_is_shown_at_its_place(string text, int position, string? suggestion)
    {
        var error = Assert.Throws<FilterException>(() => LangSmithFilterParser.Parse(text));
        Assert.Equal(position, error.Position);
        Assert.Equal(suggestion, error.Suggestion);
    }

    [Theory]
    // What follows a key belongs to it.
    [InlineData(
        "and(eq(feedback_key, a), gte(feedback_score, 0.5), eq(feedback_key, b), lt(feedback_score, 1), eq(feedback_comment, c))",
        "Key Equal a, Score GreaterOrEqual 0.5 | Key Equal b, Score Less 1, Comment Equal c"
    )]
    // All keys first: by their order.
    [InlineData(
        "and(eq(feedback_key, a), eq(feedback_key, b), eq(feedback_score, 1), eq(feedback_score, 0))",
        "Key Equal a, Score Equal 1 | Key Equal b, Score Equal 0"
    )]
    // A range tests one feedback.
    [InlineData(
        "and(eq(feedback_key, a), gt(feedback_score, 0.2), lt(feedback_score, 0.8))",
        "Key Equal a, Score Greater 0.2, Score Less 0.8"
    )]
    [InlineData(
        "and(gt(feedback_score, 0.2), lt(feedback_score, 0.8), eq(feedback_source, api))",
        "Score Greater 0.2, Score Less 0.8, Source Equal api"
    )]
    // Without a key, two values to be equal to are two feedback.
    [InlineData(
        "and(eq(feedback_comment, a), eq(feedback_comment, b))",
        "Comment Equal a | Comment Equal b"
    )]
    // The documented cases of negation.
    [InlineData(
        "and(eq(feedback_key, a), neq(feedback_score, 1))",
        "Key Equal a, Score NotEqual 1"
    )]
    [InlineData(
        "and(neq(feedback_key, a), neq(feedback_score, 1))",
        "not Key Equal a | not Score Equal 1"
    )]
    [InlineData(
        "and(neq(feedback_key, a), eq(feedback_score, 1))",
        "not Key Equal a | Score Equal 1"
    )]
    [InlineData("neq(feedback_comment, null)", "Comment NotEqual ")]
    public void Comparisons_of_feedback_in_one_and_bind_to_single_feedback(
        string text,
        string expected
    )
    {
        var filter = LangSmithFilterParser.Parse(text);
        var items = filter is Filter.And and ? and.Items : [filter];
        Assert.Equal(expected, string.Join(" | ", items.Select(Show)));

        static string Show(Filter filter) =>
            filter is Filter.Not not
                ? "not " + Show(not.Item)
                : string.Join(
                    ", ",
                    Assert
                        .IsType<Filter.FeedbackExists>(filter)
                        .Tests.Select(t => $"{t.Part} {t.Test.Operator} {t.Test.Values[0].Text}")
                );
    }

    [Theory]
    [InlineData("10", 9, true)]
    [InlineData("8", 9, false)]
    [InlineData("abc", 9, false)]
    [InlineData("", -1, false)]
    public void Order_of_metadata_is_by_number_and_what_is_none_has_no_order(
        string value,
        int than,
        bool expected
    )
    {
        var subject = new FilterSubject(
            new Run
            {
                Id = Guid.Empty,
                ProjectId = Guid.Empty,
                TraceId = Guid.Empty,
                DottedOrder = "",
                Name = "",
                Kind = RunKind.Chain,
                Status = RunStatus.Pending,
                StartTime = DateTimeOffset.UnixEpoch,
                Metadata = [new("k", value)],
            }
        );
        Assert.Equal(
            expected,
            FilterEvaluator.IsMatch(
                LangSmithFilterParser.Parse(
                    $"and(eq(metadata_key, k), gt(metadata_value, {than}))"
                ),
                subject
            )
        );
    }

    [Fact]
    public void Escapes_of_python_clients_are_read() =>
        Assert.Equal(
            "é\"\n𝕏",
            Assert
                .IsType<Filter.Compare>(
                    LangSmithFilterParser.Parse("""eq(thread_id, "\u00e9\"\n\ud835\udd4f")""")
                )
                .Value.Text
        );

    [Fact]
    public void Patterns_and_order_of_text_do_what_they_say() =>
        Gen.Select(Gen.String[Gen.Char["abAB%_é"], 0, 12], Gen.String[Gen.Char["abA%_é"], 0, 6])
            .Sample(
                (text, pattern) =>
                {
                    var wild = pattern.Contains('%', StringComparison.Ordinal)
                        ? pattern
                        : $"%{pattern}%";
                    var regex =
                        $"^{string.Join("[\\s\\S]*", wild.Split('%').Select(System.Text.RegularExpressions.Regex.Escape))}$";
                    Assert.Equal(
                        System.Text.RegularExpressions.Regex.IsMatch(
                            text.ToLowerInvariant(),
                            regex
                                .ToLowerInvariant()
                                .Replace("[\\s\\s]", "[\\s\\S]", StringComparison.Ordinal),
                            System.Text.RegularExpressions.RegexOptions.None,
                            TimeSpan.FromSeconds(1)
                        ),
                        FilterText.IsLike(text, pattern)
                    );
                }
            );

    [Theory]
    [InlineData("neq(inputs, \"x\")")]
    [InlineData("nlike(outputs, \"%x%\")")]
    public void Unequal_text_means_no_value_is_like_it(string text) =>
        Assert.IsType<Filter.PairExists>(
            Assert.IsType<Filter.Not>(LangSmithFilterParser.Parse(text)).Item
        );

    [Theory]
    [InlineData("eq(name, [\"a\"])")]
    [InlineData("gt(metadata_value, [1])")]
    [InlineData("in(metadata_key, \"a\")")]
    [InlineData("gt(name, null)")]
    [InlineData("gt(run_type, \"llm\")")]
    [InlineData("like(latency, \"5\")")]
    [InlineData("like(feedback_score, \"5\")")]
    [InlineData("gte(feedback_score, \"high\")")]
    [InlineData("eq(total_tokens, 1e999)")]
    [InlineData("and()")]
    [InlineData("eq(name, \"\\u12\")")]
    [InlineData("search(\"7\", \"x\")")]
    [InlineData("exists(tags, \"k\")")]
    [InlineData("has(metadata, \"\ud800\")")]
    public void What_cannot_be_answered_rightly_is_refused(string text) =>
        Assert.Throws<FilterException>(() => LangSmithFilterParser.Parse(text));

    [Fact]
    public void Existence_looks_where_it_is_told() =>
        Assert.Equal(
            PairKind.Outputs,
            Assert
                .IsType<Filter.PairExists>(LangSmithFilterParser.Parse("exists(outputs, \"k\")"))
                .Kind
        );

    [Fact]
    public void Garbage_is_refused_and_never_crashes() =>
        Gen.String[Gen.Char["andeqort()[],\"'\\ 19.-_xé"], 0, 200]
            .Sample(text =>
            {
                try
                {
                    LangSmithFilterParser.Parse(text);
                }
                catch (FilterException)
                {
                    // A refusal is the expected answer.
                }
            });

    [Fact]
    public void Nesting_beyond_the_limit_is_refused() =>
        Assert.Throws<FilterException>(() =>
            LangSmithFilterParser.Parse(string.Concat(Enumerable.Repeat("not(", 10_000)))
        );
}
