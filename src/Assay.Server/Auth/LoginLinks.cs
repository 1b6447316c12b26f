using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Assay.Server.Auth;

/// <summary>
/// One-time login links, printed at start. They live in memory only: a restart prints a new one. Opening a link changes nothing (previewers
/// of chats and mail open links too); the button on its page uses it up.
/// </summary>
internal sealed class LoginLinks(TimeProvider time)
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

    /// <summary>The workspace whose owner the link stands for, once; null afterwards.</summary>
    public Guid? Use(string token) =>
        _links.TryRemove(token, out var link) && link.Until >= time.GetUtcNow()
            ? link.Workspace
            : null;
}
