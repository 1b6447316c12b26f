using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Access;

/// <summary>Which resources bear which tags.</summary>
internal static class TaggingEndpoints
{
    /// <summary>Types of the wire with the list of a tag that names them; only resources that exist here can be tagged.</summary>
    private static readonly (string Type, string List)[] s_types =
    [
        ("project", "projects"),
        ("experiment", "experiments"),
        ("dataset", "datasets"),
        ("prompt", "prompts"),
        ("queue", "queues"),
    ];

    public static void MapTaggings(this IEndpointRouteBuilder app, string taggings, string tags)
    {
        app.MapGet(taggings, ListAsync).Needs(Permission.Read);
        app.MapPost(taggings, AddAsync).Needs(Permission.Write);
        app.MapDelete(taggings + "/{id:guid}", DeleteAsync).Needs(Permission.Write);
        app.MapGet(tags, TagsAsync).Needs(Permission.Read);
        app.MapGet(tags + "/resource", OfOneAsync).Needs(Permission.Read);
        app.MapPost(tags + "/resources", OfManyAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        var asked = context.Request.Query.Id("tag_value_id");
        var found = await (
            from t in db.ResourceTaggings.AsNoTracking()
            join v in db.ResourceTagValues on t.ValueId equals v.Id
            join k in db.ResourceTagKeys on v.KeyId equals k.Id
            where t.WorkspaceId == workspace && (asked == null || t.ValueId == asked)
            orderby k.Name, v.Name, t.CreatedAt
            select new
            {
                Tagging = t,
                Value = v,
                Key = k,
            }
        ).ToListAsync(context.RequestAborted);
        var names = await NamesAsync(db, context, [.. found.Select(f => f.Tagging)]);
        return Results.Json(
            found
                .GroupBy(f => f.Value.Id)
                .Select(group => new
                {
                    tag_key = group.First().Key.Name,
                    tag_key_id = group.First().Key.Id,
                    tag_value = group.First().Value.Name,
                    tag_value_id = group.Key,
                    resources = s_types.ToDictionary(
                        t => t.List,
                        t =>
                            group
                                .Where(f =>
                                    f.Tagging.ResourceType == t.Type
                                    && names.ContainsKey(f.Tagging.ResourceId)
                                )
                                .Select(f => new
                                {
                                    tagging_id = f.Tagging.Id,
                                    resource_id = f.Tagging.ResourceId,
                                    resource_name = names[f.Tagging.ResourceId],
                                })
                    ),
                })
        );
    }

    private static async Task<IResult> AddAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        if (
            json.Uuid("tag_value_id") is not { } value
            || json.Uuid("resource_id") is not { } resource
        )
        {
            return Errors.Invalid("tag_value_id, resource_id: are needed");
        }

        var type = json.StrictText("resource_type") ?? "";
        if (!s_types.Any(t => t.Type == type))
        {
            return Errors.Invalid(
                $"resource_type: must be one of {string.Join(", ", s_types.Select(t => t.Type))}"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        if (
            !await db.ResourceTagValues.AnyAsync(
                v => v.WorkspaceId == workspace && v.Id == value,
                context.RequestAborted
            )
        )
        {
            return Errors.NotFound("Tag value");
        }

        var now = time.GetUtcNow();
        var tagging = new ResourceTagging
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = workspace,
            ValueId = value,
            ResourceType = type,
            ResourceId = resource,
            CreatedAt = now,
        };
        if (!(await NamesAsync(db, context, [tagging])).ContainsKey(resource))
        {
            return Errors.NotFound("Resource");
        }

        db.Add(tagging);
        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
        }
        catch (DbUpdateException)
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                "The resource bears that tag already"
            );
        }

        return Results.Json(Of(tagging));
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        var gone = await db
            .ResourceTaggings.Where(t => t.WorkspaceId == workspace && t.Id == id)
            .ExecuteDeleteAsync(context.RequestAborted);
        return gone == 0 ? Errors.NotFound("Tagging") : WireResult.Json(w => w.WriteNullValue());
    }

    private static async Task<IResult> TagsAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var (keys, values) = await AllAsync(db, context);
        return Results.Json(
            keys.Select(k =>
            {
                var key = TagEndpoints.Of(k);
                key["values"] = values.Where(v => v.KeyId == k.Id).Select(TagEndpoints.Of);
                return key;
            })
        );
    }

    private static async Task<IResult> OfOneAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var resource = context.Request.Query.NeededId("resource_id");
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return Results.Json((await OfResourcesAsync(db, context, [resource]))[resource]);
    }

    private static async Task<IResult> OfManyAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return Errors.Invalid("body: must be a list of {resource_id, resource_type}");
        }

        var ids = document
            .RootElement.EnumerateArray()
            .Select(r =>
                r.ValueKind == JsonValueKind.Object && r.Uuid("resource_id") is { } id
                    ? id
                    : throw BodyFields.Wrong("resource_id", "a UUID")
            )
            .ToList();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return Results.Json(await OfResourcesAsync(db, context, ids));
    }

    /// <summary>The keys and values that each resource bears, with the taggings.</summary>
    private static async Task<Dictionary<Guid, IReadOnlyList<object>>> OfResourcesAsync(
        MetadataContext db,
        HttpContext context,
        IReadOnlyList<Guid> resources
    )
    {
        var workspace = context.Caller().WorkspaceId;
        var taggings = await db
            .ResourceTaggings.AsNoTracking()
            .Where(t => t.WorkspaceId == workspace && resources.Contains(t.ResourceId))
            .ToListAsync(context.RequestAborted);
        var (keys, values) = await AllAsync(db, context);
        return resources
            .Distinct()
            .ToDictionary(
                r => r,
                IReadOnlyList<object> (r) =>
                    [
                        .. keys.Select(k =>
                                (
                                    Key: k,
                                    Values: values
                                        .Where(v => v.KeyId == k.Id)
                                        .Select(v =>
                                            (
                                                Value: v,
                                                Taggings: taggings.Where(t =>
                                                    t.ValueId == v.Id && t.ResourceId == r
                                                )
                                            )
                                        )
                                        .Where(v => v.Taggings.Any())
                                        .ToList()
                                )
                            )
                            .Where(k => k.Values.Count > 0)
                            .Select(k =>
                            {
                                var key = TagEndpoints.Of(k.Key);
                                key["values"] = k.Values.Select(v =>
                                {
                                    var value = TagEndpoints.Of(v.Value);
                                    value["taggings"] = v.Taggings.Select(Of);
                                    return value;
                                });
                                return key;
                            }),
                    ]
            );
    }

    private static async Task<(List<ResourceTagKey> Keys, List<ResourceTagValue> Values)> AllAsync(
        MetadataContext db,
        HttpContext context
    )
    {
        var workspace = context.Caller().WorkspaceId;
        return (
            await db
                .ResourceTagKeys.AsNoTracking()
                .Where(k => k.WorkspaceId == workspace)
                .OrderBy(k => k.Name)
                .ToListAsync(context.RequestAborted),
            await db
                .ResourceTagValues.AsNoTracking()
                .Where(v => v.WorkspaceId == workspace)
                .OrderBy(v => v.Name)
                .ToListAsync(context.RequestAborted)
        );
    }

    /// <summary>The names of the resources that are there, of their type and in the caller's workspace.</summary>
    private static async Task<Dictionary<Guid, string>> NamesAsync(
        MetadataContext db,
        HttpContext context,
        IReadOnlyList<ResourceTagging> taggings
    )
    {
        var workspace = context.Caller().WorkspaceId;
        var names = new Dictionary<Guid, string>();
        foreach (var group in taggings.GroupBy(t => t.ResourceType))
        {
            var ids = group.Select(t => t.ResourceId).Distinct().ToList();
            var found = group.Key switch
            {
                "project" or "experiment" => db
                    .Projects.Where(p => p.WorkspaceId == workspace && ids.Contains(p.Id))
                    .Select(p => new { p.Id, p.Name }),
                "dataset" => db
                    .Datasets.Where(d => d.WorkspaceId == workspace && ids.Contains(d.Id))
                    .Select(d => new { d.Id, d.Name }),
                "prompt" => db
                    .Prompts.Where(p => p.WorkspaceId == workspace && ids.Contains(p.Id))
                    .Select(p => new { p.Id, Name = p.Handle }),
                _ => db
                    .AnnotationQueues.Where(q => q.WorkspaceId == workspace && ids.Contains(q.Id))
                    .Select(q => new { q.Id, q.Name }),
            };
            foreach (var item in await found.ToListAsync(context.RequestAborted))
            {
                names[item.Id] = item.Name;
            }
        }

        return names;
    }

    private static object Of(ResourceTagging tagging) =>
        new
        {
            id = tagging.Id,
            tag_value_id = tagging.ValueId,
            resource_type = tagging.ResourceType,
            resource_id = tagging.ResourceId,
            created_at = Wire.Time(tagging.CreatedAt),
        };
}
