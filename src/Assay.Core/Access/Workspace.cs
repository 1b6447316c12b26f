using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Access;

/// <summary>A workspace: the border of everything. Nothing is ever read across it.</summary>
public sealed class Workspace
{
    /// <summary>Id; LangSmith's wire calls it a tenant.</summary>
    public Guid Id { get; init; }

    /// <summary>The organization it belongs to.</summary>
    public Guid OrganizationId { get; init; }

    /// <summary>Name on screen.</summary>
    public required string Name { get; set; }

    /// <summary>Short name in URLs and prompt owners: lower-case letters, digits and dashes.</summary>
    public required string Handle { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A member's role in a workspace.</summary>
public sealed class WorkspaceMember
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The member.</summary>
    public Guid MemberId { get; init; }

    /// <summary>The role.</summary>
    public Role Role { get; set; }
}

/// <summary>
/// A key for programs: 256 random bits, shown once, kept as SHA-256 (the key has full entropy, so no slow hash is needed).
/// </summary>
public sealed class ApiKey
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The one workspace it opens.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>What it is for, in the words of whoever made it.</summary>
    public required string Label { get; set; }

    /// <summary>The first characters, to tell keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>SHA-256 of the whole key.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What it may be used for.</summary>
    public KeyScope Scope { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last used, to the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>When it was revoked; null while it works.</summary>
    public DateTimeOffset? RevokedAt { get; set; }
}

/// <summary>One administrative change: who did what to what, and when.</summary>
public sealed class AuditEntry
{
    /// <summary>Id, sortable by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Who, by name at that time.</summary>
    public required string Actor { get; init; }

    /// <summary>What, as noun and verb: <c>api_key.create</c>.</summary>
    public required string Action { get; init; }

    /// <summary>To what.</summary>
    public string? Subject { get; init; }
}

internal sealed class AccessMapping
    : IEntityTypeConfiguration<Workspace>,
        IEntityTypeConfiguration<WorkspaceMember>,
        IEntityTypeConfiguration<ApiKey>,
        IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<Workspace> builder)
    {
        builder.ToTable("workspace");
        builder.Property(w => w.Id).ValueGeneratedNever();
        builder.HasIndex(w => w.Handle).IsUnique();
    }

    public void Configure(EntityTypeBuilder<WorkspaceMember> builder)
    {
        builder.ToTable("workspace_member");
        builder.HasKey(m => new { m.WorkspaceId, m.MemberId });
    }

    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.ToTable("api_key");
        builder.Property(k => k.Id).ValueGeneratedNever();
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasIndex(k => k.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit_entry");
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.HasIndex(e => new { e.WorkspaceId, e.Id });
    }
}
