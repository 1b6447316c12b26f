namespace Assay.Evaluation.Code;

/// <summary>What the code of an evaluator may use for one answer.</summary>
public sealed record CodeLimits
{
    /// <summary>The usual limits.</summary>
    public static CodeLimits Default { get; } = new();

    /// <summary>Longest time.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most memory allocated, in bytes, what was let go of included.</summary>
    public long Memory { get; init; } = 128 << 20;

    /// <summary>Most statements.</summary>
    public int Statements { get; init; } = 2_000_000;

    /// <summary>Deepest nesting of calls.</summary>
    public int Recursion { get; init; } = 150;

    /// <summary>Most characters of inputs, outputs and reference together, as JSON.</summary>
    public int Payload { get; init; } = 4 << 20;
}
