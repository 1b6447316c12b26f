using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Prompts;

/// <summary>How a request stands. The numbers are stored.</summary>
public enum TagRequestState
{
    /// <summary>Nobody decided yet.</summary>
    Pending = 0,

    /// <summary>Approved and carried out.</summary>
    Approved = 1,

    /// <summary>Refused, or withdrawn by who asked.</summary>
    Rejected = 2,
}

/// <summary>Somebody asks to change a protected tag.</summary>
public sealed class PromptTagRequest
{
    /// <summary>Id, sortable by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The tag's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it shall point, or what a roll-out shall give out; null to take the tag away.</summary>
    public Guid? CommitId { get; init; }

    /// <summary>Of a roll-out, the share of callers in percent; null for a plain move.</summary>
    public double? Percent { get; init; }

    /// <summary>The member or the key that asked: it may not approve.</summary>
    public Guid RequesterId { get; init; }

    /// <summary>Who asked, by name.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset RequestedAt { get; init; }

    /// <summary>How it stands.</summary>
    public TagRequestState State { get; set; }

    /// <summary>Who decided, by name.</summary>
    public string? DecidedBy { get; set; }

    /// <summary>When.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>Changes with every write, so that two cannot both decide.</summary>
    public Guid Revision { get; set; }
}

/// <summary>A second commit that a share of those who pull a tag get.</summary>
public sealed class PromptRollout
{
    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The tag's name.</summary>
    public required string Name { get; init; }

    /// <summary>The commit that is tried.</summary>
    public Guid CommitId { get; set; }

    /// <summary>The share of keys that get it, 0 to 100.</summary>
    public double Percent { get; set; }

    /// <summary>Who set it last.</summary>
    public required string SetBy { get; set; }

    /// <summary>When.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>Somebody who answers for a prompt.</summary>
public sealed class PromptOwner
{
    /// <summary>The prompt.</summary>
    public Guid PromptId { get; init; }

    /// <summary>The member.</summary>
    public Guid MemberId { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Somebody likes a comment.</summary>
public sealed class PromptCommentLike
{
    /// <summary>The comment.</summary>
    public Guid CommentId { get; init; }

    /// <summary>The member or the API key.</summary>
    public Guid ActorId { get; init; }
}

internal sealed class PromptTagRequestMapping
    : IEntityTypeConfiguration<PromptTagRequest>,
        IEntityTypeConfiguration<PromptRollout>,
        IEntityTypeConfiguration<PromptOwner>,
        IEntityTypeConfiguration<PromptCommentLike>
{
    public void Configure(EntityTypeBuilder<PromptTagRequest> builder)
    {
        builder.ToTable("prompt_tag_request");
        builder.Property(r => r.Id).ValueGeneratedNever();
        builder.Property(r => r.Revision).IsConcurrencyToken();
        builder.HasOne<Prompt>().WithMany().HasForeignKey(r => r.PromptId);
        builder.HasIndex(r => new { r.PromptId, r.State });
    }

    public void Configure(EntityTypeBuilder<PromptRollout> builder)
    {
        builder.ToTable("prompt_rollout");
        builder.HasKey(r => new { r.PromptId, r.Name });
        builder.HasOne<Prompt>().WithMany().HasForeignKey(r => r.PromptId);
    }

    public void Configure(EntityTypeBuilder<PromptOwner> builder)
    {
        builder.ToTable("prompt_owner");
        builder.HasKey(o => new { o.PromptId, o.MemberId });
        builder.HasOne<Prompt>().WithMany().HasForeignKey(o => o.PromptId);
        builder
            .HasOne<Access.Member>()
            .WithMany()
            .HasForeignKey(o => o.MemberId)
            .OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<PromptCommentLike> builder)
    {
        builder.ToTable("prompt_comment_like");
        builder.HasKey(l => new { l.CommentId, l.ActorId });
        builder.HasOne<PromptComment>().WithMany().HasForeignKey(l => l.CommentId);
    }
}
