using Assay.Core.Models;
using Assay.Core.Models.Prices;

namespace Assay.Core.Tests.Models;

public sealed class CostTests
{
    [Fact]
    public void Cached_tokens_are_paid_at_their_own_price_and_the_rest_at_the_base_price()
    {
        var cost = CostCalculator.Compute(
            Usage(10_000, 500, ("cache_read", 8_000)),
            Price("gpt-4o", 2.5m, 10m, ("cache_read", 1.25m))
        );

        // 2,000 × 2.50 + 8,000 × 1.25 per million, 500 × 10 per million.
        Assert.Equal(0.015m, cost.Prompt);
        Assert.Equal(0.005m, cost.Completion);
        Assert.Equal(0.02m, cost.Total);
        Assert.Equal(0.01m, cost.PromptDetails!["cache_read"]);
        Assert.Equal(FigureSource.Computed, cost.Source);
    }

    [Fact]
    public void Reasoning_tokens_are_inside_the_completion_and_not_paid_again()
    {
        var usage = Usage(0, 1_000) with
        {
            CompletionDetails = new Dictionary<string, long> { ["reasoning"] = 900 },
        };

        Assert.Equal(0.01m, CostCalculator.Compute(usage, Price("m", 0, 10m)).Total);
    }

    [Fact]
    public void Kinds_that_overlap_never_pay_for_more_tokens_than_there_are()
    {
        var cost = CostCalculator.Compute(
            Usage(100, 0, ("cache_read", 80), ("audio", 60)),
            Price("m", 1m, 1m, ("cache_read", 1m), ("audio", 1m))
        );

        Assert.Equal(0.0001m, cost.Prompt);
    }

    [Fact]
    public void A_long_prompt_pays_the_long_prices_for_all_its_tokens()
    {
        var price = ShippedPrices.All.Single(p => p.Name == "gemini-2.5-pro");

        Assert.Equal(0.25m, CostCalculator.Compute(Usage(200_000, 0), price).Total);
        Assert.Equal(0.5000025m, CostCalculator.Compute(Usage(200_001, 0), price).Total);
    }

    [Fact]
    public void Batch_tokens_pay_the_batch_factor_also_when_they_were_cached()
    {
        var price = ShippedPrices.All.Single(p =>
            p.Name == "gpt-4o" && p.StartTime?.Year == 2024 && p.StartTime?.Month == 10
        );
        var cost = CostCalculator.Compute(
            Usage(1_000_000, 0, ("batch", 600_000), ("batch_cache_read", 400_000)),
            price
        );

        Assert.Equal((0.6m * 1.25m) + (0.4m * 0.625m), cost.Total);
    }

    [Fact]
    public void Anthropics_written_cache_tokens_are_paid_by_how_long_they_live_and_once()
    {
        var price = ShippedPrices.All.Single(p => p.Name == "claude-sonnet-4-5");
        var cost = CostCalculator.Compute(
            Usage(
                100_000,
                0,
                ("cache_creation", 60_000),
                ("ephemeral_5m_input", 40_000),
                ("ephemeral_1h_input", 20_000)
            ),
            price
        );

        // 40,000 × 3 + 40,000 × 3.75 + 20,000 × 6 per million.
        Assert.Equal(0.39m, cost.Total);
    }

    [Fact]
    public void An_estimate_stays_an_estimate_when_it_is_priced()
    {
        var usage = Usage(10, 10) with { Source = FigureSource.Estimated };

        Assert.Equal(
            FigureSource.Estimated,
            CostCalculator.Compute(usage, Price("m", 1, 1)).Source
        );
    }

    [Theory]
    [InlineData("openai/gpt-4o", "gpt-4o")]
    [InlineData("models/gemini-2.5-pro", "gemini-2.5-pro")]
    [InlineData("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514")]
    [InlineData("claude-sonnet-4@20250514", "claude-sonnet-4-20250514")]
    [InlineData("amazon.nova-pro-v1:0", "nova-pro")]
    [InlineData("GPT-4o", "gpt-4o")]
    public void A_model_is_known_under_the_names_clouds_give_it(string model, string bare) =>
        Assert.Equal(bare, ModelName.Bare(model));

    [Fact]
    public void Every_shipped_price_matches_its_own_name_and_no_price_starts_twice()
    {
        Assert.All(ShippedPrices.All, p => Assert.Matches(p.MatchPattern, p.Name));
        Assert.Distinct(ShippedPrices.All.Select(p => p.Id));
    }

    [Fact]
    public void Tokens_nobody_reported_are_counted_over_the_texts_of_the_payload()
    {
        var usage = TokenEstimator.Estimate(
            """{"messages":[{"role":"user","content":"Hello, world!"}]}"""u8.ToArray(),
            """{"role":"assistant","content":"Hello!"}"""u8.ToArray()
        );

        Assert.NotNull(usage);
        Assert.Equal(FigureSource.Estimated, usage.Source);
        // "Hello, world!" is four tokens of o200k, the line end one, the message four.
        Assert.InRange(usage.PromptTokens, 8, 9);
        Assert.InRange(usage.CompletionTokens, 6, 7);
    }

    [Fact]
    public void A_file_in_text_form_is_not_counted()
    {
        var image = new string('A', 200_000);

        Assert.Null(
            TokenEstimator.Estimate(
                System.Text.Encoding.UTF8.GetBytes(
                    $$"""{"image_url":"data:image/png;base64,{{image}}"}"""
                ),
                null
            )
        );
    }

    private static TokenUsage Usage(
        long prompt,
        long completion,
        params (string Kind, long Count)[] details
    ) =>
        new()
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = prompt + completion,
            PromptDetails = details.ToDictionary(d => d.Kind, d => d.Count),
        };

    private static ModelPrice Price(
        string name,
        decimal prompt,
        decimal completion,
        params (string Kind, decimal Price)[] details
    ) =>
        new()
        {
            Name = name,
            MatchPattern = name,
            Prices = new TokenPrices(prompt / 1_000_000, completion / 1_000_000)
            {
                PromptDetails = details.ToDictionary(d => d.Kind, d => d.Price / 1_000_000),
            },
        };
}
