namespace Assay.Core.Annotation;

/// <summary>Where an item stands for one reviewer.</summary>
public enum QueueSection
{
    /// <summary>It waits for this reviewer.</summary>
    NeedsMyReview,

    /// <summary>This reviewer is done, or somebody else is at it.</summary>
    NeedsOthersReview,

    /// <summary>Enough people are done.</summary>
    Completed,
}

/// <summary>An item as one reviewer sees it.</summary>
/// <param name="Item">The item.</param>
/// <param name="Section">Where it stands.</param>
/// <param name="ReservedBy">Who holds it now.</param>
/// <param name="CompletedBy">Who is done with it.</param>
/// <param name="IsMineDone">This reviewer is.</param>
/// <param name="EffectiveAddedAt">Its place in this reviewer's order.</param>
/// <param name="Free">Places that are neither used up nor held by others.</param>
public sealed record QueuePlace(
    QueueItem Item,
    QueueSection Section,
    IReadOnlyList<Guid> ReservedBy,
    IReadOnlyList<Guid> CompletedBy,
    bool IsMineDone,
    DateTimeOffset EffectiveAddedAt,
    int Free
)
{
    internal static QueuePlace Of(
        AnnotationQueue queue,
        QueueItem item,
        IReadOnlyList<QueueReview> reviews,
        Guid me,
        DateTimeOffset now
    )
    {
        IReadOnlyList<Guid> done =
        [
            .. reviews.Where(r => r.CompletedAt is not null).Select(r => r.ReviewerId),
        ];
        IReadOnlyList<Guid> held =
        [
            .. reviews
                .Where(r => r.CompletedAt is null && r.ReservedUntil > now)
                .Select(r => r.ReviewerId),
        ];
        var isMineDone = done.Contains(me);
        var free = (queue.ReviewersPerItem ?? int.MaxValue) - done.Count - held.Count(h => h != me);
        var section =
            item.CompletedAt is not null ? QueueSection.Completed
            : isMineDone || (queue.HasReservations && free <= 0) ? QueueSection.NeedsOthersReview
            : QueueSection.NeedsMyReview;
        return new QueuePlace(
            item,
            section,
            held,
            done,
            isMineDone,
            reviews.FirstOrDefault(r => r.ReviewerId == me)?.OverrideAddedAt ?? item.AddedAt,
            free
        );
    }
}

/// <summary>Which items of a queue are meant; what is left out is no condition.</summary>
public sealed record QueueSlice
{
    /// <summary>Every item.</summary>
    public static QueueSlice All { get; } = new();

    /// <summary>Where they stand for the reviewer who asks.</summary>
    public QueueSection? Section { get; init; }

    /// <summary>True: enough people are done with them; false: they wait for somebody.</summary>
    public bool? IsCompleted { get; init; }

    /// <summary>True: threads; false: runs and pairs of runs.</summary>
    public bool? IsThread { get; init; }

    /// <summary>True: those that reviewers are checked against.</summary>
    public bool? IsGold { get; init; }

    /// <summary>Completed then or later.</summary>
    public DateTimeOffset? CompletedFrom { get; init; }

    /// <summary>Completed before then.</summary>
    public DateTimeOffset? CompletedBefore { get; init; }
}

/// <summary>A place in a reviewer's order, which stays the same while items come and go.</summary>
/// <param name="At">When the item there was added, or where the reviewer put it.</param>
/// <param name="Id">The item.</param>
public readonly record struct QueueMark(DateTimeOffset At, Guid Id)
{
    /// <summary>The place of an item.</summary>
    public static QueueMark Of(QueuePlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return new QueueMark(place.EffectiveAddedAt, place.Item.Id);
    }
}

/// <summary>How many items of a queue stand where for one reviewer.</summary>
/// <param name="Mine">They wait for this reviewer.</param>
/// <param name="Others">This reviewer is done, or somebody else is at them.</param>
/// <param name="Completed">Enough people are done.</param>
public sealed record QueueCounts(int Mine, int Others, int Completed)
{
    /// <summary>All of them.</summary>
    public int All => Mine + Others + Completed;
}

/// <summary>An item to add.</summary>
/// <param name="RunId">The run.</param>
public sealed record NewQueueItem(Guid RunId)
{
    /// <summary>The other run of a pair.</summary>
    public Guid? OtherRunId { get; init; }

    /// <summary>The thread, for an item that is one.</summary>
    public string? ThreadId { get; init; }

    /// <summary>The project, when told.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>Start of the run, when told.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>An example proposed with it.</summary>
    public Guid? ProposedExampleId { get; init; }
}

/// <summary>A queue with its numbers.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Waiting">Items that wait.</param>
/// <param name="Completed">Items that are done.</param>
public sealed record QueueSummary(AnnotationQueue Queue, int Waiting, int Completed);
