using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Server.Auth;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>What everybody who knows the token of a shared dataset may read: it and its examples, nothing else of the workspace.</summary>
internal static class SharedDatasetEndpoints
{
    public static void MapSharedDatasets(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/public/{token:guid}/datasets", GetAsync).IsOpen();
        app.MapGet("/api/v1/public/{token:guid}/examples", ListAsync).IsOpen();
        app.MapGet("/api/v1/public/{token:guid}/examples/count", CountAsync).IsOpen();
    }

    private static async Task<IResult> GetAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog
    ) =>
        await catalog.FindSharedAsync(token, context.RequestAborted) is { } dataset
            ? WireResult.Json(w => DatasetOut.Write(w, dataset))
            : Errors.NotFound("Shared dataset");

    private static async Task<IResult> ListAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        ExampleReader reader,
        IDataProtectionProvider protection
    )
    {
        if (await catalog.FindSharedAsync(token, context.RequestAborted) is not { } dataset)
        {
            return Errors.NotFound("Shared dataset");
        }

        var examples = await reader.ListAsync(
            Visitor(dataset),
            ExampleEndpoints.Query(context.Request.Query, dataset.Id),
            context.RequestAborted
        );
        return DatasetOut.List(examples, ExampleEndpoints.FileUrl(context, protection));
    }

    private static async Task<IResult> CountAsync(
        Guid token,
        HttpContext context,
        DatasetCatalog catalog,
        ExampleReader reader
    ) =>
        await catalog.FindSharedAsync(token, context.RequestAborted) is { } dataset
            ? Results.Json(
                await reader.CountAsync(
                    Visitor(dataset),
                    ExampleEndpoints.Query(context.Request.Query, dataset.Id),
                    context.RequestAborted
                )
            )
            : Errors.NotFound("Shared dataset");

    /// <summary>Reads in the dataset's workspace; every question above names the one dataset.</summary>
    internal static Caller Visitor(Dataset dataset) =>
        new(dataset.WorkspaceId, Permission.Read, Name: "public link");
}
