using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Assay.Server.Auth;

/// <summary>
/// What the sign-in cookie says. The role is not in it: it is looked up at each request, so a change takes effect at once; so does a new
/// password, through <paramref name="Stamp"/>.
/// </summary>
/// <param name="MemberId">The person.</param>
/// <param name="WorkspaceId">The workspace that is open.</param>
/// <param name="Stamp">The person's security stamp at sign-in.</param>
/// <param name="ByLink">Signed in by the link from the server's terminal, which proves more than a password does.</param>
internal sealed record MemberTicket(Guid MemberId, Guid WorkspaceId, string Stamp, bool ByLink)
{
    private const string Workspace = "workspace";
    private const string StampClaim = "stamp";
    private const string Via = "via";

    public static MemberTicket? Read(ClaimsPrincipal user) =>
        Guid.TryParse(user.FindFirstValue(ClaimTypes.NameIdentifier), out var member)
        && Guid.TryParse(user.FindFirstValue(Workspace), out var workspace)
        && user.FindFirstValue(StampClaim) is { } stamp
            ? new MemberTicket(
                member,
                workspace,
                stamp,
                string.Equals(user.FindFirstValue(Via), "link", StringComparison.Ordinal)
            )
            : null;

    public ClaimsPrincipal Principal() =>
        new(
            new ClaimsIdentity(
                [
                    new Claim(ClaimTypes.NameIdentifier, MemberId.ToString()),
                    new Claim(Workspace, WorkspaceId.ToString()),
                    new Claim(StampClaim, Stamp),
                    .. ByLink ? (Claim[])[new Claim(Via, "link")] : [],
                ],
                CookieAuthenticationDefaults.AuthenticationScheme
            )
        );

    public Task SignInAsync(HttpContext context) =>
        context.SignInAsync(
            CookieAuthenticationDefaults.AuthenticationScheme,
            Principal(),
            new AuthenticationProperties { IsPersistent = true }
        );
}
