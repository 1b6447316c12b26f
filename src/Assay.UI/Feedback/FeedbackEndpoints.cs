using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.UI.Evaluators;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Feedback;

/// <summary>Feedback and notes given by people on the screens.</summary>
internal static class FeedbackEndpoints
{
    private const int MaxText = 10_000;

    public static void MapFeedback(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/runs/{runId:guid}/feedback", AddAsync).PageNeeds(Permission.Write);
        ui.MapPost("/projects/{projectId:guid}/threads/{threadId}/feedback", AddToThreadAsync)
            .PageNeeds(Permission.Write);
        ui.MapGet("/projects/{projectId:guid}/threads/{threadId}/feedback", OfThread);
        ui.MapPost("/data/{datasetId:guid}/examples/{exampleId:guid}/feedback", AddToExampleAsync)
            .PageNeeds(Permission.Write);
        ui.MapGet("/data/{datasetId:guid}/examples/{exampleId:guid}/feedback", OfExample);
        ui.MapPost("/feedback/{id:guid}/correct", CorrectAsync).PageNeeds(Permission.Write);
        ui.MapDelete("/feedback/{id:guid}", RemoveAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> AddAsync(
        Guid runId,
        Given given,
        TraceIngest ingest,
        TraceQueries queries,
        FeedbackKeys keys,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        if (
            await queries.FindAsync(caller.Value, runId, null, RunParts.None, caller.Aborted)
            is not { } run
        )
        {
            return Results.NotFound(new { detail = "The run is gone." });
        }

        return await GiveAsync(
            new Target(run.Id, run.TraceId, run.ProjectId, null),
            given,
            ingest,
            keys,
            caller,
            time
        );
    }

    /// <summary>Feedback on a thread stands on its last turn and names the thread.</summary>
    private static async Task<IResult> AddToThreadAsync(
        Guid projectId,
        string threadId,
        Given given,
        TraceIngest ingest,
        TraceQueries queries,
        FeedbackKeys keys,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var page = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = [projectId],
                ThreadId = threadId,
                IsRoot = true,
                Limit = 1,
                Parts = RunParts.None,
            },
            caller.Aborted
        );
        return page.Runs is [var last]
            ? await GiveAsync(
                new Target(
                    last.Id,
                    last.TraceId,
                    last.ProjectId,
                    JsonSerializer.Serialize(new { thread_id = threadId })
                ),
                given,
                ingest,
                keys,
                caller,
                time
            )
            : Results.NotFound(new { detail = "The thread is gone." });
    }

    private static RazorComponentResult<ThreadFeedback> OfThread(Guid projectId, string threadId) =>
        new(new { ProjectId = projectId, ThreadId = threadId });

    /// <summary>Feedback on an example stands under the example's id where a run's would be, names the example, and counts in no statistics of runs.</summary>
    private static async Task<IResult> AddToExampleAsync(
        Guid datasetId,
        Guid exampleId,
        Given given,
        TraceIngest ingest,
        ExampleReader reader,
        FeedbackKeys keys,
        CurrentCaller caller,
        TimeProvider time
    ) =>
        await reader.FindAsync(caller.Value, exampleId, datasetId, AsOf.Now, caller.Aborted) is null
            ? Results.NotFound(new { detail = "The example is gone." })
            : await GiveAsync(
                new Target(
                    exampleId,
                    null,
                    null,
                    JsonSerializer.Serialize(new { example_id = exampleId, dataset_id = datasetId })
                ),
                given,
                ingest,
                keys,
                caller,
                time
            );

    private static RazorComponentResult<ExampleFeedback> OfExample(
        Guid datasetId,
        Guid exampleId
    ) => new(new { DatasetId = datasetId, ExampleId = exampleId });

    private static async Task<IResult> GiveAsync(
        Target target,
        Given given,
        TraceIngest ingest,
        FeedbackKeys keys,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var key = given.Key?.Trim() ?? "";
        if (key.Length is 0 or > FeedbackKeys.MaxKeyLength)
        {
            return Results.BadRequest(
                new { detail = $"Key: 1 to {FeedbackKeys.MaxKeyLength} characters." }
            );
        }

        if (given.Comment?.Length > MaxText || given.Value?.Length > MaxText)
        {
            return Results.BadRequest(
                new { detail = $"Comment: at most {MaxText:N0} characters." }
            );
        }

        var (score, value) = (given.Score, given.Value);
        if ((await keys.ScalesAsync(caller.Value, caller.Aborted)).TryGetValue(key, out var scale))
        {
            if (score is { } number && scale.Type == FeedbackType.Score && !scale.Holds(number))
            {
                return Results.BadRequest(new { detail = $"{key}: must be {scale.Range}." });
            }

            if (scale.Categories.Count > 0 && value is { Length: > 0 })
            {
                if (scale.Categories.FirstOrDefault(c => c.Label == value) is not { } category)
                {
                    return Results.BadRequest(
                        new
                        {
                            detail = $"{key}: must be one of {string.Join(", ", scale.Categories.Select(c => c.Label))}.",
                        }
                    );
                }

                score = category.Value;
            }
        }

        var now = time.GetUtcNow();
        var record = new FeedbackRecord
        {
            Id = Guid.CreateVersion7(now),
            RunId = target.RunId,
            TraceId = target.TraceId,
            ProjectId = target.ProjectId,
            Key = key,
            Score = score,
            ValueJson = value is { Length: > 0 } ? JsonSerializer.Serialize(value) : null,
            Comment = given.Comment is { Length: > 0 } comment ? comment : null,
            SourceType = "app",
            UserId = caller.Value.UserId,
            ExtraJson = target.ExtraJson,
            CreatedAt = now,
            ModifiedAt = now,
        };
        await ingest.AcceptAsync(caller.Value, new IngestBatch([], [record]), caller.Aborted);
        return Results.Json(new { id = record.Id });
    }

    /// <summary>
    /// What an evaluator should have said, kept beside what it did say; a judge is shown it as an example, when that is wanted, from its next version on.
    /// </summary>
    private static async Task<IResult> CorrectAsync(
        Guid id,
        Correction said,
        IRunStore store,
        TraceQueries queries,
        Calibrations calibrations,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var found = await queries.FeedbackAsync(
            caller.Value,
            new FeedbackQuery { WorkspaceId = caller.Value.WorkspaceId, Id = id },
            caller.Aborted
        );
        if (found is not [{ IsByEvaluator: true } judged])
        {
            return Results.NotFound(new { detail = "The evaluator's score is gone." });
        }

        var reason = said.Reason is { Length: > 0 } why ? why : null;
        var isLabel = said.Verdict.ValueKind == JsonValueKind.String;
        if (
            reason?.Length > MaxText
            || !(
                isLabel
                    ? said.Verdict.GetString() is { Length: > 0 and <= MaxText }
                    : said.Verdict.ValueKind
                        is JsonValueKind.Number
                            or JsonValueKind.True
                            or JsonValueKind.False
            )
        )
        {
            return Results.BadRequest(
                new
                {
                    detail = $"Say what it should have been, in at most {MaxText:N0} characters.",
                }
            );
        }

        await store.SettleAsync(caller.Aborted);
        await store.UpdateFeedbackAsync(
            caller.Value.WorkspaceId,
            id,
            old =>
                old with
                {
                    CorrectionJson = JsonSerializer.Serialize(
                        isLabel
                            ? (object)new { label = said.Verdict, reason }
                            : new { score = said.Verdict, reason }
                    ),
                    ModifiedAt = time.GetUtcNow(),
                },
            caller.Aborted
        );
        if (
            !said.Teach
            || ScoreSource.Of(judged)?.EvaluatorId is not { } evaluator
            || judged.RunId is not { } run
        )
        {
            return Results.Json(new { version = (int?)null });
        }

        try
        {
            var saved = await calibrations.AddCorrectionAsync(
                caller.Value,
                evaluator,
                run,
                said.Verdict,
                reason,
                caller.Aborted
            );
            return Results.Json(new { saved.Version });
        }
        catch (Exception e) when (e is InvalidEvaluatorException or EvaluatorConflictException)
        {
            return Results.Json(new { problem = e.Message });
        }
    }

    private static async Task<IResult> RemoveAsync(Guid id, IRunStore store, CurrentCaller caller)
    {
        await store.SettleAsync(caller.Aborted);
        return await store.DeleteFeedbackAsync(caller.Value.WorkspaceId, id, caller.Aborted)
            ? Results.Ok()
            : Results.NotFound(new { detail = "The feedback is gone." });
    }

    /// <summary>What feedback is about.</summary>
    private sealed record Target(Guid RunId, Guid? TraceId, Guid? ProjectId, string? ExtraJson);

    /// <summary>What an evaluator should have said.</summary>
    private sealed record Correction(JsonElement Verdict, string? Reason, bool Teach);

    /// <summary>What the form sends.</summary>
    private sealed record Given(string? Key, double? Score, string? Value, string? Comment);
}
