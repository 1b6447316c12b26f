using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Projects;
using Assay.Core.Traces;

namespace Assay.Core.Experiments;

/// <summary>Results of experiments by groups of examples. Thread-safe.</summary>
public sealed class ExperimentGroups(ExperimentResults results, ExampleReader examples)
{
    /// <summary>
    /// Examples grouped by a value of their own metadata or of their runs', largest group first: in each group those that every experiment ran
    /// under that value, with the runs. A run without the key is in no group.
    /// </summary>
    /// <exception cref="DatasetProblemException">The dataset or an experiment is not there, or an experiment ran on another dataset.</exception>
    public async Task<IReadOnlyList<ExperimentGroup>> ReadAsync(
        Caller caller,
        ExperimentQuery query,
        string metadataKey,
        bool isOfRuns,
        int examplesPerGroup,
        CancellationToken cancellationToken
    )
    {
        var experiments = await results.ExperimentsAsync(caller, query, cancellationToken);
        var asOf = ExperimentTables.AsOfOf(experiments);
        var ordered = await examples.IdsAsync(caller, query.DatasetId, asOf, cancellationToken);
        var values = isOfRuns
            ? null
            : await examples.MetadataAsync(
                caller,
                query.DatasetId,
                asOf,
                metadataKey,
                cancellationToken
            );
        var runs = new List<Run>();
        foreach (var experiment in experiments)
        {
            runs.AddRange(
                await results.RunsAsync(
                    caller,
                    query,
                    experiment.Id,
                    [],
                    RunParts.Details | RunParts.Feedback,
                    cancellationToken
                )
            );
        }

        string? ValueOf(Run run)
        {
            if (values is null)
            {
                foreach (var (key, value) in run.Metadata)
                {
                    if (key == metadataKey)
                    {
                        return value;
                    }
                }

                return null;
            }

            return values.GetValueOrDefault(run.ReferenceExampleId.GetValueOrDefault());
        }

        var groups = runs.Select(r => (Value: ValueOf(r), Run: r))
            .Where(r => r.Value is not null)
            .GroupBy(r => r.Value!, r => r.Run, StringComparer.Ordinal)
            .Select(g =>
            {
                var shared = g.GroupBy(r => r.ReferenceExampleId.GetValueOrDefault())
                    .Where(e => e.Select(r => r.ProjectId).Distinct().Count() == experiments.Count)
                    .Select(e => e.Key)
                    .ToHashSet();
                return (Value: g.Key, Examples: shared, Runs: g.ToList());
            })
            .OrderByDescending(g => g.Examples.Count)
            .ThenBy(g => g.Value, StringComparer.Ordinal)
            .Skip(query.Offset)
            .Take(query.Limit)
            .ToList();
        var found = new List<ExperimentGroup>();
        foreach (var group in groups)
        {
            var page = ordered.Where(group.Examples.Contains).Take(examplesPerGroup).ToList();
            var rows =
                page.Count == 0
                    ? []
                    : (
                        await results.RowsAsync(
                            caller,
                            query with
                            {
                                ExampleIds = page,
                                Offset = 0,
                                Limit = page.Count,
                                Sort = null,
                            },
                            cancellationToken
                        )
                    ).Rows;
            var own = group.Runs.Select(r => r.Id).ToHashSet();
            found.Add(
                new ExperimentGroup(
                    group.Value,
                    experiments,
                    [
                        .. group.Runs.Where(r =>
                            group.Examples.Contains(r.ReferenceExampleId.GetValueOrDefault())
                        ),
                    ],
                    [
                        .. rows.Select(r =>
                            r with
                            {
                                Runs = [.. r.Runs.Where(run => own.Contains(run.Id))],
                            }
                        ),
                    ],
                    group.Examples.Count
                )
            );
        }

        return found;
    }
}

/// <summary>Examples that share a value of metadata, with what every experiment made of them.</summary>
/// <param name="Value">The value, as text.</param>
/// <param name="Experiments">The experiments asked for, in order.</param>
/// <param name="Runs">All their runs on these examples under the value, without payloads.</param>
/// <param name="Rows">The first examples, with runs.</param>
/// <param name="ExampleCount">How many examples there are in all.</param>
public sealed record ExperimentGroup(
    string Value,
    IReadOnlyList<Project> Experiments,
    IReadOnlyList<Run> Runs,
    IReadOnlyList<ExperimentRow> Rows,
    int ExampleCount
);
