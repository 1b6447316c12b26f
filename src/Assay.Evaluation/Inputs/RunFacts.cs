namespace Assay.Evaluation;

/// <summary>What was measured about the run that produced the answer. Unknown is null, never zero.</summary>
public sealed record RunFacts
{
    /// <summary>Nothing was measured.</summary>
    public static RunFacts None { get; } = new();

    /// <summary>Time from start to end of the run.</summary>
    public TimeSpan? Latency { get; init; }

    /// <summary>Time from start to the first token.</summary>
    public TimeSpan? TimeToFirstToken { get; init; }

    /// <summary>Cost of the run in US dollars, model calls below it included.</summary>
    public decimal? UsDollars { get; init; }

    /// <summary>Tokens sent to models.</summary>
    public long? InputTokens { get; init; }

    /// <summary>Tokens models produced.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>All tokens; when not set it is the sum of the two others if both are known.</summary>
    public long? TotalTokens
    {
        get => field ?? (InputTokens + OutputTokens);
        init;
    }

    /// <summary>The error of the run; null when it ended well.</summary>
    public string? Error { get; init; }
}
