namespace Assay.Core.Models;

/// <summary>The cost of a usage by the prices in force at a time; null when no price matches. Thread-safe, never throws.</summary>
public delegate RunCost? PriceLookup(
    Guid workspaceId,
    string? model,
    string? provider,
    TokenUsage usage,
    DateTimeOffset at
);
