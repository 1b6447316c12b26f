using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Playground;

/// <summary>The saved playground settings of a workspace. Thread-safe.</summary>
public sealed class PlaygroundSettings(
    IDbContextFactory<MetadataContext> metadata,
    TimeProvider time
)
{
    /// <summary>The most settings of a workspace.</summary>
    public const int MaxSettings = 500;

    /// <summary>The longest settings, in characters.</summary>
    public const int MaxLength = 256 * 1024;

    /// <summary>All of them, oldest first.</summary>
    public async Task<IReadOnlyList<PlaygroundSetting>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await Own(db, caller).OrderBy(s => s.CreatedAt).ToListAsync(cancellationToken);
    }

    /// <summary>One; null when the workspace has none of that id.</summary>
    public async Task<PlaygroundSetting?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await Own(db, caller).FirstOrDefaultAsync(s => s.Id == id, cancellationToken);
    }

    /// <summary>Keeps new settings; null when the workspace has too many.</summary>
    public async Task<PlaygroundSetting?> CreateAsync(
        Caller caller,
        PlaygroundSetting draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (await Own(db, caller).CountAsync(cancellationToken) >= MaxSettings)
        {
            return null;
        }

        var made = new PlaygroundSetting
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            Name = draft.Name,
            Description = draft.Description,
            SettingsJson = draft.SettingsJson,
            OptionsJson = draft.OptionsJson,
            Type = draft.Type,
            CreatedBy = caller.UserId,
            UpdatedBy = caller.UserId,
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.PlaygroundSettings.Add(made);
        await db.SaveChangesAsync(cancellationToken);
        return made;
    }

    /// <summary>Changes one; null when the workspace has none of that id.</summary>
    public async Task<PlaygroundSetting?> UpdateAsync(
        Caller caller,
        Guid id,
        Action<PlaygroundSetting> change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db.PlaygroundSettings.FirstOrDefaultAsync(
            s => s.WorkspaceId == caller.WorkspaceId && s.Id == id,
            cancellationToken
        );
        if (found is not null)
        {
            change(found);
            found.UpdatedBy = caller.UserId;
            found.UpdatedAt = time.GetUtcNow();
            await db.SaveChangesAsync(cancellationToken);
        }

        return found;
    }

    /// <summary>Deletes one; false when the workspace has none of that id.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .PlaygroundSettings.Where(s => s.WorkspaceId == caller.WorkspaceId && s.Id == id)
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static IQueryable<PlaygroundSetting> Own(MetadataContext db, Caller caller) =>
        db.PlaygroundSettings.AsNoTracking().Where(s => s.WorkspaceId == caller.WorkspaceId);
}
