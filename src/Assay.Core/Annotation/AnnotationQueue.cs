using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Annotation;

/// <summary>Runs that wait for people's judgement, with the rubric they judge by.</summary>
public sealed class AnnotationQueue
{
    /// <summary>Id, chosen by the client or made.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>True when items are pairs of runs.</summary>
    public bool IsPairwise { get; init; }

    /// <summary>What reviewers are told.</summary>
    public string? Instructions { get; set; }

    /// <summary>The rubric, JSON array of feedback key, descriptions and whether it is required; null for none.</summary>
    public string? RubricJson { get; set; }

    /// <summary>How many people judge each item; null means everybody may.</summary>
    public int? ReviewersPerItem { get; set; } = 1;

    /// <summary>An item that one person looks at is nobody else's meanwhile.</summary>
    public bool HasReservations { get; set; } = true;

    /// <summary>Minutes a reservation holds.</summary>
    public int ReservationMinutes { get; set; } = 1;

    /// <summary>Reviewers see nobody else's judgement of an item before they gave their own.</summary>
    public bool IsBlind { get; set; }

    /// <summary>Where "add to dataset" goes.</summary>
    public Guid? DefaultDatasetId { get; set; }

    /// <summary><c>any</c>, or <c>assigned</c>: only <see cref="Reviewers"/>.</summary>
    public string AccessMode { get; set; } = "any";

    /// <summary>The people it is assigned to.</summary>
    public List<Guid> Reviewers { get; init; } = [];

    /// <summary>Metadata, JSON object text.</summary>
    public string? MetadataJson { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>One item of a queue: a run, a pair of runs or a thread.</summary>
public sealed class QueueItem
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The queue.</summary>
    public Guid QueueId { get; init; }

    /// <summary>The run; for a thread its last root run when known, else empty.</summary>
    public Guid RunId { get; init; }

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

    /// <summary>When it was added; may be moved to reorder.</summary>
    public DateTimeOffset AddedAt { get; set; }

    /// <summary>When somebody last judged it.</summary>
    public DateTimeOffset? LastReviewedAt { get; set; }

    /// <summary>When enough people had judged it; null while it waits.</summary>
    public DateTimeOffset? CompletedAt { get; set; }

    /// <summary>What an adjudicator decided, <see cref="ReviewAnswers"/> as JSON; null while nobody has.</summary>
    public string? DecisionJson { get; set; }

    /// <summary>Who decided.</summary>
    public Guid? DecidedBy { get; set; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>A gold item: reviewers, who cannot tell it from others, are checked against the decision.</summary>
    public bool IsGold { get; set; }
}

/// <summary>What one person has to do with one item.</summary>
public sealed class QueueReview
{
    /// <summary>The item.</summary>
    public Guid ItemId { get; init; }

    /// <summary>The person, or the API key, that judges.</summary>
    public Guid ReviewerId { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The queue.</summary>
    public Guid QueueId { get; init; }

    /// <summary>Until when the item is this person's alone; null when not reserved.</summary>
    public DateTimeOffset? ReservedUntil { get; set; }

    /// <summary>When this person first had it in front of them.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When this person was done with it.</summary>
    public DateTimeOffset? CompletedAt { get; set; }

    /// <summary>Puts the item elsewhere in this person's order.</summary>
    public DateTimeOffset? OverrideAddedAt { get; set; }

    /// <summary>What this person answered, <see cref="ReviewAnswers"/> as JSON; kept when the review is taken back, so that it can be mended.</summary>
    public string? AnswersJson { get; set; }

    /// <summary>Seconds this person had the item in front of the eyes; null when nobody measured.</summary>
    public double? Seconds { get; set; }
}

internal sealed class AnnotationMapping
    : IEntityTypeConfiguration<AnnotationQueue>,
        IEntityTypeConfiguration<QueueItem>,
        IEntityTypeConfiguration<QueueReview>
{
    public void Configure(EntityTypeBuilder<AnnotationQueue> builder)
    {
        builder.ToTable("annotation_queue");
        builder.Property(q => q.Id).ValueGeneratedNever();
        builder.HasIndex(q => q.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<QueueItem> builder)
    {
        builder.ToTable("queue_item");
        builder.Property(i => i.Id).ValueGeneratedNever();
        builder.HasIndex(i => new
        {
            i.QueueId,
            i.CompletedAt,
            i.AddedAt,
        });
        builder.HasIndex(i => new { i.WorkspaceId, i.RunId });
    }

    public void Configure(EntityTypeBuilder<QueueReview> builder)
    {
        builder.ToTable("queue_review");
        builder.HasKey(r => new { r.ItemId, r.ReviewerId });
        builder.HasIndex(r => r.QueueId);
    }
}
