namespace Assay.Core.Access;

/// <summary>
/// A key for programs: 256 random bits, shown once, kept as SHA-256 (the key has full entropy, so no slow hash is needed).
/// </summary>
public sealed class ApiKey
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The one workspace it opens.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The member whose personal key it is; it never may more than that member's role. Null for a key of the workspace.</summary>
    public Guid? MemberId { get; init; }

    /// <summary>What it is for, in the words of whoever made it.</summary>
    public required string Label { get; set; }

    /// <summary>The first characters, to tell keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>SHA-256 of the whole key.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What it may be used for.</summary>
    public KeyScope Scope { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused; null when it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was last used, to the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>When it was revoked; null while it works.</summary>
    public DateTimeOffset? RevokedAt { get; set; }
}
