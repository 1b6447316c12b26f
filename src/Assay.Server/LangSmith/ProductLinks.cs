using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith;

/// <summary>
/// The addresses of web pages that LangSmith's clients print, led to the pages of this server. They name the workspace; a member who has
/// another one open and belongs to it changes to it on the way.
/// </summary>
internal static class ProductLinks
{
    public static void MapProductLinks(this IEndpointRouteBuilder app)
    {
        var links = app.MapGroup("/o/{tenant:guid}");
        links.AddEndpointFilter(ChangeWorkspaceAsync);
        links.MapGet("", () => Results.Redirect("/")).Needs(Permission.Read);
        links.MapGet("/projects", () => Results.Redirect("/")).Needs(Permission.Read);
        links
            .MapGet(
                "/projects/p/{project:guid}",
                (Guid project) => Results.Redirect($"/projects/{project}")
            )
            .Needs(Permission.Read);
        links.MapGet("/projects/p/{project:guid}/r/{run:guid}", RunAsync).Needs(Permission.Read);
        links.MapGet("/datasets", () => Results.Redirect("/data")).Needs(Permission.Read);
        links
            .MapGet("/datasets/{id:guid}", (Guid id) => Results.Redirect($"/data/{id}"))
            .Needs(Permission.Read);
        links
            .MapGet(
                "/datasets/{id:guid}/compare",
                (Guid id, HttpRequest request) =>
                    Results.Redirect($"/data/{id}/compare{request.QueryString}")
            )
            .Needs(Permission.Read);
        links
            .MapGet("/annotation-queues", () => Results.Redirect("/queues"))
            .Needs(Permission.Read);
        links
            .MapGet("/annotation-queues/{id:guid}", (Guid id) => Results.Redirect($"/queues/{id}"))
            .Needs(Permission.Read);
    }

    private static async ValueTask<object?> ChangeWorkspaceAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        if (
            Guid.TryParse(context.Request.RouteValues["tenant"]?.ToString(), out var tenant)
            && tenant != context.Caller().WorkspaceId
            && Credentials.Key(context.Request) is null
            && MemberTicket.Read(context.User) is { } ticket
            && await context
                .RequestServices.GetRequiredService<Members>()
                .FindCallerAsync(ticket.MemberId, tenant, ticket.Stamp, context.RequestAborted)
                is { } caller
        )
        {
            await (ticket with { WorkspaceId = tenant }).SignInAsync(context);
            context.Items[typeof(Caller)] = caller;
        }

        return await next(invocation);
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
