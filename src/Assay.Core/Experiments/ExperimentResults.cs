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
        var ran = new HashSet<Guid>();
        var narrowed = new List<HashSet<Guid>>();
        foreach (var experiment in experiments)
        {
            if (query.Filters.TryGetValue(experiment.Id, out var filters) && filters.Count > 0)
            {
                narrowed.Add([
                    .. (
                        await RunsAsync(
                            caller,
                            query,
                            experiment.Id,
                            [],
                            RunParts.None,
                            cancellationToken
                        )
                    )
                        .Select(r => r.ReferenceExampleId)
                        .OfType<Guid>(),
                ]);
                ran.UnionWith(narrowed[^1]);
            }
            else
            {
                var figures = await queries.ExperimentFiguresAsync(
                    caller,
                    experiment.Id,
                    cancellationToken
                );
                ran.UnionWith(figures.Runs.Select(r => r.ExampleId));
            }
        }

        // A filtered experiment narrows the rows to those it matches.
        narrowed.ForEach(ran.IntersectWith);
        var ordered = await examples.IdsAsync(caller, query.DatasetId, asOf, cancellationToken);
        var ids = ordered
            .Where(i =>
                ran.Contains(i) && (query.ExampleIds.Count == 0 || query.ExampleIds.Contains(i))
            )
            .ToList();
        if (query.Sort is { } sort)
        {
            ids = sort.Apply(
                ids,
                await queries.ExperimentFiguresAsync(caller, experiments[0].Id, cancellationToken)
            );
        }

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

    /// <summary>Mean score of a key by experiment and example; repetitions of an example are averaged.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="query">Which experiments, and which of their runs.</param>
    /// <param name="key">The feedback key.</param>
    /// <param name="comparative">With it the scores that this comparative experiment gave; else those given to the runs alone.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">The dataset or an experiment is not there, or an experiment ran on another dataset.</exception>
    public async Task<IReadOnlyDictionary<Guid, IReadOnlyDictionary<Guid, double>>> ScoresAsync(
        Caller caller,
        ExperimentQuery query,
        string key,
        Guid? comparative,
        CancellationToken cancellationToken
    )
    {
        var judged = comparative is { } id ? (
                await queries.FeedbackAsync(
                    caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        ComparativeExperimentId = id,
                        Keys = [key],
                        HasScore = true,
                        Limit = int.MaxValue,
                    },
                    cancellationToken
                )
            ).Where(f => f.RunId is not null).GroupBy(f => f.RunId.GetValueOrDefault()).ToDictionary(g => g.Key, g => g.Average(f => f.Score.GetValueOrDefault())) : null;
        var scores = new Dictionary<Guid, IReadOnlyDictionary<Guid, double>>();
        foreach (var experiment in await ExperimentsAsync(caller, query, cancellationToken))
        {
            var figures = await queries.ExperimentFiguresAsync(
                caller,
                experiment.Id,
                cancellationToken
            );
            var matching =
                query.Filters.TryGetValue(experiment.Id, out var filters) && filters.Count > 0
                    ? (
                        await RunsAsync(
                            caller,
                            query,
                            experiment.Id,
                            [],
                            RunParts.None,
                            cancellationToken
                        )
                    )
                        .Select(r => r.Id)
                        .ToHashSet()
                    : null;
            var place = figures.Keys.ToList().IndexOf(key);
            scores[experiment.Id] = figures
                .Runs.Where(r => matching?.Contains(r.RunId) != false)
                .Select(r =>
                    (
                        r.ExampleId,
                        Score: judged is not null
                            ? judged.TryGetValue(r.RunId, out var own)
                                ? own
                                : double.NaN
                            : place < 0
                                ? double.NaN
                                : r.Scores[place]
                    )
                )
                .Where(r => double.IsFinite(r.Score))
                .GroupBy(r => r.ExampleId, r => r.Score)
                .ToDictionary(g => g.Key, g => g.Average());
        }

        return scores;
    }

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

    internal async Task<IReadOnlyList<Project>> ExperimentsAsync(
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

    internal async Task<IReadOnlyList<Run>> RunsAsync(
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

    /// <summary>By what the rows are sorted; null for the order of the dataset.</summary>
    public ExperimentSort? Sort { get; init; }

    /// <summary>Skip this many examples.</summary>
    public int Offset { get; init; }

    /// <summary>At most this many examples.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>What to bring of each run.</summary>
    public RunParts Parts { get; init; } = RunParts.All;
}

/// <summary>Sorts rows by a figure of the first experiment.</summary>
/// <param name="By"><c>latency</c>, <c>total_tokens</c>, <c>total_cost</c>, <c>start_time</c>, <c>status</c> (failures last when ascending), or a feedback key, with or without <c>feedback.</c> before it.</param>
/// <param name="IsAscending">Smallest first.</param>
public sealed record ExperimentSort(string By, bool IsAscending)
{
    /// <summary>The examples in this order; those without a figure come last, in the order given.</summary>
    public List<Guid> Apply(IReadOnlyList<Guid> exampleIds, ExperimentFigures figures)
    {
        var key = By.StartsWith("feedback.", StringComparison.Ordinal) ? By[9..] : By;
        var place = figures.Keys.ToList().IndexOf(key);
        var values = figures
            .Runs.Select(r => (r.ExampleId, Value: ValueOf(r, place)))
            .Where(r => double.IsFinite(r.Value))
            .GroupBy(r => r.ExampleId, r => r.Value)
            .ToDictionary(g => g.Key, g => g.Average());
        var known = exampleIds.Where(values.ContainsKey);
        return
        [
            .. IsAscending
                ? known.OrderBy(i => values[i])
                : known.OrderByDescending(i => values[i]),
            .. exampleIds.Where(i => !values.ContainsKey(i)),
        ];
    }

    private double ValueOf(ExperimentRunFigures run, int place) =>
        place >= 0
            ? run.Scores[place]
            : By switch
            {
                "latency" => run.Latency ?? double.NaN,
                "total_tokens" or "tokens" => run.Tokens,
                "total_cost" or "cost" => (double)run.Cost,
                "start_time" => run.StartTime.ToUnixTimeMilliseconds(),
                "status" or "error" => run.Status == RunStatus.Error ? 1 : 0,
                _ => double.NaN,
            };
}

/// <summary>A page of results.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Total">How many there are in all.</param>
public sealed record ExperimentPage(IReadOnlyList<ExperimentRow> Rows, int Total);

/// <summary>An example with the runs that experiments made of it.</summary>
public sealed record ExperimentRow(Example Example, IReadOnlyList<Run> Runs);
