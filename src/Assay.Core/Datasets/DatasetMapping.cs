using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Datasets;

internal sealed class DatasetMapping
    : IEntityTypeConfiguration<Dataset>,
        IEntityTypeConfiguration<DatasetVersion>,
        IEntityTypeConfiguration<DatasetTag>,
        IEntityTypeConfiguration<ExampleRevision>
{
    public void Configure(EntityTypeBuilder<Dataset> builder)
    {
        builder.ToTable("dataset");
        builder.Property(d => d.Id).ValueGeneratedNever();
        builder.Property(d => d.LastVersion).IsConcurrencyToken();
        builder.HasIndex(d => new { d.WorkspaceId, d.Name }).IsUnique();
        builder.HasIndex(d => d.ShareToken);
    }

    public void Configure(EntityTypeBuilder<DatasetVersion> builder)
    {
        builder.ToTable("dataset_version");
        builder.HasKey(v => new { v.DatasetId, v.Moment });
    }

    public void Configure(EntityTypeBuilder<DatasetTag> builder)
    {
        builder.ToTable("dataset_tag");
        builder.HasKey(t => new { t.DatasetId, t.Name });
    }

    public void Configure(EntityTypeBuilder<ExampleRevision> builder)
    {
        builder.ToTable("example_revision");
        builder.HasKey(r => r.Number);
        builder.Property(r => r.Number).ValueGeneratedOnAdd();
        // The page of a dataset as it is now, newest version first, is a walk of this index.
        builder
            .HasIndex(r => new
            {
                r.WorkspaceId,
                r.DatasetId,
                r.ValidTo,
                r.ValidFrom,
                r.Position,
            })
            .IsDescending(false, false, false, true, false);
        builder.HasIndex(r => new { r.WorkspaceId, r.ExampleId });
        builder.HasIndex(r => new { r.WorkspaceId, r.SourceRunId });
        builder.HasIndex(r => r.ImportId);
    }
}
