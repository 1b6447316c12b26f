using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>Comparative experiments: made, listed, deleted. Their judgements are feedback that names them. Thread-safe.</summary>
public sealed class ComparativeExperiments(
    IDbContextFactory<MetadataContext> metadata,
    TimeProvider time
)
{
    /// <summary>Makes one.</summary>
    /// <exception cref="DatasetProblemException">An experiment is not there, ran on another dataset, or the id is taken.</exception>
    public async Task<ComparativeExperiment> CreateAsync(
        Caller caller,
        ComparativeExperiment draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var experiments = await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && draft.ExperimentIds.Contains(p.Id))
            .ToListAsync(cancellationToken);
        if (draft.ExperimentIds.Count == 0)
        {
            throw DatasetProblemException.Invalid("experiment_ids: must name at least one");
        }

        if (
            draft.ExperimentIds.Find(i => experiments.TrueForAll(p => p.Id != i)) is var missing
            && missing != Guid.Empty
        )
        {
            throw DatasetProblemException.NotFound($"Experiment {missing}");
        }

        var datasetId =
            draft.DatasetId != Guid.Empty
                ? draft.DatasetId
                : experiments[0].ReferenceDatasetId.GetValueOrDefault();
        if (experiments.Exists(p => p.ReferenceDatasetId != datasetId))
        {
            throw DatasetProblemException.Invalid(
                "experiment_ids: all of them must have run on the reference dataset"
            );
        }

        if (await db.ComparativeExperiments.AnyAsync(c => c.Id == draft.Id, cancellationToken))
        {
            throw DatasetProblemException.Conflict(
                $"Comparative experiment {draft.Id} already exists"
            );
        }

        var now = time.GetUtcNow();
        var made = new ComparativeExperiment
        {
            Id = draft.Id == Guid.Empty ? Guid.CreateVersion7(now) : draft.Id,
            WorkspaceId = caller.WorkspaceId,
            DatasetId = datasetId,
            Name = draft.Name,
            Description = draft.Description,
            ExtraJson = draft.ExtraJson,
            ExperimentIds = draft.ExperimentIds,
            CreatedAt = draft.CreatedAt == default ? now : draft.CreatedAt,
            ModifiedAt = now,
        };
        db.ComparativeExperiments.Add(made);
        await db.SaveChangesAsync(cancellationToken);
        return made;
    }

    /// <summary>Those of a dataset with the names of their experiments, newest first unless by name.</summary>
    public async Task<IReadOnlyList<ComparativeSummary>> ListAsync(
        Caller caller,
        Guid datasetId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var found = await db
            .ComparativeExperiments.AsNoTracking()
            .Where(c => c.WorkspaceId == caller.WorkspaceId && c.DatasetId == datasetId)
            .OrderByDescending(c => c.CreatedAt)
            .ToListAsync(cancellationToken);
        var ids = found.SelectMany(c => c.ExperimentIds).Distinct().ToList();
        var names = await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && ids.Contains(p.Id))
            .ToDictionaryAsync(p => p.Id, p => p.Name, cancellationToken);
        return
        [
            .. found.Select(c => new ComparativeSummary(
                c,
                [.. c.ExperimentIds.Where(names.ContainsKey).Select(i => (i, names[i]))]
            )),
        ];
    }

    /// <summary>Deletes one; its feedback stays with the runs. False when there is none.</summary>
    public async Task<bool> DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
                .ComparativeExperiments.Where(c =>
                    c.WorkspaceId == caller.WorkspaceId && c.Id == id
                )
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }
}

/// <summary>A comparative experiment with its experiments' names.</summary>
public sealed record ComparativeSummary(
    ComparativeExperiment Comparison,
    IReadOnlyList<(Guid Id, string Name)> Experiments
);
