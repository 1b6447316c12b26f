using System.Globalization;
using Assay.Core.Models.Prices;

namespace Assay.UI.Settings;

/// <summary>The fields of a price as people type them, dollars per million tokens.</summary>
public sealed class PriceForm
{
    private const decimal Million = 1_000_000;

    /// <summary>The price whose other kinds are kept.</summary>
    public Guid? BasedOn { get; set; }

    /// <summary>Name.</summary>
    public string? Name { get; set; }

    /// <summary>Expression.</summary>
    public string? Pattern { get; set; }

    /// <summary>Provider; empty for any.</summary>
    public string? Provider { get; set; }

    /// <summary>First day, ISO; empty for always.</summary>
    public string? From { get; set; }

    /// <summary>Prompt tokens.</summary>
    public string? Input { get; set; }

    /// <summary>Completion tokens.</summary>
    public string? Output { get; set; }

    /// <summary>Cached prompt tokens; empty for the price of input.</summary>
    public string? CacheRead { get; set; }

    /// <summary>Prompt tokens written to a cache; empty for the price of input.</summary>
    public string? CacheWrite { get; set; }

    /// <summary>How far back to look.</summary>
    public string? Since { get; set; }

    /// <summary>The button: <c>preview</c>, <c>save</c> or <c>recost</c>.</summary>
    public string? Step { get; set; }

    internal static PriceForm Of(ModelPrice price) =>
        new()
        {
            BasedOn = price.Id,
            Name = price.Name,
            Pattern = price.MatchPattern,
            Provider = price.Provider,
            From =
                price.WorkspaceId == Guid.Empty
                    ? null
                    : price.StartTime?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Input = Text(price.Prices.Prompt),
            Output = Text(price.Prices.Completion),
            CacheRead = Text(Detail(price, "cache_read")),
            CacheWrite = Text(Detail(price, "cache_creation")),
        };

    /// <summary>The price these fields say; null when a field cannot be read.</summary>
    internal ModelPrice? ToPrice(
        Guid workspaceId,
        ModelPrice? basis,
        DateTimeOffset now,
        IReadOnlyList<string> cacheWriteKinds
    )
    {
        DateTimeOffset? start = null;
        if (From is { Length: > 0 })
        {
            if (
                !DateTimeOffset.TryParseExact(
                    From,
                    "yyyy-MM-dd",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var day
                )
            )
            {
                return null;
            }

            start = day;
        }

        if (
            !TryRead(Input, out var input)
            || !TryRead(Output, out var output)
            || !TryRead(CacheRead, out var cacheRead)
            || !TryRead(CacheWrite, out var cacheWrite)
            || input is null
            || output is null
        )
        {
            return null;
        }

        var prompt = new Dictionary<string, decimal>(
            basis?.Prices.PromptDetails ?? new Dictionary<string, decimal>()
        );
        Set(prompt, "cache_read", cacheRead);
        foreach (var kind in cacheWriteKinds)
        {
            Set(prompt, kind, cacheWrite);
        }

        return new ModelPrice
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = workspaceId,
            CreatedAt = now,
            Name = Name?.Trim() ?? "",
            MatchPattern = Pattern?.Trim() ?? "",
            Provider = string.IsNullOrWhiteSpace(Provider) ? null : Provider.Trim(),
            StartTime = start,
            Prices = new TokenPrices(input.Value, output.Value)
            {
                PromptDetails = prompt,
                CompletionDetails =
                    basis?.Prices.CompletionDetails ?? new Dictionary<string, decimal>(),
            },
            LongContext = basis?.LongContext,
            BatchFactor = basis?.BatchFactor,
            MatchPath = basis?.MatchPath ?? ModelPrice.DefaultMatchPath,
        };
    }

    private static decimal? Detail(ModelPrice price, string kind) =>
        price.Prices.PromptDetails.TryGetValue(kind, out var value) ? value : null;

    private static string? Text(decimal? perToken) =>
        perToken is { } p ? (p * Million).ToString("0.######", CultureInfo.InvariantCulture) : null;

    private static void Set(Dictionary<string, decimal> prices, string kind, decimal? price)
    {
        if (price is { } value)
        {
            prices[kind] = value;
        }
        else
        {
            prices.Remove(kind);
        }
    }

    private static bool TryRead(string? text, out decimal? perToken)
    {
        perToken = null;
        if (string.IsNullOrWhiteSpace(text))
        {
            return true;
        }

        if (
            !decimal.TryParse(
                text,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var perMillion
            ) || perMillion is < 0 or > 1_000_000_000
        )
        {
            return false;
        }

        perToken = perMillion / Million;
        return true;
    }
}
