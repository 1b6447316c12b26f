using Assay.Core.Filters;

namespace Assay.Core.Traces;

/// <summary>
/// A question for runs of one workspace. All conditions are ANDed. Times bound the start time.
/// </summary>
public sealed record RunQuery
{
    /// <summary>The workspace; always checked by the store.</summary>
    public required Guid WorkspaceId { get; init; }

    /// <summary>Projects to look in; empty means every project of the workspace.</summary>
    public IReadOnlyList<Guid> ProjectIds { get; init; } = [];

    /// <summary>Only these runs; empty means any. When given, every other condition but the workspace is ignored.</summary>
    public IReadOnlyList<Guid> RunIds { get; init; } = [];

    /// <summary>Only this trace.</summary>
    public Guid? TraceId { get; init; }

    /// <summary>Only children of this run.</summary>
    public Guid? ParentRunId { get; init; }

    /// <summary>Only runs of these examples; empty means any.</summary>
    public IReadOnlyList<Guid> ReferenceExampleIds { get; init; } = [];

    /// <summary>Only roots (true), only others (false).</summary>
    public bool? IsRoot { get; init; }

    /// <summary>Only this type.</summary>
    public RunKind? Kind { get; init; }

    /// <summary>Only with (true) or without (false) an error.</summary>
    public bool? HasError { get; init; }

    /// <summary>Only this thread.</summary>
    public string? ThreadId { get; init; }

    /// <summary>Start time at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Start time before or at.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Condition on the run.</summary>
    public Filter? Filter { get; init; }

    /// <summary>Condition on the root of the run's trace.</summary>
    public Filter? TraceFilter { get; init; }

    /// <summary>Condition that some run of the run's trace must meet.</summary>
    public Filter? TreeFilter { get; init; }

    /// <summary>Sorted by.</summary>
    public RunField OrderBy { get; init; } = RunField.StartTime;

    /// <summary>Sorted by this instead of <see cref="OrderBy"/>.</summary>
    public RunOrder? SortBy { get; init; }

    /// <summary>Ascending instead of descending.</summary>
    public bool Ascending { get; init; }

    /// <summary>Sort by <see cref="Run.DottedOrder"/> (execution order) instead of <see cref="OrderBy"/>; for the runs of one trace.</summary>
    public bool InExecutionOrder { get; init; }

    /// <summary>At most this many, 1 to 10,000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Where to go on, from <see cref="RunPage.Next"/> of the same question.</summary>
    public string? Cursor { get; init; }

    /// <summary>What to bring of each run.</summary>
    public RunParts Parts { get; init; } = RunParts.Details | RunParts.Feedback;
}

/// <summary>One page of runs.</summary>
/// <param name="Runs">The runs, in order.</param>
/// <param name="Next">Cursor of the next page; null at the end. A page may be short or even empty before the end when a search had to stop at its work bound.</param>
public sealed record RunPage(IReadOnlyList<Run> Runs, string? Next);

/// <summary>A cursor that cannot be read. Hosts answer 400 or 422.</summary>
public sealed class InvalidCursorException() : Exception("The cursor is not one of this query.");
