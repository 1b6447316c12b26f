using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Projects;

internal sealed class ProjectMapping : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.ToTable("project");
        builder.Property(p => p.Id).ValueGeneratedNever();
        builder.HasIndex(p => new { p.WorkspaceId, p.Name }).IsUnique();
        builder.HasIndex(p => new
        {
            p.WorkspaceId,
            p.ReferenceDatasetId,
            p.StartTime,
        });
    }
}
