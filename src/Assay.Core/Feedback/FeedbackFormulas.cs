using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Feedback;

/// <summary>Scores that are computed from others. Thread-safe.</summary>
public sealed class FeedbackFormulas(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The most parts of a formula.</summary>
    public const int MaxParts = 50;

    /// <summary>Every formula of the workspace, by key.</summary>
    public async Task<IReadOnlyList<FeedbackFormula>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .FeedbackFormulas.AsNoTracking()
            .Where(f => f.WorkspaceId == caller.WorkspaceId)
            .OrderBy(f => f.Key)
            .ThenBy(f => f.CreatedAt)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Makes one, for a dataset's experiments or for a project.</summary>
    /// <exception cref="DatasetProblemException">Key, parts or target make no sense.</exception>
    public async Task<FeedbackFormula> AddAsync(
        Caller caller,
        string key,
        string aggregation,
        IReadOnlyList<(string Key, double Weight)> parts,
        Guid? datasetId,
        Guid? projectId,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(parts);
        caller.Demand(Permission.Write);
        if (key.Length is 0 or > FeedbackKeys.MaxKeyLength)
        {
            throw DatasetProblemException.Invalid(
                $"Key: 1 to {FeedbackKeys.MaxKeyLength} characters"
            );
        }

        if (aggregation is not ("sum" or "avg"))
        {
            throw DatasetProblemException.Invalid("A formula is a sum or a mean");
        }

        if (parts.Count is 0 or > MaxParts || parts.Any(p => p.Key.Length == 0 || p.Key == key))
        {
            throw DatasetProblemException.Invalid(
                $"A formula has 1 to {MaxParts} parts, and is none of them"
            );
        }

        if ((datasetId is null) == (projectId is null))
        {
            throw DatasetProblemException.Invalid("A formula is for one dataset or one project");
        }

        var now = time.GetUtcNow();
        var formula = new FeedbackFormula
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            DatasetId = datasetId,
            ProjectId = projectId,
            Key = key,
            Aggregation = aggregation,
            PartsJson = JsonSerializer.Serialize(
                parts.Select(p => new
                {
                    part_type = "weighted_key",
                    key = p.Key,
                    weight = p.Weight,
                })
            ),
            CreatedAt = now,
            ModifiedAt = now,
        };
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        db.FeedbackFormulas.Add(formula);
        await db.SaveChangesAsync(cancellationToken);
        return formula;
    }

    /// <summary>Deletes one; false when there is none.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .FeedbackFormulas.Where(f => f.WorkspaceId == caller.WorkspaceId && f.Id == id)
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }
}
