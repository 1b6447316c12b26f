namespace Assay.Core.Access;

/// <summary>An invitation into a workspace: a link that works once, for seven days, for one e-mail address.</summary>
public sealed class Invitation
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace it opens.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Whom it is for.</summary>
    public required string Email { get; init; }

    /// <summary><see cref="Email"/> in upper case, to compare by.</summary>
    public required string NormalizedEmail { get; init; }

    /// <summary>The role that the person gets.</summary>
    public Role Role { get; init; }

    /// <summary>SHA-256 of the link's token, which has full entropy.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>Who invited, by name at that time.</summary>
    public required string InvitedBy { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was used or withdrawn; null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; set; }
}
