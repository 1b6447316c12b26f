using Assay.Core.Access;
using Assay.Core.Datasets;
using Microsoft.AspNetCore.Http.Features;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Endpoints under the token of a shared dataset: the token is looked up once, before any of them runs, and an unknown one is not found.</summary>
internal static class SharedDatasets
{
    public static RouteGroupBuilder MapSharedDatasetGroup(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/public/{token:guid}");
        group.AddEndpointFilter(
            async (context, next) =>
            {
                var http = context.HttpContext;
                var catalog = http.RequestServices.GetRequiredService<DatasetCatalog>();
                if (
                    !Guid.TryParse(http.Request.RouteValues["token"]?.ToString(), out var token)
                    || await catalog.FindSharedAsync(token, http.RequestAborted) is not { } dataset
                )
                {
                    return Errors.NotFound("Shared dataset");
                }

                http.Features.Set(new Opened(dataset));
                return await next(context);
            }
        );
        return group;
    }

    /// <summary>The dataset whose token the request came with.</summary>
    public static Dataset SharedDataset(this HttpContext context) =>
        context.Features.GetRequiredFeature<Opened>().Dataset;

    /// <summary>Reads in the dataset's workspace; every question asked this way names the one dataset.</summary>
    public static Caller Visitor(this HttpContext context) => Visitor(context.SharedDataset());

    /// <inheritdoc cref="Visitor(HttpContext)"/>
    public static Caller Visitor(Dataset dataset) =>
        new(dataset.WorkspaceId, Permission.Read, Name: "public link");

    private sealed record Opened(Dataset Dataset);
}
