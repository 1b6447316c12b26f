namespace Assay.Core.Models;

/// <summary>Where a token or cost figure comes from. The numbers are stored.</summary>
public enum FigureSource : byte
{
    /// <summary>Not known. A cost of zero with tokens above zero is unknown, not free.</summary>
    Unknown = 0,

    /// <summary>The provider or the client said so.</summary>
    Reported = 1,

    /// <summary>Computed: cost from a dated price.</summary>
    Computed = 2,

    /// <summary>Estimated: tokens counted by our tokenizer because nobody reported them.</summary>
    Estimated = 3,
}

/// <summary>
/// Tokens of one model call in one meaning: prompt includes cached tokens, completion includes reasoning tokens. Details name the
/// parts (<c>cache_read</c>, <c>cache_creation</c>, <c>audio</c>, <c>reasoning</c>, …) in the field's words; parts never add to the whole.
/// </summary>
public sealed record TokenUsage
{
    /// <summary>Tokens of the prompt, cached ones included.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Tokens of the completion, reasoning included.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>All tokens; usually the sum, or what the provider said.</summary>
    public long TotalTokens { get; init; }

    /// <summary>Parts of the prompt tokens by name.</summary>
    public IReadOnlyDictionary<string, long>? PromptDetails { get; init; }

    /// <summary>Parts of the completion tokens by name.</summary>
    public IReadOnlyDictionary<string, long>? CompletionDetails { get; init; }

    /// <summary>Where the figures come from.</summary>
    public FigureSource Source { get; init; } = FigureSource.Reported;

    /// <summary>Cost as the client reported it; null when it did not and prices decide.</summary>
    public RunCost? ReportedCost { get; init; }

    /// <summary>Two estimates of one call, each of the parts it saw: the larger of each side. Commutative and idempotent, as merging needs.</summary>
    public static TokenUsage Larger(TokenUsage a, TokenUsage b)
    {
        var prompt = Math.Max(a.PromptTokens, b.PromptTokens);
        var completion = Math.Max(a.CompletionTokens, b.CompletionTokens);
        return new TokenUsage
        {
            PromptTokens = prompt,
            CompletionTokens = completion,
            TotalTokens = prompt + completion,
            Source = FigureSource.Estimated,
        };
    }

    /// <summary>The reported cost when it says something: emitters write zero beside tokens when they know no price, and that is not free.</summary>
    public RunCost? KnownCost =>
        ReportedCost is { Total: 0 } && TotalTokens > 0 ? null : ReportedCost;
}

/// <summary>Cost of one model call in US dollars.</summary>
public sealed record RunCost
{
    /// <summary>Cost of the prompt, cached parts included.</summary>
    public decimal Prompt { get; init; }

    /// <summary>Cost of the completion.</summary>
    public decimal Completion { get; init; }

    /// <summary>The whole cost.</summary>
    public decimal Total { get; init; }

    /// <summary>Parts of the prompt cost by name, as in <see cref="TokenUsage.PromptDetails"/>.</summary>
    public IReadOnlyDictionary<string, decimal>? PromptDetails { get; init; }

    /// <summary>Parts of the completion cost by name.</summary>
    public IReadOnlyDictionary<string, decimal>? CompletionDetails { get; init; }

    /// <summary>Where the figure comes from.</summary>
    public FigureSource Source { get; init; }

    /// <summary>The price that was used, when computed.</summary>
    public Guid? PriceId { get; init; }
}
