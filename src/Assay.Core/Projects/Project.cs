namespace Assay.Core.Projects;

/// <summary>
/// A project holds traces; one born from a dataset is an experiment. LangSmith's wire calls it a session.
/// </summary>
public sealed class Project
{
    /// <summary>Id, chosen by the client or made.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace it belongs to.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name, unique in the workspace, case-sensitive, 1 to 1,024 characters.</summary>
    public required string Name { get; set; }

    /// <summary>Free text.</summary>
    public string? Description { get; set; }

    /// <summary>Extra as the client sent it, JSON object text; <c>metadata</c> inside.</summary>
    public string? ExtraJson { get; set; }

    /// <summary>When it was made or, for an experiment, when it began.</summary>
    public DateTimeOffset StartTime { get; set; }

    /// <summary>When the experiment ended.</summary>
    public DateTimeOffset? EndTime { get; set; }

    /// <summary>The dataset an experiment ran on; null for a plain project.</summary>
    public Guid? ReferenceDatasetId { get; set; }

    /// <summary>Where runs of this project go by default when added to a dataset.</summary>
    public Guid? DefaultDatasetId { get; set; }

    /// <summary>Days its traces are kept; null means for ever.</summary>
    public int? RetentionDays { get; set; }

    /// <summary>Days traces with an error are kept, when longer.</summary>
    public int? ErrorRetentionDays { get; set; }

    /// <summary>Days traces with feedback are kept, when longer.</summary>
    public int? FeedbackRetentionDays { get; set; }

    /// <summary>Running number of the experiment within its dataset, from 1.</summary>
    public int? ExperimentNumber { get; set; }

    /// <summary>Made by "load sample data"; removable in one click.</summary>
    public bool IsSample { get; set; }

    /// <summary>Row creation.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change of the row.</summary>
    public DateTimeOffset ModifiedAt { get; set; }
}
