using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Datasets;

/// <summary>One example as the cells of the grid read it, and a change of one of them; what is not said stays.</summary>
internal static class ExampleCellEndpoints
{
    public static void MapExampleCells(this IEndpointRouteBuilder ui)
    {
        const string Path = "/data/{datasetId:guid}/examples/{exampleId:guid}";
        ui.MapGet(Path, ReadAsync);
        ui.MapPatch(Path, ChangeAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> ReadAsync(
        Guid datasetId,
        Guid exampleId,
        ExampleReader reader,
        CurrentCaller caller
    ) =>
        await reader.FindAsync(caller.Value, exampleId, datasetId, AsOf.Now, caller.Aborted)
            is { } example
            ? Results.Json(
                new
                {
                    inputs = Value(example.InputsJson),
                    outputs = Value(example.OutputsJson),
                    metadata = Value(example.MetadataJson),
                    splits = example.Splits,
                }
            )
            : DatasetEndpoints.Problem(StatusCodes.Status404NotFound, "The example is gone.");

    private static async Task<IResult> ChangeAsync(
        Guid datasetId,
        Guid exampleId,
        Change change,
        ExampleWriter writer,
        CurrentCaller caller
    )
    {
        try
        {
            await writer.WriteAsync(
                caller.Value,
                [
                    new ExampleWrite
                    {
                        Mode = ExampleWriteMode.Update,
                        DatasetId = datasetId,
                        Id = exampleId,
                        InputsJson = change.Inputs?.GetRawText(),
                        OutputsJson = change.Outputs?.GetRawText(),
                        MetadataJson = change.Metadata?.GetRawText(),
                        Splits = change.Splits,
                    },
                ],
                caller.Aborted
            );
            return Results.Json(new { id = exampleId });
        }
        catch (DatasetProblemException e) when (e.Problem == DatasetProblem.Invalid)
        {
            // Where it does not fit is an answer like any other; a browser would log an error status as a broken page.
            return Results.Json(new { refused = e.Message });
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }

    private static JsonElement? Value(string? json) =>
        json is null ? null : JsonSerializer.Deserialize<JsonElement>(json);

    /// <summary>What becomes of an example.</summary>
    private sealed record Change(
        JsonElement? Inputs,
        JsonElement? Outputs,
        JsonElement? Metadata,
        IReadOnlyList<string>? Splits
    );
}
