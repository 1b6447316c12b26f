using System.Globalization;

namespace Assay.Core.Models.Prices;

/// <summary>
/// What a model costs from a moment on. Shipped ones come with the release and cannot be changed; a workspace adds its own, which win over
/// shipped ones. All prices are US dollars per single token.
/// </summary>
public sealed class ModelPrice
{
    /// <summary>Id; of a shipped price derived from its content, so that it is the same on every installation.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace whose price it is; <see cref="Guid.Empty"/> for a shipped one.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name on screen.</summary>
    public required string Name { get; set; }

    /// <summary>Provider it is limited to (<c>openai</c>, <c>anthropic</c>, …); null for any.</summary>
    public string? Provider { get; set; }

    /// <summary>Regular expression, without regard to case, that a model name matches. Own prices are searched in the name, as LangSmith does; shipped ones are anchored.</summary>
    public required string MatchPattern { get; set; }

    /// <summary>Names of parameters the model name may be taken from, as LangSmith's wire gives them back. Kept, not used: the model is normalized on the way in.</summary>
    public IReadOnlyList<string> MatchPath { get; set; } = DefaultMatchPath;

    /// <summary>From when on it holds; null means always.</summary>
    public DateTimeOffset? StartTime { get; set; }

    /// <summary>The prices.</summary>
    public required TokenPrices Prices { get; set; }

    /// <summary>Prices that replace <see cref="Prices"/> for the whole call when its prompt is longer than a limit.</summary>
    public LongContextPrices? LongContext { get; set; }

    /// <summary>What batch calls cost compared with normal ones, e.g. 0.5; null when they cost the same or do not exist.</summary>
    public decimal? BatchFactor { get; set; }

    /// <summary>Row creation.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>What LangSmith's wire assumes when a client sends none.</summary>
    public static IReadOnlyList<string> DefaultMatchPath { get; } =
    ["model", "model_name", "model_id", "model_path", "endpoint_name"];

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} from {StartTime:yyyy-MM-dd}");
}

/// <summary>Dollars per token.</summary>
/// <param name="Prompt">A prompt token that has no price of its own kind.</param>
/// <param name="Completion">A completion token that has no price of its own kind.</param>
public sealed record TokenPrices(decimal Prompt, decimal Completion)
{
    /// <summary>Prompt tokens of a kind, named as in <see cref="TokenUsage.PromptDetails"/>: <c>cache_read</c>, <c>cache_creation</c>, <c>audio</c>, ….</summary>
    public IReadOnlyDictionary<string, decimal> PromptDetails { get; init; } =
        new Dictionary<string, decimal>();

    /// <summary>Completion tokens of a kind: <c>audio</c>, <c>reasoning</c>, ….</summary>
    public IReadOnlyDictionary<string, decimal> CompletionDetails { get; init; } =
        new Dictionary<string, decimal>();
}

/// <summary>Prices above a prompt length.</summary>
/// <param name="AbovePromptTokens">A prompt with more tokens than this, cached included, pays these prices for all its tokens.</param>
/// <param name="Prices">The prices.</param>
public sealed record LongContextPrices(long AbovePromptTokens, TokenPrices Prices);
