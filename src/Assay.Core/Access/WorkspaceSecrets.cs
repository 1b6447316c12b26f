using Assay.Core.Metadata;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Access;

/// <summary>
/// The secrets of a workspace: written and used, never read back by a person. Thread-safe. They are encrypted with the keys of Data
/// Protection, bound to their workspace: a ciphertext copied into another workspace does not open.
/// </summary>
public sealed class WorkspaceSecrets(
    IDbContextFactory<MetadataContext> metadata,
    IDataProtectionProvider protection,
    TimeProvider time
)
{
    /// <summary>The longest name of a secret.</summary>
    public const int MaxKeyLength = 200;

    /// <summary>The longest value of a secret.</summary>
    public const int MaxValueLength = 16_384;

    /// <summary>Their names, sorted, and when each was written last.</summary>
    public async Task<IReadOnlyList<(string Key, DateTimeOffset ModifiedAt)>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .WorkspaceSecrets.AsNoTracking()
            .Where(s => s.WorkspaceId == caller.WorkspaceId)
            .Select(s => new { s.Key, s.ModifiedAt })
            .OrderBy(s => s.Key)
            .ToListAsync(cancellationToken);
        return [.. found.Select(s => (s.Key, s.ModifiedAt))];
    }

    /// <summary>Writes some secrets in one transaction; a null value removes its secret.</summary>
    public async Task WriteAsync(
        Caller caller,
        IReadOnlyDictionary<string, string?> secrets,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var keys = secrets.Keys.ToList();
        var known = await db
            .WorkspaceSecrets.Where(s =>
                s.WorkspaceId == caller.WorkspaceId && keys.Contains(s.Key)
            )
            .ToDictionaryAsync(s => s.Key, cancellationToken);
        var now = time.GetUtcNow();
        var protector = Protector(caller.WorkspaceId);
        foreach (var (key, value) in secrets)
        {
            var old = known.GetValueOrDefault(key);
            if (value is null)
            {
                if (old is null)
                {
                    continue;
                }

                db.WorkspaceSecrets.Remove(old);
            }
            else if (old is not null)
            {
                old.Ciphertext = protector.Protect(value);
                old.ModifiedAt = now;
            }
            else
            {
                db.WorkspaceSecrets.Add(
                    new WorkspaceSecret
                    {
                        WorkspaceId = caller.WorkspaceId,
                        Key = key,
                        Ciphertext = protector.Protect(value),
                        ModifiedAt = now,
                    }
                );
            }

            db.AuditEntries.Add(
                AuditEntry.Of(caller, value is null ? "secret.delete" : "secret.write", key, now)
            );
        }

        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>The value, for the server's own use; null when there is none.</summary>
    public async Task<string?> FindAsync(
        Guid workspaceId,
        string key,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var ciphertext = await db
            .WorkspaceSecrets.AsNoTracking()
            .Where(s => s.WorkspaceId == workspaceId && s.Key == key)
            .Select(s => s.Ciphertext)
            .FirstOrDefaultAsync(cancellationToken);
        return ciphertext is null ? null : Protector(workspaceId).Unprotect(ciphertext);
    }

    private IDataProtector Protector(Guid workspaceId) =>
        protection.CreateProtector("Assay.WorkspaceSecret", workspaceId.ToString("N"));
}
