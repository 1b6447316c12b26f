using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Runs;

/// <summary>What a run's own row does not know: its link, the dataset its project ran on, and its place in its trace.</summary>
internal sealed record RunRelations
{
    public static RunRelations None { get; } = new();

    /// <summary>Share tokens by run.</summary>
    public IReadOnlyDictionary<Guid, Guid> ShareTokens { get; init; } =
        new Dictionary<Guid, Guid>();

    /// <summary>Reference datasets by project.</summary>
    public IReadOnlyDictionary<Guid, Guid> Datasets { get; init; } = new Dictionary<Guid, Guid>();

    /// <summary>Shapes by trace; only where somebody asked for what they tell.</summary>
    public IReadOnlyDictionary<Guid, TraceShape> Traces { get; init; } =
        new Dictionary<Guid, TraceShape>();

    /// <summary>The dataset of the example that a run was made from.</summary>
    public Guid? DatasetOf(Run run) =>
        run.ReferenceExampleId is not null && Datasets.TryGetValue(run.ProjectId, out var id)
            ? id
            : null;

    /// <summary>Loads them for a page of runs.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="runs">The page.</param>
    /// <param name="withTraces">Child ids and the trace's times are wanted too, which costs a read of each trace.</param>
    /// <param name="services">The request's services.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<RunRelations> LoadAsync(
        Caller caller,
        IReadOnlyList<Run> runs,
        bool withTraces,
        IServiceProvider services,
        CancellationToken cancellationToken
    )
    {
        if (runs.Count == 0)
        {
            return None;
        }

        var traces = new Dictionary<Guid, TraceShape>();
        if (withTraces)
        {
            var queries = services.GetRequiredService<TraceQueries>();
            foreach (var (trace, project) in runs.Select(r => (r.TraceId, r.ProjectId)).Distinct())
            {
                traces[trace] = new TraceShape(
                    await queries.ReadTraceAsync(
                        caller,
                        trace,
                        project,
                        RunParts.None,
                        cancellationToken
                    )
                );
            }
        }

        return new RunRelations
        {
            ShareTokens = await services
                .GetRequiredService<ShareLinks>()
                .TokensAsync(caller, [.. runs.Select(r => r.Id)], cancellationToken),
            Datasets = await DatasetsAsync(
                caller,
                [.. runs.Where(r => r.ReferenceExampleId is not null).Select(r => r.ProjectId)],
                services.GetRequiredService<IDbContextFactory<MetadataContext>>(),
                cancellationToken
            ),
            Traces = traces,
        };
    }

    private static async Task<IReadOnlyDictionary<Guid, Guid>> DatasetsAsync(
        Caller caller,
        HashSet<Guid> projects,
        IDbContextFactory<MetadataContext> metadata,
        CancellationToken cancellationToken
    )
    {
        if (projects.Count == 0)
        {
            return new Dictionary<Guid, Guid>();
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Projects.AsNoTracking()
            .Where(p =>
                p.WorkspaceId == caller.WorkspaceId
                && projects.Contains(p.Id)
                && p.ReferenceDatasetId != null
            )
            .ToDictionaryAsync(
                p => p.Id,
                p => p.ReferenceDatasetId.GetValueOrDefault(),
                cancellationToken
            );
    }
}

/// <summary>Who hangs below whom in a trace, and when it began and ended.</summary>
internal sealed class TraceShape
{
    private readonly ILookup<Guid, Guid> _children;

    /// <param name="runs">The runs of the trace, parents before their children.</param>
    public TraceShape(IReadOnlyList<Run> runs)
    {
        _children = runs.Where(r => r.ParentRunId is not null)
            .ToLookup(r => r.ParentRunId.GetValueOrDefault(), r => r.Id);
        MinStart = runs.Count == 0 ? null : runs.Min(r => r.StartTime);
        MaxStart = runs.Count == 0 ? null : runs.Max(r => r.StartTime);
    }

    public DateTimeOffset? MinStart { get; }

    public DateTimeOffset? MaxStart { get; }

    /// <summary>Children of a run, in execution order.</summary>
    public IReadOnlyList<Guid> Children(Guid run) => [.. _children[run]];

    /// <summary>All descendants of a run, each before its own children.</summary>
    public IReadOnlyList<Guid> Descendants(Guid run)
    {
        var found = new List<Guid>();
        var seen = new HashSet<Guid> { run };
        var stack = new Stack<Guid>(_children[run].Reverse());
        while (stack.TryPop(out var next))
        {
            // Clients can send a cycle of parents.
            if (seen.Add(next))
            {
                found.Add(next);
                foreach (var child in _children[next].Reverse())
                {
                    stack.Push(child);
                }
            }
        }

        return found;
    }
}
