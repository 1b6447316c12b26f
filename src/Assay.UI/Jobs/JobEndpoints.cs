using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Experiments.Jobs;
using Assay.UI.Datasets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Jobs;

/// <summary>Background work on experiments: what the dialog offers and estimates, the start, the view that is asked for again and again, and the buttons.</summary>
internal static class JobEndpoints
{
    private const int MaxDatasets = 500;
    private const int MaxVersions = 50;
    private const int SampledForNames = 20;

    public static void MapJobs(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/jobs/datasets", DatasetsAsync);
        ui.MapGet("/jobs/datasets/{datasetId:guid}", DatasetAsync);
        ui.MapPost("/jobs/datasets/{datasetId:guid}/estimate", EstimateAsync)
            .PageNeeds(Permission.Write);
        ui.MapPost("/jobs/datasets/{datasetId:guid}/run", RunAsync).PageNeeds(Permission.Write);
        ui.MapGet("/jobs/evaluators", EvaluatorsAsync);
        ui.MapPost("/jobs/experiments/{experimentId:guid}/evaluate", EvaluateAsync)
            .PageNeeds(Permission.Write);
        ui.MapGet("/jobs/{id:guid}/view", ViewAsync);
        ui.MapPost("/jobs/{id:guid}/{action}", ActAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> DatasetsAsync(DatasetCatalog catalog, CurrentCaller caller)
    {
        var found = await catalog.ListAsync(
            caller.Value,
            new DatasetQuery { Limit = MaxDatasets },
            caller.Aborted
        );
        return Results.Json(
            found.Select(d => new
            {
                id = d.Dataset.Id,
                name = d.Dataset.Name,
                examples = d.Dataset.ExampleCount,
            })
        );
    }

    /// <summary>What of a dataset can be chosen: versions, splits, and the inputs its examples have.</summary>
    private static async Task<IResult> DatasetAsync(
        Guid datasetId,
        DatasetVersions versions,
        DatasetSplits splits,
        ExampleReader examples,
        CurrentCaller caller
    )
    {
        try
        {
            var known = await versions.VersionsAsync(
                caller.Value,
                datasetId,
                null,
                null,
                0,
                MaxVersions,
                caller.Aborted
            );
            var counts = await splits.SplitCountsAsync(
                caller.Value,
                datasetId,
                AsOf.Now,
                caller.Aborted
            );
            var sample = await examples.ListAsync(
                caller.Value,
                new ExampleQuery { DatasetId = datasetId, Limit = SampledForNames },
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    versions = known.Select(v => new
                    {
                        at = v.AsOf.ToString("O", CultureInfo.InvariantCulture),
                        tags = v.Tags,
                    }),
                    splits = counts.Select(c => new { name = c.Key, examples = c.Value }),
                    inputs = sample.SelectMany(Names).Distinct().Take(200),
                }
            );
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }

    private static List<string> Names(Example example)
    {
        using var inputs = JsonDocument.Parse(example.InputsJson);
        return inputs.RootElement.ValueKind == JsonValueKind.Object
            ? [.. inputs.RootElement.EnumerateObject().Select(p => p.Name)]
            : [];
    }

    private static async Task<IResult> EvaluatorsAsync(
        EvaluatorCatalog evaluators,
        CurrentCaller caller
    ) =>
        Results.Json(
            (await evaluators.ListAsync(caller.Value, caller.Aborted)).Select(e => new
            {
                id = e.Id,
                name = e.Name,
                key = e.FeedbackKey,
                kind = e.Kind.ToString(),
                version = e.Version,
            })
        );

    private static Task<IResult> EstimateAsync(
        Guid datasetId,
        HttpContext context,
        CostEstimates estimates,
        CurrentCaller caller
    ) =>
        WithBodyAsync(
            context,
            caller,
            async json =>
            {
                var e = await estimates.EstimateAsync(
                    caller.Value,
                    datasetId,
                    json,
                    caller.Aborted
                );
                return Results.Json(
                    new
                    {
                        examples = e.Examples,
                        rows = e.Rows,
                        sampled = e.Sampled,
                        prompt_tokens = e.PromptTokens,
                        completion_tokens = e.CompletionTokens,
                        assumption = e.Assumption,
                        dollars = e.Dollars,
                        is_simulated = e.IsSimulated,
                        left = e.LeftThisMonth,
                        minutes = e.AtLeast?.TotalMinutes,
                        problems = e.Problems,
                    }
                );
            }
        );

    private static Task<IResult> RunAsync(
        Guid datasetId,
        HttpContext context,
        ExperimentJobStarts jobs,
        CurrentCaller caller
    ) =>
        WithBodyAsync(
            context,
            caller,
            async json =>
                Started(await jobs.StartRunAsync(caller.Value, datasetId, json, caller.Aborted))
        );

    private static Task<IResult> EvaluateAsync(
        Guid experimentId,
        HttpContext context,
        ExperimentJobStarts jobs,
        CurrentCaller caller
    ) =>
        WithBodyAsync(
            context,
            caller,
            async json =>
                Started(
                    await jobs.StartEvaluationAsync(
                        caller.Value,
                        experimentId,
                        json,
                        caller.Aborted
                    )
                )
        );

    private static IResult Started(ExperimentJob job) =>
        Results.Json(new { job = job.Id, name = job.Name });

    private static async Task<IResult> ViewAsync(Guid id, ExperimentJobs jobs, CurrentCaller caller)
    {
        if (await jobs.FindAsync(caller.Value, id, caller.Aborted) is not { } job)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status404NotFound, "The job is gone.");
        }

        return new RazorComponentResult<JobView>(new { Job = job });
    }

    private static async Task<IResult> ActAsync(
        Guid id,
        string action,
        ExperimentJobs jobs,
        CurrentCaller caller
    )
    {
        switch (action)
        {
            case "pause":
                return Moved(await jobs.PauseAsync(caller.Value, id, caller.Aborted));
            case "resume":
                return Moved(await jobs.ResumeAsync(caller.Value, id, caller.Aborted));
            case "cancel":
                return Moved(await jobs.CancelAsync(caller.Value, id, caller.Aborted));
            case "retry":
                return Moved(await jobs.RetryAsync(caller.Value, id, caller.Aborted) > 0);
            default:
                return DatasetEndpoints.Problem(
                    StatusCodes.Status404NotFound,
                    "There is no such action."
                );
        }
    }

    private static IResult Moved(bool isMoved) =>
        isMoved
            ? Results.NoContent()
            : DatasetEndpoints.Problem(
                StatusCodes.Status409Conflict,
                "The job is not in a state for that any more, or rows of it are still ending."
            );

    private static async Task<IResult> WithBodyAsync(
        HttpContext context,
        CurrentCaller caller,
        Func<JsonElement, Task<IResult>> answer
    )
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body,
                new JsonDocumentOptions { MaxDepth = 128 },
                caller.Aborted
            );
            return await answer(body.RootElement);
        }
        catch (JsonException)
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status400BadRequest,
                "The body is not JSON."
            );
        }
        catch (InvalidJobException e)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }
}
