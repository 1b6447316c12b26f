using System.Globalization;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>Experiments side by side: which ones a dataset has, what they measured, and the examples and runs of a page of rows. Thread-safe.</summary>
public sealed class ExperimentTables(
    IDbContextFactory<MetadataContext> metadata,
    ExampleReader examples,
    TraceQueries queries
)
{
    /// <summary>The most experiments that are compared at once.</summary>
    public const int MaxCompared = 8;

    /// <summary>The experiments of a dataset, newest first.</summary>
    public async Task<(IReadOnlyList<Project> Experiments, int Total)> ListAsync(
        Caller caller,
        Guid datasetId,
        string? nameContains,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var all = db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == datasetId);
        if (nameContains is { Length: > 0 })
        {
            var pattern = Patterns.Containing(nameContains);
            all = all.Where(p => EF.Functions.Like(p.Name, pattern, Patterns.Escape));
        }

        return (
            await all.OrderByDescending(p => p.StartTime)
                .ThenBy(p => p.Id)
                .Skip(offset)
                .Take(limit)
                .ToListAsync(cancellationToken),
            await all.CountAsync(cancellationToken)
        );
    }

    /// <summary>Measures of experiments under the same metrics: every feedback key one of them has, then latency, tokens and cost (where known) and errors.</summary>
    /// <exception cref="DatasetProblemException">An experiment is not there, or ran on another dataset.</exception>
    public async Task<IReadOnlyList<ExperimentMeasures>> MeasureAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<Guid> experimentIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        List<Project> found;
        HashSet<string> lowerIsBetter;
        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        {
            found = await db
                .Projects.AsNoTracking()
                .Where(p =>
                    p.WorkspaceId == caller.WorkspaceId
                    && p.ReferenceDatasetId == datasetId
                    && experimentIds.Contains(p.Id)
                )
                .ToListAsync(cancellationToken);
            lowerIsBetter =
            [
                .. await db
                    .FeedbackConfigs.AsNoTracking()
                    .Where(c => c.WorkspaceId == caller.WorkspaceId && c.IsLowerScoreBetter == true)
                    .Select(c => c.Key)
                    .ToListAsync(cancellationToken),
            ];
        }

        if (
            experimentIds.FirstOrDefault(i => found.TrueForAll(p => p.Id != i)) is var missing
            && missing != Guid.Empty
        )
        {
            throw DatasetProblemException.NotFound($"Experiment {missing} of this dataset");
        }

        var ordered = experimentIds.Distinct().Select(i => found.First(p => p.Id == i)).ToList();
        var figures = await Task.WhenAll(
            ordered.Select(p => queries.ExperimentFiguresAsync(caller, p.Id, cancellationToken))
        );
        IReadOnlyList<Metric> metrics =
        [
            .. figures
                .SelectMany(f => f.Keys)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Select(k => new Metric(k, k, MetricKind.Score, !lowerIsBetter.Contains(k))),
            // Where nobody reported usage, a column of zeros would only look like a measurement.
            .. Metric.OfRuns.Where(m =>
                m.Kind switch
                {
                    MetricKind.Tokens => figures.Any(f => f.Runs.Any(r => r.Tokens > 0)),
                    MetricKind.Cost => figures.Any(f => f.Runs.Any(r => r.Cost > 0)),
                    _ => true,
                }
            ),
        ];
        return [.. ordered.Zip(figures, (p, f) => new ExperimentMeasures(p, metrics, f))];
    }

    /// <summary>Every example that at least one of the experiments ran, in dataset order; those that left the dataset since come last.</summary>
    public async Task<IReadOnlyList<Guid>> ExamplesAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<ExperimentMeasures> experiments,
        CancellationToken cancellationToken
    )
    {
        var ran = experiments.SelectMany(e => e.Examples.Keys).ToHashSet();
        var ordered = await examples.IdsAsync(
            caller,
            datasetId,
            AsOfOf([.. experiments.Select(e => e.Experiment)]),
            cancellationToken
        );
        var here = ordered.Where(ran.Contains).ToList();
        return [.. here, .. ran.Except(here).Order()];
    }

    /// <summary>The examples and runs of one page of rows, runs by experiment in the order given.</summary>
    public async Task<IReadOnlyList<ExperimentRow>> RowsAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<ExperimentMeasures> experiments,
        IReadOnlyList<Guid> exampleIds,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        if (exampleIds.Count == 0)
        {
            return [];
        }

        var found = (
            await examples.ListAsync(
                caller,
                new ExampleQuery
                {
                    DatasetId = datasetId,
                    Ids = exampleIds,
                    AsOf = AsOfOf([.. experiments.Select(e => e.Experiment)]),
                    Limit = exampleIds.Count,
                },
                cancellationToken
            )
        ).ToDictionary(e => e.Id);
        var runs = new Dictionary<Guid, Run>();
        foreach (var experiment in experiments)
        {
            var ids = exampleIds
                .Where(experiment.Examples.ContainsKey)
                .SelectMany(i => experiment.Examples[i].RunIds)
                .ToList();
            foreach (var chunk in ids.Chunk(500))
            {
                var page = await queries.QueryAsync(
                    caller,
                    new RunQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        ProjectIds = [experiment.Experiment.Id],
                        RunIds = chunk,
                        Limit = chunk.Length,
                        Parts = parts,
                    },
                    cancellationToken
                );
                foreach (var run in page.Runs)
                {
                    runs[run.Id] = run;
                }
            }
        }

        return
        [
            .. exampleIds.Select(id => new ExperimentRow(
                found.GetValueOrDefault(id)
                    ?? new Example
                    {
                        Id = id,
                        DatasetId = datasetId,
                        Name = "",
                        InputsJson = "{}",
                        IsGone = true,
                    },
                [
                    .. experiments
                        .Where(e => e.Examples.ContainsKey(id))
                        .SelectMany(e => e.Examples[id].RunIds)
                        .Where(runs.ContainsKey)
                        .Select(r => runs[r]),
                ]
            )),
        ];
    }

    /// <summary>How the columns of a dataset's experiments are to be shown: the newest view that was made of them; empty when there is none.</summary>
    public async Task<IReadOnlyList<ColumnView>> ColumnsAsync(
        Caller caller,
        Guid datasetId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var json = await db
            .ExperimentViews.AsNoTracking()
            .Where(v => v.WorkspaceId == caller.WorkspaceId && v.DatasetId == datasetId)
            .OrderByDescending(v => v.ModifiedAt)
            .Select(v => v.ColumnsJson)
            .FirstOrDefaultAsync(cancellationToken);
        return json is null ? [] : ColumnView.Read(json);
    }

    /// <summary>Feedback given to the experiments themselves, by experiment and key: what summary evaluators computed.</summary>
    public Task<
        IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, Feedback.FeedbackStats>>
    > SummariesAsync(
        Caller caller,
        IReadOnlyList<Guid> experimentIds,
        CancellationToken cancellationToken
    ) => queries.ProjectFeedbackAsync(caller, experimentIds, cancellationToken);

    /// <summary>The newest version that one of the experiments says it ran on; now when one of them does not say.</summary>
    public static AsOf AsOfOf(IReadOnlyList<Project> experiments)
    {
        var times = new List<DateTimeOffset>();
        foreach (var experiment in experiments)
        {
            if (
                ExperimentResults.MetadataOf(experiment)["dataset_version"] is JsonValue value
                && value.TryGetValue<string>(out var text)
                && DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var time
                )
            )
            {
                times.Add(time);
            }
        }

        return times.Count == experiments.Count && times.Count > 0
            ? new AsOf(Time: times.Max())
            : AsOf.Now;
    }
}
