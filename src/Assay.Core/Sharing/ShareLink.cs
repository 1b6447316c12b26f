using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Sharing;

/// <summary>
/// Opens one run and its descendants to everybody who knows the token, until it is revoked. A link to a root opens its whole trace;
/// no link ever opens a run above or beside the one it was made for.
/// </summary>
public sealed class ShareLink
{
    /// <summary>The secret in the address: a random UUID (version 4, 122 bits).</summary>
    public Guid Token { get; init; }

    /// <summary>The workspace the run belongs to.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Its project.</summary>
    public Guid ProjectId { get; init; }

    /// <summary>Its trace.</summary>
    public Guid TraceId { get; init; }

    /// <summary>The run that is shared.</summary>
    public Guid RunId { get; init; }

    /// <summary>Who made it, by name at that time.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class ShareLinkMapping : IEntityTypeConfiguration<ShareLink>
{
    public void Configure(EntityTypeBuilder<ShareLink> builder)
    {
        builder.ToTable("share_link");
        builder.HasKey(l => l.Token);
        builder.Property(l => l.Token).ValueGeneratedNever();
        builder
            .HasIndex(l => new
            {
                l.WorkspaceId,
                l.RunId,
                l.ProjectId,
            })
            .IsUnique();
        builder.HasIndex(l => new { l.WorkspaceId, l.TraceId });
    }
}
