using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>Makes, checks, lists and revokes API keys. Thread-safe; checks are cached for a minute by the key's hash, never by the key.</summary>
public sealed class ApiKeys(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private static readonly TimeSpan CacheTime = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, (Caller? Caller, DateTimeOffset Until)> _cache =
        new(StringComparer.Ordinal);

    /// <summary>Makes a key and returns it in clear, for the only time.</summary>
    public async Task<(ApiKey Key, string Secret)> CreateAsync(
        Guid workspaceId,
        string label,
        KeyScope scope,
        string actor,
        CancellationToken cancellationToken
    )
    {
        var secret = "lsv2_as_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        return (
            await AddAsync(workspaceId, label, scope, secret, actor, cancellationToken),
            secret
        );
    }

    /// <summary>Adds a key whose text the operator chose.</summary>
    public async Task<ApiKey> AddAsync(
        Guid workspaceId,
        string label,
        KeyScope scope,
        string secret,
        string actor,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
        if (
            await db.ApiKeys.FirstOrDefaultAsync(k => k.Hash == hash, cancellationToken) is
            { } known
        )
        {
            return known;
        }

        var key = new ApiKey
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = workspaceId,
            Label = label,
            Prefix = secret[..Math.Min(12, secret.Length / 2)],
            Hash = hash,
            Scope = scope,
            CreatedAt = now,
        };
        db.ApiKeys.Add(key);
        db.AuditEntries.Add(
            Audit(workspaceId, actor, "api_key.create", $"{key.Prefix}… {label}", now)
        );
        await db.SaveChangesAsync(cancellationToken);
        _cache.Clear();
        return key;
    }

    /// <summary>The caller that a key stands for; null when it is unknown or revoked.</summary>
    public async ValueTask<Caller?> FindCallerAsync(
        string secret,
        CancellationToken cancellationToken
    )
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
        var name = Convert.ToHexString(hash);
        var now = time.GetUtcNow();
        if (_cache.TryGetValue(name, out var cached) && cached.Until > now)
        {
            return cached.Caller;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var key = await db.ApiKeys.FirstOrDefaultAsync(
            k => k.Hash == hash && k.RevokedAt == null,
            cancellationToken
        );
        // The look-up goes by a hash of the secret, so its timing tells nothing about the secret; the comparison is constant-time all the same.
        var caller =
            key is not null && CryptographicOperations.FixedTimeEquals(key.Hash, hash)
                ? new Caller(
                    key.WorkspaceId,
                    Grants.Of(key.Scope),
                    ApiKeyId: key.Id,
                    Name: key.Label
                )
                : null;
        if (key is not null)
        {
            key.LastUsedAt = now;
            await db.SaveChangesAsync(cancellationToken);
        }

        // Unknown keys are remembered too, but never enough of them to matter.
        if (_cache.Count > 10_000)
        {
            _cache.Clear();
        }

        _cache[name] = (caller, now + CacheTime);
        return caller;
    }

    /// <summary>The keys of a workspace, newest first.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ApiKeys.AsNoTracking()
            .Where(k => k.WorkspaceId == caller.WorkspaceId)
            .OrderByDescending(k => k.CreatedAt)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Revokes a key at once; false when the workspace has none of that id.</summary>
    public async Task<bool> RevokeAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            await db.ApiKeys.FirstOrDefaultAsync(
                k => k.WorkspaceId == caller.WorkspaceId && k.Id == id,
                cancellationToken
            )
            is not { } key
        )
        {
            return false;
        }

        var now = time.GetUtcNow();
        key.RevokedAt ??= now;
        db.AuditEntries.Add(
            Audit(
                caller.WorkspaceId,
                caller.Name,
                "api_key.revoke",
                $"{key.Prefix}… {key.Label}",
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
        _cache.Clear();
        return true;
    }

    private static AuditEntry Audit(
        Guid workspaceId,
        string actor,
        string action,
        string subject,
        DateTimeOffset now
    ) =>
        new()
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = workspaceId,
            At = now,
            Actor = actor,
            Action = action,
            Subject = subject,
        };
}
