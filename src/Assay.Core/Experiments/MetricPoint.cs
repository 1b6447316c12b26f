using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Experiments;

/// <summary>One value of a metric that a program logged while an experiment ran: a point of a series.</summary>
public sealed class MetricPoint
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The experiment.</summary>
    public Guid ExperimentId { get; init; }

    /// <summary>The metric, 1 to 200 characters, as <c>train/loss</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Where in the series: a step, an epoch, a count of examples. One value a step; a later one replaces it.</summary>
    public long Step { get; init; }

    /// <summary>The value, finite.</summary>
    public double Value { get; init; }

    /// <summary>When it was measured, as the client says, or came.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>A file that a program kept with an experiment: a model, a configuration, a report.</summary>
public sealed class ExperimentArtifact
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The experiment.</summary>
    public Guid ExperimentId { get; init; }

    /// <summary>The name, 1 to 400 characters; slashes are part of it.</summary>
    public required string Name { get; init; }

    /// <summary>The media type the client named.</summary>
    public required string ContentType { get; set; }

    /// <summary>Bytes.</summary>
    public long Length { get; set; }

    /// <summary>SHA-256 of the content, lower-case hexadecimal.</summary>
    public required string Sha256 { get; set; }

    /// <summary>Where the content is.</summary>
    public required string BlobKey { get; set; }

    /// <summary>When this content came.</summary>
    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class ExperimentLogMapping
    : IEntityTypeConfiguration<MetricPoint>,
        IEntityTypeConfiguration<ExperimentArtifact>
{
    public void Configure(EntityTypeBuilder<MetricPoint> builder)
    {
        builder.ToTable("experiment_metric");
        builder.HasKey(p => new
        {
            p.ExperimentId,
            p.Key,
            p.Step,
        });
    }

    public void Configure(EntityTypeBuilder<ExperimentArtifact> builder)
    {
        builder.ToTable("experiment_artifact");
        builder.HasKey(a => new { a.ExperimentId, a.Name });
    }
}
