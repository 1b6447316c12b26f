using Assay.Core.Datasets;
using Assay.Server.Auth;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>What everybody who knows the token of a shared dataset may read: it and its examples, nothing else of the workspace.</summary>
internal static class SharedDatasetEndpoints
{
    public static void MapSharedDatasets(this IEndpointRouteBuilder app)
    {
        var shared = app.MapSharedDatasetGroup();
        shared.MapGet("/datasets", Get).IsOpen();
        shared.MapGet("/examples", ListAsync).IsOpen();
        shared.MapGet("/examples/count", CountAsync).IsOpen();
    }

    private static IResult Get(HttpContext context) =>
        WireResult.Json(w => DatasetOut.WritePublic(w, context.SharedDataset()));

    private static async Task<IResult> ListAsync(
        HttpContext context,
        ExampleReader reader,
        IDataProtectionProvider protection
    ) =>
        DatasetOut.List(
            await reader.ListAsync(context.Visitor(), Query(context), context.RequestAborted),
            ExampleEndpoints.FileUrl(context, protection)
        );

    private static async Task<IResult> CountAsync(HttpContext context, ExampleReader reader) =>
        Results.Json(
            await reader.CountAsync(context.Visitor(), Query(context), context.RequestAborted)
        );

    private static ExampleQuery Query(HttpContext context) =>
        ExampleEndpoints.Query(context.Request.Query, context.SharedDataset().Id);
}
