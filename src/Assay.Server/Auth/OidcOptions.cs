using System.ComponentModel.DataAnnotations;
using Assay.Core.Access;
using Microsoft.Extensions.Options;

namespace Assay.Server.Auth;

/// <summary>Sign-in by an OpenID Connect provider; section <c>Oidc</c>. Off while <see cref="Authority"/> is empty.</summary>
internal sealed class OidcOptions : IValidatableObject
{
    public const string Section = "Oidc";

    /// <summary>The issuer's address.</summary>
    public string? Authority { get; init; }

    /// <summary>Our id at the provider.</summary>
    public string? ClientId { get; init; }

    /// <summary>Our secret at the provider; may be empty for public clients, PKCE is always used.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>What the button says.</summary>
    [Required, StringLength(60)]
    public string DisplayName { get; init; } = "Single sign-on";

    /// <summary>Scopes asked for besides <c>openid</c>.</summary>
    [Required]
    public string Scopes { get; init; } = "email profile";

    /// <summary>The role in the first workspace of a person who signs in without being a member or invited; empty: such people are refused.</summary>
    public Role? AutoJoinRole { get; init; }

    /// <summary>Only e-mail addresses of these domains, separated by commas; empty: all that the provider knows.</summary>
    public string? AllowedDomains { get; init; }

    /// <summary>Also accept addresses that the provider does not mark as verified. Only for a provider where nobody can choose an address.</summary>
    public bool TrustUnverifiedEmail { get; init; }

    public bool IsOn => !string.IsNullOrEmpty(Authority);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsOn)
        {
            yield break;
        }

        if (
            !Uri.TryCreate(Authority, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
        )
        {
            yield return new ValidationResult(
                $"Oidc:Authority must be an https address, not '{Authority}'."
            );
        }

        if (string.IsNullOrEmpty(ClientId))
        {
            yield return new ValidationResult("Oidc:ClientId must be set with Oidc:Authority.");
        }

        if (
            AutoJoinRole is Role.Owner or Role.Admin
            || (AutoJoinRole is { } role && !Enum.IsDefined(role))
        )
        {
            yield return new ValidationResult(
                "Oidc:AutoJoinRole must be Viewer or Editor; admins and owners are made by people."
            );
        }
    }

    public bool Allows(string email) =>
        string.IsNullOrWhiteSpace(AllowedDomains)
        || AllowedDomains
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Any(d => email.EndsWith("@" + d, StringComparison.OrdinalIgnoreCase));
}

[OptionsValidator]
internal sealed partial class OidcOptionsValidator : IValidateOptions<OidcOptions>;
