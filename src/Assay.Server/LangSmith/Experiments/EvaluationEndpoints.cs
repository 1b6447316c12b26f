using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Experiments.Jobs;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>
/// Has an experiment evaluated by the server. LangSmith's wire names one rule; here a rule is an evaluator of the workspace, and
/// <c>evaluator_ids</c> may name several. The answer names the job; its progress is read beside it.
/// </summary>
internal static class EvaluationEndpoints
{
    private const int MaxListed = 100;

    public static void MapEvaluations(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/runs/experiments/{id:guid}/evaluate", StartAsync)
            .Needs(Permission.Write);
        app.MapGet("/api/v1/runs/experiments/{id:guid}/jobs", ListAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> StartAsync(
        Guid id,
        HttpContext context,
        ExperimentJobStarts jobs
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var chosen = json.Uuids("evaluator_ids").ToList();
        if (json.Uuid("rule_id") is { } rule && !chosen.Contains(rule))
        {
            chosen.Insert(0, rule);
        }

        if (chosen.Count == 0)
        {
            throw BodyFields.Wrong("rule_id", "the id of an evaluator");
        }

        var plan = new JsonObject
        {
            ["evaluators"] = new JsonArray([.. chosen.Select(e => (JsonNode)e.ToString())]),
        };
        if (json.Number("concurrency") is { } concurrency)
        {
            plan["concurrency"] = concurrency;
        }

        try
        {
            var job = await jobs.StartEvaluationAsync(
                context.Caller(),
                id,
                JsonSerializer.SerializeToElement(plan),
                context.RequestAborted
            );
            return WireResult.Json(w => Write(w, job));
        }
        catch (InvalidJobException e)
        {
            return Errors.Invalid(e.Message);
        }
    }

    private static async Task<IResult> ListAsync(Guid id, HttpContext context, ExperimentJobs jobs)
    {
        var (found, _) = await jobs.ListAsync(
            context.Caller(),
            null,
            id,
            0,
            MaxListed,
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var job in found)
            {
                Write(w, job);
            }

            w.WriteEndArray();
        });
    }

    private static void Write(Utf8JsonWriter w, ExperimentJob job)
    {
        w.WriteStartObject();
        w.WriteString("job_id", job.Id);
        w.WriteString("experiment_id", job.ExperimentId);
        w.WriteString("dataset_id", job.DatasetId);
        w.WriteString("kind", job.Kind == ExperimentJobKind.Run ? "run" : "evaluate");
        w.WriteString("status", Word(job.State));
        w.WriteString("reason", job.Reason);
        w.WriteNumber("total", job.Total);
        w.WriteNumber("done", job.Done);
        w.WriteNumber("failed", job.Failed);
        w.WriteNumber("unscored", job.Unscored);
        w.WriteString("created_at", job.CreatedAt);
        if (job.FinishedAt is { } finished)
        {
            w.WriteString("finished_at", finished);
        }
        else
        {
            w.WriteNull("finished_at");
        }

        w.WriteEndObject();
    }

    private static string Word(ExperimentJobState state) =>
        state switch
        {
            ExperimentJobState.Waiting => "waiting",
            ExperimentJobState.Running => "running",
            ExperimentJobState.Paused => "paused",
            ExperimentJobState.Done => "done",
            ExperimentJobState.Cancelled => "cancelled",
            _ => "failed",
        };
}
