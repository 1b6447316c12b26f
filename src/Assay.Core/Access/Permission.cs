namespace Assay.Core.Access;

/// <summary>What a caller may do inside one workspace. Every endpoint and every page declares the permission it needs.</summary>
[Flags]
public enum Permission
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Send runs and feedback.</summary>
    Ingest = 1,

    /// <summary>Read runs, projects, datasets, prompts and everything else of the workspace.</summary>
    Read = 2,

    /// <summary>Create and change projects, datasets, prompts, feedback and queues, and share traces.</summary>
    Write = 4,

    /// <summary>Delete what <see cref="Write"/> can create, runs included.</summary>
    Delete = 8,

    /// <summary>Manage the workspace: members, API keys, prices, retention, secrets, audit log.</summary>
    Manage = 16,

    /// <summary>Manage the organization: workspaces, its members, sign-in.</summary>
    ManageOrganization = 32,
}
