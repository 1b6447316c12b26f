using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Insights;
using Assay.UI.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Insights;

/// <summary>What the pages of reports ask: the estimate and the start, the view that follows a report, and its buttons.</summary>
internal static class InsightsUiEndpoints
{
    private const string Path = "/projects/{projectId:guid}/insights";

    public static void MapInsightsPages(this IEndpointRouteBuilder ui)
    {
        ui.MapPost(Path + "/estimate", EstimateAsync).PageNeeds(Permission.Write);
        ui.MapPost(Path, StartAsync).PageNeeds(Permission.Write);
        ui.MapGet(Path + "/{jobId:guid}/view", ViewAsync);
        ui.MapPost(Path + "/{jobId:guid}/cancel", CancelAsync).PageNeeds(Permission.Write);
        ui.MapPost(Path + "/{jobId:guid}/resume", ResumeAsync).PageNeeds(Permission.Write);
        ui.MapPost(Path + "/{jobId:guid}/name", RenameAsync).PageNeeds(Permission.Write);
        ui.MapDelete(Path + "/{jobId:guid}", DeleteAsync).PageNeeds(Permission.Delete);
    }

    private static Task<IResult> EstimateAsync(
        Guid projectId,
        HttpContext context,
        InsightsEstimates estimates,
        InsightsModels models,
        TimeProvider time,
        CurrentCaller caller
    ) =>
        WithPlanAsync(
            context,
            models,
            time,
            caller,
            async plan =>
            {
                var e = await estimates.EstimateAsync(
                    caller.Value,
                    projectId,
                    plan,
                    caller.Aborted
                );
                return Results.Json(
                    new
                    {
                        runs = e.Runs,
                        matched = e.Matched,
                        prompt_tokens = e.PromptTokens,
                        answer_tokens = e.AnswerTokens,
                        dollars = e.Dollars,
                        is_simulated = e.IsSimulated,
                        left = e.LeftThisMonth,
                    }
                );
            },
            // While a filter is being typed it is wrong most of the time: an answer like any other.
            problem => Results.Json(new { problem })
        );

    private static Task<IResult> StartAsync(
        Guid projectId,
        HttpContext context,
        InsightsJobs jobs,
        InsightsModels models,
        TimeProvider time,
        CurrentCaller caller
    ) =>
        WithPlanAsync(
            context,
            models,
            time,
            caller,
            async plan =>
                await jobs.StartAsync(caller.Value, projectId, plan, caller.Aborted) is { } job
                    ? Results.Json(new { job = job.Id })
                    : Problem(StatusCodes.Status404NotFound, "The project is gone."),
            problem => Problem(StatusCodes.Status400BadRequest, problem)
        );

    private static async Task<IResult> ViewAsync(
        Guid projectId,
        Guid jobId,
        Guid? cluster,
        InsightsJobs jobs,
        CurrentCaller caller
    ) =>
        await jobs.FindAsync(caller.Value, projectId, jobId, caller.Aborted) is { } job
            ? new RazorComponentResult<InsightsView>(new { Job = job, Cluster = cluster })
            : Gone();

    private static async Task<IResult> CancelAsync(
        Guid projectId,
        Guid jobId,
        InsightsJobs jobs,
        CurrentCaller caller
    ) =>
        await jobs.CancelAsync(caller.Value, projectId, jobId, caller.Aborted)
            ? Results.NoContent()
            : Problem(StatusCodes.Status409Conflict, "The report has come to an end already.");

    private static async Task<IResult> ResumeAsync(
        Guid projectId,
        Guid jobId,
        InsightsJobs jobs,
        CurrentCaller caller
    ) =>
        await jobs.ResumeAsync(caller.Value, projectId, jobId, caller.Aborted)
            ? Results.NoContent()
            : Problem(
                StatusCodes.Status409Conflict,
                "Its last calls are still ending, or there is nothing left to do."
            );

    private static async Task<IResult> RenameAsync(
        Guid projectId,
        Guid jobId,
        HttpContext context,
        InsightsJobs jobs,
        CurrentCaller caller
    )
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body,
                default,
                caller.Aborted
            );
            return
                await jobs.RenameAsync(
                    caller.Value,
                    projectId,
                    jobId,
                    Text(body.RootElement, "name") ?? "",
                    caller.Aborted
                )
                    is null
                ? Gone()
                : Results.NoContent();
        }
        catch (JsonException)
        {
            return Problem(StatusCodes.Status400BadRequest, "The body is not JSON.");
        }
        catch (InvalidInsightsException e)
        {
            return Problem(StatusCodes.Status400BadRequest, e.Message);
        }
    }

    private static async Task<IResult> DeleteAsync(
        Guid projectId,
        Guid jobId,
        InsightsJobs jobs,
        CurrentCaller caller
    ) =>
        await jobs.DeleteAsync(caller.Value, projectId, jobId, caller.Aborted)
            ? Results.NoContent()
            : Gone();

    private static async Task<IResult> WithPlanAsync(
        HttpContext context,
        InsightsModels models,
        TimeProvider time,
        CurrentCaller caller,
        Func<InsightsPlan, Task<IResult>> answer,
        Func<string, IResult> refuse
    )
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(
                context.Request.Body,
                default,
                caller.Aborted
            );
            var json = body.RootElement;
            var range = TimeRange.Read(Text(json, "range"), time.GetUtcNow());
            var model = await models.OfAsync(
                caller.Value,
                Guid.TryParse(Text(json, "provider"), out var provider) ? provider : Guid.Empty,
                Text(json, "model"),
                caller.Aborted
            );
            var focus = Text(json, "focus");
            return await answer(
                new InsightsPlan
                {
                    Name = Text(json, "name"),
                    From = range.From,
                    To = range.To,
                    Filter = Text(json, "filter"),
                    Sample = Number(json, "sample") ?? InsightsPlan.DefaultSample,
                    Clusters = (int?)Number(json, "clusters"),
                    Context = focus is null
                        ? new Dictionary<string, string>()
                        : new Dictionary<string, string> { [""] = focus },
                    SummaryModel = model,
                    ClusterModel = model,
                }
            );
        }
        catch (JsonException)
        {
            return Problem(StatusCodes.Status400BadRequest, "The body is not JSON.");
        }
        catch (InvalidInsightsException e)
        {
            return refuse(e.Message);
        }
        catch (FilterException e)
        {
            return refuse($"filter: {e.Message}");
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
        && value.GetString()!.Trim() is { Length: > 0 } text
            ? text
            : null;

    private static double? Number(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.Number => value.GetDouble(),
                JsonValueKind.Null => null,
                _ => throw new InvalidInsightsException(
                    name,
                    string.Create(CultureInfo.InvariantCulture, $"{value} is not a number")
                ),
            }
            : null;

    private static IResult Gone() => Problem(StatusCodes.Status404NotFound, "The report is gone.");

    private static IResult Problem(int status, string detail) =>
        Results.Json(new { detail }, statusCode: status);
}
