using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>Makes, checks, lists and revokes API keys. Thread-safe; checks are cached for a minute by the key's hash, never by the key.</summary>
public sealed class ApiKeys(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The longest label.</summary>
    public const int MaxLabelLength = 200;

    private static readonly TimeSpan CacheTime = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, (Caller? Caller, DateTimeOffset Until)> _cache =
        new(StringComparer.Ordinal);
    private int _generation;

    /// <summary>Makes a key of the caller's workspace and returns it in clear, for the only time. A personal key may be made by every member for itself.</summary>
    public async Task<(ApiKey Key, string Secret)> CreateAsync(
        Caller caller,
        string label,
        KeyScope scope,
        DateTimeOffset? expiresAt,
        bool isPersonal,
        CancellationToken cancellationToken
    )
    {
        if (!isPersonal || caller is not { UserId: not null, ApiKeyId: null })
        {
            caller.Demand(Permission.Manage);
            isPersonal = false;
        }

        var secret = NewSecret();
        var key = New(
            caller.WorkspaceId,
            label,
            scope,
            secret,
            expiresAt,
            isPersonal ? caller.UserId : null
        );
        await SaveAsync(key, caller, cancellationToken);
        return (key, secret);
    }

    /// <summary>Makes a key at start-up and returns it in clear, for the only time.</summary>
    public async Task<(ApiKey Key, string Secret)> CreateAsync(
        Guid workspaceId,
        string label,
        KeyScope scope,
        string actor,
        CancellationToken cancellationToken
    )
    {
        var secret = NewSecret();
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
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var hash = HashOf(secret);
        if (
            await db.ApiKeys.FirstOrDefaultAsync(k => k.Hash == hash, cancellationToken) is
            { } known
        )
        {
            return known;
        }

        var key = New(workspaceId, label, scope, secret, null, null);
        await SaveAsync(
            key,
            new Caller(workspaceId, Permission.None, Name: actor),
            cancellationToken
        );
        return key;
    }

    /// <summary>The caller that a key stands for; null when it is unknown, expired or revoked.</summary>
    public async ValueTask<Caller?> FindCallerAsync(
        string secret,
        CancellationToken cancellationToken
    )
    {
        var hash = HashOf(secret);
        var name = Convert.ToHexString(hash);
        var now = time.GetUtcNow();
        if (_cache.TryGetValue(name, out var cached) && cached.Until > now)
        {
            return cached.Caller;
        }

        var generation = Volatile.Read(ref _generation);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var key = await db
            .ApiKeys.AsNoTracking()
            .FirstOrDefaultAsync(
                k =>
                    k.Hash == hash
                    && k.RevokedAt == null
                    && (k.ExpiresAt == null || k.ExpiresAt > now),
                cancellationToken
            );
        // The look-up goes by a hash of the secret, so its timing tells nothing about the secret; the comparison is constant-time all the same.
        var caller =
            key is not null && CryptographicOperations.FixedTimeEquals(key.Hash, hash)
                ? await CallerOfAsync(db, key, cancellationToken)
                : null;
        if (caller is not null)
        {
            await db
                .ApiKeys.Where(k => k.Id == key!.Id)
                .ExecuteUpdateAsync(s => s.SetProperty(k => k.LastUsedAt, now), cancellationToken);
        }

        // Unknown keys are remembered too, but never enough of them to matter.
        if (_cache.Count > 10_000)
        {
            _cache.Clear();
        }

        // What was read before somebody revoked a key is not remembered after it.
        if (generation == Volatile.Read(ref _generation))
        {
            var until = now + CacheTime;
            _cache[name] = (caller, key?.ExpiresAt < until ? key.ExpiresAt.Value : until);
        }

        return caller;
    }

    /// <summary>The keys of a workspace, newest first; without the permission to manage, only the caller's personal ones.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var keys = db.ApiKeys.AsNoTracking().Where(k => k.WorkspaceId == caller.WorkspaceId);
        if (!caller.May(Permission.Manage))
        {
            keys = keys.Where(k => k.MemberId != null && k.MemberId == caller.UserId);
        }

        return await keys.OrderByDescending(k => k.CreatedAt).ToListAsync(cancellationToken);
    }

    /// <summary>Revokes a key at once and returns it; null when the workspace has none of that id that the caller may revoke.</summary>
    public async Task<ApiKey?> RevokeAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var key = await db.ApiKeys.FirstOrDefaultAsync(
            k => k.WorkspaceId == caller.WorkspaceId && k.Id == id,
            cancellationToken
        );
        if (
            key is null
            || (
                !caller.May(Permission.Manage)
                && (key.MemberId is null || key.MemberId != caller.UserId)
            )
        )
        {
            return null;
        }

        if (key.RevokedAt is null)
        {
            var now = time.GetUtcNow();
            key.RevokedAt = now;
            db.AuditEntries.Add(AuditEntry.Of(caller, "api_key.revoke", Subject(key), now));
            await db.SaveChangesAsync(cancellationToken);
            Forget();
        }

        return key;
    }

    /// <summary>Forgets what is remembered about keys: they, or the roles behind them, have changed.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref _generation);
        _cache.Clear();
    }

    private static async Task<Caller?> CallerOfAsync(
        MetadataContext db,
        ApiKey key,
        CancellationToken cancellationToken
    )
    {
        var permissions = Grants.Of(key.Scope);
        if (key.MemberId is { } member)
        {
            var role = await db
                .WorkspaceMembers.AsNoTracking()
                .Where(m => m.WorkspaceId == key.WorkspaceId && m.MemberId == member)
                .Select(m => (Role?)m.Role)
                .FirstOrDefaultAsync(cancellationToken);
            if (role is null)
            {
                return null;
            }

            permissions &= Grants.Of(role.Value);
        }

        return new Caller(key.WorkspaceId, permissions, key.MemberId, key.Id, key.Label);
    }

    private async Task SaveAsync(ApiKey key, Caller actor, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        db.ApiKeys.Add(key);
        db.AuditEntries.Add(AuditEntry.Of(actor, "api_key.create", Subject(key), key.CreatedAt));
        await db.SaveChangesAsync(cancellationToken);
        Forget();
    }

    private ApiKey New(
        Guid workspaceId,
        string label,
        KeyScope scope,
        string secret,
        DateTimeOffset? expiresAt,
        Guid? memberId
    )
    {
        var now = time.GetUtcNow();
        return new ApiKey
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = workspaceId,
            MemberId = memberId,
            Label = label,
            Prefix = secret[..Math.Min(12, secret.Length / 2)],
            Hash = HashOf(secret),
            Scope = scope,
            CreatedAt = now,
            ExpiresAt = expiresAt,
        };
    }

    private static string NewSecret() =>
        "lsv2_as_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private static string Subject(ApiKey key) =>
        $"{key.Prefix}… {key.Label} ({key.Scope.ToString().ToLowerInvariant()}{(key.MemberId is null ? "" : ", personal")})";
}
