using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Feedback;

/// <summary>What a feedback key means in a workspace.</summary>
public sealed class FeedbackConfig
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The feedback key.</summary>
    public required string Key { get; init; }

    /// <summary>Type (continuous, categorical, freeform), bounds and categories, JSON object text.</summary>
    public required string ConfigJson { get; set; }

    /// <summary>True when a lower score is a better one.</summary>
    public bool? IsLowerScoreBetter { get; set; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>A score that is computed from others: their weighted sum or mean, for one dataset's experiments or one project.</summary>
public sealed class FeedbackFormula
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The dataset whose experiments it is for…</summary>
    public Guid? DatasetId { get; init; }

    /// <summary>…or the project.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>The key its result appears under.</summary>
    public required string Key { get; set; }

    /// <summary><c>sum</c> or <c>avg</c>.</summary>
    public required string Aggregation { get; set; }

    /// <summary>Its parts, JSON array of key and weight.</summary>
    public required string PartsJson { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>A link that lets anybody who has it give feedback of one key on one run, until it expires.</summary>
public sealed class FeedbackToken
{
    /// <summary>The secret in the link: 122 random bits.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The run.</summary>
    public Guid RunId { get; init; }

    /// <summary>The feedback key.</summary>
    public required string Key { get; init; }

    /// <summary>When it stops working.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class FeedbackMapping
    : IEntityTypeConfiguration<FeedbackConfig>,
        IEntityTypeConfiguration<FeedbackFormula>,
        IEntityTypeConfiguration<FeedbackToken>
{
    public void Configure(EntityTypeBuilder<FeedbackConfig> builder)
    {
        builder.ToTable("feedback_config");
        builder.HasKey(c => new { c.WorkspaceId, c.Key });
    }

    public void Configure(EntityTypeBuilder<FeedbackFormula> builder)
    {
        builder.ToTable("feedback_formula");
        builder.Property(f => f.Id).ValueGeneratedNever();
        builder.HasIndex(f => f.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<FeedbackToken> builder)
    {
        builder.ToTable("feedback_token");
        builder.Property(t => t.Id).ValueGeneratedNever();
        builder.HasIndex(t => new { t.WorkspaceId, t.RunId });
    }
}
