using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Feedback;

/// <summary>What the feedback keys of a workspace mean, and the scores computed from others. Thread-safe.</summary>
public sealed class FeedbackKeys(IDbContextFactory<MetadataContext> metadata, TimeProvider time)
{
    /// <summary>The longest key, in characters.</summary>
    public const int MaxKeyLength = 180;

    /// <summary>Every key with settings, by name.</summary>
    public async Task<IReadOnlyList<FeedbackConfig>> ListAsync(
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .FeedbackConfigs.AsNoTracking()
            .Where(c => c.WorkspaceId == caller.WorkspaceId)
            .OrderBy(c => c.Key)
            .ToListAsync(cancellationToken);
    }

    /// <summary>What can be said under each key that has settings.</summary>
    public async Task<IReadOnlyDictionary<string, FeedbackScale>> ScalesAsync(
        Caller caller,
        CancellationToken cancellationToken
    ) =>
        (await ListAsync(caller, cancellationToken)).ToDictionary(
            c => c.Key,
            c => FeedbackScale.Read(c.ConfigJson)
        );

    /// <summary>Sets what keys mean; all of them or none.</summary>
    /// <exception cref="DatasetProblemException">A key or its settings make no sense.</exception>
    public async Task SaveAsync(
        Caller caller,
        IReadOnlyList<(string Key, FeedbackScale Scale, bool? IsLowerScoreBetter)> settings,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        foreach (var (key, scale, _) in settings)
        {
            Check(key, scale);
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (var (key, scale, isLower) in settings)
        {
            var known = await db.FeedbackConfigs.SingleOrDefaultAsync(
                c => c.WorkspaceId == caller.WorkspaceId && c.Key == key,
                cancellationToken
            );
            if (known is null)
            {
                known = new FeedbackConfig
                {
                    WorkspaceId = caller.WorkspaceId,
                    Key = key,
                    ConfigJson = "",
                };
                db.FeedbackConfigs.Add(known);
            }

            known.ConfigJson = scale.ToJson();
            known.IsLowerScoreBetter = isLower ?? known.IsLowerScoreBetter ?? false;
            known.ModifiedAt = time.GetUtcNow();
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Forgets what a key means; feedback under it stays. False when it had no settings.</summary>
    public async Task<bool> DeleteAsync(
        Caller caller,
        string key,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .FeedbackConfigs.Where(c => c.WorkspaceId == caller.WorkspaceId && c.Key == key)
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static void Check(string key, FeedbackScale scale)
    {
        if (key.Length is 0 or > MaxKeyLength)
        {
            throw DatasetProblemException.Invalid($"Key: 1 to {MaxKeyLength} characters");
        }

        if (scale.Min is { } min && scale.Max is { } max && !(min < max))
        {
            throw DatasetProblemException.Invalid(
                $"{key}: the smallest score must be below the largest"
            );
        }

        if (
            scale.Type == FeedbackType.Category
            && (
                scale.Categories.Count is < 2 or > FeedbackScale.MaxCategories
                || scale.Categories.Any(c => c.Label.Length is 0 or > 200)
                || scale.Categories.DistinctBy(c => c.Label).Count() != scale.Categories.Count
            )
        )
        {
            throw DatasetProblemException.Invalid(
                $"{key}: 2 to {FeedbackScale.MaxCategories} different labels"
            );
        }
    }
}
