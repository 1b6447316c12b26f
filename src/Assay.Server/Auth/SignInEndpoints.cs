using Assay.Core.Access;
using Assay.UI.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace Assay.Server.Auth;

/// <summary>The forms of sign-in. Each answers with a redirect, so that going back never sends a password again; antiforgery is checked because they bind forms.</summary>
internal static class SignInEndpoints
{
    /// <summary>The rate limit of whoever tries passwords and links.</summary>
    public const string RateLimit = "sign-in";

    public static void MapSignIn(this IEndpointRouteBuilder app)
    {
        app.MapPost("/auth/link", LinkAsync).IsOpen().RequireRateLimiting(RateLimit);
        app.MapPost("/auth/login", LoginAsync).IsOpen().RequireRateLimiting(RateLimit);
        app.MapPost("/auth/invite", InviteAsync).IsOpen().RequireRateLimiting(RateLimit);
        app.MapPost("/auth/logout", LogoutAsync).IsOpen();
        app.MapPost("/auth/owner", SetUpAsync).Needs(Permission.Read);
        app.MapPost("/auth/password", PasswordAsync)
            .Needs(Permission.Read)
            .RequireRateLimiting(RateLimit);
        app.MapPost("/auth/workspace", SwitchAsync).Needs(Permission.Read);
        app.MapPost("/auth/workspace/delete", DeleteWorkspaceAsync)
            .Needs(Permission.ManageOrganization);
        app.MapGet("/auth/oidc", Challenge).IsOpen();
    }

    private static async Task<IResult> LinkAsync(
        [FromForm] string token,
        HttpContext context,
        LoginLinks links,
        Members members,
        UserManager<Member> users,
        SignIns signIns
    )
    {
        if (
            links.Use(token) is not { } workspace
            || await members.FindOwnerAsync(workspace, context.RequestAborted) is not { } id
            || await users.FindByIdAsync(id.ToString()) is not { } owner
        )
        {
            return Results.LocalRedirect("/login?problem=link");
        }

        await signIns.SignInAsync(context, owner, workspace, "link");
        return Results.LocalRedirect(owner.PasswordHash is null ? "/auth/setup" : "/");
    }

    private static async Task<IResult> LoginAsync(
        [FromForm] string email,
        [FromForm] string password,
        [FromForm(Name = "return")] string? back,
        HttpContext context,
        SignIns signIns
    )
    {
        var member = await signIns.CheckAsync(email.Trim(), password, context.RequestAborted);
        var query = back is { Length: > 0 } ? $"&return={Uri.EscapeDataString(back)}" : "";
        return member is null ? Results.LocalRedirect("/login?problem=password" + query)
            : await signIns.SignInAsync(context, member, null, "password") ? Back(back)
            : Results.LocalRedirect("/login?problem=member");
    }

    private static async Task<IResult> InviteAsync(
        [FromForm] string token,
        [FromForm] string? name,
        [FromForm] string password,
        HttpContext context,
        Invitations invitations,
        UserManager<Member> users,
        SignIns signIns
    )
    {
        var page = $"/invite/{Uri.EscapeDataString(token)}";
        if (await invitations.FindAsync(token, context.RequestAborted) is not { } invitation)
        {
            return Results.LocalRedirect(page);
        }

        // Somebody who has an account proves it; the link alone does not open another person's account.
        var member = await users.FindByEmailAsync(invitation.Email);
        if (member is not null)
        {
            if (
                await signIns.CheckAsync(invitation.Email, password, context.RequestAborted) is null
            )
            {
                return Results.LocalRedirect(page + "?problem=password");
            }
        }
        else
        {
            member = new Member
            {
                Id = Guid.CreateVersion7(
                    context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow()
                ),
                UserName = invitation.Email,
                Email = invitation.Email,
                DisplayName = Name(name),
                CreatedAt = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
            };
            if (await users.CreateAsync(member, password) is { Succeeded: false } refused)
            {
                return Results.LocalRedirect(page + Problem(refused));
            }
        }

        var (outcome, workspace) = await invitations.AcceptAsync(
            token,
            member,
            context.RequestAborted
        );
        if (outcome != MemberChange.Done)
        {
            return Results.LocalRedirect(page);
        }

        await signIns.SignInAsync(context, member, workspace, "invitation");
        return Results.LocalRedirect("/");
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, [FromForm] string? nothing)
    {
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.LocalRedirect("/login");
    }

    private static async Task<IResult> SetUpAsync(
        [FromForm] string email,
        [FromForm] string? name,
        [FromForm] string password,
        HttpContext context,
        UserManager<Member> users,
        AuditLog audit
    )
    {
        if (await SignedInAsync(context, users) is not ({ } ticket, { } member))
        {
            return Results.LocalRedirect("/login");
        }

        if (member.PasswordHash is not null)
        {
            return Results.LocalRedirect("/account");
        }

        email = email.Trim();
        if (!Invitations.IsEmail(email))
        {
            return Results.LocalRedirect("/auth/setup?problem=email");
        }

        member.Email = member.UserName = email;
        member.DisplayName = Name(name) ?? member.DisplayName;
        var result = await users.UpdateAsync(member);
        if (result.Succeeded)
        {
            result = await users.AddPasswordAsync(member, password);
        }

        if (!result.Succeeded)
        {
            return Results.LocalRedirect("/auth/setup" + Problem(result));
        }

        await (ticket with { Stamp = member.SecurityStamp ?? "" }).SignInAsync(context);
        await audit.WriteAsync(
            SignIns.As(member, ticket.WorkspaceId),
            "member.set_up",
            email,
            context.RequestAborted
        );
        return Results.LocalRedirect("/");
    }

    private static async Task<IResult> PasswordAsync(
        [FromForm] string? current,
        [FromForm] string password,
        HttpContext context,
        UserManager<Member> users,
        SignIns signIns,
        AuditLog audit
    )
    {
        if (await SignedInAsync(context, users) is not ({ } ticket, { } member))
        {
            return Results.LocalRedirect("/login");
        }

        // The link from the terminal stands for a forgotten password; a person of the identity provider has none yet.
        var mayReset = ticket.ByLink || member.PasswordHash is null;
        if (
            !mayReset
            && await signIns.CheckAsync(member.Email ?? "", current ?? "", context.RequestAborted)
                is null
        )
        {
            return Results.LocalRedirect("/account?problem=current");
        }

        var token = await users.GeneratePasswordResetTokenAsync(member);
        if (await users.ResetPasswordAsync(member, token, password) is { Succeeded: false } refused)
        {
            return Results.LocalRedirect("/account" + Problem(refused));
        }

        // The stamp has changed, so every other sign-in of this person ends here.
        await (ticket with { Stamp = member.SecurityStamp ?? "", ByLink = false }).SignInAsync(
            context
        );
        await audit.WriteAsync(
            SignIns.As(member, ticket.WorkspaceId),
            "member.password",
            member.Email,
            context.RequestAborted
        );
        return Results.LocalRedirect("/account?done=password");
    }

    private static async Task<IResult> SwitchAsync(
        [FromForm] Guid workspace,
        [FromForm(Name = "return")] string? back,
        HttpContext context,
        Members members
    )
    {
        if (MemberTicket.Read(context.User) is not { } ticket)
        {
            return Results.LocalRedirect("/login");
        }

        if (
            await members.FindCallerAsync(
                ticket.MemberId,
                workspace,
                ticket.Stamp,
                context.RequestAborted
            )
            is null
        )
        {
            return Results.LocalRedirect("/denied");
        }

        await (ticket with { WorkspaceId = workspace }).SignInAsync(context);
        return Back(back);
    }

    /// <summary>Deletes the workspace that is open, when its name was typed, and opens another of the member's.</summary>
    private static async Task<IResult> DeleteWorkspaceAsync(
        [FromForm] string name,
        HttpContext context,
        Workspaces workspaces,
        WorkspaceDeletion deletion
    )
    {
        if (MemberTicket.Read(context.User) is not { } ticket)
        {
            return Results.LocalRedirect("/login");
        }

        var caller = context.Caller();
        var all = await workspaces.ListAsync(caller, context.RequestAborted);
        var open = all.FirstOrDefault(v => v.Workspace.Id == caller.WorkspaceId);
        if (!string.Equals(open?.Workspace.Name, name.Trim(), StringComparison.Ordinal))
        {
            return Results.LocalRedirect("/settings/workspaces?delete=1&problem=name");
        }

        if (
            all.FirstOrDefault(v => v.Role is not null && v.Workspace.Id != caller.WorkspaceId)
                is not { } next
            || !await deletion.DeleteAsync(caller, context.RequestAborted)
        )
        {
            return Results.LocalRedirect("/settings/workspaces?problem=last");
        }

        await (ticket with { WorkspaceId = next.Workspace.Id }).SignInAsync(context);
        return Results.LocalRedirect("/settings/workspaces?done=deleted");
    }

    private static IResult Challenge(
        [FromQuery(Name = "return")] string? back,
        SignInChoices choices
    ) =>
        choices.SingleSignOn is null
            ? Results.NotFound()
            : Results.Challenge(
                new AuthenticationProperties
                {
                    RedirectUri = IsLocal(back) ? back : "/",
                    IsPersistent = true,
                },
                [OpenIdConnectDefaults.AuthenticationScheme]
            );

    private static async Task<(MemberTicket? Ticket, Member? Member)> SignedInAsync(
        HttpContext context,
        UserManager<Member> users
    ) =>
        MemberTicket.Read(context.User) is { } ticket
        && context.Caller() is { ApiKeyId: null, UserId: { } id }
        && id == ticket.MemberId
            ? (ticket, await users.FindByIdAsync(id.ToString()))
            : (null, null);

    private static IResult Back(string? path) => Results.LocalRedirect(IsLocal(path) ? path! : "/");

    private static bool IsLocal(string? path) =>
        path is ['/', ..] and not ['/', '/' or '\\', ..] && !path.Any(char.IsControl);

    private static string? Name(string? name) =>
        name?.Trim() is { Length: > 0 } text ? text[..Math.Min(text.Length, 100)] : null;

    private static string Problem(IdentityResult result) =>
        result.Errors.Any(e => e.Code.StartsWith("Duplicate", StringComparison.Ordinal))
            ? "?problem=taken"
            : "?problem=weak";
}
