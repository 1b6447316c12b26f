using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Access;

/// <summary>Tags of resources: keys, their values, and what bears them.</summary>
internal static class TagEndpoints
{
    private const string Keys = "/api/v1/workspaces/current/tag-keys";
    private const string Values = Keys + "/{key:guid}/tag-values";
    private const string Taggings = "/api/v1/workspaces/current/taggings";
    private const string Tags = "/api/v1/workspaces/current/tags";

    public static void MapTags(this IEndpointRouteBuilder app)
    {
        app.MapGet(Keys, KeysAsync).Needs(Permission.Read);
        app.MapPost(Keys, AddKeyAsync).Needs(Permission.Write);
        app.MapGet(Keys + "/{key:guid}", KeyAsync).Needs(Permission.Read);
        app.MapPatch(Keys + "/{key:guid}", ChangeKeyAsync).Needs(Permission.Write);
        app.MapDelete(Keys + "/{key:guid}", DeleteKeyAsync).Needs(Permission.Delete);
        app.MapGet(Values, ValuesAsync).Needs(Permission.Read);
        app.MapPost(Values, AddValueAsync).Needs(Permission.Write);
        app.MapGet(Values + "/{value:guid}", ValueAsync).Needs(Permission.Read);
        app.MapPatch(Values + "/{value:guid}", ChangeValueAsync).Needs(Permission.Write);
        app.MapDelete(Values + "/{value:guid}", DeleteValueAsync).Needs(Permission.Delete);
        app.MapTaggings(Taggings, Tags);
    }

    /// <summary>A key as clients read it.</summary>
    public static Dictionary<string, object?> Of(ResourceTagKey key) =>
        new()
        {
            ["id"] = key.Id,
            ["key"] = key.Name,
            ["description"] = key.Description,
            ["created_at"] = Wire.Time(key.CreatedAt),
            ["updated_at"] = Wire.Time(key.ModifiedAt),
        };

    /// <summary>A value as clients read it.</summary>
    public static Dictionary<string, object?> Of(ResourceTagValue value) =>
        new()
        {
            ["id"] = value.Id,
            ["tag_key_id"] = value.KeyId,
            ["value"] = value.Name,
            ["description"] = value.Description,
            ["created_at"] = Wire.Time(value.CreatedAt),
            ["updated_at"] = Wire.Time(value.ModifiedAt),
        };

    private static async Task<IResult> KeysAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        var keys = await db
            .ResourceTagKeys.AsNoTracking()
            .Where(k => k.WorkspaceId == workspace)
            .OrderBy(k => k.Name)
            .ToListAsync(context.RequestAborted);
        return Results.Json(keys.Select(Of));
    }

    private static async Task<IResult> AddKeyAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        if (!IsName(json.StrictText("key")))
        {
            return BadName("key");
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var now = time.GetUtcNow();
        var key = new ResourceTagKey
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = context.Caller().WorkspaceId,
            Name = json.StrictText("key") ?? "",
            Description = json.StrictText("description"),
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Add(key);
        return await SaveAsync(context, db) ?? Results.Json(Of(key));
    }

    private static async Task<IResult> KeyAsync(
        Guid key,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return await FindAsync(db, context, key) is { } found
            ? Results.Json(Of(found))
            : Errors.NotFound("Tag key");
    }

    private static async Task<IResult> ChangeKeyAsync(
        Guid key,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key) is not { } found)
        {
            return Errors.NotFound("Tag key");
        }

        if (json.StrictText("key") is { } name)
        {
            if (!IsName(name))
            {
                return BadName("key");
            }

            found.Name = name;
        }

        found.Description = json.StrictText("description") ?? found.Description;
        found.ModifiedAt = time.GetUtcNow();
        return await SaveAsync(context, db) ?? Results.Json(Of(found));
    }

    private static async Task<IResult> DeleteKeyAsync(
        Guid key,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key) is not { } found)
        {
            return Errors.NotFound("Tag key");
        }

        // Its values and what bears them go with it.
        db.Remove(found);
        await db.SaveChangesAsync(context.RequestAborted);
        return WireResult.Json(w => w.WriteNullValue());
    }

    private static async Task<IResult> ValuesAsync(
        Guid key,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key) is null)
        {
            return Errors.NotFound("Tag key");
        }

        var values = await db
            .ResourceTagValues.AsNoTracking()
            .Where(v => v.KeyId == key)
            .OrderBy(v => v.Name)
            .ToListAsync(context.RequestAborted);
        return Results.Json(values.Select(Of));
    }

    private static async Task<IResult> AddValueAsync(
        Guid key,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        if (!IsName(json.StrictText("value")))
        {
            return BadName("value");
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key) is null)
        {
            return Errors.NotFound("Tag key");
        }

        var now = time.GetUtcNow();
        var value = new ResourceTagValue
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = context.Caller().WorkspaceId,
            KeyId = key,
            Name = json.StrictText("value") ?? "",
            Description = json.StrictText("description"),
            CreatedAt = now,
            ModifiedAt = now,
        };
        db.Add(value);
        return await SaveAsync(context, db) ?? Results.Json(Of(value));
    }

    private static async Task<IResult> ValueAsync(
        Guid key,
        Guid value,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        return await FindAsync(db, context, key, value) is { } found
            ? Results.Json(Of(found))
            : Errors.NotFound("Tag value");
    }

    private static async Task<IResult> ChangeValueAsync(
        Guid key,
        Guid value,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key, value) is not { } found)
        {
            return Errors.NotFound("Tag value");
        }

        if (json.StrictText("value") is { } name)
        {
            if (!IsName(name))
            {
                return BadName("value");
            }

            found.Name = name;
        }

        found.Description = json.StrictText("description") ?? found.Description;
        found.ModifiedAt = time.GetUtcNow();
        return await SaveAsync(context, db) ?? Results.Json(Of(found));
    }

    private static async Task<IResult> DeleteValueAsync(
        Guid key,
        Guid value,
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        if (await FindAsync(db, context, key, value) is not { } found)
        {
            return Errors.NotFound("Tag value");
        }

        db.Remove(found);
        await db.SaveChangesAsync(context.RequestAborted);
        return WireResult.Json(w => w.WriteNullValue());
    }

    /// <summary>Saves; the answer when the name is taken.</summary>
    private static async Task<IResult?> SaveAsync(HttpContext context, MetadataContext db)
    {
        try
        {
            await db.SaveChangesAsync(context.RequestAborted);
            return null;
        }
        catch (DbUpdateException)
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                "A tag key or value of that name already exists"
            );
        }
    }

    private static Task<ResourceTagKey?> FindAsync(
        MetadataContext db,
        HttpContext context,
        Guid key
    )
    {
        var workspace = context.Caller().WorkspaceId;
        return db.ResourceTagKeys.FirstOrDefaultAsync(
            k => k.WorkspaceId == workspace && k.Id == key,
            context.RequestAborted
        );
    }

    private static Task<ResourceTagValue?> FindAsync(
        MetadataContext db,
        HttpContext context,
        Guid key,
        Guid value
    )
    {
        var workspace = context.Caller().WorkspaceId;
        return db.ResourceTagValues.FirstOrDefaultAsync(
            v => v.WorkspaceId == workspace && v.KeyId == key && v.Id == value,
            context.RequestAborted
        );
    }

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= ResourceTagKey.MaxLength };

    private static IResult BadName(string field) =>
        Errors.Invalid($"{field}: must have 1 to {ResourceTagKey.MaxLength} characters");
}
