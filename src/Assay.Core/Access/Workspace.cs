namespace Assay.Core.Access;

/// <summary>A workspace: the border of everything. Nothing is ever read across it.</summary>
public sealed class Workspace
{
    /// <summary>Id; LangSmith's wire calls it a tenant.</summary>
    public Guid Id { get; init; }

    /// <summary>The organization it belongs to.</summary>
    public Guid OrganizationId { get; init; }

    /// <summary>Name on screen.</summary>
    public required string Name { get; set; }

    /// <summary>Short name in URLs and prompt owners: lower-case letters, digits and dashes.</summary>
    public required string Handle { get; set; }

    /// <summary>Days that traces of projects made from now on are kept; null means for ever. Experiments are kept.</summary>
    public int? DefaultRetentionDays { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A member's role in a workspace.</summary>
public sealed class WorkspaceMember
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The member.</summary>
    public Guid MemberId { get; init; }

    /// <summary>The role.</summary>
    public Role Role { get; set; }

    /// <summary>When the member joined the workspace.</summary>
    public DateTimeOffset JoinedAt { get; init; }
}
