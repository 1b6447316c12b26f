using System.Globalization;
using System.IO.Enumeration;
using Assay.Core.Access;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Access;

/// <summary>Members and invitations on the platform's path, narrowed by globs.</summary>
internal static class OrganizationMemberEndpoints
{
    public static void MapOrganizationMembers(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/platform/orgs/current/members", ListAsync).Needs(Permission.Read);

    /// <summary>Members and invitations in one list, with the workspace they are in.</summary>
    private static async Task<IResult> ListAsync(
        HttpContext context,
        Members members,
        Invitations invitations,
        Workspaces workspaces
    )
    {
        var q = context.Request.Query;
        var caller = context.Caller();
        var workspace = await workspaces.GetAsync(caller, context.RequestAborted);
        var isActive = q.Flag("active_is") ?? !(q.Flag("pending_is") ?? false);
        var isPending = q.Flag("pending_is") ?? !(q.Flag("active_is") ?? false);
        var found = (
            isActive
                ? (await members.ListAsync(caller, context.RequestAborted)).Select(m =>
                    (m.Id, m.Email, m.Name, m.Role, At: m.JoinedAt, IsPending: false)
                )
                : []
        )
            .Concat(
                isPending
                    ? (await invitations.ListAsync(caller, context.RequestAborted)).Select(i =>
                        (
                            i.Id,
                            Email: (string?)i.Email,
                            Name: (string?)null,
                            i.Role,
                            At: i.CreatedAt,
                            IsPending: true
                        )
                    )
                    : []
            )
            .Where(m =>
                IsLike(q, "name_like", m.Name ?? m.Email)
                && IsLike(q, "email_like", m.Email)
                && IsLike(q, "workspace_role_like", AccessJson.Name(m.Role))
                && IsLike(q, "organization_role_like", OrganizationRole(m.Role))
                && (
                    IsLike(q, "workspace_name_like", workspace.Name)
                    || IsLike(q, "workspace_name_like", workspace.Id.ToString())
                )
            )
            .ToList();
        context.Response.Headers["X-Pagination-Total"] = found.Count.ToString(
            CultureInfo.InvariantCulture
        );
        // Lists of the organization show the caller's workspace.
        context.Response.Headers["X-Members-List-All-Workspaces"] = "false";
        return Results.Json(
            found
                .Skip(q.Int("offset", 0, 0, int.MaxValue))
                .Take(q.Int("limit", 50, 1, 500))
                .Select(m => new
                {
                    id = m.Id,
                    ls_user_id = m.IsPending ? (Guid?)null : m.Id,
                    email = m.Email,
                    display_name = m.Name ?? m.Email,
                    avatar_url = (string?)null,
                    created_at = Wire.Time(m.At),
                    is_pending = m.IsPending,
                    is_disabled = false,
                    role_id = AccessJson.RoleId(m.Role == Role.Owner ? Role.Owner : Role.Editor),
                    role_name = OrganizationRole(m.Role),
                    linked_login_methods = Array.Empty<object>(),
                    scim_groups = Array.Empty<object>(),
                    workspace_memberships = new[]
                    {
                        new
                        {
                            workspace_id = workspace.Id,
                            workspace_name = workspace.Name,
                            role_id = AccessJson.RoleId(m.Role),
                            role_name = AccessJson.Name(m.Role),
                        },
                    },
                })
        );
    }

    private static string OrganizationRole(Role role) =>
        role == Role.Owner ? AccessJson.Name(Role.Owner) : "ORGANIZATION_USER";

    /// <summary>True when the value matches one of the globs of a condition, or there is none.</summary>
    private static bool IsLike(IQueryCollection query, string name, string? value) =>
        query[name].OfType<string>().Where(p => p.Length > 0).ToList() is not { Count: > 0 } globs
        || globs.Exists(g => FileSystemName.MatchesSimpleExpression(g, value ?? "", true));
}
