using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Access;

/// <summary>A key that resources of a workspace are tagged with, such as <c>team</c>.</summary>
public sealed class ResourceTagKey
{
    /// <summary>The longest key or value.</summary>
    public const int MaxLength = 255;

    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name, unique in the workspace.</summary>
    public required string Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>A value of a key, such as <c>red</c>.</summary>
public sealed class ResourceTagValue
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Its key.</summary>
    public Guid KeyId { get; init; }

    /// <summary>Name, unique for the key.</summary>
    public required string Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

/// <summary>A resource that bears a value.</summary>
public sealed class ResourceTagging
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The value.</summary>
    public Guid ValueId { get; init; }

    /// <summary><c>project</c>, <c>experiment</c>, <c>dataset</c>, <c>prompt</c> or <c>queue</c>.</summary>
    public required string ResourceType { get; init; }

    /// <summary>The resource.</summary>
    public Guid ResourceId { get; init; }

    /// <summary>When it was tagged.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class ResourceTagMapping
    : IEntityTypeConfiguration<ResourceTagKey>,
        IEntityTypeConfiguration<ResourceTagValue>,
        IEntityTypeConfiguration<ResourceTagging>
{
    public void Configure(EntityTypeBuilder<ResourceTagKey> builder)
    {
        builder.ToTable("resource_tag_key");
        builder.Property(k => k.Id).ValueGeneratedNever();
        builder.HasIndex(k => new { k.WorkspaceId, k.Name }).IsUnique();
    }

    public void Configure(EntityTypeBuilder<ResourceTagValue> builder)
    {
        builder.ToTable("resource_tag_value");
        builder.Property(v => v.Id).ValueGeneratedNever();
        builder.HasOne<ResourceTagKey>().WithMany().HasForeignKey(v => v.KeyId);
        builder.HasIndex(v => new { v.KeyId, v.Name }).IsUnique();
    }

    public void Configure(EntityTypeBuilder<ResourceTagging> builder)
    {
        builder.ToTable("resource_tagging");
        builder.Property(t => t.Id).ValueGeneratedNever();
        builder.HasOne<ResourceTagValue>().WithMany().HasForeignKey(t => t.ValueId);
        builder
            .HasIndex(t => new
            {
                t.ValueId,
                t.ResourceType,
                t.ResourceId,
            })
            .IsUnique();
        builder.HasIndex(t => new { t.WorkspaceId, t.ResourceId });
    }
}
