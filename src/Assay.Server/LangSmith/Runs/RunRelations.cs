using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Runs;

/// <summary>What a run's own row does not know: its link, the datasets around it, and its place in its trace.</summary>
internal sealed record RunRelations
{
    public static RunRelations None { get; } = new();

    /// <summary>Share tokens by run.</summary>
    public IReadOnlyDictionary<Guid, Guid> ShareTokens { get; init; } =
        new Dictionary<Guid, Guid>();

    /// <summary>Runs that an example of a dataset was made from.</summary>
    public IReadOnlySet<Guid> InDatasets { get; init; } = new HashSet<Guid>();

    /// <summary>When runs were last added to an annotation queue.</summary>
    public IReadOnlyDictionary<Guid, DateTimeOffset> LastQueued { get; init; } =
        new Dictionary<Guid, DateTimeOffset>();

    /// <summary>Shapes by trace; only where somebody asked for what they tell.</summary>
    public IReadOnlyDictionary<Guid, TraceShape> Traces { get; init; } =
        new Dictionary<Guid, TraceShape>();

    /// <summary>Datasets by their examples and by the projects that ran on them.</summary>
    private Dictionary<Guid, Guid> Datasets { get; init; } = [];

    /// <summary>The dataset of the example that a run was made from.</summary>
    public Guid? DatasetOf(Run run) =>
        run.ReferenceExampleId is not { } example ? null
        : Datasets.TryGetValue(example, out var id) || Datasets.TryGetValue(run.ProjectId, out id)
            ? id
        : null;

    /// <summary>When a run was last added to an annotation queue; null when it never was.</summary>
    public DateTimeOffset? QueuedAt(Run run) =>
        LastQueued.TryGetValue(run.Id, out var at) ? at : null;

    /// <summary>When the first piece of a run's trace arrived; null where it was not asked for and the run is not the root.</summary>
    public DateTimeOffset? FirstReceived(Run run) =>
        Traces.TryGetValue(run.TraceId, out var trace) ? trace.FirstReceived
        : run.IsRoot ? run.ReceivedAt
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

        IReadOnlyList<Guid> ids = [.. runs.Select(r => r.Id)];
        await using var db = await services
            .GetRequiredService<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(cancellationToken);
        var sources = await db
            .ExampleRevisions.Where(e =>
                e.WorkspaceId == caller.WorkspaceId
                && e.ValidTo == ExampleRevision.Forever
                && e.SourceRunId != null
                && ids.Contains(e.SourceRunId.Value)
            )
            .Select(e => e.SourceRunId)
            .ToListAsync(cancellationToken);
        var queued = await db
            .QueueItems.Where(i => i.WorkspaceId == caller.WorkspaceId && ids.Contains(i.RunId))
            .Select(i => new { i.RunId, i.AddedAt })
            .ToListAsync(cancellationToken);
        return new RunRelations
        {
            LastQueued = queued
                .GroupBy(i => i.RunId)
                .ToDictionary(g => g.Key, g => g.Max(i => i.AddedAt)),
            ShareTokens = await services
                .GetRequiredService<ShareLinks>()
                .TokensAsync(caller, ids, cancellationToken),
            InDatasets = sources.OfType<Guid>().ToHashSet(),
            Datasets = await DatasetsAsync(
                db,
                caller,
                [.. runs.Where(r => r.ReferenceExampleId is not null)],
                cancellationToken
            ),
            Traces = withTraces
                ? await TracesAsync(
                    caller,
                    runs,
                    services.GetRequiredService<TraceQueries>(),
                    cancellationToken
                )
                : [],
        };
    }

    private static async Task<Dictionary<Guid, Guid>> DatasetsAsync(
        MetadataContext db,
        Caller caller,
        IReadOnlyList<Run> runs,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<Guid, Guid>();
        if (runs.Count == 0)
        {
            return found;
        }

        IReadOnlyList<Guid> projects = [.. runs.Select(r => r.ProjectId).Distinct()];
        foreach (
            var project in await db
                .Projects.AsNoTracking()
                .Where(p =>
                    p.WorkspaceId == caller.WorkspaceId
                    && projects.Contains(p.Id)
                    && p.ReferenceDatasetId != null
                )
                .Select(p => new { p.Id, p.ReferenceDatasetId })
                .ToListAsync(cancellationToken)
        )
        {
            found[project.Id] = project.ReferenceDatasetId.GetValueOrDefault();
        }

        IReadOnlyList<Guid> examples =
        [
            .. runs.Select(r => r.ReferenceExampleId).OfType<Guid>().Distinct(),
        ];
        foreach (
            var example in await db
                .ExampleRevisions.Where(e =>
                    e.WorkspaceId == caller.WorkspaceId && examples.Contains(e.ExampleId)
                )
                .Select(e => new { e.ExampleId, e.DatasetId })
                .Distinct()
                .ToListAsync(cancellationToken)
        )
        {
            found[example.ExampleId] = example.DatasetId;
        }

        return found;
    }

    private static async Task<Dictionary<Guid, TraceShape>> TracesAsync(
        Caller caller,
        IReadOnlyList<Run> runs,
        TraceQueries queries,
        CancellationToken cancellationToken
    )
    {
        var traces = new Dictionary<Guid, TraceShape>();
        foreach (var (trace, project) in runs.Select(r => (r.TraceId, r.ProjectId)).Distinct())
        {
            var all = await queries.ReadTraceAsync(
                caller,
                trace,
                project,
                RunParts.None,
                cancellationToken
            );
            var root =
                all.Count == 0
                    ? null
                    : await queries.FindAsync(
                        caller,
                        all[0].Id,
                        project,
                        RunParts.Details,
                        cancellationToken
                    );
            traces[trace] = new TraceShape(all) { FirstReceived = root?.ReceivedAt };
        }

        return traces;
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

    /// <summary>When the first piece of the root arrived.</summary>
    public DateTimeOffset? FirstReceived { get; init; }

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
