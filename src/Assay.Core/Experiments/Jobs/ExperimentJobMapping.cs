using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Experiments.Jobs;

internal sealed class ExperimentJobMapping
    : IEntityTypeConfiguration<ExperimentJob>,
        IEntityTypeConfiguration<ExperimentJobRow>
{
    public void Configure(EntityTypeBuilder<ExperimentJob> builder)
    {
        builder.ToTable("experiment_job");
        builder.Property(j => j.Id).ValueGeneratedNever();
        builder.Ignore(j => j.IsFinal);
        builder.Ignore(j => j.Finished);
        builder.HasIndex(j => new { j.WorkspaceId, j.CreatedAt });
        builder.HasIndex(j => j.ExperimentId);
        builder.HasIndex(j => j.State);
    }

    public void Configure(EntityTypeBuilder<ExperimentJobRow> builder)
    {
        builder.ToTable("experiment_job_row");
        builder.HasKey(r => new { r.JobId, r.Number });
        builder.HasIndex(r => new
        {
            r.JobId,
            r.State,
            r.Number,
        });
    }
}
