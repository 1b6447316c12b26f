using Assay.Core.Filters;
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
        Assert.Equal("k", pair.Key?.Values[0].Text);
        Assert.Equal("v", pair.Value?.Values[0].Text);
    }

    [Theory]
    [InlineData("neq(metadata_key, \"k\")")]
    [InlineData("and(neq(metadata_key, \"k\"))")]
    public void An_unequal_key_means_the_key_is_absent(string text)
    {
        var not = Assert.IsType<Filter.Not>(LangSmithFilterParser.Parse(text));
        Assert.Equal(Comparison.Equal, Assert.IsType<Filter.PairExists>(not.Item).Key?.Operator);
    }

    [Theory]
    [InlineData("eq(nam, \"x\")", 3, "name")]
    [InlineData("equ(name, \"x\")", 0, "eq")]
    [InlineData("eq(name, \"x\"", 12, null)]
    [InlineData("eq(start_time, \"soon\")", 15, null)]
    [InlineData("", 0, null)]
    public void A_mistake_is_shown_at_its_place(string text, int position, string? suggestion)
    {
        var error = Assert.Throws<FilterException>(() => LangSmithFilterParser.Parse(text));
        Assert.Equal(position, error.Position);
        Assert.Equal(suggestion, error.Suggestion);
    }

    [Theory]
    [InlineData("neq(inputs, \"x\")")]
    [InlineData("nlike(outputs, \"%x%\")")]
    public void Unequal_text_means_no_value_is_like_it(string text) =>
        Assert.IsType<Filter.PairExists>(
            Assert.IsType<Filter.Not>(LangSmithFilterParser.Parse(text)).Item
        );

    [Theory]
    [InlineData("gt(execution_order, 1)")]
    [InlineData("eq(name, [\"a\"])")]
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
