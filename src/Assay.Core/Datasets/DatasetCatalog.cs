using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Metadata;
using Assay.Core.Sharing;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Datasets;

/// <summary>Datasets themselves: made, found, changed, shared, deleted. Their examples are <see cref="ExampleWriter"/>'s and <see cref="ExampleReader"/>'s. Thread-safe.</summary>
public sealed class DatasetCatalog(
    IDbContextFactory<MetadataContext> metadata,
    IBlobStore blobs,
    TimeProvider time
)
{
    /// <summary>Makes a dataset.</summary>
    /// <exception cref="DatasetProblemException">The name or id is taken, or a field is wrong.</exception>
    public async Task<Dataset> CreateAsync(
        Caller caller,
        DatasetDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        Check(draft);
        if (draft.Name is not { } name)
        {
            throw DatasetProblemException.Invalid("name: is needed");
        }

        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var id = draft.Id ?? Guid.CreateVersion7(now);
        if (
            await db
                .Datasets.AsNoTracking()
                .AnyAsync(
                    d => (d.WorkspaceId == caller.WorkspaceId && d.Name == name) || d.Id == id,
                    cancellationToken
                )
        )
        {
            throw Taken(name);
        }

        var dataset = new Dataset
        {
            Id = id,
            WorkspaceId = caller.WorkspaceId,
            Name = name,
            Description = Given(draft.Description),
            DataType = draft.DataType ?? "kv",
            InputsSchemaJson = Given(draft.InputsSchemaJson),
            OutputsSchemaJson = Given(draft.OutputsSchemaJson),
            TransformationsJson = Given(draft.TransformationsJson),
            MetadataJson = Given(draft.MetadataJson),
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Datasets.Add(dataset);
        if (
            !await ResourceTaggings.TryAddAsync(
                db,
                new ResourceTagging
                {
                    WorkspaceId = caller.WorkspaceId,
                    ResourceType = "dataset",
                    ResourceId = id,
                    CreatedAt = now,
                },
                draft.TagValueIds,
                cancellationToken
            )
        )
        {
            throw DatasetProblemException.NotFound("Tag value");
        }

        await SaveAsync(db, name, cancellationToken);
        return dataset;
    }

    /// <summary>A dataset by id; null when the workspace has none.</summary>
    public async Task<Dataset?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Datasets.AsNoTracking()
            .SingleOrDefaultAsync(
                d => d.WorkspaceId == caller.WorkspaceId && d.Id == id,
                cancellationToken
            );
    }

    /// <summary>A dataset by its share token; null when nothing is shared under it. Needs no caller: the token is the right.</summary>
    public async Task<Dataset?> FindSharedAsync(Guid token, CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .Datasets.AsNoTracking()
            .SingleOrDefaultAsync(d => d.ShareToken == token, cancellationToken);
    }

    /// <summary>Datasets of the workspace.</summary>
    public async Task<IReadOnlyList<DatasetSummary>> ListAsync(
        Caller caller,
        DatasetQuery query,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var datasets = db.Datasets.AsNoTracking().Where(d => d.WorkspaceId == caller.WorkspaceId);
        if (query.Ids.Count > 0)
        {
            datasets = datasets.Where(d => query.Ids.Contains(d.Id));
        }

        if (query.DataTypes.Count > 0)
        {
            datasets = datasets.Where(d => query.DataTypes.Contains(d.DataType));
        }

        if (query.Name is { } name)
        {
            datasets = datasets.Where(d => d.Name == name);
        }

        if (query.NameContains is { Length: > 0 } part)
        {
            var pattern = Patterns.Containing(part);
            datasets = datasets.Where(d => EF.Functions.Like(d.Name, pattern, Patterns.Escape));
        }

        // A dataset that bears every one of the tags.
        foreach (var value in query.TagValueIds)
        {
            datasets = datasets.Where(d =>
                db.ResourceTaggings.Any(t =>
                    t.WorkspaceId == caller.WorkspaceId
                    && t.ValueId == value
                    && t.ResourceId == d.Id
                )
            );
        }

        var summaries = datasets.Select(d => new DatasetSummary(
            d,
            db.Projects.Count(p =>
                p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == d.Id
            ),
            db.Projects.Where(p =>
                    p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == d.Id
                )
                .Max(p => (DateTimeOffset?)p.StartTime)
        ));
        var found = await summaries.ToListAsync(cancellationToken);
        if (query.MetadataJson is { Length: > 0 } json)
        {
            var wanted = DatasetJson.Object(json, "metadata");
            found.RemoveAll(d =>
                !ExampleFilter.Contains(
                    d.Dataset.MetadataJson is { } have ? JsonNode.Parse(have) : new JsonObject(),
                    wanted
                )
            );
        }

        return [.. Sorted(found, query).Skip(query.Offset).Take(query.Limit)];
    }

    /// <summary>Changes a dataset; what the draft leaves null stays. A given empty text clears description, schema or transformations.</summary>
    public async Task<Dataset> UpdateAsync(
        Caller caller,
        Guid id,
        DatasetDraft draft,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        Check(draft);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await GetAsync(db, caller, id, cancellationToken);
        dataset.Name = draft.Name ?? dataset.Name;
        dataset.Description = Changed(draft.Description, dataset.Description);
        dataset.InputsSchemaJson = Changed(draft.InputsSchemaJson, dataset.InputsSchemaJson);
        dataset.OutputsSchemaJson = Changed(draft.OutputsSchemaJson, dataset.OutputsSchemaJson);
        dataset.TransformationsJson = Changed(
            draft.TransformationsJson,
            dataset.TransformationsJson
        );
        dataset.MetadataJson = Changed(draft.MetadataJson, dataset.MetadataJson);
        dataset.BaselineExperimentId =
            draft.BaselineExperimentId == Guid.Empty
                ? null
                : draft.BaselineExperimentId ?? dataset.BaselineExperimentId;
        dataset.ModifiedAt = time.GetUtcNow();
        await SaveAsync(db, dataset.Name, cancellationToken);
        return dataset;
    }

    /// <summary>Shares a dataset with everybody who knows the token; asked again it is the same token.</summary>
    public async Task<Guid> ShareAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await GetAsync(db, caller, id, cancellationToken);
        dataset.ShareToken ??= ShareLinks.NewToken();
        await db.SaveChangesAsync(cancellationToken);
        return dataset.ShareToken.Value;
    }

    /// <summary>Ends the sharing.</summary>
    public async Task UnshareAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var dataset = await GetAsync(db, caller, id, cancellationToken);
        dataset.ShareToken = null;
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Deletes a dataset with all its versions and files. Its experiments stay as plain projects with their traces.</summary>
    public async Task DeleteAsync(Caller caller, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Delete);
        List<string> keys;
        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        await using (var transaction = await db.Database.BeginTransactionAsync(cancellationToken))
        {
            var dataset = await GetAsync(db, caller, id, cancellationToken);
            keys = await ExampleBlobs.KeysAsync(
                db.ExampleRevisions.Where(r =>
                    r.WorkspaceId == caller.WorkspaceId && r.DatasetId == id
                ),
                cancellationToken
            );
            await db
                .ExampleRevisions.Where(r =>
                    r.WorkspaceId == caller.WorkspaceId && r.DatasetId == id
                )
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .DatasetVersions.Where(v => v.DatasetId == id)
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .DatasetTags.Where(t => t.DatasetId == id)
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .ExperimentViews.Where(v =>
                    v.WorkspaceId == caller.WorkspaceId && v.DatasetId == id
                )
                .ExecuteDeleteAsync(cancellationToken);
            db.Datasets.Remove(dataset);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // After the commit: a crash here leaves files nobody points at, never a pointer without its file.
        foreach (var key in keys)
        {
            await blobs.DeleteAsync(key, cancellationToken);
        }
    }

    internal static async Task<Dataset> GetAsync(
        MetadataContext db,
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        await db.Datasets.SingleOrDefaultAsync(
            d => d.WorkspaceId == caller.WorkspaceId && d.Id == id,
            cancellationToken
        ) ?? throw DatasetProblemException.NotFound("Dataset");

    private static IOrderedEnumerable<DatasetSummary> Sorted(
        List<DatasetSummary> found,
        DatasetQuery query
    )
    {
        Func<DatasetSummary, object?> key = query.SortBy switch
        {
            "name" => d => d.Dataset.Name,
            "created_at" => d => d.Dataset.CreatedAt,
            "modified_at" => d => d.Dataset.ModifiedAt,
            "example_count" => d => d.Dataset.ExampleCount,
            "session_count" => d => d.ExperimentCount,
            _ => d => d.LastExperimentStart ?? DateTimeOffset.MinValue,
        };
        var sorted = query.IsDescending ? found.OrderByDescending(key) : found.OrderBy(key);
        return sorted.ThenByDescending(d => d.Dataset.CreatedAt).ThenBy(d => d.Dataset.Id);
    }

    private static void Check(DatasetDraft draft)
    {
        if (draft.Name is { } name && (name.Length == 0 || name.Length > Dataset.MaxNameLength))
        {
            throw DatasetProblemException.Invalid(
                $"name: must have 1 to {Dataset.MaxNameLength} characters"
            );
        }

        if (draft.DataType is not (null or "kv" or "llm" or "chat"))
        {
            throw DatasetProblemException.Invalid("data_type: must be kv, llm or chat");
        }

        _ = ExampleGate.Schema(Given(draft.InputsSchemaJson), "inputs_schema_definition");
        _ = ExampleGate.Schema(Given(draft.OutputsSchemaJson), "outputs_schema_definition");
        _ = Given(draft.TransformationsJson) is { } steps ? Transformations.Read(steps) : null;
        _ = Given(draft.MetadataJson) is { } json ? DatasetJson.Object(json, "metadata") : null;
    }

    private static string? Given(string? text) => text is { Length: > 0 } ? text : null;

    private static string? Changed(string? next, string? now) =>
        next switch
        {
            null => now,
            "" => null,
            _ => next,
        };

    private static async Task SaveAsync(
        MetadataContext db,
        string name,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw DatasetProblemException.Conflict("The dataset was changed meanwhile; try again");
        }
        catch (DbUpdateException)
        {
            throw Taken(name);
        }
    }

    private static DatasetProblemException Taken(string name) =>
        DatasetProblemException.Conflict($"Dataset with name '{name}' already exists");
}

/// <summary>Fields of a dataset as a client states them; null is not stated.</summary>
public sealed record DatasetDraft
{
    /// <summary>Id.</summary>
    public Guid? Id { get; init; }

    /// <summary>Name.</summary>
    public string? Name { get; init; }

    /// <summary>Description.</summary>
    public string? Description { get; init; }

    /// <summary>Shape: <c>kv</c>, <c>llm</c>, <c>chat</c>.</summary>
    public string? DataType { get; init; }

    /// <summary>JSON Schema of inputs.</summary>
    public string? InputsSchemaJson { get; init; }

    /// <summary>JSON Schema of outputs.</summary>
    public string? OutputsSchemaJson { get; init; }

    /// <summary>Transformations, JSON array.</summary>
    public string? TransformationsJson { get; init; }

    /// <summary>Metadata, JSON object.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Resource tags that a new dataset bears.</summary>
    public IReadOnlyList<Guid> TagValueIds { get; init; } = [];

    /// <summary>Baseline experiment; the zero id takes the mark away.</summary>
    public Guid? BaselineExperimentId { get; init; }
}

/// <summary>A question for datasets.</summary>
public sealed record DatasetQuery
{
    /// <summary>Only these; empty means any.</summary>
    public IReadOnlyList<Guid> Ids { get; init; } = [];

    /// <summary>Only of these shapes; empty means any.</summary>
    public IReadOnlyList<string> DataTypes { get; init; } = [];

    /// <summary>With exactly this name.</summary>
    public string? Name { get; init; }

    /// <summary>With this in its name, ASCII case ignored.</summary>
    public string? NameContains { get; init; }

    /// <summary>Metadata contains this JSON object.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Bearing every one of these resource tags; empty means any.</summary>
    public IReadOnlyList<Guid> TagValueIds { get; init; } = [];

    /// <summary>Sorted by <c>name</c>, <c>created_at</c>, <c>modified_at</c>, <c>example_count</c>, <c>session_count</c>, or by the newest experiment.</summary>
    public string? SortBy { get; init; }

    /// <summary>Largest first.</summary>
    public bool IsDescending { get; init; } = true;

    /// <summary>At most this many.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Skip this many.</summary>
    public int Offset { get; init; }
}

/// <summary>A dataset with what is known about its experiments.</summary>
public sealed record DatasetSummary(
    Dataset Dataset,
    int ExperimentCount,
    DateTimeOffset? LastExperimentStart
);
