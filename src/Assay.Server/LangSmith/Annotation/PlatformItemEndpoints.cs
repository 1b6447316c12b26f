using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Items of annotation queues as LangSmith's generated clients know them: runs and threads alike, without payloads, paged by cursor.</summary>
internal static class PlatformItemEndpoints
{
    public static void MapPlatformItems(this IEndpointRouteBuilder app)
    {
        const string items = "/api/v1/platform/annotation-queues/{id:guid}/items";
        app.MapPost(items, AddAsync).Needs(Permission.Write);
        app.MapGet(items, ListAsync).Needs(Permission.Read);
        app.MapGet($"{items}/count", CountAsync).Needs(Permission.Read);
        app.MapPost($"{items}/delete", RemoveAsync).Needs(Permission.Delete);
        app.MapPatch($"{items}/{{item:guid}}", ChangeAsync).Needs(Permission.Write);
        app.MapGet($"{items}/{{item:guid}}/placement", PlacementAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/platform/annotation-queues/items/{item:guid}/status", StatusAsync)
            .Needs(Permission.Write);
    }

    private static async Task<IResult> AddAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var added = await queues.AddAsync(
            context.Caller(),
            id,
            [.. json.Items("items").Select(Read)],
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var item in added)
            {
                Write(w, item, null);
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> ListAsync(Guid id, HttpContext context, QueueReviews reviews)
    {
        var q = context.Request.Query;
        var section =
            Section(q.Word("status"))
            ?? throw BodyFields.Wrong("status", "needs_my_review, needs_others_review or archived");
        bool? isThread = q.Word("item_type") switch
        {
            null => null,
            "RUN" => false,
            "THREAD" => true,
            _ => throw BodyFields.Wrong("item_type", "RUN or THREAD"),
        };
        var limit = q.Whole(q.Word("page_size") is null ? "limit" : "page_size", 100, 1, 100);
        var cursor = q.Word("cursor") is { } text ? Cursor(text) : ((long, Guid)?)null;
        var isBackward = q.Word("direction") switch
        {
            null or "forward" => false,
            "backward" when cursor is not null => true,
            "backward" => throw BodyFields.Wrong("cursor", "given with direction=backward"),
            _ => throw BodyFields.Wrong("direction", "forward or backward"),
        };
        var places = (await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted))
            .Where(p => p.Section == section)
            .Where(p => isThread is null || isThread == p.Item.ThreadId is not null)
            .ToList();
        List<QueuePlace> rest =
        [
            .. places.Where(p =>
                cursor is not { } at
                || (isBackward ? Of(p).CompareTo(at) < 0 : Of(p).CompareTo(at) > 0)
            ),
        ];
        var page = isBackward ? rest.TakeLast(limit).ToList() : rest.Take(limit).ToList();
        var next =
            rest.Count > page.Count ? Of(isBackward ? page[0] : page[^1]) : ((long, Guid)?)null;
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            page.ForEach(p => Write(w, p.Item, p));
            w.WriteEndArray();
            w.WriteString("next_cursor", next is { } key ? Text(key) : null);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> CountAsync(
        Guid id,
        HttpContext context,
        QueueReviews reviews
    )
    {
        var q = context.Request.Query;
        QueueSection? section = q.Word("status") is "all" or null
            ? null
            : Section(q.Word("status"))
                ?? throw BodyFields.Wrong(
                    "status",
                    "all, needs_my_review, needs_others_review or archived"
                );
        var (from, to) = (q.Time("start_time"), q.Time("end_time"));
        var places = await reviews.PlacesAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(
            new
            {
                count = places.Count(p =>
                    (section is null || p.Section == section)
                    && (
                        section != QueueSection.Completed
                        || (
                            (from is null || p.Item.CompletedAt > from)
                            && (to is null || p.Item.CompletedAt < to)
                        )
                    )
                ),
            }
        );
    }

    private static async Task<IResult> RemoveAsync(
        Guid id,
        HttpContext context,
        AnnotationQueues queues
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (json.Uuids("item_ids") is not { Count: > 0 } ids)
        {
            throw BodyFields.Wrong("item_ids", "a list with at least one id");
        }

        await queues.RemoveAsync(
            context.Caller(),
            id,
            items => items.Where(i => ids.Contains(i.Id)),
            context.RequestAborted
        );
        return Results.Json(new { message = "Items removed from the queue" });
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        Guid item,
        HttpContext context,
        AnnotationQueues queues,
        QueueReviews reviews
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (await reviews.QueueOfAsync(context.Caller(), item, context.RequestAborted) != id)
        {
            return Errors.NotFound("Queue item");
        }

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
        return WireResult.Json(w => Write(w, changed, null));
    }

    private static async Task<IResult> PlacementAsync(
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

        var before = places
            .Where(p => p.Section == place.Section)
            .TakeWhile(p => p != place)
            .ToList();
        return Results.Json(
            new
            {
                section = Name(place.Section),
                position = before.Count,
                item_type = place.Item.ThreadId is null ? "RUN" : "THREAD",
                // Listing goes on after it: the item itself comes first then.
                cursor = before.Count == 0 ? null : Text(Of(before[^1])),
            }
        );
    }

    private static async Task<IResult> StatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews
    )
    {
        var (status, moved) = await QueueItemEndpoints.SetStatusAsync(item, context, reviews);
        var (place, _) = await reviews.PlaceAsync(context.Caller(), item, context.RequestAborted);
        return Results.Json(
            new
            {
                queue_item_id = item,
                status,
                override_added_at = moved is { } time ? WireAsOf.Time(time) : null,
                is_archived = place.Section == QueueSection.Completed,
            }
        );
    }

    private static NewQueueItem Read(JsonElement json)
    {
        json.MustBeObject();
        var project = json.Uuid("project_id") ?? json.Uuid("session_id");
        var thread = json.StrictText("thread_id");
        if (json.StrictText("item_type") == "THREAD" || (thread is not null && !json.Has("run_id")))
        {
            return new NewQueueItem(json.Uuid("run_id") ?? Guid.Empty)
            {
                ThreadId = thread is { Length: > 0 }
                    ? thread
                    : throw BodyFields.Wrong("thread_id", "a text that is not empty"),
                ProjectId = project ?? throw BodyFields.Wrong("project_id", "a UUID"),
                StartTime = json.Moment("start_time"),
            };
        }

        return new NewQueueItem(json.Uuid("run_id") ?? throw BodyFields.Wrong("run_id", "a UUID"))
        {
            ProjectId = project,
            StartTime = json.Moment("start_time"),
            ProposedExampleId = json.Uuid("source_proposed_example_id"),
        };
    }

    private static void Write(Utf8JsonWriter w, QueueItem item, QueuePlace? place)
    {
        w.WriteStartObject();
        w.WriteString("id", item.Id);
        w.WriteString("queue_id", item.QueueId);
        w.WriteString("item_type", item.ThreadId is null ? "RUN" : "THREAD");
        w.WriteId("run_id", item.RunId == Guid.Empty ? null : item.RunId);
        w.WriteString("thread_id", item.ThreadId);
        w.WriteId("project_id", item.ProjectId);
        w.WriteString("start_time", item.StartTime is { } start ? WireAsOf.Time(start) : null);
        w.WriteString("added_at", WireAsOf.Time(item.AddedAt));
        w.WriteString(
            "last_reviewed_time",
            item.LastReviewedAt is { } time ? WireAsOf.Time(time) : null
        );
        w.WriteId("source_proposed_example_id", item.ProposedExampleId);
        if (place is not null)
        {
            w.WriteString("effective_added_at", WireAsOf.Time(place.EffectiveAddedAt));
            w.WriteIds("completed_by", place.CompletedBy);
            w.WriteIds("reserved_by", place.ReservedBy);
        }

        w.WriteEndObject();
    }

    private static QueueSection? Section(string? status) =>
        status switch
        {
            "needs_my_review" => QueueSection.NeedsMyReview,
            "needs_others_review" => QueueSection.NeedsOthersReview,
            "archived" or "completed" => QueueSection.Completed,
            _ => null,
        };

    private static string Name(QueueSection section) =>
        section switch
        {
            QueueSection.NeedsMyReview => "needs_my_review",
            QueueSection.NeedsOthersReview => "needs_others_review",
            _ => "archived",
        };

    /// <summary>A place in a reviewer's order, which is stable while items come and go.</summary>
    private static (long Moment, Guid Id) Of(QueuePlace place) =>
        (UtcMicroseconds.ToMicroseconds(place.EffectiveAddedAt), place.Item.Id);

    private static string Text((long Moment, Guid Id) key) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{key.Moment}.{key.Id:N}"));

    private static (long Moment, Guid Id) Cursor(string text)
    {
        try
        {
            return
                Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('.')
                    is [var moment, var id]
                && long.TryParse(moment, CultureInfo.InvariantCulture, out var micros)
                && Guid.TryParse(id, out var guid)
                ? (micros, guid)
                : throw BodyFields.Wrong("cursor", "one that this list gave");
        }
        catch (FormatException)
        {
            throw BodyFields.Wrong("cursor", "one that this list gave");
        }
    }
}
