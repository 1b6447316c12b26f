using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Metadata;
using Assay.Core.Models.Providers;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Asks for background work on experiments: a prompt run on a dataset, a finished experiment scored. Thread-safe.</summary>
public sealed class ExperimentJobStarts(
    IDbContextFactory<MetadataContext> metadata,
    ExampleReader examples,
    DatasetVersions versions,
    ModelProviders providers,
    EvaluatorFactory evaluators,
    TraceQueries queries,
    ExperimentJobs jobs,
    TimeProvider time
)
{
    private const int RunPage = 5_000;

    /// <summary>Makes an experiment and the job that fills it. Both are durable when this returns.</summary>
    /// <exception cref="InvalidJobException">There is nothing to run, or a provider or evaluator is not there.</exception>
    /// <exception cref="DatasetProblemException">There is no such dataset or version.</exception>
    public async Task<ExperimentJob> StartRunAsync(
        Caller caller,
        Guid datasetId,
        JsonElement given,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var plan = JobPlan.ReadRun(given);
        var provider =
            await providers.FindAsync(caller, plan.Variant!.ProviderId, cancellationToken)
            ?? throw new InvalidJobException("provider", "this workspace has no such provider");
        var (version, ids) = await ExamplesAsync(caller, datasetId, plan, cancellationToken);
        if (ids.Count == 0)
        {
            throw new InvalidJobException("dataset", "there is no example in that part of it");
        }

        if (ids.Count * plan.Repetitions > JobPlan.MaxRows)
        {
            throw new InvalidJobException(
                "dataset",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ids.Count:N0} examples × {plan.Repetitions} are more than {JobPlan.MaxRows:N0} rows"
                )
            );
        }

        var now = time.GetUtcNow();
        var stored = await PinnedAsync(caller, plan, version, cancellationToken);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var jobId = Guid.CreateVersion7(now);
        var experiment = new Project
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Name = await FreeNameAsync(db, caller, plan, cancellationToken),
            Description = plan.Description,
            ExtraJson = Extra(plan, provider, version, jobId),
            StartTime = now,
            CreatedAt = now,
            ModifiedAt = now,
            ReferenceDatasetId = datasetId,
            ExperimentNumber =
                1
                + await db.Projects.CountAsync(
                    p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == datasetId,
                    cancellationToken
                ),
        };
        db.Projects.Add(experiment);
        var job = new ExperimentJob
        {
            Id = jobId,
            WorkspaceId = caller.WorkspaceId,
            Kind = ExperimentJobKind.Run,
            DatasetId = datasetId,
            ExperimentId = experiment.Id,
            Name = experiment.Name,
            PlanJson = stored,
            Total = ids.Count * plan.Repetitions,
            UserId = caller.UserId,
            Actor = caller.Name,
            CreatedAt = now,
        };
        // All examples once before any of them twice: a look at a half-done job tells the most.
        await jobs.AddAsync(
            db,
            caller,
            job,
            Enumerable
                .Range(1, plan.Repetitions)
                .SelectMany(repetition => ids.Select(id => (Repetition: repetition, Id: id)))
                .Select(
                    (row, number) =>
                        new ExperimentJobRow
                        {
                            JobId = jobId,
                            Number = number,
                            ExampleId = row.Id,
                            Repetition = row.Repetition,
                            RunId = Guid.CreateVersion7(now),
                        }
                ),
            cancellationToken
        );
        return job;
    }

    /// <summary>Makes a job that scores the finished runs of an experiment; scores of the same evaluator are replaced.</summary>
    /// <exception cref="InvalidJobException">There is nothing to score, or an evaluator is not there.</exception>
    /// <exception cref="DatasetProblemException">There is no such experiment.</exception>
    public async Task<ExperimentJob> StartEvaluationAsync(
        Caller caller,
        Guid experimentId,
        JsonElement given,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var plan = JobPlan.ReadEvaluation(given);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var experiment = await db
            .Projects.AsNoTracking()
            .FirstOrDefaultAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == experimentId,
                cancellationToken
            );
        if (experiment?.ReferenceDatasetId is not { } datasetId)
        {
            throw DatasetProblemException.NotFound("Experiment");
        }

        var now = time.GetUtcNow();
        var jobId = Guid.CreateVersion7(now);
        var rows = new List<ExperimentJobRow>();
        string? cursor = null;
        do
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [experimentId],
                    IsRoot = true,
                    HasError = false,
                    Ascending = true,
                    Limit = RunPage,
                    Cursor = cursor,
                    Parts = RunParts.None,
                },
                cancellationToken
            );
            rows.AddRange(
                page.Runs.Where(r => r.EndTime is not null)
                    .Select(
                        (r, i) =>
                            new ExperimentJobRow
                            {
                                JobId = jobId,
                                Number = rows.Count + i,
                                ExampleId = r.ReferenceExampleId,
                                Repetition = 1,
                                RunId = r.Id,
                            }
                    )
                    .ToList()
            );
            cursor = page.Next;
        } while (cursor is not null && rows.Count <= JobPlan.MaxRows);

        if (rows.Count is 0 or > JobPlan.MaxRows)
        {
            throw new InvalidJobException(
                "experiment",
                rows.Count == 0
                    ? "it has no finished run that could be scored"
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"it has more than {JobPlan.MaxRows:N0} runs"
                    )
            );
        }

        var job = new ExperimentJob
        {
            Id = jobId,
            WorkspaceId = caller.WorkspaceId,
            Kind = ExperimentJobKind.Evaluate,
            DatasetId = datasetId,
            ExperimentId = experimentId,
            Name = experiment.Name,
            PlanJson = await PinnedAsync(
                caller,
                plan,
                ExperimentTables.AsOfOf([experiment]).Time,
                cancellationToken
            ),
            Total = rows.Count,
            UserId = caller.UserId,
            Actor = caller.Name,
            CreatedAt = now,
        };
        await jobs.AddAsync(db, caller, job, rows, cancellationToken);
        return job;
    }

    /// <summary>The version and the examples that a plan means, in the dataset's order.</summary>
    internal async Task<(DateTimeOffset Version, IReadOnlyList<Guid> Ids)> ExamplesAsync(
        Caller caller,
        Guid datasetId,
        JobPlan plan,
        CancellationToken cancellationToken
    )
    {
        var (version, _) = await versions.VersionAsync(
            caller,
            datasetId,
            plan.AsOf,
            cancellationToken
        );
        var ids = await examples.IdsAsync(
            caller,
            new ExampleQuery
            {
                DatasetId = datasetId,
                AsOf = new AsOf(Time: version),
                Splits = plan.Splits,
            },
            cancellationToken
        );
        return (version, plan.Limit is { } limit ? [.. ids.Take(limit)] : ids);
    }

    /// <summary>The plan as it is stored: with the versions that hold now, so that a job that goes on next week does what was asked for today.</summary>
    private async Task<string> PinnedAsync(
        Caller caller,
        JobPlan plan,
        DateTimeOffset? datasetVersion,
        CancellationToken cancellationToken
    )
    {
        var json = JsonNode.Parse(plan.Json.GetRawText())!.AsObject();
        var chosen = new JsonArray();
        foreach (var choice in plan.Evaluators)
        {
            OpenedEvaluator opened;
            try
            {
                opened =
                    await evaluators.OpenAsync(caller, choice.Id, choice.Version, cancellationToken)
                    ?? throw new InvalidJobException(
                        "evaluators",
                        $"this workspace has none with the id {choice.Id}"
                    );
            }
            catch (InvalidEvaluatorException e)
            {
                throw new InvalidJobException("evaluators", e.Message, e);
            }

            chosen.Add(
                new JsonObject
                {
                    ["id"] = choice.Id.ToString(),
                    ["version"] = opened.Version!.Number,
                    ["name"] = opened.Definition!.Name,
                }
            );
        }

        json["evaluators"] = chosen;
        if (datasetVersion is { } version)
        {
            json["version"] = version.ToString("O", CultureInfo.InvariantCulture);
        }

        return json.ToJsonString();
    }

    /// <summary>The name asked for, or made up from the prompt or model; with a tail when it is taken.</summary>
    private static async Task<string> FreeNameAsync(
        MetadataContext db,
        Caller caller,
        JobPlan plan,
        CancellationToken cancellationToken
    )
    {
        var wanted = plan.Name;
        if (
            wanted is not null
            && !await db.Projects.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Name == wanted,
                cancellationToken
            )
        )
        {
            return wanted;
        }

        var stem =
            wanted
            ?? plan.Variant!.Metadata.GetValueOrDefault("lc_hub_repo")
            ?? plan.Variant.Model.Split('?')[0];
        return $"{stem}-{Guid.CreateVersion7().ToString("N")[^8..]}";
    }

    /// <summary>What the experiment says about itself, so that it can be told from others and grouped with its like.</summary>
    private static string Extra(
        JobPlan plan,
        ModelProvider provider,
        DateTimeOffset version,
        Guid jobId
    )
    {
        var said = new JsonObject
        {
            ["model"] = plan.Variant!.Model,
            ["provider"] = provider.PricedAs,
        };
        if (plan.Variant.Metadata.TryGetValue("lc_hub_repo", out var prompt))
        {
            said["prompt"] = prompt;
        }

        if (plan.Variant.Metadata.TryGetValue("lc_hub_commit_hash", out var commit))
        {
            said["prompt_commit"] = commit;
        }

        foreach (var (name, value) in plan.Variant.Parameters)
        {
            said[name] = value?.DeepClone();
        }

        said["dataset_version"] = version.ToString("O", CultureInfo.InvariantCulture);
        if (plan.Splits.Count > 0)
        {
            said["dataset_splits"] = new JsonArray([.. plan.Splits.Select(s => (JsonNode)s)]);
        }

        if (plan.Repetitions > 1)
        {
            said["num_repetitions"] = plan.Repetitions;
        }

        foreach (var (key, value) in plan.Metadata)
        {
            said[key] = value;
        }

        said["job"] = jobId.ToString();
        return new JsonObject { ["metadata"] = said }.ToJsonString();
    }
}
