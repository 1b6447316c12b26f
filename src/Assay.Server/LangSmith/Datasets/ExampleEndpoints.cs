using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Examples on LangSmith's wire: one by one, in bulk, as multipart with files.</summary>
internal static class ExampleEndpoints
{
    public static void MapExamples(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/examples", CreateAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/examples", ListAsync).Needs(Permission.Read);
        app.MapDelete("/api/v1/examples", DeleteManyAsync).Needs(Permission.Delete);
        app.MapGet("/api/v1/examples/count", CountAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/examples/bulk", CreateManyAsync).Needs(Permission.Write);
        app.MapPatch("/api/v1/examples/bulk", ChangeManyAsync).Needs(Permission.Write);
        app.MapPost("/api/v1/examples/validate", ValidateAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/examples/validate/bulk", ValidateAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/examples/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch("/api/v1/examples/{id:guid}", ChangeAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/examples/{id:guid}", DeleteAsync).Needs(Permission.Delete);
        app.MapPost("/api/v1/platform/datasets/{id:guid}/examples", UploadAsync)
            .Needs(Permission.Write);
        app.MapPatch("/api/v1/platform/datasets/{id:guid}/examples", UpdateAsync)
            .Needs(Permission.Write);
        app.MapDelete("/api/v1/platform/datasets/{dataset:guid}/examples/{id:guid}", DeleteInAsync)
            .Needs(Permission.Delete);
        app.MapPost("/api/v1/platform/examples/multipart", UpsertAsync).Needs(Permission.Write);
        app.MapPost("/api/v1/platform/datasets/examples/delete", DeleteForeverAsync)
            .Needs(Permission.Delete);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        ExampleWriter writer,
        ExampleReader reader,
        DatasetCatalog catalog
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var write = await InDatasetAsync(
            context,
            catalog,
            document.RootElement,
            ExampleBody.Create(document.RootElement)
        );
        var receipt = await writer.WriteAsync(context.Caller(), [write], context.RequestAborted);
        var example = await reader.FindAsync(
            context.Caller(),
            receipt.Ids[0],
            write.DatasetId,
            AsOf.Now,
            context.RequestAborted
        );
        return example is null
            ? Errors.NotFound("Example")
            : WireResult.Json(w => DatasetOut.Write(w, example, null));
    }

    private static async Task<IResult> CreateManyAsync(
        HttpContext context,
        ExampleWriter writer,
        ExampleReader reader
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var writes = Many(document.RootElement, e => ExampleBody.Create(e));
        if (writes.Any(w => w.DatasetId == Guid.Empty))
        {
            return Errors.Invalid("dataset_id: must be a UUID in every example");
        }

        var receipt = await writer.WriteAsync(context.Caller(), writes, context.RequestAborted);
        var examples = new List<Example>(receipt.Ids.Count);
        foreach (var chunk in receipt.Ids.Chunk(500))
        {
            var found = await reader.ListAsync(
                context.Caller(),
                new ExampleQuery { Ids = chunk, Limit = chunk.Length },
                context.RequestAborted
            );
            examples.AddRange(chunk.Join(found, i => i, e => e.Id, (_, e) => e));
        }

        return DatasetOut.List(examples, null);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        ExampleReader reader,
        IDataProtectionProvider protection
    )
    {
        var q = context.Request.Query;
        var examples = await reader.ListAsync(
            context.Caller(),
            Query(q, q.Uuids("dataset") is [var dataset, ..] ? dataset : null),
            context.RequestAborted
        );
        return DatasetOut.List(examples, FileUrl(context, protection));
    }

    private static async Task<IResult> CountAsync(HttpContext context, ExampleReader reader)
    {
        var q = context.Request.Query;
        return Results.Json(
            await reader.CountAsync(
                context.Caller(),
                Query(q, q.Uuids("dataset") is [var dataset, ..] ? dataset : null),
                context.RequestAborted
            )
        );
    }

    private static async Task<IResult> GetAsync(
        Guid id,
        HttpContext context,
        ExampleReader reader,
        IDataProtectionProvider protection
    )
    {
        var q = context.Request.Query;
        var example = await reader.FindAsync(
            context.Caller(),
            id,
            q.Uuids("dataset") is [var dataset, ..] ? dataset : null,
            WireAsOf.Read(q.Word("as_of")),
            context.RequestAborted
        );
        return example is null
            ? Errors.NotFound("Example")
            : WireResult.Json(w =>
                DatasetOut.Write(w, example, Attachments.Url(context, protection))
            );
    }

    private static async Task<IResult> ChangeAsync(
        Guid id,
        HttpContext context,
        ExampleWriter writer
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        await writer.WriteAsync(
            context.Caller(),
            [ExampleBody.Change(document.RootElement, id)],
            context.RequestAborted
        );
        return Results.Json(new { message = $"Example {id} updated" });
    }

    private static async Task<IResult> ChangeManyAsync(HttpContext context, ExampleWriter writer)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var writes = Many(document.RootElement, e => ExampleBody.Change(e));
        var receipt = await writer.WriteAsync(context.Caller(), writes, context.RequestAborted);
        return Results.Json(
            new
            {
                message = $"{receipt.Ids.Count} examples updated",
                count = receipt.Ids.Count,
                example_ids = receipt.Ids,
                as_of = WireAsOf.Time(receipt.AsOf),
            }
        );
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        ExampleWriter writer
    ) =>
        (
            await writer.DeleteAsync(context.Caller(), [id], forever: false, context.RequestAborted)
        ).Count == 0
            ? Errors.NotFound("Example")
            : Results.Json(new { message = "Example deleted" });

    private static async Task<IResult> DeleteInAsync(
        Guid dataset,
        Guid id,
        HttpContext context,
        ExampleWriter writer,
        ExampleReader reader
    ) =>
        await reader.FindAsync(context.Caller(), id, dataset, AsOf.Now, context.RequestAborted)
            is null
            ? Errors.NotFound("Example")
            : await DeleteAsync(id, context, writer);

    private static async Task<IResult> DeleteManyAsync(HttpContext context, ExampleWriter writer)
    {
        var ids = context.Request.Query.Uuids("example_ids");
        return ids.Count == 0
            ? Errors.Invalid("example_ids: must name at least one example")
            : await DeletedAsync(context, writer, ids, forever: false);
    }

    private static async Task<IResult> DeleteForeverAsync(HttpContext context, ExampleWriter writer)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var ids = json.Uuids("example_ids");
        return ids.Count == 0
            ? Errors.Invalid("example_ids: must name at least one example")
            : await DeletedAsync(context, writer, ids, json.Flag("hard_delete") ?? false);
    }

    private static async Task<IResult> DeletedAsync(
        HttpContext context,
        ExampleWriter writer,
        IReadOnlyList<Guid> ids,
        bool forever
    )
    {
        var gone = await writer.DeleteAsync(context.Caller(), ids, forever, context.RequestAborted);
        return gone.Count == 0
            ? Errors.NotFound("Examples")
            : Results.Json(new { count = gone.Count, example_ids = gone });
    }

    /// <summary>Says whether examples would be taken, and how they would look; nothing is written.</summary>
    private static async Task<IResult> ValidateAsync(HttpContext context, ExampleChecks checks)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var isOne = document.RootElement.ValueKind != JsonValueKind.Array;
        var writes = isOne
            ? [ExampleBody.Create(document.RootElement)]
            : Many(document.RootElement, e => ExampleBody.Create(e));
        var passed = await checks.CheckAsync(context.Caller(), writes, context.RequestAborted);
        return WireResult.Json(w =>
        {
            if (!isOne)
            {
                w.WriteStartArray();
            }

            foreach (var write in passed)
            {
                w.WriteStartObject();
                w.WriteString("id", write.Id?.ToString());
                w.WriteString("dataset_id", write.DatasetId);
                DatasetOut.Raw(w, "inputs", write.InputsJson);
                DatasetOut.Raw(w, "outputs", write.OutputsJson);
                DatasetOut.Raw(w, "metadata", write.MetadataJson);
                w.WriteString("source_run_id", write.SourceRunId?.ToString());
                w.WriteStartArray("split");
                foreach (var split in write.Splits ?? [Example.DefaultSplit])
                {
                    w.WriteStringValue(split);
                }

                w.WriteEndArray();
                w.WriteBoolean("use_source_run_io", write.UseSourceRunIo);
                w.WriteBoolean("overwrite", false);
                w.WriteEndObject();
            }

            if (!isOne)
            {
                w.WriteEndArray();
            }
        });
    }

    private static Task<IResult> UploadAsync(
        Guid id,
        HttpContext context,
        MultipartExamples multipart
    ) => MultipartAsync(context, multipart, id, ExampleWriteMode.Create);

    private static Task<IResult> UpdateAsync(
        Guid id,
        HttpContext context,
        MultipartExamples multipart
    ) => MultipartAsync(context, multipart, id, ExampleWriteMode.Update);

    private static Task<IResult> UpsertAsync(HttpContext context, MultipartExamples multipart) =>
        MultipartAsync(context, multipart, null, ExampleWriteMode.Upsert);

    private static async Task<IResult> MultipartAsync(
        HttpContext context,
        MultipartExamples multipart,
        Guid? dataset,
        ExampleWriteMode mode
    )
    {
        var receipt = await multipart.WriteAsync(context, dataset, mode);
        return Results.Json(
            new
            {
                count = receipt.Ids.Count,
                example_ids = receipt.Ids,
                as_of = WireAsOf.Time(receipt.AsOf),
            },
            statusCode: StatusCodes.Status201Created
        );
    }

    internal static ExampleQuery Query(IQueryCollection q, Guid? dataset) =>
        new()
        {
            DatasetId = dataset,
            Ids = q.Uuids("id"),
            AsOf = WireAsOf.Read(q.Word("as_of")),
            Splits = q.Words("splits"),
            MetadataJson = q.Word("metadata"),
            Texts = q.Words("full_text_contains"),
            Filter = q.Word("filter"),
            Order = q.Word("order") switch
            {
                null or "recent" => ExampleOrder.Recent,
                "recently_created" => ExampleOrder.RecentlyCreated,
                "id" => ExampleOrder.Id,
                "random" => ExampleOrder.Random,
                _ => throw BodyFields.Wrong("order", "recent, recently_created, id or random"),
            },
            // Recent orders are newest first and ids go up, unless the client turns them round.
            IsReversed =
                q.Flag("descending") is { } descending && descending == (q.Word("order") is "id"),
            Seed = double.TryParse(
                q.Word("random_seed"),
                System.Globalization.CultureInfo.InvariantCulture,
                out var seed
            )
                ? seed
                : 0,
            Limit = q.Whole("limit", 100, 1, 100),
            Offset = q.Whole("offset", 0, 0, int.MaxValue),
        };

    /// <summary>Links of files are only made when the client selects them, as they cost a signature each.</summary>
    internal static Func<Attachment, string>? FileUrl(
        HttpContext context,
        IDataProtectionProvider protection
    ) =>
        context
            .Request.Query["select"]
            .Any(s => (s ?? "").Split(',').Contains("attachment_urls", StringComparer.Ordinal))
            ? Attachments.Url(context, protection)
            : null;

    private static async Task<ExampleWrite> InDatasetAsync(
        HttpContext context,
        DatasetCatalog catalog,
        JsonElement json,
        ExampleWrite write
    )
    {
        if (write.DatasetId != Guid.Empty)
        {
            return write;
        }

        if (json.StrictText("dataset_name") is not { Length: > 0 } name)
        {
            throw BodyFields.Wrong("dataset_id", "a UUID");
        }

        return
            await catalog.ListAsync(
                context.Caller(),
                new DatasetQuery { Name = name },
                context.RequestAborted
            )
                is [var found]
            ? write with
            {
                DatasetId = found.Dataset.Id,
            }
            : throw new BadRequestBodyException(StatusCodes.Status404NotFound, "Dataset not found");
    }

    private static List<ExampleWrite> Many(
        JsonElement json,
        Func<JsonElement, ExampleWrite> read
    ) =>
        json.ValueKind == JsonValueKind.Array
            ? [.. json.EnumerateArray().Select(read)]
            : throw BodyFields.Wrong("body", "a list of examples");
}
