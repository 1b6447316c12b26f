using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Prompts;

/// <summary>What a webhook is told of. The numbers are stored.</summary>
[Flags]
public enum PromptEvents
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A new commit (<c>commit</c>).</summary>
    Commit = 1,

    /// <summary>A new tag (<c>tag:create</c>).</summary>
    TagCreate = 2,

    /// <summary>A tag that moved (<c>tag:update</c>).</summary>
    TagUpdate = 4,
}

/// <summary>An address that is told of commits and of tags that move.</summary>
public sealed class PromptWebhook
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Where to, http or https.</summary>
    public required string Url { get; set; }

    /// <summary>Headers to send along, as encrypted JSON; they often hold a token.</summary>
    public string? HeadersCiphertext { get; set; }

    /// <summary>The key of the signature, encrypted; shown once.</summary>
    public required string SecretCiphertext { get; set; }

    /// <summary>What it is told of.</summary>
    public PromptEvents Events { get; set; }

    /// <summary>Only of these prompts; empty for all.</summary>
    public IReadOnlyList<Guid> Only { get; set; } = [];

    /// <summary>Not of these prompts.</summary>
    public IReadOnlyList<Guid> Except { get; set; } = [];

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>How a delivery stands. The numbers are stored.</summary>
public enum DeliveryState
{
    /// <summary>To be sent, for the first time or again.</summary>
    Waiting = 0,

    /// <summary>Taken by the other side.</summary>
    Delivered = 1,

    /// <summary>Given up.</summary>
    Failed = 2,
}

/// <summary>One event for one webhook. Written with what it tells of, in one transaction, so that neither is without the other.</summary>
public sealed class PromptDelivery
{
    /// <summary>Id, sortable by time; the same in every try, so that a receiver can tell a repetition.</summary>
    public Guid Id { get; init; }

    /// <summary>The webhook.</summary>
    public Guid WebhookId { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary><c>commit</c>, <c>tag:create</c>, <c>tag:update</c> or <c>test</c>.</summary>
    public required string Event { get; init; }

    /// <summary>What it is about, for the log: <c>handle</c> or <c>handle:tag</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>The body, JSON.</summary>
    public required string Payload { get; init; }

    /// <summary>How it stands.</summary>
    public DeliveryState State { get; set; }

    /// <summary>Tries so far.</summary>
    public int Attempts { get; set; }

    /// <summary>When to try next.</summary>
    public DateTimeOffset NextAttemptAt { get; set; }

    /// <summary>The status of the last answer; null when there was none.</summary>
    public int? LastStatus { get; set; }

    /// <summary>What went wrong last.</summary>
    public string? LastError { get; set; }

    /// <summary>When it happened.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last tried.</summary>
    public DateTimeOffset? AttemptedAt { get; set; }
}

internal sealed class PromptWebhookMapping
    : IEntityTypeConfiguration<PromptWebhook>,
        IEntityTypeConfiguration<PromptDelivery>
{
    public void Configure(EntityTypeBuilder<PromptWebhook> builder)
    {
        builder.ToTable("prompt_webhook");
        builder.Property(w => w.Id).ValueGeneratedNever();
        HubSettingsMapping.Names(builder.Property(w => w.Only));
        HubSettingsMapping.Names(builder.Property(w => w.Except));
        builder.HasIndex(w => w.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<PromptDelivery> builder)
    {
        builder.ToTable("prompt_delivery");
        builder.Property(d => d.Id).ValueGeneratedNever();
        builder.HasOne<PromptWebhook>().WithMany().HasForeignKey(d => d.WebhookId);
        builder.HasIndex(d => new { d.State, d.NextAttemptAt });
        builder.HasIndex(d => new { d.WebhookId, d.Id });
    }
}
