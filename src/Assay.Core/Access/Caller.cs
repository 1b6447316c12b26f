namespace Assay.Core.Access;

/// <summary>
/// Who asks, and for which workspace. Made once per request from an API key or a signed-in member and handed to every
/// Core service; nothing below the host looks at headers or cookies.
/// </summary>
/// <param name="WorkspaceId">The one workspace this request may see.</param>
/// <param name="Permissions">What the caller may do there.</param>
/// <param name="UserId">The signed-in member, when a person asks.</param>
/// <param name="ApiKeyId">The API key, when a program asks.</param>
/// <param name="Name">A name for the audit log: the member's e-mail or the key's label.</param>
public sealed record Caller(
    Guid WorkspaceId,
    Permission Permissions,
    Guid? UserId = null,
    Guid? ApiKeyId = null,
    string Name = ""
)
{
    /// <summary>True when every one of <paramref name="needed"/> is held.</summary>
    public bool May(Permission needed) => (Permissions & needed) == needed;

    /// <summary>Throws <see cref="AccessDeniedException"/> unless every one of <paramref name="needed"/> is held.</summary>
    public void Demand(Permission needed)
    {
        if (!May(needed))
        {
            throw new AccessDeniedException(needed);
        }
    }
}

/// <summary>The caller lacks a permission. The host answers 403 in the dialect of the client.</summary>
public sealed class AccessDeniedException(Permission needed)
    : Exception($"This needs the permission '{needed}', which the caller does not have.")
{
    /// <summary>The permission that was needed.</summary>
    public Permission Needed { get; } = needed;
}
