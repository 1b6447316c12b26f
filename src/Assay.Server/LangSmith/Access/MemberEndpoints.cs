using System.Text.Json;
using Assay.Core.Access;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Access;

/// <summary>Members and invitations. An identity is a member: its id is the member's. Organization-wide spellings show the caller's workspace.</summary>
internal static class MemberEndpoints
{
    public static void MapMembers(this IEndpointRouteBuilder app)
    {
        foreach (
            var path in (string[])
                ["/api/v1/workspaces/current/members", "/api/v1/orgs/current/members"]
        )
        {
            app.MapGet(path, ListAsync).Needs(Permission.Read);
            app.MapGet(path + "/active", ActiveAsync).Needs(Permission.Read);
            app.MapGet(path + "/pending", PendingAsync).Needs(Permission.Read);
            app.MapPost(path + "/batch", InviteManyAsync).Needs(Permission.Manage);
            app.MapPatch(path + "/{identity:guid}", ChangeAsync).Needs(Permission.Manage);
            app.MapDelete(path + "/{identity:guid}", RemoveAsync).Needs(Permission.Manage);
            app.MapDelete(path + "/{identity:guid}/pending", WithdrawAsync)
                .Needs(Permission.Manage);
        }

        app.MapPost("/api/v1/orgs/current/members", InviteAsync).Needs(Permission.Manage);
        app.MapPost("/api/v1/workspaces/current/members", AddAsync).Needs(Permission.Manage);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        Members members,
        Invitations invitations,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        var organization = await OrganizationAsync(context, workspaces);
        var active = await members.ListAsync(caller, context.RequestAborted);
        var pending = await invitations.ListAsync(caller, context.RequestAborted);
        return Results.Json(
            new
            {
                tenant_id = caller.WorkspaceId,
                organization_id = organization,
                members = active.Select(m => AccessJson.Of(m, caller, organization)),
                pending = pending.Select(i => AccessJson.Of(i, organization)),
            }
        );
    }

    private static async Task<IResult> ActiveAsync(
        HttpContext context,
        Members members,
        Workspaces workspaces
    )
    {
        var q = context.Request.Query;
        var caller = context.Caller();
        var organization = await OrganizationAsync(context, workspaces);
        var text = q["q"].ToString();
        var emails = q["emails"].OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        var found = (await members.ListAsync(caller, context.RequestAborted))
            .Where(m => emails.Count == 0 || emails.Contains(m.Email ?? ""))
            .Where(m => $"{m.Email} {m.Name}".Contains(text, StringComparison.OrdinalIgnoreCase));
        return Results.Json(
            Page(context, found).Select(m => AccessJson.Of(m, caller, organization))
        );
    }

    private static async Task<IResult> PendingAsync(
        HttpContext context,
        Invitations invitations,
        Workspaces workspaces
    )
    {
        var organization = await OrganizationAsync(context, workspaces);
        var found = await invitations.ListAsync(context.Caller(), context.RequestAborted);
        return Results.Json(Page(context, found).Select(i => AccessJson.Of(i, organization)));
    }

    private static async Task<IResult> InviteAsync(
        HttpContext context,
        Invitations invitations,
        Workspaces workspaces
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var (problem, invited) = await InviteOneAsync(
            context,
            invitations,
            document.RootElement,
            await OrganizationAsync(context, workspaces)
        );
        return problem ?? Results.Json(invited);
    }

    private static async Task<IResult> InviteManyAsync(
        HttpContext context,
        Invitations invitations,
        Workspaces workspaces
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return Errors.Invalid("body: must be a list of {email, role_id}");
        }

        var organization = await OrganizationAsync(context, workspaces);
        var all = new List<object>();
        foreach (var item in document.RootElement.EnumerateArray())
        {
            var (problem, invited) = await InviteOneAsync(context, invitations, item, organization);
            if (problem is not null)
            {
                return problem;
            }

            all.Add(invited!);
        }

        return Results.Json(all);
    }

    private static async Task<(IResult? Problem, object? Invited)> InviteOneAsync(
        HttpContext context,
        Invitations invitations,
        JsonElement json,
        Guid organization
    )
    {
        if (Role(json) is not { } role)
        {
            return (Errors.Invalid("role_id: no such role; see /orgs/current/roles"), null);
        }

        var (outcome, invitation, token) = await invitations.CreateAsync(
            context.Caller(),
            json.Text("email") ?? "",
            role,
            context.RequestAborted
        );
        var request = context.Request;
        return invitation is null
            ? (Refused(outcome), null)
            : (
                null,
                AccessJson.Of(
                    invitation,
                    organization,
                    $"{request.Scheme}://{request.Host}/invite/{token}"
                )
            );
    }

    /// <summary>Adds somebody who is in another workspace of the organization.</summary>
    private static async Task<IResult> AddAsync(
        HttpContext context,
        Members members,
        Workspaces workspaces
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        if (
            !json.TryId("user_id", out var user)
            || !json.TryId("ls_user_id", out var other)
            || !json.TryId("org_identity_id", out var identity)
            || (user ?? other ?? identity) is not { } id
        )
        {
            return Errors.Invalid("user_id: must be a UUID");
        }

        if (Role(json) is not { } role)
        {
            return Errors.Invalid("role_id: no such role; see /orgs/current/roles");
        }

        var outcome = await members.AddAsync(context.Caller(), id, role, context.RequestAborted);
        return outcome == MemberChange.Done
            ? await OneAsync(context, members, workspaces, id)
            : Refused(outcome);
    }

    private static async Task<IResult> ChangeAsync(
        Guid identity,
        HttpContext context,
        Members members,
        Workspaces workspaces
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (Role(document.RootElement) is not { } role)
        {
            return Errors.Invalid("role_id: no such role; see /orgs/current/roles");
        }

        var outcome = await members.ChangeRoleAsync(
            context.Caller(),
            identity,
            role,
            context.RequestAborted
        );
        return outcome == MemberChange.Done
            ? await OneAsync(context, members, workspaces, identity)
            : Refused(outcome);
    }

    private static async Task<IResult> RemoveAsync(
        Guid identity,
        HttpContext context,
        Members members
    )
    {
        var outcome = await members.RemoveAsync(context.Caller(), identity, context.RequestAborted);
        return outcome == MemberChange.Done
            ? Results.Json(new { message = "Member removed" })
            : Refused(outcome);
    }

    private static async Task<IResult> WithdrawAsync(
        Guid identity,
        HttpContext context,
        Invitations invitations
    )
    {
        var outcome = await invitations.WithdrawAsync(
            context.Caller(),
            identity,
            context.RequestAborted
        );
        return outcome == MemberChange.Done
            ? Results.Json(new { message = "Invitation withdrawn" })
            : Errors.NotFound("Invitation");
    }

    private static async Task<IResult> OneAsync(
        HttpContext context,
        Members members,
        Workspaces workspaces,
        Guid id
    )
    {
        var caller = context.Caller();
        var organization = await OrganizationAsync(context, workspaces);
        return
            (await members.ListAsync(caller, context.RequestAborted)).FirstOrDefault(m =>
                m.Id == id
            )
                is { } member
            ? Results.Json(AccessJson.Of(member, caller, organization))
            : Errors.NotFound("Member");
    }

    private static IEnumerable<T> Page<T>(HttpContext context, IEnumerable<T> all)
    {
        var q = context.Request.Query;
        return all.Skip(Number(q["offset"], 0)).Take(Math.Clamp(Number(q["limit"], 100), 1, 500));
    }

    private static int Number(string? text, int fallback) =>
        int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var n) && n >= 0
            ? n
            : fallback;

    private static Role? Role(JsonElement json) =>
        (json.Text("workspace_role_id") ?? json.Text("role_id")) is { } id ? AccessJson.RoleOf(id)
        : json.Bool("read_only") == true ? Core.Access.Role.Viewer
        : Core.Access.Role.Editor;

    private static async Task<Guid> OrganizationAsync(HttpContext context, Workspaces workspaces) =>
        (await workspaces.GetAsync(context.Caller(), context.RequestAborted)).OrganizationId;

    private static IResult Refused(MemberChange outcome) =>
        outcome switch
        {
            MemberChange.NotFound => Errors.NotFound("Member"),
            MemberChange.AlreadyMember => Errors.Detail(
                StatusCodes.Status409Conflict,
                "That person is a member already"
            ),
            MemberChange.WrongEmail => Errors.Invalid("email: must be an e-mail address"),
            MemberChange.LastOwner => Errors.Detail(
                StatusCodes.Status409Conflict,
                "A workspace keeps one owner at least"
            ),
            _ => Errors.Detail(
                StatusCodes.Status403Forbidden,
                "Only owners give, change or take the role of an owner"
            ),
        };
}
