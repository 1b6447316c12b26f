namespace Assay.Core.Access;

/// <summary>The role of a member in a workspace. Roles are ordered: each one includes those before it.</summary>
public enum Role
{
    /// <summary>Reads everything, changes nothing.</summary>
    Viewer = 0,

    /// <summary>Works with data: sends, creates, changes and deletes.</summary>
    Editor = 1,

    /// <summary>Manages the workspace.</summary>
    Admin = 2,

    /// <summary>Manages the organization as well.</summary>
    Owner = 3,
}

/// <summary>What an API key may be used for. The numbers are stored.</summary>
public enum KeyScope
{
    /// <summary>Only sends runs and feedback.</summary>
    Ingest = 0,

    /// <summary>Only reads.</summary>
    Read = 1,

    /// <summary>Everything inside its workspace.</summary>
    Full = 2,
}

/// <summary>The table from roles and key scopes to permissions: the only place where it is written down.</summary>
public static class Grants
{
    private const Permission Edit =
        Permission.Ingest | Permission.Read | Permission.Write | Permission.Delete;

    /// <summary>The permissions of a role.</summary>
    public static Permission Of(Role role) =>
        role switch
        {
            Role.Viewer => Permission.Read,
            Role.Editor => Edit,
            Role.Admin => Edit | Permission.Manage,
            Role.Owner => Edit | Permission.Manage | Permission.ManageOrganization,
            _ => Permission.None,
        };

    /// <summary>The permissions of an API key scope.</summary>
    public static Permission Of(KeyScope scope) =>
        scope switch
        {
            KeyScope.Ingest => Permission.Ingest,
            KeyScope.Read => Permission.Read,
            KeyScope.Full => Edit | Permission.Manage,
            _ => Permission.None,
        };
}
