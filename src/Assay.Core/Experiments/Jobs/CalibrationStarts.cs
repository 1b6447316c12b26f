using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Asks for the comparison of a judge with people, which is done in the background. Thread-safe.</summary>
public sealed class CalibrationStarts(
    IDbContextFactory<MetadataContext> metadata,
    EvaluatorFactory factory,
    HumanJudgements people,
    ExperimentJobs jobs,
    TimeProvider time
)
{
    /// <summary>
    /// Makes the job that has the judge's current version judge what people judged, with what people said until now; durable when this returns. The comparison
    /// is found under the job's id once it is done.
    /// </summary>
    /// <exception cref="InvalidEvaluatorException">It is no judge, nobody judged anything under that key, the judge cannot run, or it is being compared already.</exception>
    public async Task<ExperimentJob> StartAsync(
        Caller caller,
        Guid evaluatorId,
        CalibrationRequest request,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (request.Most is < 1 or > CalibrationRequest.MaxItems)
        {
            throw new InvalidEvaluatorException(
                "most",
                $"must be 1 to {CalibrationRequest.MaxItems:N0}"
            );
        }

        var opened =
            await factory.OpenAsync(caller, evaluatorId, null, cancellationToken)
            ?? throw new InvalidEvaluatorException("evaluator", "is not there any more");
        if (opened is not { Judge: { } settings, Definition: { } judge, Version: { } version })
        {
            throw new InvalidEvaluatorException(
                "evaluator",
                "only judges can be compared with people"
            );
        }

        if (await UnderWayAsync(caller, evaluatorId, cancellationToken) is not null)
        {
            throw new InvalidEvaluatorException(
                "evaluator",
                "is being compared already; wait for that or cancel it"
            );
        }

        var items = await people.ItemsAsync(caller, settings, request, cancellationToken);
        if (items.Count == 0)
        {
            throw new InvalidEvaluatorException(
                "human_key",
                settings.Pairwise
                    ? $"nobody said under '{request.HumanKey}' which of two runs is better"
                    : $"nobody judged a run under '{request.HumanKey}' in a way this judge's verdicts can be compared with"
            );
        }

        var now = time.GetUtcNow();
        var job = new ExperimentJob
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Kind = ExperimentJobKind.Calibrate,
            EvaluatorId = evaluatorId,
            Name = judge.Name,
            PlanJson = new JsonObject
            {
                ["human_key"] = request.HumanKey,
                ["project"] = request.ProjectId?.ToString(),
                ["most"] = request.Most,
                ["evaluators"] = new JsonArray(
                    new JsonObject
                    {
                        ["id"] = evaluatorId.ToString(),
                        ["version"] = version.Number,
                        ["name"] = judge.Name,
                    }
                ),
            }.ToJsonString(),
            Total = items.Count,
            UserId = caller.UserId,
            Actor = caller.Name,
            CreatedAt = now,
        };
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await jobs.AddAsync(
            db,
            caller,
            job,
            items.Select(
                (item, number) =>
                    new ExperimentJobRow
                    {
                        JobId = job.Id,
                        Number = number,
                        Repetition = 1,
                        RunId = item.Run,
                        ItemJson = JsonSerializer.Serialize(item, JudgeSettings.Json),
                    }
            ),
            cancellationToken
        );
        return job;
    }

    /// <summary>The comparison of a judge that has not come to an end; null when there is none.</summary>
    public async Task<ExperimentJob?> UnderWayAsync(
        Caller caller,
        Guid evaluatorId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentJobs.AsNoTracking()
            .Where(j =>
                j.WorkspaceId == caller.WorkspaceId
                && j.EvaluatorId == evaluatorId
                && (
                    j.State == ExperimentJobState.Waiting
                    || j.State == ExperimentJobState.Running
                    || j.State == ExperimentJobState.Paused
                )
            )
            .OrderByDescending(j => j.CreatedAt)
            .FirstOrDefaultAsync(cancellationToken);
    }
}
