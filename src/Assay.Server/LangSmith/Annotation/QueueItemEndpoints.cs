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
    private const string Completed = "completed";
    private const int MaxPage = 100;

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
            [.. document.RootElement.EnumerateArray().Select(QueueItemJson.ReadRun)],
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in added)
            {
                QueueItemJson.Write(w, item);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        QueueReader reader,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var q = context.Request.Query;
        var places = await reader.PageAsync(
            context.Caller(),
            id,
            new QueueSlice { Section = Section(q) },
            q.Whole("offset", 0, 0, int.MaxValue),
            q.Whole("limit", MaxPage, 1, MaxPage),
            context.RequestAborted
        );
        var runs = await RunsAsync(context, places, queries);
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            runs.Write(w, context.Caller(), url);
            w.WriteEndArray();
        });
    }

    private static async Task<IResult> AtAsync(
        Guid id,
        int index,
        HttpContext context,
        QueueReader reader,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        var places = await reader.PageAsync(
            context.Caller(),
            id,
            new QueueSlice { IsCompleted = false },
            Math.Max(0, index),
            1,
            context.RequestAborted
        );
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
            QueueItemJson.Change(json),
            context.RequestAborted
        );
        return WireResult.Json(w => QueueItemJson.Write(w, changed));
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
        QueueReader reader
    )
    {
        var (place, position, _) = await reader.PositionAsync(
            context.Caller(),
            id,
            item,
            context.RequestAborted
        );
        return Results.Json(
            new { section = QueueItemJson.Name(place.Section, Completed), position }
        );
    }

    private static async Task<IResult> SizeAsync(Guid id, HttpContext context, QueueReader reader)
    {
        var section = Section(context.Request.Query);
        return await CountAsync(
            id,
            context,
            reader,
            // Without a section those that wait are meant.
            new QueueSlice { Section = section, IsCompleted = section is null ? false : null }
        );
    }

    private static Task<IResult> TotalAsync(Guid id, HttpContext context, QueueReader reader) =>
        CountAsync(id, context, reader, QueueSlice.All);

    private static Task<IResult> ArchivedAsync(Guid id, HttpContext context, QueueReader reader)
    {
        var q = context.Request.Query;
        return CountAsync(
            id,
            context,
            reader,
            QueueItemJson.Archived(q.Time("start_time"), q.Time("end_time"), isExclusive: false)
        );
    }

    private static async Task<IResult> CountAsync(
        Guid id,
        HttpContext context,
        QueueReader reader,
        QueueSlice slice
    ) =>
        Results.Json(
            new
            {
                size = await reader.CountAsync(context.Caller(), id, slice, context.RequestAborted),
            }
        );

    /// <summary>The runs of everything completed in a time; written page by page, however many there are.</summary>
    private static async Task<IResult> ExportAsync(
        Guid id,
        HttpContext context,
        QueueReader reader,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var slice = QueueItemJson.Archived(
            json.Moment("start_time"),
            json.Moment("end_time"),
            isExclusive: false
        );
        var url = Attachments.Url(context, protection);
        var caller = context.Caller();
        QueueMark? mark = null;

        // The first page before the answer begins, so that a queue that is not there is an error and no broken file.
        async Task<(QueueRuns Runs, bool HasMore)> NextAsync()
        {
            var (places, hasMore) = await reader.BesideAsync(
                caller,
                id,
                slice,
                mark,
                isBackward: false,
                MaxPage,
                context.RequestAborted
            );
            mark = places.Count > 0 ? QueueMark.Of(places[^1]) : mark;
            return (await RunsAsync(context, places, queries), hasMore);
        }

        var page = await NextAsync();
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartArray();
        while (true)
        {
            page.Runs.Write(writer, caller, url);
            await writer.FlushAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            if (!page.HasMore)
            {
                break;
            }

            page = await NextAsync();
        }

        writer.WriteEndArray();
        await writer.FlushAsync(context.RequestAborted);
        return Results.Empty;
    }

    /// <summary>
    /// <c>viewed</c> reserves the item for the caller, <c>completed</c> says it is done, null takes that back; <c>override_added_at</c> moves it in
    /// the caller's order.
    /// </summary>
    private static async Task<IResult> StatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews,
        QueueReader reader
    )
    {
        await SetStatusAsync(item, context, reviews, reader);
        return Results.Json(new { message = "Status set" });
    }

    internal static async Task<(string? Status, DateTimeOffset? Moved)> SetStatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews,
        QueueReader reader
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
                    (await reader.PlaceAsync(caller, item, context.RequestAborted))
                        .Place
                        .Item
                        .QueueId,
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
            QueueItemJson.WriteRun(
                w,
                run,
                place,
                caller,
                Attachments.Url(context, protection),
                relations
            )
        );
    }

    private static async Task<QueueRuns> RunsAsync(
        HttpContext context,
        IReadOnlyList<QueuePlace> places,
        TraceQueries queries
    )
    {
        var caller = context.Caller();
        List<Guid> ids = [.. places.Select(p => p.Item.RunId).Distinct()];
        var runs =
            ids.Count == 0
                ? []
                : (
                    await queries.QueryAsync(
                        caller,
                        new RunQuery
                        {
                            WorkspaceId = caller.WorkspaceId,
                            RunIds = ids,
                            Limit = ids.Count,
                            Parts = RunParts.All,
                        },
                        context.RequestAborted
                    )
                ).Runs;
        return new QueueRuns(
            places,
            runs.DistinctBy(r => r.Id).ToDictionary(r => r.Id),
            await RunRelations.LoadAsync(
                caller,
                runs,
                withTraces: false,
                context.RequestServices,
                context.RequestAborted
            )
        );
    }

    private static QueueSection? Section(IQueryCollection q) =>
        q.Flag("archived") == true ? QueueSection.Completed
        : q.Word("status") is { } word
            ? QueueItemJson.Section(word)
                ?? throw BodyFields.Wrong(
                    "status",
                    "needs_my_review, needs_others_review or completed"
                )
        : null;

    /// <summary>Items of a page with their runs; an item whose run is gone is left out.</summary>
    private sealed record QueueRuns(
        IReadOnlyList<QueuePlace> Places,
        Dictionary<Guid, Run> Runs,
        RunRelations Relations
    )
    {
        public void Write(Utf8JsonWriter w, Caller caller, Func<Attachment, string> url)
        {
            foreach (var place in Places)
            {
                if (Runs.TryGetValue(place.Item.RunId, out var run))
                {
                    QueueItemJson.WriteRun(w, run, place, caller, url, Relations);
                }
            }
        }
    }
}
