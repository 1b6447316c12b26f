using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith;

/// <summary>The addresses of web pages that LangSmith's clients print, led to the pages of this server.</summary>
internal static class ProductLinks
{
    public static void MapProductLinks(this IEndpointRouteBuilder app)
    {
        app.MapGet("/o/{tenant:guid}/projects/p/{project:guid}/r/{run:guid}", RunAsync)
            .Needs(Permission.Read);
        app.MapGet(
                "/o/{tenant:guid}/projects/p/{project:guid}",
                (Guid project) => Results.Redirect($"/projects/{project}")
            )
            .Needs(Permission.Read);
    }

    private static async Task<IResult> RunAsync(
        Guid project,
        Guid run,
        HttpContext context,
        TraceQueries queries
    )
    {
        var found = await queries.FindAsync(
            context.Caller(),
            run,
            project,
            RunParts.None,
            context.RequestAborted
        );
        return found is null
            ? Results.Redirect($"/projects/{project}")
            : Results.Redirect($"/projects/{project}/traces/{found.TraceId}?run={run}");
    }
}
