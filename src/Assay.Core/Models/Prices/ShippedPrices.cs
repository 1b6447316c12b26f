using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Assay.Core.Models.Prices;

/// <summary>The dated price table that comes with a release (<c>prices.json</c>, dollars per million tokens as makers publish them).</summary>
public static class ShippedPrices
{
    private static readonly Lazy<IReadOnlyList<ModelPrice>> s_all = new(Read);

    /// <summary>All shipped prices. Thread-safe.</summary>
    public static IReadOnlyList<ModelPrice> All => s_all.Value;

    private static List<ModelPrice> Read()
    {
        using var stream =
            typeof(ShippedPrices).Assembly.GetManifestResourceStream("prices.json")
            ?? throw new InvalidOperationException("prices.json is not in the assembly.");
        var file =
            JsonSerializer.Deserialize(stream, PriceFileContext.Default.PriceFile)
            ?? throw new InvalidOperationException("prices.json is empty.");
        return [.. file.Prices.Select(ToPrice)];
    }

    private static ModelPrice ToPrice(PriceLine line)
    {
        var start = new DateTimeOffset(line.From.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        return new ModelPrice
        {
            Id = new Guid(
                SHA256
                    .HashData(Encoding.UTF8.GetBytes($"{line.Provider}|{line.Model}|{line.From:O}"))
                    .AsSpan(0, 16),
                bigEndian: true
            ),
            WorkspaceId = Guid.Empty,
            Name = line.Model,
            Provider = line.Hosted ? line.Provider : null,
            MatchPattern =
                $"^(?:{line.Pattern ?? line.Model.Replace(".", @"\.", StringComparison.Ordinal)})$",
            StartTime = start,
            Prices = Prices(line),
            LongContext = line.Above is { } above
                ? new LongContextPrices(above.Tokens, Prices(above))
                : null,
            BatchFactor = line.Batch,
            CreatedAt = start,
        };
    }

    private static TokenPrices Prices(PriceFigures figures)
    {
        const decimal Million = 1_000_000;
        var prompt = new Dictionary<string, decimal>();
        Add(prompt, "cache_read", figures.CacheRead);
        Add(prompt, "cache_creation", figures.CacheWrite);
        Add(prompt, "ephemeral_5m_input", figures.CacheWrite);
        Add(prompt, "ephemeral_1h_input", figures.CacheWriteHour);
        Add(prompt, "audio", figures.AudioIn);
        var completion = new Dictionary<string, decimal>();
        Add(completion, "audio", figures.AudioOut);
        return new TokenPrices(figures.In / Million, figures.Out / Million)
        {
            PromptDetails = prompt,
            CompletionDetails = completion,
        };

        static void Add(Dictionary<string, decimal> prices, string kind, decimal? perMillion)
        {
            if (perMillion is { } price)
            {
                prices[kind] = price / Million;
            }
        }
    }
}

internal sealed record PriceFile(string AsOf, IReadOnlyList<PriceLine> Prices);

internal record PriceFigures
{
    public decimal In { get; init; }

    public decimal Out { get; init; }

    public decimal? CacheRead { get; init; }

    public decimal? CacheWrite { get; init; }

    public decimal? CacheWriteHour { get; init; }

    public decimal? AudioIn { get; init; }

    public decimal? AudioOut { get; init; }
}

internal sealed record LongFigures : PriceFigures
{
    public long Tokens { get; init; }
}

internal sealed record PriceLine : PriceFigures
{
    public required string Provider { get; init; }

    public required string Model { get; init; }

    /// <summary>Expression for the bare model name; the name itself when absent.</summary>
    public string? Pattern { get; init; }

    public DateOnly From { get; init; }

    public decimal? Batch { get; init; }

    public LongFigures? Above { get; init; }

    /// <summary>An open model whose price holds at this provider only.</summary>
    public bool Hosted { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    ReadCommentHandling = JsonCommentHandling.Skip,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(PriceFile))]
internal sealed partial class PriceFileContext : JsonSerializerContext;
