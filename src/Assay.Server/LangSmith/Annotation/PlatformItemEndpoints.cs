using System.Buffers.Text;
using System.Globalization;
using System.Text;
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
            [.. json.Items("items").Select(QueueItemJson.ReadItem)],
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var item in added)
            {
                QueueItemJson.WritePlatform(w, item, null);
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> ListAsync(Guid id, HttpContext context, QueueReader reader)
    {
        var q = context.Request.Query;
        var section =
            QueueItemJson.Section(q.Word("status"))
            ?? throw BodyFields.Wrong("status", "needs_my_review, needs_others_review or archived");
        bool? isThread = q.Word("item_type") switch
        {
            null => null,
            "RUN" => false,
            "THREAD" => true,
            _ => throw BodyFields.Wrong("item_type", "RUN or THREAD"),
        };
        var limit = q.Whole(q.Word("page_size") is null ? "limit" : "page_size", 100, 1, 100);
        var cursor = q.Word("cursor") is { } text ? Cursor(text) : (QueueMark?)null;
        var isBackward = q.Word("direction") switch
        {
            null or "forward" => false,
            "backward" when cursor is not null => true,
            "backward" => throw BodyFields.Wrong("cursor", "given with direction=backward"),
            _ => throw BodyFields.Wrong("direction", "forward or backward"),
        };
        var (page, hasMore) = await reader.BesideAsync(
            context.Caller(),
            id,
            new QueueSlice { Section = section, IsThread = isThread },
            cursor,
            isBackward,
            limit,
            context.RequestAborted
        );
        var next = hasMore ? QueueMark.Of(isBackward ? page[0] : page[^1]) : (QueueMark?)null;
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var place in page)
            {
                QueueItemJson.WritePlatform(w, place.Item, place);
            }

            w.WriteEndArray();
            w.WriteString("next_cursor", next is { } mark ? Text(mark) : null);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> CountAsync(Guid id, HttpContext context, QueueReader reader)
    {
        var q = context.Request.Query;
        QueueSection? section = q.Word("status") is "all" or null
            ? null
            : QueueItemJson.Section(q.Word("status"))
                ?? throw BodyFields.Wrong(
                    "status",
                    "all, needs_my_review, needs_others_review or archived"
                );
        var slice =
            section == QueueSection.Completed
                ? QueueItemJson.Archived(
                    q.Time("start_time"),
                    q.Time("end_time"),
                    isExclusive: true
                )
                : new QueueSlice { Section = section };
        return Results.Json(
            new
            {
                count = await reader.CountAsync(
                    context.Caller(),
                    id,
                    slice,
                    context.RequestAborted
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
        QueueReader reader
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var (place, _) = await reader.PlaceAsync(context.Caller(), item, context.RequestAborted);
        if (place.Item.QueueId != id)
        {
            return Errors.NotFound("Queue item");
        }

        var changed = await queues.ChangeItemAsync(
            context.Caller(),
            item,
            QueueItemJson.Change(json),
            context.RequestAborted
        );
        return WireResult.Json(w => QueueItemJson.WritePlatform(w, changed, null));
    }

    private static async Task<IResult> PlacementAsync(
        Guid id,
        Guid item,
        HttpContext context,
        QueueReader reader
    )
    {
        var (place, position, before) = await reader.PositionAsync(
            context.Caller(),
            id,
            item,
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                section = QueueItemJson.Name(place.Section, "archived"),
                position,
                item_type = QueueItemJson.Type(place.Item),
                // Listing goes on after it: the item itself comes first then.
                cursor = before is { } mark ? Text(mark) : null,
            }
        );
    }

    private static async Task<IResult> StatusAsync(
        Guid item,
        HttpContext context,
        QueueReviews reviews,
        QueueReader reader
    )
    {
        var (status, moved) = await QueueItemEndpoints.SetStatusAsync(
            item,
            context,
            reviews,
            reader
        );
        var (place, _) = await reader.PlaceAsync(context.Caller(), item, context.RequestAborted);
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

    private static string Text(QueueMark mark) =>
        Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes($"{UtcMicroseconds.ToMicroseconds(mark.At)}.{mark.Id:N}")
        );

    private static QueueMark Cursor(string text)
    {
        try
        {
            return
                Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('.')
                    is [var moment, var id]
                && long.TryParse(moment, CultureInfo.InvariantCulture, out var micros)
                && Guid.TryParse(id, out var guid)
                ? new QueueMark(UtcMicroseconds.FromMicroseconds(micros), guid)
                : throw BodyFields.Wrong("cursor", "one that this list gave");
        }
        catch (FormatException)
        {
            throw BodyFields.Wrong("cursor", "one that this list gave");
        }
    }
}
