using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Annotation;

/// <summary>
/// Reads the items of queues as one reviewer sees them. However large a queue is, the database chooses, counts and sorts; only what is answered
/// is read. Thread-safe.
/// </summary>
public sealed class QueueReader(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most items that agreement is computed over; of more, those reviewed last count.</summary>
    public const int MaxReviewed = 20_000;

    /// <summary>One page of a queue in this reviewer's order, by place in it.</summary>
    public async Task<IReadOnlyList<QueuePlace>> PageAsync(
        Caller caller,
        Guid queueId,
        QueueSlice slice,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(slice);
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        var (me, now) = (QueueReviews.Reviewer(caller), time.GetUtcNow());
        var ids = await Ordered(db, In(db, queue, slice, me, now), me)
            .Skip(offset)
            .Take(limit)
            .Select(r => r.Id)
            .ToListAsync(cancellationToken);
        return await PlacesAsync(db, queue, ids, me, now, cancellationToken);
    }

    /// <summary>
    /// The items next to a mark in this reviewer's order, and whether there are more that way: behind it, or before it when read backwards. In
    /// order either way. Stable while items come and go.
    /// </summary>
    public async Task<(IReadOnlyList<QueuePlace> Places, bool HasMore)> BesideAsync(
        Caller caller,
        Guid queueId,
        QueueSlice slice,
        QueueMark? mark,
        bool isBackward,
        int limit,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(slice);
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        var (me, now) = (QueueReviews.Reviewer(caller), time.GetUtcNow());
        var rows = Ordered(db, In(db, queue, slice, me, now), me);
        if (isBackward)
        {
            rows = rows.OrderByDescending(r => r.At).ThenByDescending(r => r.Id);
        }

        if (mark is { } at)
        {
            rows = isBackward ? rows.Where(Before(at)) : rows.Where(Behind(at));
        }

        var ids = await rows.Take(limit + 1).Select(r => r.Id).ToListAsync(cancellationToken);
        var hasMore = ids.Count > limit;
        ids = [.. ids.Take(limit)];
        if (isBackward)
        {
            ids.Reverse();
        }

        return (await PlacesAsync(db, queue, ids, me, now, cancellationToken), hasMore);
    }

    /// <summary>How many items of a queue are meant.</summary>
    public async Task<int> CountAsync(
        Caller caller,
        Guid queueId,
        QueueSlice slice,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(slice);
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        return await In(db, queue, slice, QueueReviews.Reviewer(caller), time.GetUtcNow())
            .CountAsync(cancellationToken);
    }

    /// <summary>How many items of a queue stand where for this reviewer.</summary>
    public async Task<QueueCounts> CountsAsync(
        Caller caller,
        Guid queueId,
        CancellationToken cancellationToken
    )
    {
        async Task<int> Of(QueueSection section) =>
            await CountAsync(
                caller,
                queueId,
                new QueueSlice { Section = section },
                cancellationToken
            );
        return new QueueCounts(
            await Of(QueueSection.NeedsMyReview),
            await Of(QueueSection.NeedsOthersReview),
            await Of(QueueSection.Completed)
        );
    }

    /// <summary>One item as the caller sees it, with everybody's reviews of it.</summary>
    /// <exception cref="DatasetProblemException">There is none.</exception>
    public async Task<(QueuePlace Place, IReadOnlyList<QueueReview> Reviews)> PlaceAsync(
        Caller caller,
        Guid itemId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var item = await AnnotationQueues.ItemAsync(db, caller, itemId, cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, item.QueueId, cancellationToken);
        var reviews = await db
            .QueueReviews.AsNoTracking()
            .Where(r => r.ItemId == itemId)
            .ToListAsync(cancellationToken);
        return (
            QueuePlace.Of(queue, item, reviews, QueueReviews.Reviewer(caller), time.GetUtcNow()),
            reviews
        );
    }

    /// <summary>Everybody's reviews of some items, as of one page of a queue.</summary>
    public async Task<IReadOnlyList<QueueReview>> ReviewsAsync(
        Caller caller,
        IReadOnlyList<Guid> itemIds,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .QueueReviews.AsNoTracking()
            .Where(r => r.WorkspaceId == caller.WorkspaceId && itemIds.Contains(r.ItemId))
            .ToListAsync(cancellationToken);
    }

    /// <summary>How many items of its section stand before an item in this reviewer's order, and the mark of the last of those.</summary>
    /// <exception cref="DatasetProblemException">The queue has no such item.</exception>
    public async Task<(QueuePlace Place, int Position, QueueMark? Before)> PositionAsync(
        Caller caller,
        Guid queueId,
        Guid itemId,
        CancellationToken cancellationToken
    )
    {
        var (place, _) = await PlaceAsync(caller, itemId, cancellationToken);
        if (place.Item.QueueId != queueId)
        {
            throw DatasetProblemException.NotFound("Queue item");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        var me = QueueReviews.Reviewer(caller);
        var before = Ordered(
                db,
                In(db, queue, new QueueSlice { Section = place.Section }, me, time.GetUtcNow()),
                me
            )
            .Where(Before(QueueMark.Of(place)));
        var last = await before
            .OrderByDescending(r => r.At)
            .ThenByDescending(r => r.Id)
            .FirstOrDefaultAsync(cancellationToken);
        return (
            place,
            await before.CountAsync(cancellationToken),
            last is null ? null : new QueueMark(last.At, last.Id)
        );
    }

    /// <summary>
    /// The items that somebody has reviewed, at most <see cref="MaxReviewed"/>, with their finished reviews, and how many such items there are.
    /// Of the answers notes and corrections are left out: they may be large, and nobody agrees on them.
    /// </summary>
    public async Task<(
        IReadOnlyList<QueueItem> Items,
        IReadOnlyList<QueueReview> Reviews,
        int Total
    )> ReviewedAsync(Caller caller, Guid queueId, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await AnnotationQueues.GetAsync(db, caller, queueId, cancellationToken);
        var finished = db
            .QueueReviews.AsNoTracking()
            .Where(r => r.QueueId == queueId && r.CompletedAt != null);
        var reviewed = db
            .QueueItems.AsNoTracking()
            .Where(i => i.QueueId == queueId && finished.Any(r => r.ItemId == i.Id));
        var last = reviewed
            .OrderByDescending(i => i.LastReviewedAt)
            .ThenBy(i => i.Id)
            .Take(MaxReviewed);
        var items = await last.ToListAsync(cancellationToken);
        var reviews = new List<QueueReview>(items.Count);
        await foreach (
            var review in finished
                .Where(r => last.Select(i => i.Id).Contains(r.ItemId))
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
        {
            review.AnswersJson = ReviewAnswers.Of(review.AnswersJson) is { } said
                ? new ReviewAnswers { Answers = said.Answers }.ToJson()
                : null;
            reviews.Add(review);
        }

        return (
            items,
            reviews,
            items.Count < MaxReviewed ? items.Count : await reviewed.CountAsync(cancellationToken)
        );
    }

    /// <summary>The same conditions as <see cref="QueuePlace"/>'s, asked of the database.</summary>
    internal static IQueryable<QueueItem> In(
        MetadataContext db,
        AnnotationQueue queue,
        QueueSlice slice,
        Guid me,
        DateTimeOffset now
    )
    {
        var items = db.QueueItems.AsNoTracking().Where(i => i.QueueId == queue.Id);
        items = slice.IsCompleted switch
        {
            true => items.Where(i => i.CompletedAt != null),
            false => items.Where(i => i.CompletedAt == null),
            null => items,
        };
        items = slice.IsThread switch
        {
            true => items.Where(i => i.ThreadId != null),
            false => items.Where(i => i.ThreadId == null),
            null => items,
        };
        if (slice.IsGold is { } isGold)
        {
            items = items.Where(i => i.IsGold == isGold);
        }

        if (slice.CompletedFrom is { } from)
        {
            items = items.Where(i => i.CompletedAt >= from);
        }

        if (slice.CompletedBefore is { } to)
        {
            items = items.Where(i => i.CompletedAt < to);
        }

        if (slice.Section is not { } section)
        {
            return items;
        }

        if (section == QueueSection.Completed)
        {
            return items.Where(i => i.CompletedAt != null);
        }

        var reviews = db.QueueReviews.Where(r => r.QueueId == queue.Id);
        var waiting = items.Where(i => i.CompletedAt == null);
        var isMine = section == QueueSection.NeedsMyReview;
        if (!queue.HasReservations || queue.ReviewersPerItem is not { } places)
        {
            return waiting.Where(i =>
                reviews.Any(r => r.ItemId == i.Id && r.ReviewerId == me && r.CompletedAt != null)
                != isMine
            );
        }

        return waiting.Where(i =>
            (
                reviews.Any(r => r.ItemId == i.Id && r.ReviewerId == me && r.CompletedAt != null)
                || reviews.Count(r =>
                    r.ItemId == i.Id
                    && (r.CompletedAt != null || (r.ReviewerId != me && r.ReservedUntil > now))
                ) >= places
            ) != isMine
        );
    }

    /// <summary>Items in a reviewer's order: as they came, save those the reviewer put elsewhere.</summary>
    internal static IQueryable<Row> Ordered(
        MetadataContext db,
        IQueryable<QueueItem> items,
        Guid me
    ) =>
        items
            .Select(i => new Row
            {
                Id = i.Id,
                At =
                    db.QueueReviews.Where(r => r.ItemId == i.Id && r.ReviewerId == me)
                        .Select(r => r.OverrideAddedAt)
                        .FirstOrDefault()
                    ?? i.AddedAt,
            })
            .OrderBy(r => r.At)
            .ThenBy(r => r.Id);

    /// <summary>Items with their reviews, in the order of their ids here; those that are gone or another queue's are left out.</summary>
    internal static async Task<IReadOnlyList<QueuePlace>> PlacesAsync(
        MetadataContext db,
        AnnotationQueue queue,
        IReadOnlyList<Guid> ids,
        Guid me,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var items = await db
            .QueueItems.AsNoTracking()
            .Where(i => i.QueueId == queue.Id && ids.Contains(i.Id))
            .ToDictionaryAsync(i => i.Id, cancellationToken);
        var reviews = (
            await db
                .QueueReviews.AsNoTracking()
                .Where(r => ids.Contains(r.ItemId))
                .ToListAsync(cancellationToken)
        ).ToLookup(r => r.ItemId);
        return
        [
            .. ids.Where(items.ContainsKey)
                .Select(i => QueuePlace.Of(queue, items[i], [.. reviews[i]], me, now)),
        ];
    }

    private static System.Linq.Expressions.Expression<Func<Row, bool>> Before(QueueMark mark) =>
        r => r.At < mark.At || (r.At == mark.At && r.Id.CompareTo(mark.Id) < 0);

    private static System.Linq.Expressions.Expression<Func<Row, bool>> Behind(QueueMark mark) =>
        r => r.At > mark.At || (r.At == mark.At && r.Id.CompareTo(mark.Id) > 0);

    /// <summary>An item's place in a reviewer's order.</summary>
    internal sealed class Row
    {
        public Guid Id { get; init; }

        public DateTimeOffset At { get; init; }
    }
}
