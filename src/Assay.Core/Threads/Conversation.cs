using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Traces;

namespace Assay.Core.Threads;

/// <summary>A thread: the traces of one project that share a thread id. Called so because Thread is taken in .NET.</summary>
public sealed record Conversation
{
    /// <summary>The thread id, free text chosen by the client.</summary>
    public required string ThreadId { get; init; }

    /// <summary>Its project.</summary>
    public required Guid ProjectId { get; init; }

    /// <summary>How many traces.</summary>
    public required long TraceCount { get; init; }

    /// <summary>Traces with an error.</summary>
    public long ErrorCount { get; init; }

    /// <summary>Start of the first trace.</summary>
    public required DateTimeOffset FirstStart { get; init; }

    /// <summary>Start of the last trace.</summary>
    public required DateTimeOffset LastStart { get; init; }

    /// <summary>End of the last trace that ended.</summary>
    public DateTimeOffset? LastEnd { get; init; }

    /// <summary>Tokens and cost over its traces.</summary>
    public TraceTotals Totals { get; init; } = TraceTotals.None;

    /// <summary>Latency of its traces.</summary>
    public Percentiles? Latency { get; init; }

    /// <summary>Inputs preview of the first trace.</summary>
    public string? FirstInputsPreview { get; init; }

    /// <summary>Outputs preview of the last trace.</summary>
    public string? LastOutputsPreview { get; init; }

    /// <summary>Error of the last trace.</summary>
    public string? LastError { get; init; }

    /// <summary>Ids of the first and the last trace.</summary>
    public (Guid First, Guid Last) TraceIds { get; init; }

    /// <summary>Feedback on its roots.</summary>
    public IReadOnlyDictionary<string, FeedbackStats> Feedback { get; init; } =
        new Dictionary<string, FeedbackStats>();
}

/// <summary>A question for threads of one project.</summary>
public sealed record ConversationQuery
{
    /// <summary>The workspace.</summary>
    public required Guid WorkspaceId { get; init; }

    /// <summary>The project.</summary>
    public required Guid ProjectId { get; init; }

    /// <summary>Only this thread.</summary>
    public string? ThreadId { get; init; }

    /// <summary>Condition that some root of the thread must meet; figures are over the roots that meet it.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Condition that some run of a root's trace must meet.</summary>
    public Filter? TreeFilter { get; init; }

    /// <summary>Condition that the whole thread must meet: all of its traces count, whatever else is asked.</summary>
    public SummaryFilter<Conversation>? ThreadFilter { get; init; }

    /// <summary>Roots started at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Roots started before or at.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>At most this many.</summary>
    public int Limit { get; init; } = 20;

    /// <summary>Skip this many (last activity first).</summary>
    public int Offset { get; init; }
}

/// <summary>A page of threads, last activity first, and how many there are in all.</summary>
public sealed record ConversationPage(IReadOnlyList<Conversation> Items, long Total);
