namespace Assay.Core.Evaluators.Judges;

/// <summary>One asking of a judge: a verdict, or why there is none, with everything the model said.</summary>
public sealed record JudgeReply
{
    /// <summary>The longest raw reply kept with a score; the judge's run has all of it.</summary>
    public const int MaxRaw = 4_000;

    /// <summary>The verdict; null when there is none.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Why there is none.</summary>
    public VerdictFault? Fault { get; init; }

    /// <summary>The same in words.</summary>
    public string? Problem { get; init; }

    /// <summary>The replies as they came, the first one before the repaired one.</summary>
    public IReadOnlyList<string> Raw { get; init; } = [];

    /// <summary>The runs of the calls.</summary>
    public IReadOnlyList<Guid> Runs { get; init; } = [];

    /// <summary>The first reply was no verdict, the second one was.</summary>
    public bool IsRepaired { get; init; }

    /// <summary>The provider takes no schema; the verdict was asked for in words alone.</summary>
    public bool IsUnstructured { get; init; }

    /// <summary>The two answers were shown in the other order (the verdict is told in the usual one).</summary>
    public bool IsSwapped { get; init; }

    /// <summary>It was given before and kept; nothing was asked.</summary>
    public bool IsCached { get; init; }

    /// <summary>What asking cost, where prices are known.</summary>
    public decimal? UsDollars { get; init; }

    /// <summary>Tokens asked with.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens answered with.</summary>
    public long OutputTokens { get; init; }
}
