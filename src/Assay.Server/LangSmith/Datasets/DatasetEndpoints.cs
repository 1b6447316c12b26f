using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Datasets, their versions, tags, splits and sharing on LangSmith's wire.</summary>
internal static class DatasetEndpoints
{
    public static void MapDatasets(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets", CreateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/datasets", ListAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/datasets", ListV2Async).Needs(Permission.Read);
        app.MapDelete("/api/v1/datasets", DeleteManyAsync).Needs(Permission.Delete);
        app.MapGet("/api/v1/datasets/stream", StreamAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/datasets/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/datasets/{id:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/datasets/{id:guid}", DeleteAsync).Needs(Permission.Delete);
        app.MapGet("/api/v1/datasets/{id:guid}/versions", VersionsAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/datasets/{id:guid}/version", VersionAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/datasets/{id:guid}/versions/diff", DiffAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/datasets/{id:guid}/tags", TagAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/datasets/{id:guid}/splits", SplitsAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/datasets/{id:guid}/splits", PutSplitAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/datasets/{id:guid}/share", ShareStateAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/datasets/{id:guid}/share", ShareAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/datasets/{id:guid}/share", UnshareAsync).Needs(Permission.Write);
        app.MapPost("/api/v1/datasets/clone", CloneAsync).Needs(Permission.Write);
    }

    private static async Task<IResult> CreateAsync(HttpContext context, DatasetCatalog catalog)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var dataset = await catalog.CreateAsync(
            context.Caller(),
            Draft(json) with
            {
                Id = json.Uuid("id"),
                Name = json.StrictText("name") ?? "",
                TagValueIds = json.Uuids("tag_value_ids"),
                MetadataJson =
                    json.ObjectText("metadata") ?? json.Field("extra").ObjectText("metadata"),
            },
            context.RequestAborted
        );
        return WireResult.Json(w => DatasetOut.Write(w, dataset));
    }

    private static async Task<IResult> ListAsync(HttpContext context, DatasetCatalog catalog)
    {
        var found = await catalog.ListAsync(
            context.Caller(),
            Query(context.Request.Query),
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var item in found)
            {
                DatasetOut.Write(w, item.Dataset, item.ExperimentCount, item.LastExperimentStart);
            }

            w.WriteEndArray();
        });
    }

    /// <summary>The list of newer clients: pages by cursor.</summary>
    private static async Task<IResult> ListV2Async(HttpContext context, DatasetCatalog catalog)
    {
        var q = context.Request.Query;
        var offset = OffsetCursor.Read(q.Word("cursor"));
        var size = q.Whole("page_size", 20, 1, 100);
        // One more tells whether there is another page.
        var found = await catalog.ListAsync(
            context.Caller(),
            Query(q) with
            {
                IsDescending = q.Word("sort_order") switch
                {
                    null => q.Flag("sort_by_desc") ?? true,
                    "desc" => true,
                    "asc" => false,
                    _ => throw BodyFields.Wrong("sort_order", "asc or desc"),
                },
                Offset = offset,
                Limit = size + 1,
            },
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var item in found.Take(size))
            {
                DatasetOut.Write(w, item.Dataset, item.ExperimentCount, item.LastExperimentStart);
            }

            w.WriteEndArray();
            w.WriteString("next_cursor", OffsetCursor.Next(offset, size, found.Count > size));
            w.WriteEndObject();
        });
    }

    /// <summary>The same list as server-sent events, one dataset each.</summary>
    private static async Task StreamAsync(HttpContext context, DatasetCatalog catalog)
    {
        context.Response.ContentType = "text/event-stream";
        var query = Query(context.Request.Query);
        foreach (
            var item in await catalog.ListAsync(context.Caller(), query, context.RequestAborted)
        )
        {
            await context.Response.WriteAsync("event: data\ndata: ", context.RequestAborted);
            await using (var w = new Utf8JsonWriter(context.Response.BodyWriter))
            {
                DatasetOut.Write(w, item.Dataset, item.ExperimentCount, item.LastExperimentStart);
            }

            await context.Response.WriteAsync("\n\n", context.RequestAborted);
        }

        await context.Response.WriteAsync("event: end\n\n", context.RequestAborted);
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog
    ) =>
        await catalog.ListAsync(
            context.Caller(),
            new DatasetQuery { Ids = [id] },
            context.RequestAborted
        )
            is [var found]
            ? WireResult.Json(w =>
                DatasetOut.Write(w, found.Dataset, found.ExperimentCount, found.LastExperimentStart)
            )
            : Errors.NotFound("Dataset");

    private static async Task<IResult> PatchAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog,
        ExampleWriter writer
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var dataset = await catalog.UpdateAsync(
            context.Caller(),
            id,
            Draft(json) with
            {
                Name = json.StrictText("name"),
                MetadataJson = Cleared(json, "metadata") ?? json.ObjectText("metadata"),
                BaselineExperimentId =
                    json.Field("baseline_experiment_id").ValueKind == JsonValueKind.Null
                        ? Guid.Empty
                        : json.Uuid("baseline_experiment_id"),
            },
            context.RequestAborted
        );
        if (json.Field("patch_examples") is { ValueKind: JsonValueKind.Object } changes)
        {
            await writer.WriteAsync(
                context.Caller(),
                [
                    .. changes
                        .EnumerateObject()
                        .Select(c =>
                            ExampleBody.Change(
                                c.Value,
                                Guid.TryParse(c.Name, out var example)
                                    ? example
                                    : throw BodyFields.Wrong("patch_examples", "keyed by UUIDs")
                            ) with
                            {
                                DatasetId = id,
                            }
                        ),
                ],
                context.RequestAborted
            );
        }

        return WireResult.Json(w => DatasetOut.Write(w, dataset));
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        await catalog.DeleteAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(new { message = "Dataset deleted" });
    }

    private static async Task<IResult> DeleteManyAsync(HttpContext context, DatasetCatalog catalog)
    {
        var ids = context.Request.Query.Uuids("dataset_ids");
        if (ids.Count == 0)
        {
            return Errors.Invalid("dataset_ids: must name at least one dataset");
        }

        foreach (var id in ids)
        {
            await catalog.DeleteAsync(context.Caller(), id, context.RequestAborted);
        }

        return Results.Json(new { message = "Datasets deleted" });
    }

    private static async Task<IResult> VersionsAsync(
        Guid id,
        HttpContext context,
        DatasetVersions versions
    )
    {
        var q = context.Request.Query;
        var found = await versions.VersionsAsync(
            context.Caller(),
            id,
            q.Uuids("example") is [var example, ..] ? example : null,
            q.Word("search"),
            q.Whole("offset", 0, 0, int.MaxValue),
            q.Whole("limit", 100, 1, 100),
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
            foreach (var (asOf, tags) in found)
            {
                Version(w, asOf, tags);
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> VersionAsync(
        Guid id,
        HttpContext context,
        DatasetVersions versions
    )
    {
        var q = context.Request.Query;
        if (q.Word("as_of") is null == q.Word("tag") is null)
        {
            return Errors.Invalid("Exactly one of as_of and tag must be given");
        }

        var asOf = q.Word("tag") is { } tag ? new AsOf(Tag: tag) : WireAsOf.Read(q.Word("as_of"));
        var (found, tags) = await versions.VersionAsync(
            context.Caller(),
            id,
            asOf,
            context.RequestAborted
        );
        return WireResult.Json(w => Version(w, found, tags));
    }

    private static async Task<IResult> DiffAsync(
        Guid id,
        HttpContext context,
        DatasetVersions versions
    )
    {
        var q = context.Request.Query;
        if (q.Word("from_version") is not { } from || q.Word("to_version") is not { } to)
        {
            return Errors.Invalid("from_version and to_version must be given");
        }

        var diff = await versions.DiffAsync(
            context.Caller(),
            id,
            WireAsOf.Read(from),
            WireAsOf.Read(to),
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                examples_added = diff.Added,
                examples_removed = diff.Removed,
                examples_modified = diff.Modified,
            }
        );
    }

    private static async Task<IResult> TagAsync(
        Guid id,
        HttpContext context,
        DatasetVersions versions
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (json.StrictText("as_of") is not { Length: > 0 } asOf)
        {
            return Errors.Invalid("as_of: must be a time or a tag");
        }

        var tag = json.StrictText("tag") ?? "";
        var moment = await versions.TagAsync(
            context.Caller(),
            id,
            WireAsOf.Read(asOf),
            tag,
            context.RequestAborted
        );
        return WireResult.Json(w => Version(w, moment, [tag]));
    }

    private static async Task<IResult> SplitsAsync(
        Guid id,
        HttpContext context,
        DatasetSplits splits
    ) =>
        Results.Json(
            await splits.SplitsAsync(
                context.Caller(),
                id,
                WireAsOf.Read(context.Request.Query.Word("as_of")),
                context.RequestAborted
            )
        );

    private static async Task<IResult> PutSplitAsync(
        Guid id,
        HttpContext context,
        DatasetSplits splits
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        return Results.Json(
            await splits.UpdateSplitAsync(
                context.Caller(),
                id,
                json.StrictText("split_name") ?? "",
                json.Uuids("examples"),
                json.Flag("remove") ?? false,
                context.RequestAborted
            )
        );
    }

    private static async Task<IResult> ShareStateAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog
    ) =>
        await catalog.FindAsync(context.Caller(), id, context.RequestAborted) switch
        {
            null => Errors.NotFound("Dataset"),
            // Clients read 200 null as "not shared"; a 404 would be an error to them.
            { ShareToken: null } => Results.Content("null", "application/json"),
            { ShareToken: { } token } => Results.Json(new { dataset_id = id, share_token = token }),
        };

    private static async Task<IResult> ShareAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog
    ) =>
        Results.Json(
            new
            {
                dataset_id = id,
                share_token = await catalog.ShareAsync(
                    context.Caller(),
                    id,
                    context.RequestAborted
                ),
            }
        );

    private static async Task<IResult> UnshareAsync(
        Guid id,
        HttpContext context,
        DatasetCatalog catalog
    )
    {
        await catalog.UnshareAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(new { message = "Dataset is no longer shared" });
    }

    private static async Task<IResult> CloneAsync(HttpContext context, ExampleCopies copies)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (
            json.Uuid("source_dataset_id") is not { } source
            || json.Uuid("target_dataset_id") is not { } target
        )
        {
            return Errors.Invalid("source_dataset_id and target_dataset_id must be UUIDs");
        }

        var ids = await copies.CopyAsync(
            context.Caller(),
            source,
            target,
            WireAsOf.Read(json.StrictText("as_of")),
            json.Uuids("examples"),
            json.Names("split") ?? [],
            context.RequestAborted
        );
        return Results.Json(ids.Select(i => new { id = i, dataset_id = target }));
    }

    private static DatasetDraft Draft(JsonElement json) =>
        new()
        {
            Description = Cleared(json, "description") ?? json.StrictText("description"),
            DataType = json.StrictText("data_type"),
            InputsSchemaJson =
                Cleared(json, "inputs_schema_definition")
                ?? json.ObjectText("inputs_schema_definition"),
            OutputsSchemaJson =
                Cleared(json, "outputs_schema_definition")
                ?? json.ObjectText("outputs_schema_definition"),
            TransformationsJson =
                Cleared(json, "transformations") ?? json.ArrayText("transformations"),
        };

    /// <summary>An explicit null clears a field of a dataset (absent leaves it); the core says that with an empty text.</summary>
    private static string? Cleared(JsonElement json, string name) =>
        json.Field(name).ValueKind == JsonValueKind.Null ? "" : null;

    private static DatasetQuery Query(IQueryCollection q) =>
        new()
        {
            Ids = q.Uuids("id"),
            Name = q.Word("name"),
            NameContains = q.Word("name_contains"),
            DataTypes = DataTypes(q),
            MetadataJson = q.Word("metadata"),
            TagValueIds = q.Uuids("tag_value_id"),
            SortBy = q.Word("sort_by") switch
            {
                null => null,
                "name"
                or "created_at"
                or "last_session_start_time"
                or "example_count"
                or "session_count"
                or "modified_at" => q.Word("sort_by"),
                _ => throw BodyFields.Wrong(
                    "sort_by",
                    "name, created_at, last_session_start_time, example_count, session_count or modified_at"
                ),
            },
            IsDescending = q.Flag("sort_by_desc") ?? true,
            Limit = q.Whole("limit", 100, 1, 100),
            Offset = q.Whole("offset", 0, 0, int.MaxValue),
        };

    private static IReadOnlyList<string> DataTypes(IQueryCollection q)
    {
        var types = q.Words("data_type");
        return types.All(t => t is "kv" or "llm" or "chat")
            ? types
            : throw BodyFields.Wrong("data_type", "kv, llm or chat");
    }

    private static void Version(Utf8JsonWriter w, DateTimeOffset asOf, IReadOnlyList<string> tags)
    {
        w.WriteStartObject();
        w.WriteString("as_of", WireAsOf.Time(asOf));
        w.WriteStartArray("tags");
        foreach (var tag in tags)
        {
            w.WriteStringValue(tag);
        }

        w.WriteEndArray();
        w.WriteEndObject();
    }
}
