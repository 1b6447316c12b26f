using System.Text;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.Http.Features;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Files of examples in and out: CSV as LangSmith's clients send it, and every format our own import takes.</summary>
internal static class DatasetFileEndpoints
{
    public static void MapDatasetFiles(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets/upload", UploadAsync)
            .Needs(Permission.Write)
            .DisableAntiforgery();
        app.MapPost("/api/v1/examples/upload/{id:guid}", AddAsync)
            .Needs(Permission.Write)
            .DisableAntiforgery();
        app.MapPost("/api/v1/datasets/{id:guid}/import", ImportAsync).Needs(Permission.Write);
        foreach (
            var (path, type, extension, line) in ((
                string,
                string,
                string,
                Func<Example, string?>
            )[])
                [
                    ("jsonl", "application/x-ndjson", "jsonl", ExampleExports.JsonLine),
                    ("openai_ft", "application/x-ndjson", "jsonl", ExampleExports.ChatLine),
                    ("openai", "application/x-ndjson", "jsonl", ExampleExports.ChatLine),
                    ("sharegpt", "application/x-ndjson", "jsonl", ExampleExports.ShareGptLine),
                ]
        )
        {
            app.MapGet(
                    $"/api/v1/datasets/{{id:guid}}/{path}",
                    (Guid id, HttpContext context, ExampleReader reader, DatasetCatalog catalog) =>
                        LinesAsync(id, context, reader, catalog, type, extension, line)
                )
                .Needs(Permission.Read);
        }

        app.MapGet("/api/v1/datasets/{id:guid}/csv", CsvAsync).Needs(Permission.Read);
        app.MapGet(
                "/api/v1/datasets/{id:guid}/preference",
                (Guid id, HttpContext context, PreferencePairs pairs, DatasetCatalog catalog) =>
                    PreferencesAsync(id, context, pairs, catalog, isOpenAi: false)
            )
            .Needs(Permission.Read);
        app.MapGet(
                "/api/v1/datasets/{id:guid}/openai_preference",
                (Guid id, HttpContext context, PreferencePairs pairs, DatasetCatalog catalog) =>
                    PreferencesAsync(id, context, pairs, catalog, isOpenAi: true)
            )
            .Needs(Permission.Read);
    }

    private static async Task<IResult> PreferencesAsync(
        Guid id,
        HttpContext context,
        PreferencePairs pairs,
        DatasetCatalog catalog,
        bool isOpenAi
    )
    {
        var caller = context.Caller();
        if (await catalog.FindAsync(caller, id, context.RequestAborted) is not { } dataset)
        {
            return Errors.NotFound("Dataset");
        }

        return Results.Stream(
            async output =>
            {
                await using var writer = new StreamWriter(
                    output,
                    new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                    leaveOpen: true
                );
                await foreach (
                    var pair in pairs.StreamAsync(
                        caller,
                        id,
                        context.Request.Query.Word("key"),
                        context.RequestAborted
                    )
                )
                {
                    if (
                        ExampleExports.PreferenceLine(
                            pair.Example,
                            pair.ChosenJson,
                            pair.RejectedJson,
                            isOpenAi
                        ) is
                        { } line
                    )
                    {
                        await writer.WriteAsync(line + "\n");
                    }
                }
            },
            "application/x-ndjson",
            $"{dataset.Name} preferences.jsonl"
        );
    }

    private static async Task<IResult> UploadAsync(
        HttpContext context,
        DatasetCatalog catalog,
        ExampleImport import
    )
    {
        var form = await FormAsync(context);
        if (form.Files.GetFile("file") is not { } file)
        {
            return Errors.Invalid("file: is needed");
        }

        var mapping = Mapping(form);
        if (mapping.Inputs.Count == 0)
        {
            return Errors.Invalid("input_keys: must name at least one column");
        }

        var caller = context.Caller();
        var dataset = await catalog.CreateAsync(
            caller,
            new DatasetDraft
            {
                Id = Guid.TryParse(form["id"], out var id) ? id : null,
                Name = form["name"].ToString() is { Length: > 0 } name ? name : file.FileName,
                Description = form["description"].ToString() is { Length: > 0 } text ? text : null,
                DataType = form["data_type"].ToString() is { Length: > 0 } type ? type : null,
                InputsSchemaJson = Given(form, "inputs_schema_definition"),
                OutputsSchemaJson = Given(form, "outputs_schema_definition"),
                TransformationsJson = Given(form, "transformations"),
            },
            context.RequestAborted
        );
        try
        {
            await TakeAsync(context, import, dataset.Id, file, mapping);
        }
        catch
        {
            // A dataset that its file was refused for was never asked for.
            await catalog.DeleteAsync(
                caller with
                {
                    Permissions = caller.Permissions | Permission.Delete,
                },
                dataset.Id,
                CancellationToken.None
            );
            throw;
        }

        var made = await catalog.FindAsync(caller, dataset.Id, context.RequestAborted);
        return WireResult.Json(w => DatasetOut.Write(w, made ?? dataset));
    }

    private static async Task<IResult> AddAsync(
        Guid id,
        HttpContext context,
        ExampleImport import,
        ExampleReader reader
    )
    {
        var form = await FormAsync(context);
        if (form.Files.GetFile("file") is not { } file)
        {
            return Errors.Invalid("file: is needed");
        }

        var receipt = await TakeAsync(context, import, id, file, Mapping(form));
        var examples = await reader.ListAsync(
            context.Caller(),
            new ExampleQuery { DatasetId = id, Limit = (int)Math.Min(receipt.Imported, 1_000) },
            context.RequestAborted
        );
        return DatasetOut.List([.. examples.Where(e => e.ModifiedAt == receipt.AsOf)], null);
    }

    /// <summary>
    /// The file as the body, everything else in the query: <c>format</c> (csv, tsv, jsonl, json, parquet), <c>inputs</c>, <c>outputs</c>,
    /// <c>metadata</c> (repeated column names), <c>split</c>, <c>id</c>, <c>json</c>, <c>ids</c> (false gives whole examples new ids), <c>skip_bad_rows</c>. The answer names bad lines.
    /// </summary>
    private static async Task<IResult> ImportAsync(
        Guid id,
        HttpContext context,
        ExampleImport import
    )
    {
        var q = context.Request.Query;
        var format = q.Word("format") ?? "jsonl";
        await using var body = RequestBody.Open(context.Request);
        await using var file = format == "parquet" ? await SpooledAsync(context, body) : body;
        var receipt = await import.RunAsync(
            context.Caller(),
            id,
            ExampleFileFormats.ReadAsync(
                format,
                file,
                new RowMapping
                {
                    Inputs = q.Words("inputs"),
                    Outputs = q.Words("outputs"),
                    Metadata = q.Words("metadata"),
                    Split = q.Word("split"),
                    Id = q.Word("id"),
                    ReadsJson = q.Flag("json") ?? false,
                    KeepsIds = q.Flag("ids") ?? true,
                },
                context.RequestAborted
            ),
            q.Flag("skip_bad_rows") ?? false,
            null,
            context.RequestAborted
        );
        return Results.Json(
            new
            {
                imported = receipt.Imported,
                bad = receipt.Bad,
                as_of = receipt.AsOf is { } asOf ? WireAsOf.Time(asOf) : null,
                problems = receipt.Problems.Select(p => new { line = p.Line, reason = p.Reason }),
            },
            statusCode: receipt.AsOf is null && receipt.Bad > 0
                ? StatusCodes.Status422UnprocessableEntity
                : StatusCodes.Status200OK
        );
    }

    private static async Task<ImportReceipt> TakeAsync(
        HttpContext context,
        ExampleImport import,
        Guid datasetId,
        IFormFile file,
        RowMapping mapping
    )
    {
        await using var content = file.OpenReadStream();
        var receipt = await import.RunAsync(
            context.Caller(),
            datasetId,
            ExampleFileFormats.ReadAsync("csv", content, mapping, context.RequestAborted),
            skipBadRows: false,
            null,
            context.RequestAborted
        );
        return receipt.Bad == 0
            ? receipt
            : throw new BadRequestBodyException(
                StatusCodes.Status422UnprocessableEntity,
                "file: "
                    + string.Join(
                        "; ",
                        receipt.Problems.Take(5).Select(p => $"line {p.Line}: {p.Reason}")
                    )
            );
    }

    private static async Task<IFormCollection> FormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            throw BodyFields.Wrong("Content-Type", "multipart/form-data");
        }

        // Files larger than the threshold wait on disk, not in memory.
        return await context.Request.ReadFormAsync(
            new FormOptions
            {
                MultipartBodyLengthLimit = RequestBody.MaxBytes,
                MemoryBufferThreshold = 1 << 20,
                ValueCountLimit = 10_000,
            },
            context.RequestAborted
        );
    }

    /// <summary>Parquet is read from its end; the file waits on disk, gone when closed.</summary>
    private static async Task<Stream> SpooledAsync(HttpContext context, Stream body)
    {
        var file = new FileStream(
            Path.GetTempFileName(),
            FileMode.Create,
            FileAccess.ReadWrite,
            FileShare.None,
            64 << 10,
            FileOptions.DeleteOnClose | FileOptions.Asynchronous
        );
        await body.CopyToAsync(file, context.RequestAborted);
        file.Position = 0;
        return file;
    }

    private static RowMapping Mapping(IFormCollection form)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (
            var field in (string[])
                ["input_key_mappings", "output_key_mappings", "metadata_key_mappings"]
        )
        {
            if (Given(form, field) is { } json && JsonNode.Parse(json) is JsonObject pairs)
            {
                foreach (var (column, name) in pairs)
                {
                    names[column] = name?.ToString() ?? column;
                }
            }
        }

        return new RowMapping
        {
            Inputs = Words(form, "input_keys"),
            Outputs = Words(form, "output_keys"),
            Metadata = Words(form, "metadata_keys"),
            Names = names,
        };
    }

    private static List<string> Words(IFormCollection form, string name) =>
        [.. form[name].OfType<string>().Where(v => v.Length > 0)];

    private static string? Given(IFormCollection form, string name) =>
        form[name].ToString() is { Length: > 0 } text ? text : null;

    private static async Task<IResult> LinesAsync(
        Guid id,
        HttpContext context,
        ExampleReader reader,
        DatasetCatalog catalog,
        string type,
        string extension,
        Func<Example, string?> line
    )
    {
        if (
            await catalog.FindAsync(context.Caller(), id, context.RequestAborted) is not { } dataset
        )
        {
            return Errors.NotFound("Dataset");
        }

        var examples = reader.StreamAsync(
            context.Caller(),
            id,
            WireAsOf.Read(context.Request.Query.Word("as_of")),
            context.RequestAborted
        );
        return Download(
            context,
            type,
            $"{dataset.Name}.{extension}",
            Lines(examples, line),
            context.RequestAborted
        );

        static async IAsyncEnumerable<string> Lines(
            IAsyncEnumerable<Example> examples,
            Func<Example, string?> line
        )
        {
            await foreach (var example in examples)
            {
                if (line(example) is { } text)
                {
                    yield return text + "\n";
                }
            }
        }
    }

    private static async Task<IResult> CsvAsync(
        Guid id,
        HttpContext context,
        ExampleReader reader,
        DatasetVersions versions,
        DatasetCatalog catalog
    )
    {
        if (
            await catalog.FindAsync(context.Caller(), id, context.RequestAborted) is not { } dataset
        )
        {
            return Errors.NotFound("Dataset");
        }

        // Two passes see the same version whatever is written between them.
        var (asOf, _) = await versions.VersionAsync(
            context.Caller(),
            id,
            WireAsOf.Read(context.Request.Query.Word("as_of")),
            context.RequestAborted
        );
        return Download(
            context,
            "text/csv; charset=utf-8",
            $"{dataset.Name}.csv",
            ExampleExports.CsvAsync(
                () =>
                    reader.StreamAsync(
                        context.Caller(),
                        id,
                        new AsOf(Time: asOf),
                        context.RequestAborted
                    ),
                context.RequestAborted
            ),
            context.RequestAborted
        );
    }

    private static IResult Download(
        HttpContext context,
        string type,
        string name,
        IAsyncEnumerable<string> lines,
        CancellationToken cancellationToken
    ) =>
        Results.Stream(
            async output =>
            {
                await using var writer = new StreamWriter(
                    output,
                    new UTF8Encoding(false),
                    64 << 10
                );
                await foreach (var line in lines.WithCancellation(cancellationToken))
                {
                    await writer.WriteAsync(line.AsMemory(), cancellationToken);
                }
            },
            type,
            name
        );
}
