using System.Security.Claims;
using Assay.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;

namespace Assay.Server.Auth;

/// <summary>
/// Sign-in by an OpenID Connect provider: code flow with PKCE. A person is known by the provider's subject, the first time by a verified
/// e-mail address; open invitations for that address are accepted on the way.
/// </summary>
internal static class OidcSignIn
{
    public static void AddOidc(this AuthenticationBuilder authentication, OidcOptions oidc) =>
        authentication.AddOpenIdConnect(o =>
        {
            o.Authority = oidc.Authority;
            o.ClientId = oidc.ClientId;
            o.ClientSecret = oidc.ClientSecret;
            o.ResponseType = "code";
            // By query, not by form: the cookies that guard the round trip stay SameSite=Lax.
            o.ResponseMode = "query";
            o.UsePkce = true;
            o.MapInboundClaims = false;
            o.GetClaimsFromUserInfoEndpoint = true;
            o.SaveTokens = false;
            o.CallbackPath = "/auth/oidc/callback";
            o.RequireHttpsMetadata = new Uri(oidc.Authority!).Scheme == Uri.UriSchemeHttps;
            o.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
            o.Scope.Clear();
            o.Scope.Add("openid");
            foreach (var scope in oidc.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                o.Scope.Add(scope);
            }

            foreach (var cookie in (CookieBuilder[])[o.CorrelationCookie, o.NonceCookie])
            {
                cookie.SameSite = SameSiteMode.Lax;
                cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            }

            o.ClaimActions.MapAll();
            o.Events.OnTicketReceived = context => ReceiveAsync(context, oidc);
            o.Events.OnRemoteFailure = context =>
            {
                context.Response.Redirect("/login?problem=sso");
                context.HandleResponse();
                return Task.CompletedTask;
            };
        });

    private static async Task ReceiveAsync(TicketReceivedContext context, OidcOptions oidc)
    {
        var services = context.HttpContext.RequestServices;
        var stop = context.HttpContext.RequestAborted;
        var members = services.GetRequiredService<Members>();
        var member = await FindAsync(
            services.GetRequiredService<UserManager<Member>>(),
            context.Principal!,
            oidc,
            services.GetRequiredService<TimeProvider>()
        );
        if (member is null)
        {
            Refuse(context, "unverified");
            return;
        }

        await services.GetRequiredService<Invitations>().AcceptAllAsync(member, stop);
        if (await members.FindHomeAsync(member.Id, stop) is null && oidc.AutoJoinRole is { } role)
        {
            var (first, _) = await services
                .GetRequiredService<Bootstrap>()
                .EnsureWorkspaceAsync(stop);
            await members.JoinAsync(member, first.Id, role, stop);
        }

        if (await members.FindHomeAsync(member.Id, stop) is not { } home)
        {
            Refuse(context, "member");
            return;
        }

        context.Principal = new MemberTicket(
            member.Id,
            home,
            member.SecurityStamp ?? "",
            ByLink: false
        ).Principal();
        context.Properties!.IsPersistent = true;
        await services
            .GetRequiredService<AuditLog>()
            .WriteAsync(SignIns.As(member, home), "member.sign_in", $"by {oidc.DisplayName}", stop);
    }

    private static async Task<Member?> FindAsync(
        UserManager<Member> users,
        ClaimsPrincipal person,
        OidcOptions oidc,
        TimeProvider time
    )
    {
        if (
            person.FindFirst("sub") is not { } subject
            || person.FindFirstValue("email") is not { } email
            || !Invitations.IsEmail(email)
            || !oidc.Allows(email)
            || !(
                oidc.TrustUnverifiedEmail
                || string.Equals(
                    person.FindFirstValue("email_verified"),
                    "true",
                    StringComparison.OrdinalIgnoreCase
                )
            )
        )
        {
            return null;
        }

        // The issuer is part of the key: with another provider, the same subject is another person.
        var provider = subject.Issuer;
        if (await users.FindByLoginAsync(provider, subject.Value) is { } known)
        {
            return known;
        }

        var member = await users.FindByEmailAsync(email);
        if (member is null)
        {
            var now = time.GetUtcNow();
            member = new Member
            {
                Id = Guid.CreateVersion7(now),
                UserName = email,
                Email = email,
                EmailConfirmed = true,
                DisplayName = person.FindFirstValue("name"),
                CreatedAt = now,
            };
            if (!(await users.CreateAsync(member)).Succeeded)
            {
                return null;
            }
        }
        else if (!member.EmailConfirmed)
        {
            // Whoever made this account never proved the address, so what they know of it (the password) ends here.
            member.EmailConfirmed = true;
            await users.RemovePasswordAsync(member);
        }

        await users.AddLoginAsync(
            member,
            new UserLoginInfo(provider, subject.Value, oidc.DisplayName)
        );
        return member;
    }

    private static void Refuse(TicketReceivedContext context, string problem)
    {
        context.Response.Redirect($"/login?problem={problem}");
        context.HandleResponse();
    }
}
