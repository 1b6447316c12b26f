using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Versions of datasets: listed, named, compared. Thread-safe.</summary>
public sealed class DatasetVersions(IDbContextFactory<MetadataContext> metadata)
{
    /// <summary>Versions with their tags, newest first.</summary>
    public async Task<
        IReadOnlyList<(DateTimeOffset AsOf, IReadOnlyList<string> Tags)>
    > VersionsAsync(
        Caller caller,
        Guid datasetId,
        Guid? exampleId,
        string? search,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var tags = await db
            .DatasetTags.AsNoTracking()
            .Where(t => t.DatasetId == datasetId)
            .ToListAsync(cancellationToken);
        var versions = db.DatasetVersions.AsNoTracking().Where(v => v.DatasetId == datasetId);
        if (exampleId is { } example)
        {
            versions = versions.Where(v =>
                db.ExampleRevisions.Any(r =>
                    r.DatasetId == datasetId
                    && r.ExampleId == example
                    && (r.ValidFrom == v.Moment || r.ValidTo == v.Moment)
                )
            );
        }

        if (search is { Length: > 0 })
        {
            var named = tags.Where(t => t.Name.Contains(search, StringComparison.OrdinalIgnoreCase))
                .Select(t => t.Moment)
                .ToList();
            versions = versions.Where(v => named.Contains(v.Moment));
        }

        var moments = await versions
            .OrderByDescending(v => v.Moment)
            .Skip(offset)
            .Take(limit)
            .Select(v => v.Moment)
            .ToListAsync(cancellationToken);
        return
        [
            .. moments.Select(m => (UtcMicroseconds.FromMicroseconds(m), Tags(dataset, tags, m))),
        ];
    }

    /// <summary>The version that holds at a moment or tag.</summary>
    /// <exception cref="DatasetProblemException">There is none.</exception>
    public async Task<(DateTimeOffset AsOf, IReadOnlyList<string> Tags)> VersionAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var moment = await VersionAtAsync(db, dataset, asOf, cancellationToken);
        var tags = await db
            .DatasetTags.AsNoTracking()
            .Where(t => t.DatasetId == datasetId)
            .ToListAsync(cancellationToken);
        return (UtcMicroseconds.FromMicroseconds(moment), Tags(dataset, tags, moment));
    }

    /// <summary>What came, went and changed between two versions.</summary>
    public async Task<DatasetDiff> DiffAsync(
        Caller caller,
        Guid datasetId,
        AsOf from,
        AsOf to,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var a = await MomentAsync(db, dataset, from, cancellationToken) ?? dataset.LastVersion;
        var b = await MomentAsync(db, dataset, to, cancellationToken) ?? dataset.LastVersion;
        var (low, high) = (Math.Min(a, b), Math.Max(a, b));
        // Only what began or ended between them can differ.
        var rows = await db
            .ExampleRevisions.AsNoTracking()
            .Where(r =>
                r.DatasetId == datasetId
                && r.WorkspaceId == caller.WorkspaceId
                && r.ValidTo > low
                && r.ValidFrom <= high
                && (r.ValidFrom > low || r.ValidTo <= high)
            )
            .Select(r => new
            {
                r.ExampleId,
                r.ValidFrom,
                r.ValidTo,
            })
            .ToListAsync(cancellationToken);
        var before = rows.Where(r => r.ValidFrom <= a && r.ValidTo > a)
            .Select(r => r.ExampleId)
            .ToHashSet();
        var after = rows.Where(r => r.ValidFrom <= b && r.ValidTo > b)
            .Select(r => r.ExampleId)
            .ToHashSet();
        return new DatasetDiff(
            [.. after.Except(before).Order()],
            [.. before.Except(after).Order()],
            [.. before.Intersect(after).Order()]
        );
    }

    /// <summary>How many examples each of these versions brought, changed and took, by version.</summary>
    public async Task<IReadOnlyDictionary<DateTimeOffset, VersionChanges>> ChangesAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<DateTimeOffset> versions,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        var moments = versions.Select(UtcMicroseconds.ToMicroseconds).ToList();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var rows = db
            .ExampleRevisions.AsNoTracking()
            .Where(r => r.DatasetId == datasetId && r.WorkspaceId == caller.WorkspaceId);
        var began = await rows.Where(r => moments.Contains(r.ValidFrom))
            .GroupBy(r => r.ValidFrom)
            .Select(g => new { g.Key, Count = g.Count() })
            .ToDictionaryAsync(g => g.Key, g => g.Count, cancellationToken);
        var ended = await rows.Where(r => moments.Contains(r.ValidTo))
            .GroupBy(r => r.ValidTo)
            .Select(g => new
            {
                g.Key,
                Count = g.Count(),
                Replaced = g.Count(e =>
                    db.ExampleRevisions.Any(n =>
                        n.WorkspaceId == caller.WorkspaceId
                        && n.ExampleId == e.ExampleId
                        && n.DatasetId == datasetId
                        && n.ValidFrom == e.ValidTo
                    )
                ),
            })
            .ToDictionaryAsync(g => g.Key, cancellationToken);
        return moments.ToDictionary(
            UtcMicroseconds.FromMicroseconds,
            m =>
            {
                var modified = ended.TryGetValue(m, out var end) ? end.Replaced : 0;
                return new VersionChanges(
                    began.GetValueOrDefault(m) - modified,
                    (end?.Count ?? 0) - modified,
                    modified
                );
            }
        );
    }

    /// <summary>Takes a name from its version; false when there is none of that name.</summary>
    public async Task<bool> UntagAsync(
        Caller caller,
        Guid datasetId,
        string tag,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        return await db
                .DatasetTags.Where(t => t.DatasetId == datasetId && t.Name == tag)
                .ExecuteDeleteAsync(cancellationToken) > 0;
    }

    /// <summary>Names the version at a moment; the tag moves when it is in use. Returns the version.</summary>
    public async Task<DateTimeOffset> TagAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        string tag,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (tag.Length is 0 or > 256 || tag == DatasetTag.Latest)
        {
            throw DatasetProblemException.Invalid(
                $"tag: must have 1 to 256 characters and not be '{DatasetTag.Latest}'"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var moment = await VersionAtAsync(db, dataset, asOf, cancellationToken);
        var known = await db.DatasetTags.SingleOrDefaultAsync(
            t => t.DatasetId == datasetId && t.Name == tag,
            cancellationToken
        );
        if (known is null)
        {
            db.DatasetTags.Add(
                new DatasetTag
                {
                    DatasetId = datasetId,
                    Name = tag,
                    Moment = moment,
                }
            );
        }
        else
        {
            known.Moment = moment;
        }

        await db.SaveChangesAsync(cancellationToken);
        return UtcMicroseconds.FromMicroseconds(moment);
    }

    /// <summary>The newest version at or before a moment or tag.</summary>
    internal static async Task<long> VersionAtAsync(
        MetadataContext db,
        Dataset dataset,
        AsOf asOf,
        CancellationToken cancellationToken
    )
    {
        if (await MomentAsync(db, dataset, asOf, cancellationToken) is not { } moment)
        {
            // A dataset without examples has one version: itself, empty.
            return dataset.LastVersion > 0
                ? dataset.LastVersion
                : UtcMicroseconds.ToMicroseconds(dataset.CreatedAt);
        }

        return await db
                .DatasetVersions.AsNoTracking()
                .Where(v => v.DatasetId == dataset.Id && v.Moment <= moment)
                .MaxAsync(v => (long?)v.Moment, cancellationToken)
            ?? throw DatasetProblemException.NotFound("Dataset version");
    }

    private static IReadOnlyList<string> Tags(
        Dataset dataset,
        List<DatasetTag> tags,
        long moment
    ) =>
        [
            .. moment == dataset.LastVersion ? [DatasetTag.Latest] : Array.Empty<string>(),
            .. tags.Where(t => t.Moment == moment)
                .Select(t => t.Name)
                .Order(StringComparer.Ordinal),
        ];

    internal static async Task<long?> MomentAsync(
        MetadataContext db,
        Dataset? dataset,
        AsOf asOf,
        CancellationToken cancellationToken
    )
    {
        if (asOf.IsNow)
        {
            return null;
        }

        if (asOf.Time is { } time)
        {
            var moment = UtcMicroseconds.ToMicroseconds(time);
            // At or after the newest version means now, which the index answers best.
            return dataset is not null && moment >= dataset.LastVersion ? null : moment;
        }

        if (dataset is null)
        {
            throw DatasetProblemException.Invalid("as_of: a tag needs a dataset");
        }

        var tag = await db
            .DatasetTags.AsNoTracking()
            .SingleOrDefaultAsync(
                t => t.DatasetId == dataset.Id && t.Name == asOf.Tag,
                cancellationToken
            );
        return tag?.Moment
            ?? throw DatasetProblemException.NotFound($"Dataset version with tag '{asOf.Tag}'");
    }
}

/// <summary>The difference of two versions of a dataset, by example.</summary>
/// <param name="Added">In the second, not in the first.</param>
/// <param name="Removed">In the first, not in the second.</param>
/// <param name="Modified">In both, changed.</param>
public sealed record DatasetDiff(
    IReadOnlyList<Guid> Added,
    IReadOnlyList<Guid> Removed,
    IReadOnlyList<Guid> Modified
);

/// <summary>What one version did.</summary>
/// <param name="Added">Examples that came.</param>
/// <param name="Removed">Examples that went.</param>
/// <param name="Modified">Examples that changed.</param>
public sealed record VersionChanges(int Added, int Removed, int Modified);
