namespace Assay.Core.Models.Prices;

/// <summary>
/// The arithmetic of a call's cost: each kind of token that has a price of its own is paid by that, everything that is left by the base price.
/// Prompt tokens include cached ones and completion tokens include reasoning ones, so nothing is paid twice. Pure, exact decimals, thread-safe.
/// </summary>
/// <remarks>
/// Kinds prefixed by a service tier (<c>batch</c>, <c>flex</c>, <c>priority</c>; LangSmith's wrappers write <c>flex_cache_read</c>) use the price
/// of exactly that name, else for <c>batch</c> and <c>flex</c> the price of the kind without prefix times <see cref="ModelPrice.BatchFactor"/>.
/// </remarks>
public static class CostCalculator
{
    private static readonly string[] s_tiers = ["batch", "flex", "priority"];

    /// <summary>The cost of a usage by a price.</summary>
    public static RunCost Compute(TokenUsage usage, ModelPrice price)
    {
        var prices =
            price.LongContext is { } longer && usage.PromptTokens > longer.AbovePromptTokens
                ? longer.Prices
                : price.Prices;
        var (prompt, promptParts) = Side(
            usage.PromptTokens,
            usage.PromptDetails,
            prices.Prompt,
            prices.PromptDetails,
            price.BatchFactor
        );
        var (completion, completionParts) = Side(
            usage.CompletionTokens,
            usage.CompletionDetails,
            prices.Completion,
            prices.CompletionDetails,
            price.BatchFactor
        );
        return new RunCost
        {
            Prompt = prompt,
            Completion = completion,
            Total = prompt + completion,
            PromptDetails = promptParts,
            CompletionDetails = completionParts,
            Source =
                usage.Source == FigureSource.Estimated
                    ? FigureSource.Estimated
                    : FigureSource.Computed,
            PriceId = price.Id,
        };
    }

    private static (decimal Sum, Dictionary<string, decimal>? Parts) Side(
        long tokens,
        IReadOnlyDictionary<string, long>? kinds,
        decimal basePrice,
        IReadOnlyDictionary<string, decimal> detailPrices,
        decimal? batchFactor
    )
    {
        Dictionary<string, decimal>? parts = null;
        var left = tokens;
        decimal sum = 0;
        foreach (var (kind, reported) in kinds ?? new Dictionary<string, long>())
        {
            var count = kind == "cache_creation" ? reported - CreatedByLife(kinds!) : reported;
            if (PriceOf(kind, basePrice, detailPrices, batchFactor) is not { } price)
            {
                continue;
            }

            // Kinds can overlap in what providers report (cached audio); together they never pay for more tokens than there are.
            var paid = Math.Min(count, left);
            if (paid <= 0)
            {
                continue;
            }

            left -= paid;
            var cost = paid * price;
            (parts ??= [])[kind] = cost;
            sum += cost;
        }

        return (sum + (left * basePrice), parts);
    }

    /// <summary>Anthropic tells written cache tokens as a sum and again by how long they live; the finer kinds are paid, the sum pays the rest.</summary>
    private static long CreatedByLife(IReadOnlyDictionary<string, long> kinds) =>
        kinds.GetValueOrDefault("ephemeral_5m_input")
        + kinds.GetValueOrDefault("ephemeral_1h_input");

    private static decimal? PriceOf(
        string kind,
        decimal basePrice,
        IReadOnlyDictionary<string, decimal> detailPrices,
        decimal? batchFactor
    )
    {
        if (detailPrices.TryGetValue(kind, out var own))
        {
            return own;
        }

        foreach (var tier in s_tiers)
        {
            if (!kind.StartsWith(tier, StringComparison.Ordinal))
            {
                continue;
            }

            var factor = tier == "priority" ? null : batchFactor;
            if (kind.Length == tier.Length)
            {
                return factor * basePrice;
            }

            if (kind[tier.Length] == '_')
            {
                return (factor ?? 1)
                    * (
                        detailPrices.TryGetValue(kind[(tier.Length + 1)..], out var plain)
                            ? plain
                            : basePrice
                    );
            }
        }

        return null;
    }
}
