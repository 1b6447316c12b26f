using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Annotation;

/// <summary>
/// Queues, their items, and who works on which. A reservation is taken inside one write transaction, so two people never hold the same place
/// of one item; it ends by itself. Thread-safe.
/// </summary>
public sealed class AnnotationQueues(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most items in one call.</summary>
    public const int MaxItems = 10_000;

    /// <summary>Who judges: the member, else the API key.</summary>
    public static Guid Reviewer(Caller caller) => caller.UserId ?? caller.ApiKeyId ?? Guid.Empty;

    /// <summary>Makes a queue.</summary>
    /// <exception cref="DatasetProblemException">A field is wrong or the id is taken.</exception>
    public async Task<AnnotationQueue> CreateAsync(
        Caller caller,
        AnnotationQueue queue,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        Check(queue);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (await db.AnnotationQueues.AnyAsync(q => q.Id == queue.Id, cancellationToken))
        {
            throw DatasetProblemException.Conflict($"Annotation queue {queue.Id} already exists");
        }

        if (queue.DefaultDatasetId is { } dataset)
        {
            _ = await DatasetCatalog.GetAsync(db, caller, dataset, cancellationToken);
        }

        db.AnnotationQueues.Add(queue);
        await db.SaveChangesAsync(cancellationToken);
        return queue;
    }

    /// <summary>Queues of the workspace with the number of items that wait, by name.</summary>
    public async Task<IReadOnlyList<QueueSummary>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .AnnotationQueues.AsNoTracking()
            .Where(q => q.WorkspaceId == caller.WorkspaceId)
            .OrderByDescending(q => q.CreatedAt)
            .Select(q => new QueueSummary(
                q,
                db.QueueItems.Count(i => i.QueueId == q.Id && i.CompletedAt == null),
                db.QueueItems.Count(i => i.QueueId == q.Id && i.CompletedAt != null)
            ))
            .ToListAsync(cancellationToken);
    }

    /// <summary>A queue.</summary>
    /// <exception cref="DatasetProblemException">There is none.</exception>
    public async Task<AnnotationQueue> GetAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await GetAsync(db, caller, id, cancellationToken);
    }

    /// <summary>Changes a queue.</summary>
    public async Task<AnnotationQueue> UpdateAsync(
        Caller caller,
        Guid id,
        Action<AnnotationQueue> change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await GetAsync(db, caller, id, cancellationToken);
        change(queue);
        Check(queue);
        queue.UpdatedAt = time.GetUtcNow();
        await db.SaveChangesAsync(cancellationToken);
        return queue;
    }

    /// <summary>Deletes queues with their items; feedback already given stays.</summary>
    public async Task DeleteAsync(
        Caller caller,
        IReadOnlyList<Guid> ids,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var id in ids)
        {
            db.AnnotationQueues.Remove(await GetAsync(db, caller, id, cancellationToken));
            await db.QueueReviews.Where(r => r.QueueId == id).ExecuteDeleteAsync(cancellationToken);
            await db.QueueItems.Where(i => i.QueueId == id).ExecuteDeleteAsync(cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Adds runs; one that waits in the queue already is answered with its item. In order.</summary>
    public async Task<IReadOnlyList<QueueItem>> AddAsync(
        Caller caller,
        Guid queueId,
        IReadOnlyList<NewQueueItem> items,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (items.Count is 0 or > MaxItems)
        {
            throw DatasetProblemException.Invalid($"runs: must be 1 to {MaxItems:N0}");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var queue = await GetAsync(db, caller, queueId, cancellationToken);
        var known = new Dictionary<(Guid, string?), QueueItem>();
        foreach (var chunk in items.Select(i => i.RunId).Distinct().Chunk(500))
        {
            await foreach (
                var item in db
                    .QueueItems.Where(i =>
                        i.QueueId == queueId && chunk.Contains(i.RunId) && i.CompletedAt == null
                    )
                    .AsAsyncEnumerable()
                    .WithCancellation(cancellationToken)
            )
            {
                known[(item.RunId, item.ThreadId)] = item;
            }
        }

        var now = time.GetUtcNow();
        var added = new List<QueueItem>(items.Count);
        foreach (var item in items)
        {
            if (!known.TryGetValue((item.RunId, item.ThreadId), out var row))
            {
                // One microsecond apart, so that the order of adding is the order of the queue.
                now = now.AddMicroseconds(1);
                row = new QueueItem
                {
                    Id = Guid.CreateVersion7(now),
                    WorkspaceId = queue.WorkspaceId,
                    QueueId = queueId,
                    RunId = item.RunId,
                    OtherRunId = item.OtherRunId,
                    ThreadId = item.ThreadId,
                    ProjectId = item.ProjectId,
                    StartTime = item.StartTime,
                    ProposedExampleId = item.ProposedExampleId,
                    AddedAt = now,
                };
                db.QueueItems.Add(row);
                known[(item.RunId, item.ThreadId)] = row;
            }

            added.Add(row);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return added;
    }

    /// <summary>Takes items out, by item id or by run id; false when none was there.</summary>
    public async Task<bool> RemoveAsync(
        Caller caller,
        Guid queueId,
        Func<IQueryable<QueueItem>, IQueryable<QueueItem>> which,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await GetAsync(db, caller, queueId, cancellationToken);
        var gone = await which(
                db.QueueItems.Where(i =>
                    i.WorkspaceId == caller.WorkspaceId && i.QueueId == queueId
                )
            )
            .Select(i => i.Id)
            .ToListAsync(cancellationToken);
        foreach (var chunk in gone.Chunk(500))
        {
            await db
                .QueueReviews.Where(r => chunk.Contains(r.ItemId))
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .QueueItems.Where(i => chunk.Contains(i.Id))
                .ExecuteDeleteAsync(cancellationToken);
        }

        return gone.Count > 0;
    }

    /// <summary>Moves an item or its review time.</summary>
    public async Task<QueueItem> ChangeItemAsync(
        Caller caller,
        Guid itemId,
        Action<QueueItem> change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var item = await ItemAsync(db, caller, itemId, cancellationToken);
        change(item);
        await db.SaveChangesAsync(cancellationToken);
        return item;
    }

    /// <summary>All items of a queue with their reviews, in this reviewer's order.</summary>
    public async Task<IReadOnlyList<QueuePlace>> PlacesAsync(
        Caller caller,
        Guid queueId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var queue = await GetAsync(db, caller, queueId, cancellationToken);
        return await PlacesAsync(db, queue, Reviewer(caller), time.GetUtcNow(), cancellationToken);
    }

    /// <summary>The queues a run waits or waited in.</summary>
    public async Task<IReadOnlyList<AnnotationQueue>> OfRunAsync(
        Caller caller,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .AnnotationQueues.AsNoTracking()
            .Where(q =>
                q.WorkspaceId == caller.WorkspaceId
                && db.QueueItems.Any(i => i.QueueId == q.Id && i.RunId == runId)
            )
            .ToListAsync(cancellationToken);
    }

    /// <summary>
    /// Reserves an item for the caller, or the next free one when none is named; a reservation of one's own is renewed. Null when nothing is free.
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
        var queue = await GetAsync(db, caller, queueId, cancellationToken);
        var me = Reviewer(caller);
        if (queue.AccessMode == "assigned" && !queue.Reviewers.Contains(me))
        {
            throw DatasetProblemException.Conflict("The queue is assigned to other reviewers");
        }

        var now = time.GetUtcNow();
        var places = await PlacesAsync(db, queue, me, now, cancellationToken);
        var place = itemId is { } wanted
            ? places.FirstOrDefault(p => p.Item.Id == wanted)
                ?? throw DatasetProblemException.NotFound("Queue item")
            : places.FirstOrDefault(p => p.Section == QueueSection.NeedsMyReview);
        if (place is null)
        {
            return null;
        }

        if (place.Section == QueueSection.NeedsOthersReview && !place.IsMineDone)
        {
            throw DatasetProblemException.Conflict("Somebody else has reserved this item");
        }

        var review = await db.QueueReviews.SingleOrDefaultAsync(
            r => r.ItemId == place.Item.Id && r.ReviewerId == me,
            cancellationToken
        );
        if (review is null)
        {
            review = new QueueReview
            {
                ItemId = place.Item.Id,
                ReviewerId = me,
                WorkspaceId = queue.WorkspaceId,
                QueueId = queue.Id,
                StartedAt = now,
            };
            db.QueueReviews.Add(review);
        }

        review.ReservedUntil = queue.HasReservations
            ? now.AddMinutes(queue.ReservationMinutes)
            : null;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return place;
    }

    /// <summary>Says that the caller is done with an item, or no longer (undo).</summary>
    public async Task<QueueItem> CompleteAsync(
        Caller caller,
        Guid itemId,
        bool isDone,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var item = await ItemAsync(db, caller, itemId, cancellationToken);
        var queue = await GetAsync(db, caller, item.QueueId, cancellationToken);
        var now = time.GetUtcNow();
        var me = Reviewer(caller);
        var reviews = await db
            .QueueReviews.Where(r => r.ItemId == itemId)
            .ToListAsync(cancellationToken);
        var mine = reviews.Find(r => r.ReviewerId == me);
        if (mine is null)
        {
            mine = new QueueReview
            {
                ItemId = itemId,
                ReviewerId = me,
                WorkspaceId = item.WorkspaceId,
                QueueId = item.QueueId,
                StartedAt = now,
            };
            db.QueueReviews.Add(mine);
            reviews.Add(mine);
        }

        mine.CompletedAt = isDone ? now : null;
        mine.ReservedUntil = null;
        item.LastReviewedAt = isDone ? now : item.LastReviewedAt;
        item.CompletedAt =
            reviews.Count(r => r.CompletedAt is not null) >= (queue.ReviewersPerItem ?? 1)
                ? item.CompletedAt ?? now
                : null;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return item;
    }

    /// <summary>The queue of an item.</summary>
    public async Task<Guid> QueueOfAsync(
        Caller caller,
        Guid itemId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return (await ItemAsync(db, caller, itemId, cancellationToken)).QueueId;
    }

    private static async Task<IReadOnlyList<QueuePlace>> PlacesAsync(
        MetadataContext db,
        AnnotationQueue queue,
        Guid me,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var items = await db
            .QueueItems.AsNoTracking()
            .Where(i => i.QueueId == queue.Id)
            .ToListAsync(cancellationToken);
        var reviews = (
            await db
                .QueueReviews.AsNoTracking()
                .Where(r => r.QueueId == queue.Id)
                .ToListAsync(cancellationToken)
        ).ToLookup(r => r.ItemId);
        return
        [
            .. items
                .Select(i => QueuePlace.Of(queue, i, [.. reviews[i.Id]], me, now))
                .OrderBy(p => p.EffectiveAddedAt)
                .ThenBy(p => p.Item.Id),
        ];
    }

    private static async Task<QueueItem> ItemAsync(
        MetadataContext db,
        Caller caller,
        Guid itemId,
        CancellationToken cancellationToken
    ) =>
        await db.QueueItems.SingleOrDefaultAsync(
            i => i.WorkspaceId == caller.WorkspaceId && i.Id == itemId,
            cancellationToken
        ) ?? throw DatasetProblemException.NotFound("Queue item");

    private static async Task<AnnotationQueue> GetAsync(
        MetadataContext db,
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        await db.AnnotationQueues.SingleOrDefaultAsync(
            q => q.WorkspaceId == caller.WorkspaceId && q.Id == id,
            cancellationToken
        ) ?? throw DatasetProblemException.NotFound("Annotation queue");

    private static void Check(AnnotationQueue queue)
    {
        if (queue.Name.Length is 0 or > Dataset.MaxNameLength)
        {
            throw DatasetProblemException.Invalid(
                $"name: must have 1 to {Dataset.MaxNameLength} characters"
            );
        }

        if (queue.ReviewersPerItem is < 1 or > 100)
        {
            throw DatasetProblemException.Invalid("num_reviewers_per_item: must be 1 to 100");
        }

        if (queue.ReservationMinutes is < 1 or > 10_080)
        {
            throw DatasetProblemException.Invalid("reservation_minutes: must be 1 to 10,080");
        }

        if (queue.AccessMode is not ("any" or "assigned"))
        {
            throw DatasetProblemException.Invalid("reviewer_access_mode: must be any or assigned");
        }
    }
}
