using System.Collections.Concurrent;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Projects;

/// <summary>
/// Names to ids and back for the ingest path: cached, and a project that is named for the first time is created (once, also under
/// concurrent requests). Thread-safe. Whoever renames or deletes a project calls <see cref="Forget"/>.
/// </summary>
public sealed class ProjectDirectory(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    private readonly ConcurrentDictionary<(Guid Workspace, string Name), Guid> _byName = new();
    private readonly ConcurrentDictionary<Guid, Guid> _workspaceOf = new();

    /// <summary>The name used when a client names none.</summary>
    public const string DefaultName = "default";

    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 1_024;

    /// <summary>The id of the project of that name, which is created when there is none.</summary>
    public async ValueTask<Guid> GetOrCreateAsync(
        Guid workspaceId,
        string name,
        CancellationToken cancellationToken
    )
    {
        if (_byName.TryGetValue((workspaceId, name), out var known))
        {
            return known;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var id = await FindIdAsync(db, workspaceId, name, cancellationToken);
        if (id == Guid.Empty)
        {
            var now = time.GetUtcNow();
            var project = new Project
            {
                Id = Guid.CreateVersion7(now),
                WorkspaceId = workspaceId,
                Name = name,
                StartTime = now,
                RetentionDays = await Retention.DefaultAsync(db, workspaceId, cancellationToken),
                CreatedAt = now,
                ModifiedAt = now,
            };
            db.Projects.Add(project);
            try
            {
                await db.SaveChangesAsync(cancellationToken);
                id = project.Id;
            }
            catch (DbUpdateException)
            {
                // Somebody else created it between our look and our insert: theirs is the one.
                db.ChangeTracker.Clear();
                id = await FindIdAsync(db, workspaceId, name, cancellationToken);
                if (id == Guid.Empty)
                {
                    throw;
                }
            }
        }

        _byName[(workspaceId, name)] = id;
        _workspaceOf[id] = workspaceId;
        return id;
    }

    /// <summary>True when the project exists in this workspace.</summary>
    public async ValueTask<bool> ExistsAsync(
        Guid workspaceId,
        Guid projectId,
        CancellationToken cancellationToken
    )
    {
        if (_workspaceOf.TryGetValue(projectId, out var owner))
        {
            return owner == workspaceId;
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var exists = await db
            .Projects.AsNoTracking()
            .AnyAsync(p => p.WorkspaceId == workspaceId && p.Id == projectId, cancellationToken);
        if (exists)
        {
            _workspaceOf[projectId] = workspaceId;
        }

        return exists;
    }

    /// <summary>Drops what is cached of a project.</summary>
    public void Forget(Guid workspaceId, Guid projectId)
    {
        _workspaceOf.TryRemove(projectId, out _);
        foreach (
            var entry in _byName
                .Where(e => e.Value == projectId && e.Key.Workspace == workspaceId)
                .ToList()
        )
        {
            _byName.TryRemove(entry.Key, out _);
        }
    }

    private static Task<Guid> FindIdAsync(
        MetadataContext db,
        Guid workspaceId,
        string name,
        CancellationToken cancellationToken
    ) =>
        db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == workspaceId && p.Name == name)
            .Select(p => p.Id)
            .FirstOrDefaultAsync(cancellationToken);
}
