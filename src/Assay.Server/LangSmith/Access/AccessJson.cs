using Assay.Core.Access;

namespace Assay.Server.LangSmith.Access;

/// <summary>Roles, workspaces, members and keys as LangSmith's wire writes them.</summary>
internal static class AccessJson
{
    /// <summary>Roles are fixed, so their ids are: the role's number at the end of one constant id.</summary>
    public static Guid RoleId(Role role) => new($"a55a1000-0000-4000-8000-00000000000{(int)role}");

    /// <summary>A role by its id or by one of its names; null when it is none.</summary>
    public static Role? RoleOf(string? text)
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            if (
                string.Equals(text, Name(role), StringComparison.OrdinalIgnoreCase)
                || string.Equals(text, role.ToString(), StringComparison.OrdinalIgnoreCase)
                || (Guid.TryParse(text, out var id) && id == RoleId(role))
            )
            {
                return role;
            }
        }

        return null;
    }

    /// <summary>The name of the wire.</summary>
    public static string Name(Role role) =>
        role switch
        {
            Role.Viewer => "WORKSPACE_VIEWER",
            Role.Editor => "WORKSPACE_USER",
            Role.Admin => "WORKSPACE_ADMIN",
            _ => "ORGANIZATION_ADMIN",
        };

    public static object Of(Role role, Guid organization) =>
        new
        {
            id = RoleId(role),
            name = Name(role),
            display_name = role.ToString(),
            description = Description(role),
            organization_id = organization,
            permissions = Permissions(Grants.Of(role)),
            access_scope = role == Role.Owner ? "organization" : "workspace",
        };

    public static IEnumerable<string> Permissions(Permission held) =>
        Enum.GetValues<Permission>()
            .Where(p => p != Permission.None && held.HasFlag(p))
            .Select(p => p.ToString().ToLowerInvariant());

    public static object Of(Workspace workspace, Role? role = null, Permission? held = null) =>
        new
        {
            id = workspace.Id,
            organization_id = workspace.OrganizationId,
            created_at = Wire.Time(workspace.CreatedAt),
            display_name = workspace.Name,
            tenant_handle = workspace.Handle,
            is_personal = false,
            is_deleted = false,
            data_plane_url = (string?)null,
            read_only = held is { } may && !may.HasFlag(Permission.Write),
            role_id = role is { } r ? RoleId(r) : (Guid?)null,
            role_name = role is { } n ? Name(n) : null,
            permissions = held is { } all ? Permissions(all) : null,
        };

    public static object Of(MemberView member, Caller caller, Guid organization) =>
        new
        {
            id = member.Id,
            organization_id = organization,
            tenant_id = caller.WorkspaceId,
            tenant_ids = new[] { caller.WorkspaceId },
            created_at = Wire.Time(member.JoinedAt),
            user_id = member.Id,
            ls_user_id = member.Id,
            read_only = member.Role == Role.Viewer,
            role_id = RoleId(member.Role),
            role_name = Name(member.Role),
            access_scope = "workspace",
            email = member.Email,
            full_name = member.Name,
            display_name = member.Name ?? member.Email,
            avatar_url = (string?)null,
            linked_login_methods = Array.Empty<object>(),
            is_disabled = false,
            org_role_id = member.Role == Role.Owner ? RoleId(Role.Owner) : (Guid?)null,
            org_role_name = member.Role == Role.Owner ? Name(Role.Owner) : null,
        };

    /// <summary>An open invitation; the link's path is only known when it is made.</summary>
    public static object Of(Invitation invitation, Guid organization, string? link = null) =>
        new
        {
            id = invitation.Id,
            email = invitation.Email,
            read_only = invitation.Role == Role.Viewer,
            role_id = RoleId(invitation.Role),
            role_name = Name(invitation.Role),
            workspace_ids = new[] { invitation.WorkspaceId },
            tenant_ids = new[] { invitation.WorkspaceId },
            workspace_role_id = RoleId(invitation.Role),
            full_name = (string?)null,
            access_scope = "workspace",
            user_id = (Guid?)null,
            tenant_id = invitation.WorkspaceId,
            organization_id = organization,
            created_at = Wire.Time(invitation.CreatedAt),
            expires_at = Wire.Time(invitation.ExpiresAt),
            invite_url = link,
        };

    public static object Of(ApiKey key, string workspace, string? secret = null) =>
        secret is null
            ? new
            {
                id = key.Id,
                created_at = Wire.Time(key.CreatedAt),
                short_key = key.Prefix + "…",
                description = key.Label,
                read_only = key.Scope == KeyScope.Read,
                scope = key.Scope.ToString().ToLowerInvariant(),
                last_used_at = Time(key.LastUsedAt),
                expires_at = Time(key.ExpiresAt),
                workspace_names = new[] { workspace },
                default_workspace_name = workspace,
            }
            : new
            {
                id = key.Id,
                created_at = Wire.Time(key.CreatedAt),
                short_key = key.Prefix + "…",
                description = key.Label,
                read_only = key.Scope == KeyScope.Read,
                scope = key.Scope.ToString().ToLowerInvariant(),
                last_used_at = (string?)null,
                expires_at = Time(key.ExpiresAt),
                workspace_names = new[] { workspace },
                default_workspace_name = workspace,
                key = secret,
            };

    public static string? Time(DateTimeOffset? time) => time is { } t ? Wire.Time(t) : null;

    private static string Description(Role role) =>
        role switch
        {
            Role.Viewer => "Reads everything, changes nothing",
            Role.Editor => "Works with data",
            Role.Admin => "Manages the workspace",
            _ => "Manages the organization as well",
        };
}
