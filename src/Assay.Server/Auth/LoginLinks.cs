using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using Assay.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Assay.Server.Auth;

/// <summary>One-time login links, printed at start. They live in memory only: a restart prints a new one.</summary>
internal sealed class LoginLinks(Bootstrap members, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private readonly ConcurrentDictionary<string, (Guid Workspace, DateTimeOffset Until)> _links =
        new(StringComparer.Ordinal);

    public string Create(Guid workspaceId)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _links[token] = (workspaceId, time.GetUtcNow() + Lifetime);
        return token;
    }

    public async Task<IResult> UseAsync(string token, HttpContext context)
    {
        if (
            !_links.TryRemove(token, out var link)
            || link.Until < time.GetUtcNow()
            || await members.FindOwnerAsync(link.Workspace, context.RequestAborted) is not { } owner
        )
        {
            return Results.Redirect("/login?expired=1");
        }

        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, owner.ToString()),
                new Claim("workspace", link.Workspace.ToString()),
            ],
            CookieAuthenticationDefaults.AuthenticationScheme
        );
        await context.SignInAsync(new ClaimsPrincipal(identity));
        return Results.Redirect("/");
    }
}
