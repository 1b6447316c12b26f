using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Annotation;

/// <summary>
/// Who works on which item. Reading is <see cref="QueueReader"/>'s. Reservations are taken, and reviews finished, inside one write transaction that also reads what they depend on: two
/// people never hold the same place of one item, and calls at the same moment come one after the other. A reservation ends by itself.
/// Thread-safe.
/// </summary>
public sealed class QueueReviews(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>Longest time one review can take, in seconds; longer ones are somebody's lunch and count as this.</summary>
    public const double MaxSeconds = 4 * 60 * 60;

    /// <summary>Who judges: the member, else the API key.</summary>
    public static Guid Reviewer(Caller caller) => caller.UserId ?? caller.ApiKeyId ?? Guid.Empty;

    /// <summary>
    /// Reserves an item for the caller; when none is named, the one the caller holds already, else the next free one. A reservation of one's own
    /// is renewed. Null when nothing is free.
    /// </summary>
    /// <exception cref="DatasetProblemException">The named item is somebody else's now.</exception>
    public async Task<QueuePlace?> ReserveAsync(
        Caller caller,
        Guid queueId,
        Guid? itemId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        var me = Reviewer(caller);
        Demand(queue, me);
        var now = time.GetUtcNow();
        var place = itemId is { } id
            ? await PlaceAsync(db, queue, id, me, now, cancellationToken)
                ?? throw DatasetProblemException.NotFound("Queue item")
            : await NextAsync(db, queue, me, now, cancellationToken);
        if (place is null)
        {
            return null;
        }

        if (place.Section == QueueSection.NeedsOthersReview && !place.IsMineDone)
        {
            throw DatasetProblemException.Conflict("Somebody else has reserved this item");
        }

        var review = await ReviewAsync(db, place.Item, me, now, cancellationToken);
        if (review.CompletedAt is null)
        {
            review.ReservedUntil = Until(queue, now);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return place;
    }

    /// <summary>Says that the caller is done with an item. Answers that are null leave those given before.</summary>
    /// <exception cref="DatasetProblemException">Others have taken every place of the item meanwhile.</exception>
    public async Task<QueueItem> CompleteAsync(
        Caller caller,
        Guid itemId,
        ReviewAnswers? answers,
        double? seconds,
        CancellationToken cancellationToken
    ) =>
        await ChangeAsync(
            caller,
            itemId,
            (queue, place, mine, now) =>
            {
                Demand(queue, mine.ReviewerId);
                if (queue.HasReservations && !place.IsMineDone && place.Free <= 0)
                {
                    throw DatasetProblemException.Conflict(
                        "Others have taken this item meanwhile: the reservation had ended"
                    );
                }

                mine.CompletedAt = now;
                mine.ReservedUntil = null;
                mine.AnswersJson = answers?.ToJson() ?? mine.AnswersJson;
                mine.Seconds =
                    seconds is { } s && double.IsFinite(s)
                        ? (mine.Seconds ?? 0) + Math.Clamp(s, 0, MaxSeconds)
                        : mine.Seconds;
            },
            cancellationToken
        );

    /// <summary>Takes "done" back: the item waits for the caller again, with what was answered, reserved when wanted.</summary>
    public async Task<QueueItem> ReopenAsync(
        Caller caller,
        Guid itemId,
        bool isReserved,
        CancellationToken cancellationToken
    ) =>
        await ChangeAsync(
            caller,
            itemId,
            (queue, _, mine, now) =>
            {
                mine.CompletedAt = null;
                mine.ReservedUntil = isReserved ? Until(queue, now) : null;
            },
            cancellationToken
        );

    /// <summary>Puts an item elsewhere in the caller's order and gives it free; by default to the end.</summary>
    public async Task<QueueItem> SkipAsync(
        Caller caller,
        Guid itemId,
        DateTimeOffset? to,
        CancellationToken cancellationToken
    ) =>
        await ChangeAsync(
            caller,
            itemId,
            (_, _, mine, now) =>
            {
                mine.OverrideAddedAt = to ?? now;
                mine.ReservedUntil = null;
            },
            cancellationToken
        );

    /// <summary>An adjudicator's decision about an item; null takes it back. Gold items check reviewers against it.</summary>
    public async Task<QueueItem> DecideAsync(
        Caller caller,
        Guid itemId,
        ReviewAnswers? decision,
        bool isGold,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var item = await AnnotationQueues.ItemAsync(db, caller, itemId, cancellationToken);
        item.DecisionJson = decision?.ToJson();
        item.DecidedBy = decision is null ? null : Reviewer(caller);
        item.DecidedAt = decision is null ? null : time.GetUtcNow();
        item.IsGold = isGold && decision is not null;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return item;
    }

    private async Task<QueueItem> ChangeAsync(
        Caller caller,
        Guid itemId,
        Action<AnnotationQueue, QueuePlace, QueueReview, DateTimeOffset> change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var item = await AnnotationQueues.ItemAsync(db, caller, itemId, cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, item.QueueId, cancellationToken);
        var now = time.GetUtcNow();
        var reviews = await db
            .QueueReviews.Where(r => r.ItemId == itemId)
            .ToListAsync(cancellationToken);
        var me = Reviewer(caller);
        var place = QueuePlace.Of(queue, item, reviews, me, now);
        var mine = await ReviewAsync(db, item, me, now, cancellationToken);
        change(queue, place, mine, now);
        var done = reviews
            .Where(r => r.ReviewerId != me)
            .Append(mine)
            .Count(r => r.CompletedAt is not null);
        item.LastReviewedAt = mine.CompletedAt == now ? now : item.LastReviewedAt;
        item.CompletedAt = done >= (queue.ReviewersPerItem ?? 1) ? item.CompletedAt ?? now : null;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return item;
    }

    /// <summary>The item the reviewer holds already, else the first in their order that is free.</summary>
    private static async Task<QueuePlace?> NextAsync(
        MetadataContext db,
        AnnotationQueue queue,
        Guid me,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var free = QueueReader.In(
            db,
            queue,
            new QueueSlice { Section = QueueSection.NeedsMyReview },
            me,
            now
        );
        var held = free.Where(i =>
            db.QueueReviews.Any(r =>
                r.ItemId == i.Id
                && r.ReviewerId == me
                && r.CompletedAt == null
                && r.ReservedUntil > now
            )
        );
        foreach (var items in (IQueryable<QueueItem>[])[held, free])
        {
            var ids = await QueueReader
                .Ordered(db, items, me)
                .Take(1)
                .Select(r => r.Id)
                .ToListAsync(cancellationToken);
            if (ids is [var first])
            {
                return await PlaceAsync(db, queue, first, me, now, cancellationToken);
            }
        }

        return null;
    }

    private static async Task<QueuePlace?> PlaceAsync(
        MetadataContext db,
        AnnotationQueue queue,
        Guid itemId,
        Guid me,
        DateTimeOffset now,
        CancellationToken cancellationToken
    ) =>
        await QueueReader.PlacesAsync(db, queue, [itemId], me, now, cancellationToken)
            is [var place]
            ? place
            : null;

    private static async Task<QueueReview> ReviewAsync(
        MetadataContext db,
        QueueItem item,
        Guid me,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (await db.QueueReviews.FindAsync([item.Id, me], cancellationToken) is { } known)
        {
            return known;
        }

        var review = new QueueReview
        {
            ItemId = item.Id,
            ReviewerId = me,
            WorkspaceId = item.WorkspaceId,
            QueueId = item.QueueId,
            StartedAt = now,
        };
        db.QueueReviews.Add(review);
        return review;
    }

    private static DateTimeOffset? Until(AnnotationQueue queue, DateTimeOffset now) =>
        queue.HasReservations ? now.AddMinutes(queue.ReservationMinutes) : null;

    private static void Demand(AnnotationQueue queue, Guid me)
    {
        if (queue.AccessMode == "assigned" && !queue.Reviewers.Contains(me))
        {
            throw DatasetProblemException.Conflict("The queue is assigned to other reviewers");
        }
    }
}
