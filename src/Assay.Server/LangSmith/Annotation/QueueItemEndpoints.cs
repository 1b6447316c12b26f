using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Items of annotation queues on LangSmith's wire: added, read in the reviewer's order, reserved, done, removed, exported.</summary>
internal static class QueueItemEndpoints
{
    public static void MapQueueItems(this IEndpointRouteBuilder app)
    {
        const string queue = "/api/v1/annotation-queues/{id:guid}";
        app.MapPost($"{queue}/runs", AddAsync).Needs(Permission.Write);
        app.MapPost($"{queue}/runs/by-key", AddAsync).Needs(Permission.Write);
        app.MapGet($"{queue}/runs", ListAsync).Needs(Permission.Read);
        app.MapGet($"{queue}/run/{{index:int}}", AtAsync).Needs(Permission.Read);
        app.MapPatch($"{queue}/runs/{{item:guid}}", ChangeAsync).Needs(Permission.Write);
        app.MapDelete($"{queue}/runs/{{item:guid}}", RemoveAsync).Needs(Permission.Delete);
        app.MapPost($"{queue}/runs/delete", RemoveManyAsync).Needs(Permission.Delete);
        app.MapGet($"{queue}/runs/resolve/{{item:guid}}", ResolveAsync).Needs(Permission.Read);
        app.MapGet($"{queue}/size", SizeAsync).Needs(Permission.Read);
        app.MapGet($"{queue}/total_size", TotalAsync).Needs(Permission.Read);
        app.MapGet($"{queue}/total_archived", ArchivedAsync).Needs(Permission.Read);
        app.MapPost($"{queue}/export", ExportAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/annotation-queues/status/{item:guid}", StatusAsync)
            .Needs(Permission.Write);
    }

    /// <summary>Run ids, or objects that name the run and where it is.</summary>
    private static async Task<IResult> AddAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return Errors.Invalid("body: must be a list of runs");
        }

        var added = await queues.AddAsync(
            context.Caller(),
            id,
            [.. document.RootElement.EnumerateArray().Select(Read)],
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in added)
            {
                QueueOut.WriteItem(w, item);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        QueueReviews reviews,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var q = context.Request.Query;
        var wanted = Section(q);
        var places = (
            await reviews.PageAsync(
                context.Caller(),
                id,
                wanted,
                q.Whole("offset", 0, 0, int.MaxValue),
                q.Whole("limit", 100, 1, 100),
                context.RequestAborted
            )
        ).ToList();
        return await RunsAsync(context, places, queries, protection);
    }

    private static async Task<IResult> AtAsync(
        Guid id,
        int index,
        HttpContext context,
        QueueReviews reviews,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var places = (await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted))
            .Where(p => p.Section != QueueSection.Completed)
            .Skip(Math.Max(0, index))
            .Take(1)
            .ToList();
        return places is [var place]
            ? await RunAsync(context, place, queries, protection)
            : Errors.NotFound("Run at that index");
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        Guid item,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        await queues.GetAsync(context.Caller(), id, context.RequestAborted);
        var changed = await queues.ChangeItemAsync(
            context.Caller(),
            item,
            i =>
            {
                i.LastReviewedAt = json.Moment("last_reviewed_time") ?? i.LastReviewedAt;
                i.AddedAt = json.Moment("added_at") ?? i.AddedAt;
            },
            context.RequestAborted
        );
        return WireResult.Json(w => QueueOut.WriteItem(w, changed));
    }

    /// <summary>Python names the run, JavaScript the item: both are understood.</summary>
    private static async Task<IResult> RemoveAsync(
        Guid id,
        Guid item,
        HttpContext context,
        AnnotationQueues queues
    ) =>
        await queues.RemoveAsync(
            context.Caller(),
            id,
            items => items.Where(i => i.Id == item || i.RunId == item),
            context.RequestAborted
        )
            ? Results.Json(new { message = "Run removed from the queue" })
            : Errors.NotFound("Queue item");

    private static async Task<IResult> RemoveManyAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var (ids, kept) = (json.Uuids("run_ids"), json.Uuids("exclude_run_ids"));
        var isAll = json.Flag("delete_all") ?? false;
        if (ids.Count == 0 && !isAll)
        {
            return Errors.Invalid("run_ids: must name runs, or delete_all be true");
        }

        await queues.RemoveAsync(
            context.Caller(),
            id,
            items =>
                items.Where(i =>
                    (isAll || ids.Contains(i.Id) || ids.Contains(i.RunId))
                    && !kept.Contains(i.Id)
                    && !kept.Contains(i.RunId)
                ),
            context.RequestAborted
        );
        return Results.Json(new { message = "Runs removed from the queue" });
    }

    private static async Task<IResult> ResolveAsync(
        Guid id,
        Guid item,
        HttpContext context,
        QueueReviews reviews
    )
    {
        var places = await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted);
        if (places.FirstOrDefault(p => p.Item.Id == item) is not { } place)
        {
            return Errors.NotFound("Queue item");
        }

        return Results.Json(
            new
            {
                section = Name(place.Section),
                position = places
                    .Where(p => p.Section == place.Section)
                    .TakeWhile(p => p != place)
                    .Count(),
            }
        );
    }

    private static async Task<IResult> SizeAsync(Guid id, HttpContext context, QueueReviews reviews)
    {
        var counts = await reviews.CountsAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(
            new
            {
                size = Section(context.Request.Query) switch
                {
                    QueueSection.NeedsMyReview => counts.Mine,
                    QueueSection.NeedsOthersReview => counts.Others,
                    QueueSection.Completed => counts.Completed,
                    _ => counts.Mine + counts.Others,
                },
            }
        );
    }

    private static async Task<IResult> TotalAsync(
        Guid id,
        HttpContext context,
        QueueReviews reviews
    ) =>
        Results.Json(
            new
            {
                size = (
                    await reviews.CountsAsync(context.Caller(), id, context.RequestAborted)
                ).All,
            }
        );

    private static async Task<IResult> ArchivedAsync(
        Guid id,
        HttpContext context,
        QueueReviews reviews
    )
    {
        var q = context.Request.Query;
        var (from, to) = (q.Time("start_time"), q.Time("end_time"));
        var places = await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(
            new
            {
                size = places.Count(p =>
                    p.Item.CompletedAt is { } time
                    && (from is null || time >= from)
                    && (to is null || time <= to)
                ),
            }
        );
    }

    private static async Task<IResult> ExportAsync(
        Guid id,
        HttpContext context,
        QueueReviews reviews,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var (from, to) = (json.Moment("start_time"), json.Moment("end_time"));
        var places = (await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted))
            .Where(p =>
                p.Item.CompletedAt is { } time
                && (from is null || time >= from)
                && (to is null || time <= to)
            )
            .ToList();
        return await RunsAsync(context, places, queries, protection);
    }

    /// <summary>
    /// <c>viewed</c> reserves the item for the caller, <c>completed</c> says it is done, null takes that back; <c>override_added_at</c> moves it in
    /// the caller's order.
    /// </summary>
    private static async Task<IResult> StatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews
    )
    {
        await SetStatusAsync(item, context, reviews);
        return Results.Json(new { message = "Status set" });
    }

    internal static async Task<(string? Status, DateTimeOffset? Moved)> SetStatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var caller = context.Caller();
        var moved = json.Moment("override_added_at");
        var status = json.StrictText("status");
        if (status is not (null or "viewed" or "completed"))
        {
            throw BodyFields.Wrong("status", "viewed, completed or null");
        }

        if (moved is not null)
        {
            await reviews.SkipAsync(caller, item, moved, context.RequestAborted);
        }

        switch (status)
        {
            case "viewed":
                await reviews.ReserveAsync(
                    caller,
                    await reviews.QueueOfAsync(caller, item, context.RequestAborted),
                    item,
                    context.RequestAborted
                );
                break;
            case "completed":
                await reviews.CompleteAsync(caller, item, null, null, context.RequestAborted);
                break;
            default:
                if (moved is null)
                {
                    await reviews.ReopenAsync(
                        caller,
                        item,
                        isReserved: false,
                        context.RequestAborted
                    );
                }

                break;
        }

        return (status, moved);
    }

    private static async Task<IResult> RunAsync(
        HttpContext context,
        QueuePlace place,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var caller = context.Caller();
        var run = await queries.FindAsync(
            caller,
            place.Item.RunId,
            place.Item.ProjectId,
            RunParts.All,
            context.RequestAborted
        );
        if (run is null)
        {
            return Errors.NotFound("Run");
        }

        var relations = await RunRelations.LoadAsync(
            caller,
            [run],
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        return WireResult.Json(w =>
            QueueOut.WriteRun(
                w,
                run,
                place,
                caller,
                Attachments.Url(context, protection),
                relations
            )
        );
    }

    private static async Task<IResult> RunsAsync(
        HttpContext context,
        IReadOnlyList<QueuePlace> places,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var caller = context.Caller();
        var runs = new Dictionary<Guid, Run>();
        foreach (var chunk in places.Select(p => p.Item.RunId).Distinct().Chunk(100))
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    RunIds = chunk,
                    Limit = chunk.Length,
                    Parts = RunParts.All,
                },
                context.RequestAborted
            );
            foreach (var run in page.Runs)
            {
                runs[run.Id] = run;
            }
        }

        var relations = await RunRelations.LoadAsync(
            caller,
            [.. runs.Values],
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var place in places)
            {
                if (runs.TryGetValue(place.Item.RunId, out var run))
                {
                    QueueOut.WriteRun(w, run, place, caller, url, relations);
                }
            }

            w.WriteEndArray();
        });
    }

    private static NewQueueItem Read(JsonElement json) =>
        json.ValueKind == JsonValueKind.String
            ? new NewQueueItem(
                Guid.TryParse(json.GetString(), out var id)
                    ? id
                    : throw BodyFields.Wrong("run_id", "a UUID")
            )
            : new NewQueueItem(json.Uuid("run_id") ?? throw BodyFields.Wrong("run_id", "a UUID"))
            {
                ProjectId = json.Uuid("session_id"),
                StartTime = json.Moment("start_time"),
                ProposedExampleId = json.Uuid("source_proposed_example_id"),
            };

    private static QueueSection? Section(IQueryCollection q) =>
        q.Flag("archived") == true
            ? QueueSection.Completed
            : q.Word("status") switch
            {
                null => null,
                "needs_my_review" => QueueSection.NeedsMyReview,
                "needs_others_review" => QueueSection.NeedsOthersReview,
                "completed" or "archived" => QueueSection.Completed,
                _ => throw BodyFields.Wrong(
                    "status",
                    "needs_my_review, needs_others_review or completed"
                ),
            };

    private static string Name(QueueSection section) =>
        section switch
        {
            QueueSection.NeedsMyReview => "needs_my_review",
            QueueSection.NeedsOthersReview => "needs_others_review",
            _ => "completed",
        };
}
