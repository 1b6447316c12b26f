using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Threads;

namespace Assay.Core.Traces;

/// <summary>
/// The port for runs and feedback. Engines: embedded (journal + SQLite), later ClickHouse; both pass <c>RunStoreContract</c>.
/// Thread-safe. Promises:
/// <list type="bullet">
/// <item>when <see cref="AppendAsync"/> returns, the batch survives <c>kill -9</c> and power loss;</item>
/// <item>merging is order-free and idempotent by the rules of the merge: sending twice changes nothing;</item>
/// <item>after <see cref="SettleAsync"/>, reads see everything whose append had returned before the call;</item>
/// <item>no read ever returns a run of another workspace.</item>
/// </list>
/// </summary>
public interface IRunStore
{
    /// <summary>
    /// Makes a batch durable. Every write has its project, ids and times resolved (that is <see cref="TraceIngest"/>'s work).
    /// </summary>
    /// <exception cref="StoreBusyException">Too much is waiting, or the disk is full or failing: nothing of this batch was accepted; try later.</exception>
    ValueTask AppendAsync(RunBatch batch, CancellationToken cancellationToken);

    /// <summary>Waits until all that was acknowledged before the call can be read; gives up after 10 seconds and returns false.</summary>
    ValueTask<bool> SettleAsync(CancellationToken cancellationToken);

    /// <summary>One page of runs.</summary>
    /// <exception cref="InvalidCursorException">The cursor belongs to no page of this query.</exception>
    Task<RunPage> QueryAsync(RunQuery query, CancellationToken cancellationToken);

    /// <summary>One run by id. With several projects holding the same id, the one of <paramref name="projectId"/>, or else the newest.</summary>
    Task<Run?> FindAsync(
        Guid workspaceId,
        Guid runId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// All runs of a trace without payloads, in execution order; parents always before their children.
    /// </summary>
    /// <param name="workspaceId">The workspace.</param>
    /// <param name="traceId">The trace.</param>
    /// <param name="projectId">The project, when known.</param>
    /// <param name="parts">What to bring of each run.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<IReadOnlyList<Run>> ReadTraceAsync(
        Guid workspaceId,
        Guid traceId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// One payload as a stream of UTF-8 JSON that the caller disposes; null when the run or the payload does not exist. Seekable, so that
    /// ranges of very large payloads can be served.
    /// </summary>
    Task<Stream?> OpenPayloadAsync(
        Guid workspaceId,
        Guid runId,
        Guid? projectId,
        PayloadKind kind,
        CancellationToken cancellationToken
    );

    /// <summary>Figures over the runs of a query; order, limit, cursor and parts are ignored.</summary>
    Task<RunStats> StatsAsync(RunQuery query, CancellationToken cancellationToken);

    /// <summary>Figures by key over the feedback on the runs of a query; order, limit, cursor and parts are ignored.</summary>
    Task<IReadOnlyDictionary<string, FeedbackStats>> FeedbackStatsAsync(
        RunQuery query,
        CancellationToken cancellationToken
    );

    /// <summary>Parts of tokens and costs over the runs of a query, summed up by name; order, limit, cursor and parts are ignored. Reads details, so it costs more than <see cref="StatsAsync"/>.</summary>
    Task<UsageParts> UsagePartsAsync(RunQuery query, CancellationToken cancellationToken);

    /// <summary>Figures of many projects at once, over a time range, from pre-aggregates; roots only where <paramref name="rootsOnly"/>.</summary>
    Task<IReadOnlyDictionary<Guid, RunStats>> ProjectStatsAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> projectIds,
        DateTimeOffset? since,
        DateTimeOffset? until,
        bool rootsOnly,
        CancellationToken cancellationToken
    );

    /// <summary>Figures over time.</summary>
    Task<IReadOnlyList<RunBucket>> SeriesAsync(
        RunSeriesQuery query,
        CancellationToken cancellationToken
    );

    /// <summary>The figures of every root run that an experiment made of an example; empty for a project that has none.</summary>
    Task<ExperimentFigures> ExperimentFiguresAsync(
        Guid workspaceId,
        Guid experimentId,
        CancellationToken cancellationToken
    );

    /// <summary>Values with counts of one project in a time range (day precision), for the filter bar and the facet drawer.</summary>
    Task<IReadOnlyList<Facet>> FacetsAsync(
        Guid workspaceId,
        Guid projectId,
        DateTimeOffset? since,
        DateTimeOffset? until,
        int maxValues,
        CancellationToken cancellationToken
    );

    /// <summary>Threads, last activity first.</summary>
    Task<ConversationPage> ConversationsAsync(
        ConversationQuery query,
        CancellationToken cancellationToken
    );

    /// <summary>Direct children and all descendants of a run, by id.</summary>
    Task<(IReadOnlyList<Guid> Direct, IReadOnlyList<Guid> All)> ChildIdsAsync(
        Guid workspaceId,
        Guid traceId,
        Guid runId,
        CancellationToken cancellationToken
    );

    /// <summary>Feedback by question, newest first.</summary>
    Task<IReadOnlyList<FeedbackRecord>> FeedbackAsync(
        FeedbackQuery query,
        CancellationToken cancellationToken
    );

    /// <summary>Changes one feedback; null when there is none of that id in the workspace. Durable when returned.</summary>
    Task<FeedbackRecord?> UpdateFeedbackAsync(
        Guid workspaceId,
        Guid feedbackId,
        Func<FeedbackRecord, FeedbackRecord> change,
        CancellationToken cancellationToken
    );

    /// <summary>Deletes one feedback; false when there is none.</summary>
    Task<bool> DeleteFeedbackAsync(
        Guid workspaceId,
        Guid feedbackId,
        CancellationToken cancellationToken
    );

    /// <summary>Figures by key over the feedback given to projects themselves (no run).</summary>
    Task<
        IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>>
    > ProjectFeedbackAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> projectIds,
        CancellationToken cancellationToken
    );

    /// <summary>Deletes runs with their descendants' link kept (children become roots); returns how many were there. Feedback goes with them.</summary>
    Task<long> DeleteRunsAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> runIds,
        CancellationToken cancellationToken
    );

    /// <summary>Deletes whole traces, of one project when it is named; returns how many runs went.</summary>
    Task<long> DeleteTracesAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> traceIds,
        Guid? projectId,
        CancellationToken cancellationToken
    );

    /// <summary>Deletes everything of a project.</summary>
    Task<long> DeleteProjectRunsAsync(
        Guid workspaceId,
        Guid projectId,
        CancellationToken cancellationToken
    );

    /// <summary>Deletes whole traces of a project whose root are older than asked, in bounded steps; returns how many runs went.</summary>
    Task<long> ExpireAsync(ExpireRequest request, CancellationToken cancellationToken);

    /// <summary>Gives disk back: unlinks segments without live payloads, rewrites mostly dead ones, shrinks the index.</summary>
    Task CompactAsync(CancellationToken cancellationToken);

    /// <summary>What the store is doing, for health and the storage page.</summary>
    StoreHealth Health { get; }

    /// <summary>After each applied batch: which projects and traces of which workspaces changed. Handlers must return at once and never throw.</summary>
    event Action<IReadOnlyList<RunsChanged>>? Changed;
}

/// <summary>A batch for <see cref="IRunStore.AppendAsync"/>, all of one workspace.</summary>
/// <param name="WorkspaceId">The workspace.</param>
/// <param name="Runs">Pieces of runs.</param>
/// <param name="Feedback">Feedback.</param>
public sealed record RunBatch(
    Guid WorkspaceId,
    IReadOnlyList<RunWrite> Runs,
    IReadOnlyList<FeedbackRecord> Feedback
);

/// <summary>Runs of a trace that became readable.</summary>
public sealed record RunsChanged(Guid WorkspaceId, Guid ProjectId, Guid TraceId);

/// <summary>What to expire.</summary>
public sealed record ExpireRequest
{
    /// <summary>The workspace.</summary>
    public required Guid WorkspaceId { get; init; }

    /// <summary>The project.</summary>
    public required Guid ProjectId { get; init; }

    /// <summary>Traces whose root started before this go…</summary>
    public required DateTimeOffset Before { get; init; }

    /// <summary>…unless a run of them failed and the root started at or after this (null: no exception)…</summary>
    public DateTimeOffset? ErrorsBefore { get; init; }

    /// <summary>…or a run of them has feedback and the root started at or after this (null: no exception).</summary>
    public DateTimeOffset? FeedbackBefore { get; init; }

    /// <summary>At most this many traces in one call.</summary>
    public int MaxTraces { get; init; } = 1_000;
}

/// <summary>A question for feedback.</summary>
public sealed record FeedbackQuery
{
    /// <summary>The workspace.</summary>
    public required Guid WorkspaceId { get; init; }

    /// <summary>Only this id.</summary>
    public Guid? Id { get; init; }

    /// <summary>Only of these runs; empty means any.</summary>
    public IReadOnlyList<Guid> RunIds { get; init; } = [];

    /// <summary>Only of this trace.</summary>
    public Guid? TraceId { get; init; }

    /// <summary>Only of these projects.</summary>
    public IReadOnlyList<Guid> ProjectIds { get; init; } = [];

    /// <summary>Only these keys.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Only these kinds of source.</summary>
    public IReadOnlyList<string> SourceTypes { get; init; } = [];

    /// <summary>Only by these members.</summary>
    public IReadOnlyList<Guid> UserIds { get; init; } = [];

    /// <summary>Only of this comparative experiment.</summary>
    public Guid? ComparativeExperimentId { get; init; }

    /// <summary>Given to a run (true) or to a project itself (false).</summary>
    public bool? IsOnRun { get; init; }

    /// <summary>With (true) or without (false) a comment.</summary>
    public bool? HasComment { get; init; }

    /// <summary>With (true) or without (false) a score.</summary>
    public bool? HasScore { get; init; }

    /// <summary>Made at or after.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Made before or at.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>At most this many.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Skip this many.</summary>
    public int Offset { get; init; }
}

/// <summary>The store cannot take more now. Hosts answer 429 or 503 with <c>Retry-After</c>.</summary>
public sealed class StoreBusyException(
    string reason,
    bool isFailing,
    TimeSpan retryAfter,
    Exception? inner = null
) : Exception(reason, inner)
{
    /// <summary>True when the disk is full or failing (503), false for mere overload (429).</summary>
    public bool IsFailing { get; } = isFailing;

    /// <summary>When to try again.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>State of the store at one moment.</summary>
public sealed record StoreHealth
{
    /// <summary>Frames acknowledged and not yet readable.</summary>
    public long Backlog { get; init; }

    /// <summary>Age of the oldest of them.</summary>
    public TimeSpan Lag { get; init; }

    /// <summary>Bytes on disk by purpose: <c>journal</c>, <c>index</c>, <c>search</c>, <c>blobs</c>.</summary>
    public IReadOnlyDictionary<string, long> DiskBytes { get; init; } =
        new Dictionary<string, long>();

    /// <summary>Free bytes of the disk.</summary>
    public long DiskFree { get; init; }

    /// <summary>Runs stored.</summary>
    public long RunCount { get; init; }

    /// <summary>Damaged journal frames met and skipped since the start.</summary>
    public long DamagedFrames { get; init; }

    /// <summary>Null when all is well, else what fails.</summary>
    public string? Failure { get; init; }
}
