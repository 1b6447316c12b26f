using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Feedback;

/// <summary>Feedback and notes given by people on the screens.</summary>
internal static class FeedbackEndpoints
{
    private const int MaxText = 10_000;

    public static void MapFeedback(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/runs/{runId:guid}/feedback", AddAsync).PageNeeds(Permission.Write);
        ui.MapDelete("/feedback/{id:guid}", RemoveAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> AddAsync(
        Guid runId,
        Given given,
        TraceIngest ingest,
        TraceQueries queries,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var key = given.Key?.Trim() ?? "";
        if (key.Length is 0 or > 180)
        {
            return Results.BadRequest(new { detail = "Key: 1 to 180 characters." });
        }

        if (given.Comment?.Length > MaxText || given.Value?.Length > MaxText)
        {
            return Results.BadRequest(
                new { detail = $"Comment: at most {MaxText:N0} characters." }
            );
        }

        if (
            await queries.FindAsync(caller.Value, runId, null, RunParts.None, caller.Aborted)
            is not { } run
        )
        {
            return Results.NotFound(new { detail = "The run is gone." });
        }

        var now = time.GetUtcNow();
        var record = new FeedbackRecord
        {
            Id = Guid.CreateVersion7(now),
            RunId = runId,
            TraceId = run.TraceId,
            ProjectId = run.ProjectId,
            Key = key,
            Score = given.Score,
            ValueJson = given.Value is { Length: > 0 } value
                ? JsonSerializer.Serialize(value)
                : null,
            Comment = given.Comment is { Length: > 0 } comment ? comment : null,
            SourceType = "app",
            UserId = caller.Value.UserId,
            CreatedAt = now,
            ModifiedAt = now,
        };
        await ingest.AcceptAsync(caller.Value, new IngestBatch([], [record]), caller.Aborted);
        return Results.Json(new { id = record.Id });
    }

    private static async Task<IResult> RemoveAsync(Guid id, IRunStore store, CurrentCaller caller)
    {
        await store.SettleAsync(caller.Aborted);
        return await store.DeleteFeedbackAsync(caller.Value.WorkspaceId, id, caller.Aborted)
            ? Results.Ok()
            : Results.NotFound(new { detail = "The feedback is gone." });
    }

    /// <summary>What the form sends.</summary>
    private sealed record Given(string? Key, double? Score, string? Value, string? Comment);
}
