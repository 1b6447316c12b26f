using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Annotation;

/// <summary>
/// Queues and their items; who works on which is in <see cref="QueueReviews"/>. Whatever is read to be changed is read inside the write
/// transaction that changes it, so that calls at the same moment come one after the other instead of failing. Thread-safe.
/// </summary>
public sealed class AnnotationQueues(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most items in one call.</summary>
    public const int MaxItems = 10_000;

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
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
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
        await transaction.CommitAsync(cancellationToken);
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
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var queue = await GetAsync(db, caller, id, cancellationToken);
        change(queue);
        Check(queue);
        if (queue.DefaultDatasetId is { } dataset)
        {
            _ = await DatasetCatalog.GetAsync(db, caller, dataset, cancellationToken);
        }

        queue.UpdatedAt = time.GetUtcNow();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
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
        var known = new Dictionary<(Guid, Guid?, string?), QueueItem>();
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
                known[(item.RunId, item.OtherRunId, item.ThreadId)] = item;
            }
        }

        var now = time.GetUtcNow();
        var added = new List<QueueItem>(items.Count);
        foreach (var item in items)
        {
            if (!known.TryGetValue((item.RunId, item.OtherRunId, item.ThreadId), out var row))
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
                known[(item.RunId, item.OtherRunId, item.ThreadId)] = row;
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
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
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

        await transaction.CommitAsync(cancellationToken);
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
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var item = await ItemAsync(db, caller, itemId, cancellationToken);
        change(item);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return item;
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

    internal static async Task<QueueItem> ItemAsync(
        MetadataContext db,
        Caller caller,
        Guid itemId,
        CancellationToken cancellationToken
    ) =>
        await db.QueueItems.SingleOrDefaultAsync(
            i => i.WorkspaceId == caller.WorkspaceId && i.Id == itemId,
            cancellationToken
        ) ?? throw DatasetProblemException.NotFound("Queue item");

    internal static async Task<AnnotationQueue> GetAsync(
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
