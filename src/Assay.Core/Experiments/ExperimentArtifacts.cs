using System.Security.Cryptography;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>Files kept with experiments. Contents stream to the blob store and are never in memory whole. Thread-safe.</summary>
public sealed class ExperimentArtifacts(
    IDbContextFactory<MetadataContext> metadata,
    IBlobStore blobs,
    TimeProvider time
)
{
    /// <summary>The most files of one experiment.</summary>
    public const int MaxFiles = 1_000;

    /// <summary>The longest name.</summary>
    public const int MaxName = 400;

    /// <summary>Keeps a file under a name; one of that name is replaced.</summary>
    /// <exception cref="DatasetProblemException">The experiment is not there, the name makes no sense, or there are too many files.</exception>
    public async Task<ExperimentArtifact> PutAsync(
        Caller caller,
        Guid experimentId,
        string name,
        string contentType,
        Stream content,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Ingest);
        if (name.Length is 0 or > MaxName || name.Any(char.IsControl))
        {
            throw DatasetProblemException.Invalid(
                $"name: must have 1 to {MaxName} characters and no control characters"
            );
        }

        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        {
            await ExperimentLog.MustExistAsync(db, caller, experimentId, cancellationToken);
            if (
                await db.ExperimentArtifacts.CountAsync(
                    a => a.ExperimentId == experimentId && a.Name != name,
                    cancellationToken
                ) >= MaxFiles
            )
            {
                throw DatasetProblemException.Invalid(
                    $"An experiment keeps at most {MaxFiles} artifacts"
                );
            }
        }

        var now = time.GetUtcNow();
        var key = BlobKeys.New(caller.WorkspaceId, "artifact", now);
        using var hash = SHA256.Create();
        long length;
        await using (
            var hashed = new CryptoStream(content, hash, CryptoStreamMode.Read, leaveOpen: true)
        )
        {
            length = await blobs.PutAsync(key, hashed, cancellationToken);
        }

        string? old = null;
        ExperimentArtifact artifact;
        try
        {
            // Nothing may be left half-done once the content is there.
            await using var db = await metadata.CreateDbContextAsync(CancellationToken.None);
            await ExperimentLog.MustExistAsync(db, caller, experimentId, CancellationToken.None);
            var known = await db.ExperimentArtifacts.FirstOrDefaultAsync(
                a => a.ExperimentId == experimentId && a.Name == name,
                CancellationToken.None
            );
            old = known?.BlobKey;
            artifact =
                known
                ?? new ExperimentArtifact
                {
                    WorkspaceId = caller.WorkspaceId,
                    ExperimentId = experimentId,
                    Name = name,
                    ContentType = contentType,
                    Sha256 = "",
                    BlobKey = key,
                };
            artifact.ContentType = contentType;
            artifact.Length = length;
            artifact.Sha256 = Convert.ToHexStringLower(hash.Hash ?? []);
            artifact.BlobKey = key;
            artifact.CreatedAt = now;
            if (known is null)
            {
                db.ExperimentArtifacts.Add(artifact);
            }

            await db.SaveChangesAsync(CancellationToken.None);
        }
        catch
        {
            await blobs.DeleteAsync(key, CancellationToken.None);
            throw;
        }

        if (old is not null)
        {
            await blobs.DeleteAsync(old, CancellationToken.None);
        }

        return artifact;
    }

    /// <summary>The files of an experiment by name, without their contents.</summary>
    public async Task<IReadOnlyList<ExperimentArtifact>> ListAsync(
        Caller caller,
        Guid experimentId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .ExperimentArtifacts.AsNoTracking()
            .Where(a => a.WorkspaceId == caller.WorkspaceId && a.ExperimentId == experimentId)
            .OrderBy(a => a.Name)
            .ToListAsync(cancellationToken);
    }

    /// <summary>One file with its content (seekable); null when there is none.</summary>
    public async Task<(ExperimentArtifact Artifact, Stream Content)?> OpenAsync(
        Caller caller,
        Guid experimentId,
        string name,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var artifact = await db
            .ExperimentArtifacts.AsNoTracking()
            .FirstOrDefaultAsync(
                a =>
                    a.WorkspaceId == caller.WorkspaceId
                    && a.ExperimentId == experimentId
                    && a.Name == name,
                cancellationToken
            );
        return
            artifact is not null
            && await blobs.OpenAsync(artifact.BlobKey, cancellationToken) is { } content
            ? (artifact, content)
            : null;
    }

    /// <summary>Deletes a file; false when there is none.</summary>
    public async Task<bool> DeleteAsync(
        Caller caller,
        Guid experimentId,
        string name,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        return await RemoveAsync(caller.WorkspaceId, experimentId, name, cancellationToken) > 0;
    }

    /// <summary>Removes the files of an experiment that is gone.</summary>
    public Task DropAsync(
        Guid workspaceId,
        Guid experimentId,
        CancellationToken cancellationToken
    ) => RemoveAsync(workspaceId, experimentId, null, cancellationToken);

    private async Task<int> RemoveAsync(
        Guid workspaceId,
        Guid experimentId,
        string? name,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .ExperimentArtifacts.Where(a =>
                a.WorkspaceId == workspaceId
                && a.ExperimentId == experimentId
                && (name == null || a.Name == name)
            )
            .ToListAsync(cancellationToken);
        db.ExperimentArtifacts.RemoveRange(found);
        await db.SaveChangesAsync(cancellationToken);
        foreach (var artifact in found)
        {
            await blobs.DeleteAsync(artifact.BlobKey, CancellationToken.None);
        }

        return found.Count;
    }
}
