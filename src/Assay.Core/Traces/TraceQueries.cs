using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Threads;

namespace Assay.Core.Traces;

/// <summary>
/// The one door out for runs: REST and screens both ask here. Checks the permission, puts the caller's workspace into every question, and
/// waits (bounded) until everything acknowledged before the question can be read; the wait is not part of the time that is noted.
/// Thread-safe.
/// </summary>
public sealed class TraceQueries(IRunStore store, QueryTimes times)
{
    /// <summary>One page of runs.</summary>
    public Task<RunPage> QueryAsync(
        Caller caller,
        RunQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of("list", query),
            () =>
                store.QueryAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>One run by id; null when the workspace has none.</summary>
    public Task<Run?> FindAsync(
        Caller caller,
        Guid runId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "run by id",
            () => store.FindAsync(caller.WorkspaceId, runId, projectId, parts, cancellationToken),
            cancellationToken
        );

    /// <summary>All runs of a trace in execution order.</summary>
    public Task<IReadOnlyList<Run>> ReadTraceAsync(
        Caller caller,
        Guid traceId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "trace",
            () =>
                store.ReadTraceAsync(
                    caller.WorkspaceId,
                    traceId,
                    projectId,
                    parts,
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>One payload as a seekable stream of UTF-8 JSON; null when there is none.</summary>
    public Task<Stream?> OpenPayloadAsync(
        Caller caller,
        Guid runId,
        Guid? projectId,
        PayloadKind kind,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "payload",
            () =>
                store.OpenPayloadAsync(
                    caller.WorkspaceId,
                    runId,
                    projectId,
                    kind,
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Figures over a set of runs.</summary>
    public Task<RunStats> StatsAsync(
        Caller caller,
        RunQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of("figures", query),
            () =>
                store.StatsAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Figures by key over the feedback on a set of runs.</summary>
    public Task<IReadOnlyDictionary<string, FeedbackStats>> FeedbackStatsAsync(
        Caller caller,
        RunQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of("scores", query),
            () =>
                store.FeedbackStatsAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Parts of tokens and costs over a set of runs.</summary>
    public Task<UsageParts> UsagePartsAsync(
        Caller caller,
        RunQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of("parts of tokens and costs", query),
            () =>
                store.UsagePartsAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Figures of projects, from pre-aggregates.</summary>
    public Task<IReadOnlyDictionary<Guid, RunStats>> ProjectStatsAsync(
        Caller caller,
        IReadOnlyList<Guid> projectIds,
        DateTimeOffset? from,
        DateTimeOffset? to,
        bool rootsOnly,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "figures of projects",
            () =>
                store.ProjectStatsAsync(
                    caller.WorkspaceId,
                    projectIds,
                    from,
                    to,
                    rootsOnly,
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Figures over time.</summary>
    public Task<IReadOnlyList<RunBucket>> SeriesAsync(
        Caller caller,
        RunSeriesQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of(
                query.GroupBy is null && query.GroupByMetadataKey is null && !query.GroupByTag
                    ? "chart"
                    : "chart by group",
                query.Runs
            ),
            () =>
                store.SeriesAsync(
                    query with
                    {
                        Runs = query.Runs with { WorkspaceId = caller.WorkspaceId },
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>The figures of every root run that an experiment made of an example.</summary>
    public Task<ExperimentFigures> ExperimentFiguresAsync(
        Caller caller,
        Guid experimentId,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "figures of an experiment",
            () => store.ExperimentFiguresAsync(caller.WorkspaceId, experimentId, cancellationToken),
            cancellationToken
        );

    /// <summary>Values with counts of one project.</summary>
    public Task<IReadOnlyList<Facet>> FacetsAsync(
        Caller caller,
        Guid projectId,
        DateTimeOffset? from,
        DateTimeOffset? to,
        int maxValues,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "facets",
            () =>
                store.FacetsAsync(
                    caller.WorkspaceId,
                    projectId,
                    from,
                    to,
                    maxValues,
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Threads of a project, last activity first.</summary>
    public Task<ConversationPage> ConversationsAsync(
        Caller caller,
        ConversationQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            QueryShape.Of("threads", query),
            () =>
                store.ConversationsAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Feedback, newest first.</summary>
    public Task<IReadOnlyList<FeedbackRecord>> FeedbackAsync(
        Caller caller,
        FeedbackQuery query,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            caller,
            "feedback",
            () =>
                store.FeedbackAsync(
                    query with
                    {
                        WorkspaceId = caller.WorkspaceId,
                    },
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Feedback given to projects themselves, summed up by project and key.</summary>
    public async Task<
        IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>>
    > ProjectFeedbackAsync(
        Caller caller,
        IReadOnlyList<Guid> projectIds,
        CancellationToken cancellationToken
    )
    {
        await ReadyAsync(caller, cancellationToken);
        return await store.ProjectFeedbackAsync(caller.WorkspaceId, projectIds, cancellationToken);
    }

    /// <summary>Ids of direct children and of all descendants.</summary>
    public async Task<(IReadOnlyList<Guid> Direct, IReadOnlyList<Guid> All)> ChildIdsAsync(
        Caller caller,
        Guid traceId,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        await ReadyAsync(caller, cancellationToken);
        return await store.ChildIdsAsync(caller.WorkspaceId, traceId, runId, cancellationToken);
    }

    /// <summary>Deletes runs; returns how many there were.</summary>
    public async Task<long> DeleteRunsAsync(
        Caller caller,
        IReadOnlyList<Guid> runIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await store.SettleAsync(cancellationToken);
        return await store.DeleteRunsAsync(caller.WorkspaceId, runIds, cancellationToken);
    }

    /// <summary>Deletes whole traces, of one project when it is named; returns how many runs went.</summary>
    public async Task<long> DeleteTracesAsync(
        Caller caller,
        IReadOnlyList<Guid> traceIds,
        Guid? projectId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await store.SettleAsync(cancellationToken);
        return await store.DeleteTracesAsync(
            caller.WorkspaceId,
            traceIds,
            projectId,
            cancellationToken
        );
    }

    private async Task<T> AskAsync<T>(
        Caller caller,
        string shape,
        Func<Task<T>> ask,
        CancellationToken cancellationToken
    )
    {
        await ReadyAsync(caller, cancellationToken);
        return await times.TakeAsync(caller.WorkspaceId, shape, ask);
    }

    private async ValueTask ReadyAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await store.SettleAsync(cancellationToken);
    }
}
