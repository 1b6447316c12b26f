using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Reads examples as they are or as they were at any version. Thread-safe.</summary>
public sealed class ExampleReader(IDbContextFactory<MetadataContext> metadata, IBlobStore blobs)
{
    /// <summary>From here on skipping costs more than asking twice.</summary>
    private const int FarOffset = 1_000;

    /// <summary>One page of examples, in an order that never changes for a version.</summary>
    public async Task<IReadOnlyList<Example>> ListAsync(
        Caller caller,
        ExampleQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, _) = await AskAsync(db, caller, query, cancellationToken);
        var test = Test(query);
        var ordered = Ordered(rows, query);
        List<ExampleRevision> page;
        if (query.Order == ExampleOrder.Random || (query.Filter is null && test is not null))
        {
            // First the narrow columns of all, then the payloads of the page.
            var narrow = await ordered
                .Select(r => new
                {
                    r.Number,
                    r.ExampleId,
                    r.MetadataJson,
                    r.Splits,
                })
                .ToListAsync(cancellationToken);
            var matching = narrow
                .Where(r =>
                    test is null
                    || test(
                        new Example
                        {
                            Id = r.ExampleId,
                            DatasetId = Guid.Empty,
                            Name = "",
                            InputsJson = "{}",
                            MetadataJson = r.MetadataJson,
                            Splits = ExampleBlobs.Splits(r.Splits),
                        }
                    )
                )
                .ToList();
            if (query.Order == ExampleOrder.Random)
            {
                matching = [.. matching.OrderBy(r => Shuffle(r.ExampleId, query.Seed))];
            }

            var numbers = matching
                .Skip(query.Offset)
                .Take(query.Limit)
                .Select(r => r.Number)
                .ToList();
            page = await InOrderAsync(db, caller, numbers, cancellationToken);
        }
        else if (test is not null)
        {
            return await FilteredAsync(db, ordered, test, query, cancellationToken);
        }
        else if (query.Offset < FarOffset || query.Limit > FarOffset)
        {
            page = await ordered
                .Skip(query.Offset)
                .Take(query.Limit)
                .ToListAsync(cancellationToken);
        }
        else
        {
            // What is skipped is skipped in the index, without its payloads.
            var numbers = await ordered
                .Skip(query.Offset)
                .Take(query.Limit)
                .Select(r => r.Number)
                .ToListAsync(cancellationToken);
            page = await InOrderAsync(db, caller, numbers, cancellationToken);
        }

        return await ReadAsync(db, page, cancellationToken);
    }

    /// <summary>The ids of a dataset's examples in the order they are listed in.</summary>
    public Task<IReadOnlyList<Guid>> IdsAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        CancellationToken cancellationToken
    ) =>
        IdsAsync(
            caller,
            new ExampleQuery { DatasetId = datasetId, AsOf = asOf },
            cancellationToken
        );

    /// <summary>The ids of the examples that a question finds, all of them; conditions on metadata and filters are not for this.</summary>
    public async Task<IReadOnlyList<Guid>> IdsAsync(
        Caller caller,
        ExampleQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, _) = await AskAsync(db, caller, query, cancellationToken);
        return await Ordered(rows, query).Select(r => r.ExampleId).ToListAsync(cancellationToken);
    }

    /// <summary>The value of a metadata key by example, as text (a nested value as JSON); examples without the key are left out.</summary>
    public async Task<IReadOnlyDictionary<Guid, string>> MetadataAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        string key,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, _) = await AskAsync(
            db,
            caller,
            new ExampleQuery { DatasetId = datasetId, AsOf = asOf },
            cancellationToken
        );
        var values = new Dictionary<Guid, string>();
        await foreach (
            var row in rows.Where(r => r.MetadataJson != null)
                .Select(r => new { r.ExampleId, r.MetadataJson })
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
        {
            using var document = System.Text.Json.JsonDocument.Parse(row.MetadataJson!);
            if (
                document.RootElement.TryGetProperty(key, out var value)
                && value.ValueKind != System.Text.Json.JsonValueKind.Null
            )
            {
                values[row.ExampleId] =
                    value.ValueKind == System.Text.Json.JsonValueKind.String
                        ? value.GetString() ?? ""
                        : value.GetRawText();
            }
        }

        return values;
    }

    /// <summary>How many examples a question finds; its limit and offset are ignored.</summary>
    public async Task<int> CountAsync(
        Caller caller,
        ExampleQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, _) = await AskAsync(db, caller, query, cancellationToken);
        if (Test(query) is not { } test)
        {
            return await rows.CountAsync(cancellationToken);
        }

        var count = 0;
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            count += test(await ExampleBlobs.ReadAsync(blobs, row, "", cancellationToken)) ? 1 : 0;
        }

        return count;
    }

    /// <summary>One example; null when it is not there at that version. A tag needs the dataset.</summary>
    public async Task<Example?> FindAsync(
        Caller caller,
        Guid id,
        Guid? datasetId,
        AsOf asOf,
        CancellationToken cancellationToken
    )
    {
        var query = new ExampleQuery
        {
            DatasetId = datasetId,
            Ids = [id],
            AsOf = asOf,
            Limit = 1,
        };
        if (datasetId is null && asOf is { IsNow: false, Tag: not null })
        {
            await using var db = await metadata.CreateDbContextAsync(cancellationToken);
            var home = await db
                .ExampleRevisions.AsNoTracking()
                .Where(r => r.WorkspaceId == caller.WorkspaceId && r.ExampleId == id)
                .Select(r => (Guid?)r.DatasetId)
                .FirstOrDefaultAsync(cancellationToken);
            query = query with { DatasetId = home };
        }

        return await ListAsync(caller, query, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>Every example of a dataset at a version, streamed in the order it was added.</summary>
    public async IAsyncEnumerable<Example> StreamAsync(
        Caller caller,
        Guid datasetId,
        AsOf asOf,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var (rows, dataset) = await AskAsync(
            db,
            caller,
            new ExampleQuery { DatasetId = datasetId, AsOf = asOf },
            cancellationToken
        );
        var after = -1L;
        // By pages: a reader that stays open while a slow client downloads would keep the database's log from shrinking.
        while (true)
        {
            var page = await rows.Where(r => r.Position > after)
                .OrderBy(r => r.Position)
                .Take(500)
                .ToListAsync(cancellationToken);
            foreach (var row in page)
            {
                yield return await ExampleBlobs.ReadAsync(
                    blobs,
                    row,
                    dataset?.Name ?? "",
                    cancellationToken
                );
            }

            if (page.Count < 500)
            {
                yield break;
            }

            after = page[^1].Position;
        }
    }

    internal static async Task<(IQueryable<ExampleRevision> Rows, Dataset? Dataset)> AskAsync(
        MetadataContext db,
        Caller caller,
        ExampleQuery query,
        CancellationToken cancellationToken
    )
    {
        if (query.DatasetId is null && query.Ids.Count == 0)
        {
            throw DatasetProblemException.Invalid("dataset: either dataset or id must be given");
        }

        var dataset = query.DatasetId is { } datasetId
            ? await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken)
            : null;
        var rows = db
            .ExampleRevisions.AsNoTracking()
            .Where(r => r.WorkspaceId == caller.WorkspaceId);
        if (dataset is not null)
        {
            rows = rows.Where(r => r.DatasetId == dataset.Id);
        }

        if (query.Ids.Count > 0)
        {
            rows = rows.Where(r => query.Ids.Contains(r.ExampleId));
        }

        var moment = await DatasetVersions.MomentAsync(db, dataset, query.AsOf, cancellationToken);
        rows = moment is { } at
            ? rows.Where(r => r.ValidFrom <= at && r.ValidTo > at)
            : rows.Where(r => r.ValidTo == ExampleRevision.Forever);
        if (query.Splits.Count > 0)
        {
            var wanted = query.Splits.Select(s => $"\n{s}\n").ToList();
            rows = rows.Where(r => wanted.Any(w => r.Splits.Contains(w)));
        }

        foreach (var text in query.Texts)
        {
            var pattern = Patterns.Containing(text);
            rows = rows.Where(r =>
                EF.Functions.Like(r.InputsJson, pattern, Patterns.Escape)
                || EF.Functions.Like(r.OutputsJson, pattern, Patterns.Escape)
            );
        }

        return (rows, dataset);
    }

    private static IQueryable<ExampleRevision> Ordered(
        IQueryable<ExampleRevision> rows,
        ExampleQuery query
    ) =>
        (query.Order, query.IsReversed) switch
        {
            (ExampleOrder.Id, false) => rows.OrderBy(r => r.ExampleId),
            (ExampleOrder.Id, true) => rows.OrderByDescending(r => r.ExampleId),
            (ExampleOrder.RecentlyCreated, false) => rows.OrderByDescending(r => r.CreatedAt)
                .ThenBy(r => r.Position),
            (ExampleOrder.RecentlyCreated, true) => rows.OrderBy(r => r.CreatedAt)
                .ThenBy(r => r.Position),
            (_, true) => rows.OrderBy(r => r.ValidFrom).ThenBy(r => r.Position),
            _ => rows.OrderByDescending(r => r.ValidFrom).ThenBy(r => r.Position),
        };

    private static Func<Example, bool>? Test(ExampleQuery query)
    {
        var wanted = query.MetadataJson is { Length: > 0 } json
            ? DatasetJson.Object(json, "metadata")
            : null;
        var filter = query.Filter is { Length: > 0 } text ? ExampleFilter.Parse(text) : null;
        if (wanted is null && filter is null)
        {
            return null;
        }

        return e =>
            (filter?.Matches(e) ?? true)
            && (wanted is null || ExampleFilter.Contains(Metadata(e), wanted));
    }

    private static JsonObject Metadata(Example e)
    {
        var have = e.MetadataJson is { } json ? JsonNode.Parse(json) as JsonObject ?? [] : [];
        have["dataset_split"] = new JsonArray([
            .. e.Splits.Select(s => (JsonNode)JsonValue.Create(s)),
        ]);
        return have;
    }

    private static async Task<List<ExampleRevision>> InOrderAsync(
        MetadataContext db,
        Caller caller,
        List<long> numbers,
        CancellationToken cancellationToken
    )
    {
        var found = await db
            .ExampleRevisions.AsNoTracking()
            .Where(r => r.WorkspaceId == caller.WorkspaceId && numbers.Contains(r.Number))
            .ToDictionaryAsync(r => r.Number, cancellationToken);
        return [.. numbers.Where(found.ContainsKey).Select(n => found[n])];
    }

    private async Task<IReadOnlyList<Example>> FilteredAsync(
        MetadataContext db,
        IQueryable<ExampleRevision> rows,
        Func<Example, bool> test,
        ExampleQuery query,
        CancellationToken cancellationToken
    )
    {
        var names = await NamesAsync(db, query.DatasetId, cancellationToken);
        var found = new List<Example>();
        var skip = query.Offset;
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var example = await ExampleBlobs.ReadAsync(
                blobs,
                row,
                names.GetValueOrDefault(row.DatasetId, ""),
                cancellationToken
            );
            if (test(example) && skip-- <= 0)
            {
                found.Add(example);
                if (found.Count == query.Limit)
                {
                    break;
                }
            }
        }

        return found;
    }

    private async Task<IReadOnlyList<Example>> ReadAsync(
        MetadataContext db,
        List<ExampleRevision> rows,
        CancellationToken cancellationToken
    )
    {
        var ids = rows.Select(r => r.DatasetId).Distinct().ToList();
        var names = await db
            .Datasets.AsNoTracking()
            .Where(d => ids.Contains(d.Id))
            .ToDictionaryAsync(d => d.Id, d => d.Name, cancellationToken);
        var examples = new List<Example>(rows.Count);
        foreach (var row in rows)
        {
            examples.Add(
                await ExampleBlobs.ReadAsync(
                    blobs,
                    row,
                    names.GetValueOrDefault(row.DatasetId, ""),
                    cancellationToken
                )
            );
        }

        return examples;
    }

    private static Task<Dictionary<Guid, string>> NamesAsync(
        MetadataContext db,
        Guid? datasetId,
        CancellationToken cancellationToken
    ) =>
        db
            .Datasets.AsNoTracking()
            .Where(d => d.Id == datasetId)
            .ToDictionaryAsync(d => d.Id, d => d.Name, cancellationToken);

    private static UInt128 Shuffle(Guid id, double seed)
    {
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleLittleEndian(bytes[16..], seed);
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(bytes, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
