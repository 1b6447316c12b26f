using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Assay.UI.Datasets;

/// <summary>Import of a file from the screen: a look at its beginning, then the file itself as the body, with progress asked for beside it.</summary>
internal static class ImportEndpoints
{
    private const int MaxPreview = 64 << 20;
    private const int PreviewRows = 5;

    public static void MapImports(this IEndpointRouteBuilder ui)
    {
        var running = new ConcurrentDictionary<(Guid Workspace, Guid Import), long>();
        var data = ui.MapGroup("/data/{datasetId:guid}/import");
        data.MapPost("/preview", PreviewAsync).PageNeeds(Permission.Write);
        data.MapPost(
                "/",
                (
                    Guid datasetId,
                    Guid? import,
                    HttpContext context,
                    ExampleImport importer,
                    CurrentCaller caller
                ) =>
                    ImportAsync(datasetId, import ?? Guid.Empty, context, importer, caller, running)
            )
            .PageNeeds(Permission.Write);
        data.MapGet(
            "/{import:guid}",
            (Guid datasetId, Guid import, CurrentCaller caller) =>
                Results.Json(
                    new
                    {
                        rows = running.TryGetValue((caller.Value.WorkspaceId, import), out var rows)
                            ? rows
                            : (long?)null,
                    }
                )
        );
    }

    private static async Task<IResult> PreviewAsync(
        Guid datasetId,
        string? format,
        bool whole,
        HttpContext context,
        DatasetCatalog catalog,
        CurrentCaller caller
    )
    {
        if (await catalog.FindAsync(caller.Value, datasetId, caller.Aborted) is null)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status404NotFound, "The dataset is gone.");
        }

        if (context.Request.ContentLength is null or > MaxPreview)
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status413PayloadTooLarge,
                "Too much for a look at the beginning."
            );
        }

        await using var head = new MemoryStream();
        await context.Request.Body.CopyToAsync(head, caller.Aborted);
        head.Position = 0;
        try
        {
            var preview = await ExampleFileFormats.PreviewAsync(
                format ?? "",
                head,
                whole,
                PreviewRows,
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    columns = preview.Columns,
                    rows = preview.Rows,
                    problems = preview.Problems.Select(p => new
                    {
                        line = p.Line,
                        reason = p.Reason,
                    }),
                }
            );
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }

    private static async Task<IResult> ImportAsync(
        Guid datasetId,
        Guid import,
        HttpContext context,
        ExampleImport importer,
        CurrentCaller caller,
        ConcurrentDictionary<(Guid, Guid), long> running
    )
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            // A browser on a slow line sends for hours; that is no attack.
            rate.MinDataRate = null;
        }

        var q = context.Request.Query;
        var key = (caller.Value.WorkspaceId, import);
        running[key] = 0;
        try
        {
            var format = q["format"].ToString();
            await using var file =
                format == "parquet"
                    ? await SpooledAsync(context.Request.Body, caller.Aborted)
                    : context.Request.Body;
            var receipt = await importer.RunAsync(
                caller.Value,
                datasetId,
                ExampleFileFormats.ReadAsync(format, file, Mapping(q), caller.Aborted),
                q["skip"] == "true",
                new Count(rows => running[key] = rows),
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    imported = receipt.Imported,
                    bad = receipt.Bad,
                    problems = receipt.Problems.Select(p => new
                    {
                        line = p.Line,
                        reason = p.Reason,
                    }),
                }
            );
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status422UnprocessableEntity,
                $"The file cannot be read: {e.Message}"
            );
        }
        finally
        {
            running.TryRemove(key, out _);
        }
    }

    /// <summary>Columns and what they become: <c>inputs</c>, <c>outputs</c>, <c>metadata</c> repeated, <c>split</c>, <c>id</c>; <c>names</c> as a JSON object.</summary>
    private static RowMapping Mapping(IQueryCollection q)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        if (
            q["names"].ToString() is { Length: > 0 } json
            && JsonNode.Parse(json) is JsonObject pairs
        )
        {
            foreach (var (column, name) in pairs)
            {
                names[column] = name?.ToString() ?? column;
            }
        }

        return new RowMapping
        {
            Inputs = [.. q["inputs"].OfType<string>()],
            Outputs = [.. q["outputs"].OfType<string>()],
            Metadata = [.. q["metadata"].OfType<string>()],
            Split = q["split"].ToString() is { Length: > 0 } split ? split : null,
            Id = q["id"].ToString() is { Length: > 0 } id ? id : null,
            Names = names,
            ReadsJson = q["json"] == "true",
            KeepsIds = q["ids"] == "true",
        };
    }

    /// <summary>Parquet is read from its end; the file waits on disk, gone when closed.</summary>
    private static async Task<Stream> SpooledAsync(Stream body, CancellationToken cancellationToken)
    {
        var file = new FileStream(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            64 << 10,
            FileOptions.DeleteOnClose | FileOptions.Asynchronous
        );
        await body.CopyToAsync(file, cancellationToken);
        file.Position = 0;
        return file;
    }

    /// <summary>Told at once and on the same thread, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Count(Action<long> told) : IProgress<long>
    {
        public void Report(long value) => told(value);
    }
}
