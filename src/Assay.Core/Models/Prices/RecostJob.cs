using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Models.Prices;

/// <summary>How a re-costing stands.</summary>
public enum RecostState
{
    /// <summary>It goes on, or will when the server runs again.</summary>
    Running,

    /// <summary>Every call was looked at.</summary>
    Done,

    /// <summary>Somebody stopped it, or a newer one took its place; what it had reached keeps its new cost.</summary>
    Cancelled,

    /// <summary>It could not go on; see <see cref="RecostJob.Problem"/>.</summary>
    Failed,
}

/// <summary>A re-costing of past calls that goes on behind the screens, project by project, page by page from the newest call on, and where it is.</summary>
public sealed class RecostJob
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>How it stands.</summary>
    public RecostState State { get; set; }

    /// <summary>Only calls that began then or later; null for all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Where to go on in the list of calls; null at its begin.</summary>
    public string? Cursor { get; set; }

    /// <summary>How many calls there were at its begin; null until counted.</summary>
    public long? Total { get; set; }

    /// <summary>How many calls were looked at.</summary>
    public long Looked { get; set; }

    /// <summary>How many of them have another cost now.</summary>
    public long Changed { get; set; }

    /// <summary>What those cost before, US dollars.</summary>
    public decimal Before { get; set; }

    /// <summary>What those cost now, US dollars.</summary>
    public decimal After { get; set; }

    /// <summary>Why it failed or was cancelled.</summary>
    public string? Problem { get; set; }

    /// <summary>Who started it, by name at that time.</summary>
    public required string StartedBy { get; init; }

    /// <summary>The member who started it.</summary>
    public Guid? MemberId { get; init; }

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it last moved.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}

internal sealed class RecostJobMapping : IEntityTypeConfiguration<RecostJob>
{
    public void Configure(EntityTypeBuilder<RecostJob> builder)
    {
        builder.ToTable("recost_job");
        builder.Property(j => j.Id).ValueGeneratedNever();
        builder.HasIndex(j => new { j.WorkspaceId, j.StartedAt });
        builder.HasIndex(j => j.State);
    }
}
