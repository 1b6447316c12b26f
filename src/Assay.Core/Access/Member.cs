using Microsoft.AspNetCore.Identity;

namespace Assay.Core.Access;

/// <summary>A person who can sign in. E-mail is the user name.</summary>
public sealed class Member : IdentityUser<Guid>
{
    /// <summary>Name on screen.</summary>
    public string? DisplayName { get; set; }

    /// <summary>When the person joined.</summary>
    public DateTimeOffset CreatedAt { get; set; }
}
