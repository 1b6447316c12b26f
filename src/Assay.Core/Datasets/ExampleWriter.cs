using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>
/// Every change of examples. One call is one transaction and makes one version per dataset it touches; it happens whole or not at all, also
/// under <c>kill -9</c>. Versions are moments of the server's clock in microseconds, strictly increasing; what clients say about times never
/// decides them. Thread-safe.
/// </summary>
public sealed class ExampleWriter(
    IDbContextFactory<MetadataContext> metadata,
    IBlobStore blobs,
    SourceRuns sources,
    TimeProvider time
)
{
    private const int LookupBatch = 500;

    /// <summary>The most examples in one call.</summary>
    public const int MaxWrites = 100_000;

    /// <summary>Makes and changes examples.</summary>
    /// <exception cref="DatasetProblemException">One of them cannot be written; nothing was.</exception>
    public async Task<ExampleReceipt> WriteAsync(
        Caller caller,
        IReadOnlyList<ExampleWrite> writes,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (writes.Count is 0 or > MaxWrites)
        {
            throw DatasetProblemException.Invalid($"examples: must be 1 to {MaxWrites:N0}");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var prepared = await PrepareAsync(db, caller, writes, cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var live = await LiveAsync(
            db,
            caller.WorkspaceId,
            [.. prepared.Select(p => p.Id)],
            cancellationToken
        );
        var versions = new Dictionary<Guid, (Dataset Dataset, long Moment)>();
        foreach (var datasetId in prepared.Select(p => p.Write.DatasetId).Distinct())
        {
            var dataset = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
            versions[datasetId] = (dataset, NextVersion(db, dataset));
        }

        foreach (var item in prepared)
        {
            var (dataset, moment) = versions[item.Write.DatasetId];
            Put(db, live, dataset, moment, item);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new ExampleReceipt(
            [.. prepared.Select(p => p.Id)],
            UtcMicroseconds.FromMicroseconds(versions.Values.Max(v => v.Moment))
        );
    }

    /// <summary>Deletes examples; earlier versions keep them, unless <paramref name="forever"/>. Returns those that were there.</summary>
    public async Task<IReadOnlyList<Guid>> DeleteAsync(
        Caller caller,
        IReadOnlyList<Guid> ids,
        bool forever,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        var keys = new List<string>();
        var gone = new HashSet<Guid>();
        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        await using (var transaction = await db.Database.BeginTransactionAsync(cancellationToken))
        {
            var live = await LiveAsync(db, caller.WorkspaceId, ids, cancellationToken);
            foreach (var group in live.Values.GroupBy(r => r.DatasetId))
            {
                var dataset = await DatasetCatalog.GetAsync(
                    db,
                    caller,
                    group.Key,
                    cancellationToken
                );
                var moment = NextVersion(db, dataset);
                dataset.ExampleCount -= group.Count();
                foreach (var row in group)
                {
                    row.ValidTo = moment;
                    gone.Add(row.ExampleId);
                }
            }

            await db.SaveChangesAsync(cancellationToken);
            foreach (var chunk in forever ? ids.Chunk(LookupBatch) : [])
            {
                var rows = db.ExampleRevisions.Where(r =>
                    r.WorkspaceId == caller.WorkspaceId && chunk.Contains(r.ExampleId)
                );
                gone.UnionWith(
                    await rows.Select(r => r.ExampleId).Distinct().ToListAsync(cancellationToken)
                );
                keys.AddRange(await ExampleBlobs.KeysAsync(rows, cancellationToken));
                await rows.ExecuteDeleteAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        foreach (var key in keys)
        {
            await blobs.DeleteAsync(key, cancellationToken);
        }

        return [.. ids.Where(gone.Contains)];
    }

    /// <summary>Gives a dataset its next version inside the caller's transaction.</summary>
    internal long NextVersion(MetadataContext db, Dataset dataset)
    {
        var now = time.GetUtcNow();
        dataset.LastVersion = Math.Max(
            UtcMicroseconds.ToMicroseconds(now),
            dataset.LastVersion + 1
        );
        dataset.ModifiedAt = now;
        db.DatasetVersions.Add(
            new DatasetVersion { DatasetId = dataset.Id, Moment = dataset.LastVersion }
        );
        return dataset.LastVersion;
    }

    /// <summary>Metadata without the split, and the splits: those given, else those inside the metadata, else null.</summary>
    internal static (string? MetadataJson, IReadOnlyList<string>? Splits) TakeSplits(
        string? metadataJson,
        IReadOnlyList<string>? splits,
        string where
    )
    {
        if (metadataJson is not null)
        {
            var metadata = DatasetJson.Object(metadataJson, $"{where}metadata");
            if (metadata.TryGetPropertyValue("dataset_split", out var inside))
            {
                metadata.Remove("dataset_split");
                metadataJson = metadata.ToJsonString();
                splits ??= inside switch
                {
                    null => null,
                    JsonArray many =>
                    [
                        .. many.Select(s =>
                            s is JsonValue v && v.TryGetValue<string>(out var name) ? name : ""
                        ),
                    ],
                    JsonValue one when one.TryGetValue<string>(out var name) => [name],
                    _ => [""],
                };
            }
        }

        foreach (var split in splits ?? [])
        {
            DatasetSplits.Check(split);
        }

        return (metadataJson, splits);
    }

    private async Task<List<Prepared>> PrepareAsync(
        MetadataContext db,
        Caller caller,
        IReadOnlyList<ExampleWrite> writes,
        CancellationToken cancellationToken
    )
    {
        var known = await LiveAsync(
            db,
            caller.WorkspaceId,
            [
                .. writes
                    .Where(w => w.Mode != ExampleWriteMode.Create)
                    .Select(w => w.Id)
                    .OfType<Guid>(),
            ],
            cancellationToken
        );
        var gates = new Dictionary<Guid, ExampleGate>();
        var prepared = new List<Prepared>(writes.Count);
        var now = time.GetUtcNow();
        for (var i = 0; i < writes.Count; i++)
        {
            var write = writes[i];
            var where = writes.Count == 1 ? "" : $"examples[{i}].";
            if (write.DatasetId == Guid.Empty)
            {
                write = write with
                {
                    DatasetId =
                        write.Id is { } id && known.TryGetValue(id, out var row)
                            ? row.DatasetId
                            : throw DatasetProblemException.NotFound("Example"),
                };
            }

            if (!gates.TryGetValue(write.DatasetId, out var gate))
            {
                gates[write.DatasetId] = gate = new ExampleGate(
                    await DatasetCatalog.GetAsync(db, caller, write.DatasetId, cancellationToken)
                );
            }

            write = await sources.FillAsync(caller, write, gate.ToolPaths, cancellationToken);
            var (inputs, outputs) = gate.Pass(write.InputsJson, write.OutputsJson, where);
            var (metadataJson, splits) = TakeSplits(write.MetadataJson, write.Splits, where);
            var storedInputs = inputs is null
                ? default
                : await ExampleBlobs.StoreAsync(
                    blobs,
                    caller.WorkspaceId,
                    inputs,
                    now,
                    cancellationToken
                );
            var storedOutputs = outputs is null
                ? default
                : await ExampleBlobs.StoreAsync(
                    blobs,
                    caller.WorkspaceId,
                    outputs,
                    now,
                    cancellationToken
                );
            prepared.Add(
                new Prepared(
                    write with
                    {
                        InputsJson = inputs,
                        OutputsJson = outputs,
                        MetadataJson = metadataJson,
                        Splits = splits,
                    },
                    write.Id ?? Guid.CreateVersion7(now),
                    storedInputs,
                    storedOutputs
                )
            );
        }

        db.ChangeTracker.Clear();
        return prepared;
    }

    private void Put(
        MetadataContext db,
        Dictionary<Guid, ExampleRevision> live,
        Dataset dataset,
        long moment,
        Prepared item
    )
    {
        var write = item.Write;
        var old = live.GetValueOrDefault(item.Id);
        if (old is not null && old.DatasetId != dataset.Id)
        {
            throw DatasetProblemException.Conflict($"Example {item.Id} belongs to another dataset");
        }

        if (old is not null && write.Mode == ExampleWriteMode.Create)
        {
            throw DatasetProblemException.Conflict($"Example {item.Id} already exists");
        }

        if (old is null && write.Mode == ExampleWriteMode.Update)
        {
            throw DatasetProblemException.NotFound($"Example {item.Id}");
        }

        var row = new ExampleRevision
        {
            WorkspaceId = dataset.WorkspaceId,
            DatasetId = dataset.Id,
            ExampleId = item.Id,
            ValidFrom = moment,
            Position = old?.Position ?? dataset.NextPosition,
            CreatedAt = old?.CreatedAt ?? write.CreatedAt ?? time.GetUtcNow(),
            InputsJson = write.InputsJson is null ? old?.InputsJson ?? "{}" : item.Inputs.Inline,
            InputsBlobKey = write.InputsJson is null ? old?.InputsBlobKey : item.Inputs.Key,
            OutputsJson = write.OutputsJson is null ? old?.OutputsJson : item.Outputs.Inline,
            OutputsBlobKey = write.OutputsJson is null ? old?.OutputsBlobKey : item.Outputs.Key,
            MetadataJson = write.MetadataJson ?? old?.MetadataJson,
            Splits = write.Splits is { } splits
                ? DatasetSplits.Stored(splits)
                : old?.Splits ?? DatasetSplits.Stored([]),
            SourceRunId = write.SourceRunId ?? old?.SourceRunId,
            AttachmentsJson = ExampleBlobs.Files(
                ExampleFiles.Apply(
                    ExampleBlobs.Files(old?.AttachmentsJson),
                    write.Operations,
                    write.Attachments
                )
            ),
        };
        if (old is null)
        {
            dataset.NextPosition++;
            dataset.ExampleCount++;
        }
        else if (old.ValidFrom == moment)
        {
            // Changed twice in one call: only the last state was ever visible.
            db.Entry(old).State = old.Number == 0 ? EntityState.Detached : EntityState.Deleted;
        }
        else
        {
            old.ValidTo = moment;
        }

        db.ExampleRevisions.Add(row);
        live[item.Id] = row;
    }

    internal static async Task<Dictionary<Guid, ExampleRevision>> LiveAsync(
        MetadataContext db,
        Guid workspaceId,
        IReadOnlyList<Guid> ids,
        CancellationToken cancellationToken
    )
    {
        var live = new Dictionary<Guid, ExampleRevision>();
        foreach (var chunk in ids.Distinct().Chunk(LookupBatch))
        {
            await foreach (
                var row in db
                    .ExampleRevisions.Where(r =>
                        r.WorkspaceId == workspaceId
                        && chunk.Contains(r.ExampleId)
                        && r.ValidTo == ExampleRevision.Forever
                    )
                    .AsAsyncEnumerable()
                    .WithCancellation(cancellationToken)
            )
            {
                live[row.ExampleId] = row;
            }
        }

        return live;
    }

    private sealed record Prepared(
        ExampleWrite Write,
        Guid Id,
        (string Inline, string? Key) Inputs,
        (string Inline, string? Key) Outputs
    );
}
