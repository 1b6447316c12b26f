using Assay.Core.Access;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Access;

/// <summary>The organization, its roles and permissions. There is nothing to buy: every feature is on.</summary>
internal static class OrganizationEndpoints
{
    public static void MapOrganization(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/orgs", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/orgs/current", CurrentAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/orgs/current/info", CurrentAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/platform/orgs/current/info", CurrentAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/orgs/current/info", RenameAsync).Needs(Permission.ManageOrganization);
        app.MapGet("/api/v1/orgs/current/roles", RolesAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/orgs/permissions", Permissions).Needs(Permission.Read);
    }

    private static async Task<IResult> ListAsync(HttpContext context, Workspaces workspaces)
    {
        var organization = await workspaces.OrganizationAsync(
            context.Caller(),
            context.RequestAborted
        );
        return Results.Json(
            new[]
            {
                new
                {
                    id = organization.Id,
                    display_name = organization.Name,
                    created_at = Wire.Time(organization.CreatedAt),
                    is_personal = false,
                    disabled = false,
                },
            }
        );
    }

    private static async Task<IResult> CurrentAsync(HttpContext context, Workspaces workspaces)
    {
        var caller = context.Caller();
        var organization = await workspaces.OrganizationAsync(caller, context.RequestAborted);
        return Results.Json(
            new
            {
                id = organization.Id,
                display_name = organization.Name,
                created_at = Wire.Time(organization.CreatedAt),
                is_personal = false,
                disabled = false,
                tier = (string?)null,
                connected_to_stripe = false,
                connected_to_metronome = false,
                has_cancelled = false,
                end_of_billing_period = (string?)null,
                reached_max_workspaces = false,
                invites_enabled = true,
                permissions = AccessJson.Permissions(caller.Permissions),
                config = new
                {
                    plan_tier = (string?)null,
                    max_identities = int.MaxValue,
                    max_workspaces = int.MaxValue,
                    can_use_rbac = true,
                    can_use_abac = false,
                    can_use_audit_logs = true,
                    can_add_seats = true,
                    can_use_saml_sso = false,
                },
            }
        );
    }

    private static async Task<IResult> RenameAsync(HttpContext context, Workspaces workspaces)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var outcome = await workspaces.RenameOrganizationAsync(
            context.Caller(),
            document.RootElement.Text("display_name") ?? "",
            context.RequestAborted
        );
        return outcome == WorkspaceChange.Done
            ? await CurrentAsync(context, workspaces)
            : Errors.Invalid($"display_name: must have 1 to {Workspaces.MaxNameLength} characters");
    }

    private static async Task<IResult> RolesAsync(HttpContext context, Workspaces workspaces)
    {
        var organization = (
            await workspaces.GetAsync(context.Caller(), context.RequestAborted)
        ).OrganizationId;
        return Results.Json(Enum.GetValues<Role>().Select(r => AccessJson.Of(r, organization)));
    }

    private static IResult Permissions() =>
        Results.Json(
            Enum.GetValues<Permission>()
                .Where(p => p != Permission.None)
                .Select(p => new
                {
                    name = p.ToString().ToLowerInvariant(),
                    description = Describe(p),
                    access_scope = p == Permission.ManageOrganization
                        ? "organization"
                        : "workspace",
                })
        );

    private static string Describe(Permission permission) =>
        permission switch
        {
            Permission.Ingest => "Send runs and feedback",
            Permission.Read => "Read everything of the workspace",
            Permission.Write => "Create and change projects, datasets, prompts, feedback",
            Permission.Delete => "Delete what can be created, runs included",
            Permission.Manage => "Manage members, API keys, prices, retention, secrets",
            _ => "Manage workspaces, owners and sign-in",
        };
}
