using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Datasets;
using Assay.Core.Filters;
using Assay.UI.Experiments;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Datasets;

/// <summary>What the dataset pages ask for after the page itself.</summary>
internal static class DatasetEndpoints
{
    private const int MaxSelected = 10_000;

    public static void MapDatasets(this IEndpointRouteBuilder ui)
    {
        var data = ui.MapGroup("/data/{datasetId:guid}");
        data.MapGet("/rows", RowsAsync);
        data.MapGet("/splits", SplitsAsync);
        data.MapGet("/export", ExportAsync);
        data.MapGet("/examples/{exampleId:guid}/files/{name}", FileAsync);
        ui.MapGet("/public/{token:guid}/export", SharedExportAsync)
            .WithMetadata(new AllowAnonymousAttribute());
        data.MapPost("/examples", SaveAsync).PageNeeds(Permission.Write);
        data.MapPost("/examples/delete", DeleteAsync).PageNeeds(Permission.Delete);
        data.MapPost("/examples/split", SplitAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> RowsAsync(
        Guid datasetId,
        int? offset,
        Guid? example,
        HttpContext context,
        ExampleReader reader,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var state = ExampleListState.Read(context.Request);
        try
        {
            var examples = await reader.ListAsync(
                caller.Value,
                state.ToQuery(datasetId) with
                {
                    Ids = example is { } one ? [one] : [],
                    Limit = ExampleRows.Block,
                    Offset = Math.Max(0, offset ?? 0),
                },
                caller.Aborted
            );
            return new RazorComponentResult<ExampleRows>(
                new
                {
                    DatasetId = datasetId,
                    Examples = examples,
                    Offset = Math.Max(0, offset ?? 0),
                    Query = state.Query(),
                    Now = time.GetUtcNow(),
                }
            );
        }
        catch (FilterException e)
        {
            return Problem(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static async Task<IResult> SplitsAsync(
        Guid datasetId,
        HttpContext context,
        DatasetSplits splits,
        CurrentCaller caller
    )
    {
        var state = ExampleListState.Read(context.Request);
        try
        {
            var counts = await splits.SplitCountsAsync(
                caller.Value,
                datasetId,
                state.At,
                caller.Aborted
            );
            return new RazorComponentResult<SplitMenu>(
                new
                {
                    DatasetId = datasetId,
                    Counts = counts,
                    Query = state.Query("split", null),
                }
            );
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static async Task<IResult> ExportAsync(
        Guid datasetId,
        string? format,
        string? as_of,
        string? split,
        DatasetCatalog catalog,
        ExampleDownloads downloads,
        DatasetVersions versions,
        CurrentCaller caller
    )
    {
        try
        {
            if (
                await catalog.FindAsync(caller.Value, datasetId, caller.Aborted) is not { } dataset
                || ExampleDownloads.Find(format) is not { } kind
            )
            {
                return Problem(
                    StatusCodes.Status404NotFound,
                    "There is no such dataset or format."
                );
            }

            var asOf = ExampleListState.Version(as_of is { Length: > 0 } ? as_of : null);
            // Before the answer begins: a version that is not there is a 404, not a broken file.
            await versions.VersionAsync(caller.Value, datasetId, asOf, caller.Aborted);
            return Results.Stream(
                output =>
                    downloads.WriteAsync(
                        caller.Value,
                        datasetId,
                        asOf,
                        split is { Length: > 0 } ? [split] : [],
                        kind.Key,
                        output,
                        caller.Aborted
                    ),
                kind.ContentType,
                $"{dataset.Name}.{kind.Extension}"
            );
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static async Task<IResult> SharedExportAsync(
        Guid token,
        string? format,
        DatasetCatalog catalog,
        ExampleDownloads downloads,
        HttpContext context
    )
    {
        if (
            await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset
            || ExampleDownloads.Find(format) is not { } kind
        )
        {
            return Problem(StatusCodes.Status404NotFound, "There is no such link or format.");
        }

        return Results.Stream(
            output =>
                downloads.WriteAsync(
                    ResultsSource.Shared(dataset).Caller,
                    dataset.Id,
                    AsOf.Now,
                    [],
                    kind.Key,
                    output,
                    context.RequestAborted
                ),
            kind.ContentType,
            $"{dataset.Name}.{kind.Extension}"
        );
    }

    private static async Task<IResult> FileAsync(
        Guid datasetId,
        Guid exampleId,
        string name,
        ExampleReader reader,
        IBlobStore blobs,
        CurrentCaller caller,
        HttpContext context
    )
    {
        try
        {
            var example = await reader.FindAsync(
                caller.Value,
                exampleId,
                datasetId,
                AsOf.Now,
                caller.Aborted
            );
            if (
                example?.Attachments.FirstOrDefault(a => a.Name == name) is not { } file
                || await blobs.OpenAsync(file.BlobKey, caller.Aborted) is not { } content
            )
            {
                return Problem(StatusCodes.Status404NotFound, "The file is gone.");
            }

            // A file is whatever its sender says; nothing in it may run here.
            context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
            return Results.Stream(content, "application/octet-stream", file.Name);
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static async Task<IResult> SaveAsync(
        Guid datasetId,
        Given given,
        ExampleWriter writer,
        CurrentCaller caller
    )
    {
        try
        {
            var receipt = await writer.WriteAsync(
                caller.Value,
                [
                    new ExampleWrite
                    {
                        Mode = given.Id is null ? ExampleWriteMode.Create : ExampleWriteMode.Update,
                        DatasetId = datasetId,
                        Id = given.Id,
                        InputsJson = Text(given.Inputs) ?? "{}",
                        OutputsJson = Text(given.Outputs) ?? (given.Id is null ? null : "{}"),
                        MetadataJson = Text(given.Metadata) ?? "{}",
                        Splits = given.Splits is { Count: > 0 } splits ? splits : ["base"],
                        // What is not said about files leaves them as they are.
                    },
                ],
                caller.Aborted
            );
            return Results.Json(new { id = receipt.Ids[0] });
        }
        catch (DatasetProblemException e) when (e.Faults.Count > 0)
        {
            // For a form, where it does not fit is an answer like any other; a browser would log an error status as a broken page.
            return Results.Json(
                new
                {
                    faults = e.Faults.Select(f => new
                    {
                        side = f.Side,
                        path = f.Path,
                        message = f.Message,
                    }),
                }
            );
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static string? Text(JsonElement? value) =>
        value is null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined }
            ? null
            : value.Value.GetRawText();

    private static async Task<IResult> DeleteAsync(
        Guid datasetId,
        Chosen chosen,
        ExampleWriter writer,
        ExampleReader reader,
        CurrentCaller caller
    )
    {
        if (chosen.Ids is not { Count: > 0 and <= MaxSelected })
        {
            return Problem(StatusCodes.Status400BadRequest, $"1 to {MaxSelected:N0} at once.");
        }

        try
        {
            // Only what belongs to the dataset of the page.
            var here = await reader.ListAsync(
                caller.Value,
                new ExampleQuery
                {
                    DatasetId = datasetId,
                    Ids = chosen.Ids,
                    Limit = MaxSelected,
                },
                caller.Aborted
            );
            var gone = await writer.DeleteAsync(
                caller.Value,
                [.. here.Select(e => e.Id)],
                forever: false,
                caller.Aborted
            );
            return Results.Json(new { deleted = gone.Count });
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    private static async Task<IResult> SplitAsync(
        Guid datasetId,
        Chosen chosen,
        DatasetSplits splits,
        CurrentCaller caller
    )
    {
        if (chosen.Ids is not { Count: > 0 and <= MaxSelected })
        {
            return Problem(StatusCodes.Status400BadRequest, $"1 to {MaxSelected:N0} at once.");
        }

        try
        {
            var changed = await splits.UpdateSplitAsync(
                caller.Value,
                datasetId,
                chosen.Split?.Trim() ?? "",
                chosen.Ids,
                chosen.Remove,
                caller.Aborted
            );
            return Results.Json(new { changed = changed.Count });
        }
        catch (DatasetProblemException e)
        {
            return Problem(e);
        }
    }

    internal static IResult Problem(int status, string detail) =>
        Results.Json(new { detail }, statusCode: status);

    internal static IResult Problem(DatasetProblemException e) =>
        Results.Json(
            new { detail = e.Message },
            statusCode: e.Problem switch
            {
                DatasetProblem.NotFound => StatusCodes.Status404NotFound,
                DatasetProblem.Conflict => StatusCodes.Status409Conflict,
                _ => StatusCodes.Status422UnprocessableEntity,
            }
        );

    /// <summary>An example as the form sends it.</summary>
    private sealed record Given(
        Guid? Id,
        JsonElement? Inputs,
        JsonElement? Outputs,
        JsonElement? Metadata,
        IReadOnlyList<string>? Splits
    );

    /// <summary>What is selected in the list, and what becomes of it.</summary>
    private sealed record Chosen(IReadOnlyList<Guid>? Ids, string? Split, bool Remove);
}
