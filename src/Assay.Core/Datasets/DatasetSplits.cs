using Assay.Core.Access;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Splits of datasets: read, changed, dealt out. Thread-safe.</summary>
public sealed class DatasetSplits(
    IDbContextFactory<MetadataContext> metadata,
    ExampleWriter writer,
    TimeProvider time
)
{
    private const int Block = 1_000;

    /// <summary>Splits in use at a version, by name.</summary>
    public async Task<IReadOnlyList<string>> SplitsAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await SplitCountsAsync(caller, datasetId, asOf, cancellationToken)).Keys.Order(
                StringComparer.Ordinal
            ),
        ];

    /// <summary>Splits in use at a version with the number of their examples.</summary>
    public async Task<IReadOnlyDictionary<string, int>> SplitCountsAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, _) = await ExampleReader.AskAsync(
            db,
            caller,
            new ExampleQuery { DatasetId = datasetId, AsOf = asOf },
            cancellationToken
        );
        var stored = await rows.GroupBy(r => r.Splits)
            .Select(g => new { g.Key, Count = g.Count() })
            .ToListAsync(cancellationToken);
        return stored
            .SelectMany(s => ExampleBlobs.Splits(s.Key).Select(name => (name, s.Count)))
            .GroupBy(s => s.name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(s => s.Count), StringComparer.Ordinal);
    }

    /// <summary>Puts examples into a split, or takes them out; one that is in none afterwards is in <see cref="Example.DefaultSplit"/>.</summary>
    public Task<IReadOnlyList<Guid>> UpdateSplitAsync(
        Caller caller,
        Guid datasetId,
        string split,
        IReadOnlyList<Guid> ids,
        bool remove,
        CancellationToken cancellationToken
    )
    {
        Check(split);
        return ChangeSplitsAsync(
            caller,
            datasetId,
            ids,
            (_, have) => remove ? [.. have.Where(s => s != split)] : [.. have, split],
            cancellationToken
        );
    }

    /// <summary>
    /// Deals all examples of a dataset out to splits by weight, as one version. The same seed gives an example the same split whatever else is
    /// in the dataset, so examples added later do not move the others. The new revisions are written in small transactions, invisible to every
    /// reader, and published at once, so that other writers never wait long and memory stays flat however large the dataset is.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="datasetId">The dataset.</param>
    /// <param name="splits">Names and weights.</param>
    /// <param name="seed">What decides the dealing, with the ids.</param>
    /// <param name="cancellationToken">Stops it; nothing is changed then.</param>
    /// <param name="progress">Told how many examples were looked at so far.</param>
    /// <returns>How many examples are in other splits now.</returns>
    public async Task<int> AssignSplitsAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<(string Name, double Weight)> splits,
        ulong seed,
        CancellationToken cancellationToken,
        IProgress<long>? progress = null
    )
    {
        var total = splits.Sum(s => s.Weight);
        if (splits.Count == 0 || splits.Any(s => s.Weight < 0) || total is not > 0)
        {
            throw DatasetProblemException.Invalid("splits: need weights above zero");
        }

        foreach (var (name, _) in splits)
        {
            Check(name);
        }

        string Dealt(Guid id)
        {
            var at = Fraction(id, seed) * total;
            foreach (var (name, weight) in splits)
            {
                at -= weight;
                if (at < 0)
                {
                    return Stored([name]);
                }
            }

            return Stored([splits[^1].Name]);
        }

        caller.Demand(Permission.Write);
        var changeId = Guid.CreateVersion7(time.GetUtcNow());
        try
        {
            var begin = await PrepareAsync(
                caller,
                datasetId,
                changeId,
                Dealt,
                progress,
                cancellationToken
            );
            return await PublishAsync(caller, datasetId, changeId, begin, Dealt, cancellationToken);
        }
        catch
        {
            // Whoever cancelled is gone; what was prepared must go all the same.
            await using var db = await metadata.CreateDbContextAsync(CancellationToken.None);
            await db
                .ExampleRevisions.Where(r => r.ImportId == changeId)
                .ExecuteDeleteAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Writes the revisions that are to follow those of now; the version they follow.</summary>
    private async Task<long> PrepareAsync(
        Caller caller,
        Guid datasetId,
        Guid changeId,
        Func<Guid, string> dealt,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    )
    {
        var seen = 0L;
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var begin = (
            await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken)
        ).LastVersion;
        // Block by block by number, which new revisions have higher: those made meanwhile are dealt with when publishing.
        for (var after = 0L; ; )
        {
            var block = await BlockAsync(db, caller, datasetId, after, 0, begin, cancellationToken);
            foreach (var row in block)
            {
                if (dealt(row.ExampleId) is var name && name != row.Splits)
                {
                    var next = row.Next(ExampleRevision.Forever, name);
                    next.ValidTo = ExampleRevision.Prepared;
                    next.ImportId = changeId;
                    db.ExampleRevisions.Add(next);
                }
            }

            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
            progress?.Report(seen += block.Count);
            if (block.Count < Block)
            {
                return begin;
            }

            after = block[^1].Number;
        }
    }

    private async Task<int> PublishAsync(
        Caller caller,
        Guid datasetId,
        Guid changeId,
        long begin,
        Func<Guid, string> dealt,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var before = dataset.LastVersion;
        var moment = writer.NextVersion(db, dataset);
        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
        var prepared = db.ExampleRevisions.Where(r => r.ImportId == changeId);
        var live = db.ExampleRevisions.Where(r =>
            r.WorkspaceId == caller.WorkspaceId
            && r.DatasetId == datasetId
            && r.ValidTo == ExampleRevision.Forever
        );
        // Sets on either side, never a question for each row: an engine would go through all revisions for each of a million.
        // What was changed or deleted meanwhile is followed by nothing that knows only its former state.
        var same = live.Where(r => r.ValidFrom <= begin).Select(r => r.ExampleId);
        await prepared
            .Where(p => !same.Contains(p.ExampleId))
            .ExecuteDeleteAsync(cancellationToken);
        var followed = prepared.Select(p => p.ExampleId);
        await live.Where(r => followed.Contains(r.ExampleId))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.ValidTo, moment), cancellationToken);
        var changed = await prepared.ExecuteUpdateAsync(
            u =>
                u.SetProperty(r => r.ValidFrom, moment)
                    .SetProperty(r => r.ValidTo, ExampleRevision.Forever)
                    .SetProperty(r => r.ImportId, (Guid?)null),
            cancellationToken
        );
        for (var after = 0L; before > begin; )
        {
            var block = await BlockAsync(
                db,
                caller,
                datasetId,
                after,
                begin + 1,
                before,
                cancellationToken
            );
            foreach (var row in block)
            {
                if (dealt(row.ExampleId) is var name && name != row.Splits)
                {
                    db.ExampleRevisions.Add(row.Next(moment, name));
                    row.ValidTo = moment;
                    changed++;
                }
            }

            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
            if (block.Count < Block)
            {
                break;
            }

            after = block[^1].Number;
        }

        if (changed > 0)
        {
            await transaction.CommitAsync(cancellationToken);
        }

        return changed;
    }

    /// <summary>The next live revisions by number that came with versions of a range.</summary>
    private static Task<List<ExampleRevision>> BlockAsync(
        MetadataContext db,
        Caller caller,
        Guid datasetId,
        long after,
        long from,
        long to,
        CancellationToken cancellationToken
    ) =>
        db
            .ExampleRevisions.Where(r =>
                r.WorkspaceId == caller.WorkspaceId
                && r.DatasetId == datasetId
                && r.ValidTo == ExampleRevision.Forever
                && r.ValidFrom >= from
                && r.ValidFrom <= to
                && r.Number > after
            )
            .OrderBy(r => r.Number)
            .Take(Block)
            .ToListAsync(cancellationToken);

    internal static string Stored(IEnumerable<string> splits)
    {
        var names = splits.Distinct(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? $"\n{Example.DefaultSplit}\n" : $"\n{string.Join('\n', names)}\n";
    }

    internal static void Check(string name)
    {
        if (name.Length is 0 or > 256 || name.Contains('\n', StringComparison.Ordinal))
        {
            throw DatasetProblemException.Invalid(
                "split: must have 1 to 256 characters and no line feed"
            );
        }
    }

    private async Task<IReadOnlyList<Guid>> ChangeSplitsAsync(
        Caller caller,
        Guid datasetId,
        IReadOnlyList<Guid> ids,
        Func<Guid, IReadOnlyList<string>, IReadOnlyList<string>> change,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (ids.Count > ExampleWriter.MaxWrites)
        {
            throw DatasetProblemException.Invalid(
                $"examples: at most {ExampleWriter.MaxWrites:N0} at once"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        var live = await ExampleWriter.LiveAsync(db, caller.WorkspaceId, ids, cancellationToken);
        if (ids.FirstOrDefault(i => !live.ContainsKey(i)) is var missing && missing != Guid.Empty)
        {
            throw DatasetProblemException.NotFound($"Example {missing}");
        }

        if (live.Values.Any(r => r.DatasetId != datasetId))
        {
            throw DatasetProblemException.Conflict("An example belongs to another dataset");
        }

        var changed = new List<Guid>();
        var moment = writer.NextVersion(db, dataset);
        foreach (var row in live.Values)
        {
            var splits = Stored(change(row.ExampleId, ExampleBlobs.Splits(row.Splits)));
            if (splits == row.Splits)
            {
                continue;
            }

            db.ExampleRevisions.Add(row.Next(moment, splits));
            row.ValidTo = moment;
            changed.Add(row.ExampleId);
        }

        if (changed.Count > 0)
        {
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return changed;
    }

    /// <summary>A number in 0..1 that depends on id and seed alone.</summary>
    private static double Fraction(Guid id, ulong seed)
    {
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], seed);
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(bytes, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(hash)
            / (uint.MaxValue + 1.0);
    }
}
