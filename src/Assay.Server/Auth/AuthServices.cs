using System.Threading.RateLimiting;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.UI.Access;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Assay.Server.Auth;

/// <summary>The registration of sign-in: cookies, passwords, single sign-on, antiforgery.</summary>
internal static class AuthServices
{
    public static void AddAuth(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services
            .AddDataProtection()
            .SetApplicationName("Assay")
            .PersistKeysToDbContext<MetadataContext>();
        services.AddOptions<OidcOptions>().BindConfiguration(OidcOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OidcOptions>, OidcOptionsValidator>();
        services.AddSingleton<LoginLinks>();
        services.AddScoped<SignIns>();
        services
            .AddIdentityCore<Member>(o =>
            {
                o.User.RequireUniqueEmail = true;
                // User names are e-mail addresses, which Invitations.IsEmail checks.
                o.User.AllowedUserNameCharacters = "";
                // Length is what counts; rules about kinds of characters make passwords worse.
                o.Password.RequiredLength = SignInChoices.MinPasswordLength;
                o.Password.RequireDigit = false;
                o.Password.RequireLowercase = false;
                o.Password.RequireUppercase = false;
                o.Password.RequireNonAlphanumeric = false;
                o.Password.RequiredUniqueChars = 4;
                o.Lockout.MaxFailedAccessAttempts = 8;
                o.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(10);
            })
            .AddEntityFrameworkStores<MetadataContext>()
            .AddDefaultTokenProviders();
        services.AddAntiforgery(o =>
        {
            o.Cookie.Name = "assay-form";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        var authentication = services
            .AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(o =>
            {
                o.LoginPath = "/login";
                o.Cookie.Name = "assay";
                o.Cookie.HttpOnly = true;
                o.Cookie.SameSite = SameSiteMode.Lax;
                o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                o.ExpireTimeSpan = TimeSpan.FromDays(14);
                o.SlidingExpiration = true;
            });
        var oidc = builder.Configuration.GetSection(OidcOptions.Section);
        var isOn = !string.IsNullOrEmpty(oidc[nameof(OidcOptions.Authority)]);
        services.AddSingleton(provider => new SignInChoices(
            isOn ? provider.GetRequiredService<IOptions<OidcOptions>>().Value.DisplayName : null
        ));
        if (
            isOn
            && oidc.Get<OidcOptions>() is { } options
            && new OidcOptionsValidator().Validate(null, options).Succeeded
        )
        {
            authentication.AddOidc(options);
        }

        services.AddRateLimiter(o =>
        {
            o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            o.OnRejected = (context, _) =>
            {
                context.HttpContext.Response.Headers.RetryAfter = "60";
                return ValueTask.CompletedTask;
            };
            o.AddPolicy(
                SignInEndpoints.RateLimit,
                context =>
                    RateLimitPartition.GetFixedWindowLimiter(
                        context.Connection.RemoteIpAddress?.ToString() ?? "",
                        _ => new FixedWindowRateLimiterOptions
                        {
                            PermitLimit = 60,
                            Window = TimeSpan.FromMinutes(1),
                        }
                    )
            );
        });
    }
}
