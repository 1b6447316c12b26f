using System.Collections.ObjectModel;
using Assay.Core.Feedback;
using Assay.Core.Models;

namespace Assay.Core.Traces;

/// <summary>
/// A run as it is read back: one step of a trace, with everything a list, a filter or a tree needs. Payloads are null unless the query
/// asked for them (<see cref="RunParts"/>).
/// </summary>
public sealed record Run
{
    /// <summary>Id chosen by the client.</summary>
    public required Guid Id { get; init; }

    /// <summary>The project it lives in.</summary>
    public required Guid ProjectId { get; init; }

    /// <summary>The trace it belongs to.</summary>
    public required Guid TraceId { get; init; }

    /// <summary>Its parent, null for a root.</summary>
    public Guid? ParentRunId { get; init; }

    /// <summary>Execution order key; see <see cref="RunWrite.DottedOrder"/>.</summary>
    public required string DottedOrder { get; init; }

    /// <summary>Position of arrival in the store: unique and increasing. Not an identity across stores.</summary>
    public long Sequence { get; init; }

    /// <summary>Name; empty when only a change has arrived so far.</summary>
    public required string Name { get; init; }

    /// <summary>Type.</summary>
    public required RunKind Kind { get; init; }

    /// <summary>State.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>Start, UTC, microseconds.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>End, null while pending.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>When the first token arrived.</summary>
    public DateTimeOffset? FirstTokenTime { get; init; }

    /// <summary>End minus start; null while pending.</summary>
    public TimeSpan? Latency => EndTime - StartTime;

    /// <summary>First token minus start.</summary>
    public TimeSpan? FirstTokenLatency => FirstTokenTime - StartTime;

    /// <summary>True when it has no parent, or its parent has not arrived.</summary>
    public bool IsRoot { get; init; }

    /// <summary>Error text, cut at <see cref="RunNormalizer.MaxError"/> characters unless <see cref="RunParts.FullError"/> was asked for.</summary>
    public string? Error { get; init; }

    /// <summary>Model that answered.</summary>
    public string? Model { get; init; }

    /// <summary>Provider, normalized.</summary>
    public string? Provider { get; init; }

    /// <summary>Thread id, its own or its trace's.</summary>
    public string? ThreadId { get; init; }

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Metadata as flat text pairs.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Its own token usage; null when it bears none.</summary>
    public TokenUsage? Usage { get; init; }

    /// <summary>Its own cost; null when it bears no usage.</summary>
    public RunCost? Cost { get; init; }

    /// <summary>Tokens of it and its descendants, each counted once.</summary>
    public TraceTotals Totals { get; init; } = TraceTotals.None;

    /// <summary>Inputs preview, about 300 characters.</summary>
    public string? InputsPreview { get; init; }

    /// <summary>Outputs preview, about 300 characters.</summary>
    public string? OutputsPreview { get; init; }

    /// <summary>Example of a dataset it was made from.</summary>
    public Guid? ReferenceExampleId { get; init; }

    /// <summary>Files.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>Feedback summarized by key.</summary>
    public IReadOnlyDictionary<string, FeedbackStats> FeedbackStats { get; init; } =
        ReadOnlyDictionary<string, FeedbackStats>.Empty;

    /// <summary>When its first piece was accepted; null without <see cref="RunParts.Details"/> and for runs older than this record.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>What was mended or cut on the way in.</summary>
    public string? Warning { get; init; }

    /// <summary>Sizes of its payloads in bytes; a kind that is absent was never sent.</summary>
    public IReadOnlyDictionary<PayloadKind, long> PayloadLengths { get; init; } =
        ReadOnlyDictionary<PayloadKind, long>.Empty;

    /// <summary>The payloads that the query asked for, as UTF-8 JSON.</summary>
    public IReadOnlyDictionary<PayloadKind, ReadOnlyMemory<byte>> Payloads { get; init; } =
        ReadOnlyDictionary<PayloadKind, ReadOnlyMemory<byte>>.Empty;
}

/// <summary>Tokens and cost of a run together with its descendants: only a usage-bearing run with no usage-bearing descendant counts.</summary>
/// <param name="PromptTokens">Prompt tokens, cached included.</param>
/// <param name="CompletionTokens">Completion tokens, reasoning included.</param>
/// <param name="TotalTokens">All tokens.</param>
/// <param name="PromptCost">US dollars.</param>
/// <param name="CompletionCost">US dollars.</param>
/// <param name="TotalCost">US dollars.</param>
/// <param name="Source">The weakest source among the counted runs.</param>
public sealed record TraceTotals(
    long PromptTokens,
    long CompletionTokens,
    long TotalTokens,
    decimal PromptCost,
    decimal CompletionCost,
    decimal TotalCost,
    FigureSource Source
)
{
    /// <summary>No usage at all.</summary>
    public static TraceTotals None { get; } = new(0, 0, 0, 0, 0, 0, FigureSource.Unknown);
}

/// <summary>What a query wants of each run beyond its narrow row.</summary>
[Flags]
public enum RunParts
{
    /// <summary>The narrow row alone (ids, times, status, tokens, cost).</summary>
    None = 0,

    /// <summary>Previews, tags, metadata, error text, attachments' names.</summary>
    Details = 1,

    /// <summary>Feedback statistics.</summary>
    Feedback = 2,

    /// <summary>Inputs payload.</summary>
    Inputs = 4,

    /// <summary>Outputs payload.</summary>
    Outputs = 8,

    /// <summary>Extra payload.</summary>
    Extra = 16,

    /// <summary>Events payload.</summary>
    Events = 32,

    /// <summary>Serialized payload.</summary>
    Serialized = 64,

    /// <summary>The whole error text.</summary>
    FullError = 128,

    /// <summary>Everything.</summary>
    All = Details | Feedback | Inputs | Outputs | Extra | Events | Serialized | FullError,
}
