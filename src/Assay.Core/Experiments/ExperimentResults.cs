using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Filters;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>What experiments made of a dataset: examples beside the runs made of them. Thread-safe.</summary>
public sealed class ExperimentResults(
    IDbContextFactory<MetadataContext> metadata,
    ExampleReader examples,
    TraceQueries queries
)
{
    private const int RunBatch = 10_000;

    /// <summary>One page of examples that at least one of the experiments ran, in dataset order, with the runs of each.</summary>
    /// <exception cref="DatasetProblemException">The dataset or an experiment is not there, or an experiment ran on another dataset.</exception>
    public async Task<ExperimentPage> RowsAsync(
        Caller caller,
        ExperimentQuery query,
        CancellationToken cancellationToken
    )
    {
        var experiments = await ExperimentsAsync(caller, query, cancellationToken);
        var asOf = ExperimentTables.AsOfOf(experiments);
        var found = new List<Run>();
        foreach (var experiment in experiments)
        {
            found.AddRange(
                await RunsAsync(caller, query, experiment.Id, [], RunParts.None, cancellationToken)
            );
        }

        // A filtered experiment narrows the rows to those it matches.
        var ran = found.Select(r => r.ReferenceExampleId).OfType<Guid>().ToHashSet();
        foreach (var filtered in query.Filters.Where(f => f.Value.Count > 0).Select(f => f.Key))
        {
            ran.IntersectWith(
                found
                    .Where(r => r.ProjectId == filtered)
                    .Select(r => r.ReferenceExampleId)
                    .OfType<Guid>()
            );
        }

        var ordered = await examples.IdsAsync(caller, query.DatasetId, asOf, cancellationToken);
        var ids = ordered
            .Where(i =>
                ran.Contains(i) && (query.ExampleIds.Count == 0 || query.ExampleIds.Contains(i))
            )
            .ToList();
        var page = ids.Skip(query.Offset).Take(query.Limit).ToList();
        if (page.Count == 0)
        {
            return new ExperimentPage([], ids.Count);
        }

        var runs = new List<Run>();
        foreach (var experiment in experiments)
        {
            runs.AddRange(
                await RunsAsync(caller, query, experiment.Id, page, query.Parts, cancellationToken)
            );
        }

        var read = await examples.ListAsync(
            caller,
            new ExampleQuery
            {
                DatasetId = query.DatasetId,
                Ids = page,
                AsOf = asOf,
                Limit = page.Count,
            },
            cancellationToken
        );
        var byExample = runs.ToLookup(r => r.ReferenceExampleId);
        return new ExperimentPage(
            [
                .. page.Join(
                    read,
                    i => i,
                    e => e.Id,
                    (_, e) =>
                        new ExperimentRow(
                            e,
                            [
                                .. byExample[e.Id]
                                    .OrderBy(r => query.ExperimentIds.IndexOf(r.ProjectId))
                                    .ThenBy(r => r.StartTime),
                            ]
                        )
                ),
            ],
            ids.Count
        );
    }

    /// <summary>Every root run of experiments on examples, without payloads, with feedback: what statistics need.</summary>
    public async Task<IReadOnlyList<Run>> AllRunsAsync(
        Caller caller,
        ExperimentQuery query,
        CancellationToken cancellationToken
    )
    {
        var runs = new List<Run>();
        foreach (var experiment in await ExperimentsAsync(caller, query, cancellationToken))
        {
            runs.AddRange(
                await RunsAsync(
                    caller,
                    query,
                    experiment.Id,
                    [],
                    RunParts.Feedback,
                    cancellationToken
                )
            );
        }

        return runs;
    }

    /// <summary>Mean score of a key by experiment and example; repetitions of an example are averaged.</summary>
    public async Task<IReadOnlyDictionary<Guid, IReadOnlyDictionary<Guid, double>>> ScoresAsync(
        Caller caller,
        ExperimentQuery query,
        string key,
        CancellationToken cancellationToken
    ) => Scores(await AllRunsAsync(caller, query, cancellationToken), key);

    /// <summary>The same from runs at hand.</summary>
    public static IReadOnlyDictionary<Guid, IReadOnlyDictionary<Guid, double>> Scores(
        IReadOnlyList<Run> runs,
        string key
    ) =>
        runs.Where(r =>
                r.ReferenceExampleId is not null
                && r.FeedbackStats.TryGetValue(key, out var s)
                && s.Average is not null
            )
            .GroupBy(r => r.ProjectId)
            .ToDictionary(
                g => g.Key,
                IReadOnlyDictionary<Guid, double> (g) =>
                    g.GroupBy(r => r.ReferenceExampleId.GetValueOrDefault())
                        .ToDictionary(
                            e => e.Key,
                            e => e.Average(r => r.FeedbackStats[key].Average.GetValueOrDefault())
                        )
            );

    /// <summary>Metadata of an experiment, as the client gave it.</summary>
    public static JsonObject MetadataOf(Project experiment)
    {
        if (experiment.ExtraJson is not { } json)
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(json)?["metadata"] as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private async Task<IReadOnlyList<Project>> ExperimentsAsync(
        Caller caller,
        ExperimentQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        if (query.ExperimentIds.Count == 0)
        {
            throw DatasetProblemException.Invalid("session_ids: must name at least one experiment");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await DatasetCatalog.GetAsync(db, caller, query.DatasetId, cancellationToken);
        var found = await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && query.ExperimentIds.Contains(p.Id))
            .ToListAsync(cancellationToken);
        foreach (var id in query.ExperimentIds)
        {
            var experiment = found.Find(p => p.Id == id);
            if (experiment is null)
            {
                throw DatasetProblemException.NotFound($"Experiment {id}");
            }

            if (experiment.ReferenceDatasetId != query.DatasetId)
            {
                throw DatasetProblemException.Invalid(
                    $"session_ids: {id} is no experiment of this dataset"
                );
            }
        }

        return [.. query.ExperimentIds.Distinct().Select(i => found.First(p => p.Id == i))];
    }

    private async Task<IReadOnlyList<Run>> RunsAsync(
        Caller caller,
        ExperimentQuery query,
        Guid experimentId,
        IReadOnlyList<Guid> exampleIds,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var filters = query.Filters.TryGetValue(experimentId, out var texts)
            ? texts.Select(LangSmithFilterParser.Parse).ToList()
            : [];
        var runs = new List<Run>();
        string? cursor = null;
        do
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [experimentId],
                    ReferenceExampleIds = exampleIds,
                    IsRoot = true,
                    Filter = filters.Count == 0 ? null : new Filter.And(filters),
                    Limit = RunBatch,
                    Cursor = cursor,
                    Parts = parts,
                },
                cancellationToken
            );
            runs.AddRange(page.Runs.Where(r => r.ReferenceExampleId is not null));
            cursor = page.Next;
        } while (cursor is not null);

        return runs;
    }
}

/// <summary>A question for the results of experiments.</summary>
public sealed record ExperimentQuery
{
    /// <summary>The dataset.</summary>
    public required Guid DatasetId { get; init; }

    /// <summary>The experiments, in the order their runs are wanted.</summary>
    public required List<Guid> ExperimentIds { get; init; }

    /// <summary>Only these examples; empty means any.</summary>
    public IReadOnlyList<Guid> ExampleIds { get; init; } = [];

    /// <summary>Filters in LangSmith's language by experiment, ANDed.</summary>
    public IReadOnlyDictionary<Guid, IReadOnlyList<string>> Filters { get; init; } =
        new Dictionary<Guid, IReadOnlyList<string>>();

    /// <summary>Skip this many examples.</summary>
    public int Offset { get; init; }

    /// <summary>At most this many examples.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>What to bring of each run.</summary>
    public RunParts Parts { get; init; } = RunParts.All;
}

/// <summary>A page of results.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Total">How many there are in all.</param>
public sealed record ExperimentPage(IReadOnlyList<ExperimentRow> Rows, int Total);

/// <summary>An example with the runs that experiments made of it.</summary>
public sealed record ExperimentRow(Example Example, IReadOnlyList<Run> Runs);
