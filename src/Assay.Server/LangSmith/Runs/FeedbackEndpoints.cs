using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Feedback on LangSmith's wire. Feedback for a run that is not there yet is never refused.</summary>
internal static class FeedbackEndpoints
{
    public static void MapFeedback(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/feedback", CreateAsync).Needs(Permission.Ingest);
        app.MapGet("/api/v1/feedback", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/feedback/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/feedback/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/feedback/{id:guid}", DeleteAsync).Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        TraceIngest ingest,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (FeedbackJson.Read(document.RootElement, null, time.GetUtcNow()) is not { } item)
        {
            return Errors.Invalid("key: must be a text that is not empty");
        }

        await ingest.AcceptAsync(
            context.Caller(),
            new IngestBatch([], [item]),
            context.RequestAborted
        );
        return WireResult.Json(w => FeedbackJson.Write(w, item));
    }

    private static async Task<IResult> ListAsync(HttpContext context, TraceQueries queries)
    {
        var q = context.Request.Query;
        var items = await queries.FeedbackAsync(
            context.Caller(),
            new FeedbackQuery
            {
                WorkspaceId = context.Caller().WorkspaceId,
                RunIds = [.. q["run"].Select(v => Guid.TryParse(v, out var id) ? id : Guid.Empty)],
                ProjectIds =
                [
                    .. q["session"].Select(v => Guid.TryParse(v, out var id) ? id : Guid.Empty),
                ],
                Keys = [.. q["key"].OfType<string>()],
                SourceTypes = [.. q["source"].OfType<string>()],
                Limit = int.TryParse(
                    q["limit"],
                    System.Globalization.CultureInfo.InvariantCulture,
                    out var limit
                )
                    ? Math.Clamp(limit, 1, 100)
                    : 100,
                Offset = int.TryParse(
                    q["offset"],
                    System.Globalization.CultureInfo.InvariantCulture,
                    out var offset
                )
                    ? Math.Max(0, offset)
                    : 0,
            },
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in items)
            {
                FeedbackJson.Write(w, item);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext context, TraceQueries queries)
    {
        var found = await queries.FeedbackAsync(
            context.Caller(),
            new FeedbackQuery { WorkspaceId = context.Caller().WorkspaceId, Id = id },
            context.RequestAborted
        );
        return found.Count == 0
            ? Errors.NotFound("Feedback")
            : WireResult.Json(w => FeedbackJson.Write(w, found[0]));
    }

    private static async Task<IResult> PatchAsync(
        Guid id,
        HttpContext context,
        IRunStore store,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        await store.SettleAsync(context.RequestAborted);
        var json = document.RootElement;
        var changed = await store.UpdateFeedbackAsync(
            context.Caller().WorkspaceId,
            id,
            old => FeedbackJson.Change(old, json, time.GetUtcNow()),
            context.RequestAborted
        );
        return changed is null
            ? Errors.NotFound("Feedback")
            : WireResult.Json(w => FeedbackJson.Write(w, changed));
    }

    private static async Task<IResult> DeleteAsync(Guid id, HttpContext context, IRunStore store)
    {
        await store.SettleAsync(context.RequestAborted);
        return await store.DeleteFeedbackAsync(
            context.Caller().WorkspaceId,
            id,
            context.RequestAborted
        )
            ? Results.Json(new { })
            : Errors.NotFound("Feedback");
    }
}
