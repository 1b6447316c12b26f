using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Access;

internal sealed class AccessMapping
    : IEntityTypeConfiguration<Organization>,
        IEntityTypeConfiguration<Workspace>,
        IEntityTypeConfiguration<WorkspaceMember>,
        IEntityTypeConfiguration<Invitation>,
        IEntityTypeConfiguration<ApiKey>,
        IEntityTypeConfiguration<WorkspaceSecret>,
        IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<Organization> builder)
    {
        builder.ToTable("organization");
        builder.Property(o => o.Id).ValueGeneratedNever();
    }

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
        builder.HasIndex(m => m.MemberId);
    }

    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.ToTable("invitation");
        builder.Property(i => i.Id).ValueGeneratedNever();
        builder.HasIndex(i => i.Hash).IsUnique();
        builder.HasIndex(i => i.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.ToTable("api_key");
        builder.Property(k => k.Id).ValueGeneratedNever();
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasIndex(k => k.WorkspaceId);
    }

    public void Configure(EntityTypeBuilder<WorkspaceSecret> builder)
    {
        builder.ToTable("workspace_secret");
        builder.HasKey(s => new { s.WorkspaceId, s.Key });
    }

    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit_entry");
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.HasIndex(e => new { e.WorkspaceId, e.At });
    }
}
