using Assay.Core.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Core.Insights;

/// <summary>Where a report stands. The numbers are stored.</summary>
public enum InsightsState : byte
{
    /// <summary>Waits for its turn.</summary>
    Waiting = 0,

    /// <summary>Is being worked on; a server that starts goes on with it.</summary>
    Running = 1,

    /// <summary>The report is there.</summary>
    Done = 2,

    /// <summary>Given up by a person; can go on.</summary>
    Cancelled = 3,

    /// <summary>Cannot go on before somebody changes something (<see cref="InsightsJob.Reason"/>); can go on then.</summary>
    Failed = 4,
}

/// <summary>
/// A report about what happens in a project: a sample of its traces, summarized by a model and sorted into clusters that the model proposed.
/// The record, its runs and its clusters are durable: a server that was killed goes on where it stopped.
/// </summary>
public sealed class InsightsJob
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The project it is about.</summary>
    public Guid ProjectId { get; init; }

    /// <summary>Name, 1 to 200 characters.</summary>
    public required string Name { get; set; }

    /// <summary>Where it stands.</summary>
    public InsightsState State { get; set; }

    /// <summary>What was asked for; see <see cref="InsightsPlan"/>.</summary>
    public required string PlanJson { get; init; }

    /// <summary>How many runs there were to choose from.</summary>
    public int Matched { get; init; }

    /// <summary>How many were chosen.</summary>
    public int Total { get; init; }

    /// <summary>Why it failed; null otherwise.</summary>
    public string? Reason { get; set; }

    /// <summary>Title and key points, as JSON; null until they are written. See <see cref="InsightsSummary"/>.</summary>
    public string? SummaryJson { get; set; }

    /// <summary>The run in <see cref="InsightsTrace.Project"/> that holds all calls of the report.</summary>
    public Guid TraceRunId { get; init; }

    /// <summary>The member who asked for it.</summary>
    public Guid? UserId { get; init; }

    /// <summary>Who asked for it, by name at that time.</summary>
    public required string Actor { get; init; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was first worked on.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it came to an end; null while it has not, or goes on again.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>True while it waits or is worked on.</summary>
    public bool IsLive => State is InsightsState.Waiting or InsightsState.Running;
}

/// <summary>How far a run of a report got. The numbers are stored.</summary>
public enum InsightsRunState : byte
{
    /// <summary>Not summarized yet.</summary>
    Waiting = 0,

    /// <summary>Summarized, in no cluster yet.</summary>
    Summarized = 1,

    /// <summary>In a cluster.</summary>
    Assigned = 2,

    /// <summary>Summarized, but in no cluster: it fits none.</summary>
    FitsNone = 3,

    /// <summary>Summarized, but the model's choice of a cluster could not be had; <see cref="InsightsRun.Error"/> says why.</summary>
    NotAssigned = 4,

    /// <summary>Could not be summarized; <see cref="InsightsRun.Error"/> says why.</summary>
    NotSummarized = 5,
}

/// <summary>One run of a report.</summary>
public sealed class InsightsRun
{
    /// <summary>The report.</summary>
    public Guid JobId { get; init; }

    /// <summary>The run, the root of its trace.</summary>
    public Guid RunId { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Place in the report, from 0; the newest first.</summary>
    public int Number { get; init; }

    /// <summary>How far it got.</summary>
    public InsightsRunState State { get; set; }

    /// <summary>What happened in it, by the model.</summary>
    public string? Summary { get; set; }

    /// <summary>Its cluster.</summary>
    public Guid? ClusterId { get; set; }

    /// <summary>What went wrong with it.</summary>
    public string? Error { get; set; }
}

/// <summary>A group of runs that are about the same thing.</summary>
public sealed class InsightsCluster
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The report.</summary>
    public Guid JobId { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The cluster around it; null at the top.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>0 for clusters that hold runs, 1 for those that hold clusters.</summary>
    public int Level { get; init; }

    /// <summary>Place in the order of the proposal, from 0.</summary>
    public int Number { get; init; }

    /// <summary>Name, unique in the report.</summary>
    public required string Name { get; init; }

    /// <summary>What belongs in it.</summary>
    public required string Description { get; init; }
}

internal sealed class InsightsMapping
    : IEntityTypeConfiguration<InsightsJob>,
        IEntityTypeConfiguration<InsightsRun>,
        IEntityTypeConfiguration<InsightsCluster>
{
    public void Configure(EntityTypeBuilder<InsightsJob> builder)
    {
        builder.ToTable("insights_job");
        builder.Property(j => j.Id).ValueGeneratedNever();
        builder.Ignore(j => j.IsLive);
        builder.HasIndex(j => new { j.ProjectId, j.CreatedAt });
        builder.HasIndex(j => j.WorkspaceId);
        builder.HasIndex(j => j.State);
        builder
            .HasOne<Project>()
            .WithMany()
            .HasForeignKey(j => j.ProjectId)
            .OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<InsightsRun> builder)
    {
        builder.ToTable("insights_run");
        builder.HasKey(r => new { r.JobId, r.Number });
        builder.HasIndex(r => new
        {
            r.JobId,
            r.State,
            r.Number,
        });
        builder
            .HasOne<InsightsJob>()
            .WithMany()
            .HasForeignKey(r => r.JobId)
            .OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<InsightsCluster> builder)
    {
        builder.ToTable("insights_cluster");
        builder.Property(c => c.Id).ValueGeneratedNever();
        builder.HasIndex(c => c.JobId);
        builder
            .HasOne<InsightsJob>()
            .WithMany()
            .HasForeignKey(c => c.JobId)
            .OnDelete(DeleteBehavior.Cascade);
    }
}
