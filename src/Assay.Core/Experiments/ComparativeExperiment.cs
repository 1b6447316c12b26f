using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Experiments;

/// <summary>Experiments of one dataset judged against each other, example by example.</summary>
public sealed class ComparativeExperiment
{
    /// <summary>Id, chosen by the client or made.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The dataset all of them ran on.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>Name.</summary>
    public string? Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>Extra as the client sent it, JSON object text.</summary>
    public string? ExtraJson { get; set; }

    /// <summary>The experiments, in the client's order.</summary>
    public List<Guid> ExperimentIds { get; init; } = [];

    /// <summary>When it was made, as the client says.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

internal sealed class ExperimentMapping : IEntityTypeConfiguration<ComparativeExperiment>
{
    public void Configure(EntityTypeBuilder<ComparativeExperiment> builder)
    {
        builder.ToTable("comparative_experiment");
        builder.Property(c => c.Id).ValueGeneratedNever();
        builder.HasIndex(c => new { c.WorkspaceId, c.DatasetId });
    }
}
