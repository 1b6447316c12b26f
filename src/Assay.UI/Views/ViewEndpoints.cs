using Assay.Core.Access;
using Assay.Core.Views;
using Assay.UI.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Views;

/// <summary>The saved views of the workspace: their menu, saving, renaming, deleting.</summary>
internal static class ViewEndpoints
{
    public static void MapViews(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/projects/{projectId:guid}/views", Menu);
        ui.MapPost("/projects/{projectId:guid}/views", SaveAsync).PageNeeds(Permission.Write);
        ui.MapPatch("/views/{viewId:guid}", RenameAsync).PageNeeds(Permission.Write);
        ui.MapDelete("/views/{viewId:guid}", DeleteAsync).PageNeeds(Permission.Delete);
    }

    private static RazorComponentResult<ViewMenu> Menu(
        Guid projectId,
        HttpContext context,
        TimeProvider time
    ) => new(new { State = ListState.Read(projectId, context.Request, time.GetUtcNow()) });

    /// <summary>Saves what the address shows, which is that of the page.</summary>
    private static async Task<IResult> SaveAsync(
        Guid projectId,
        NameBody body,
        bool? replace,
        HttpContext context,
        SavedViews views,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var state = ListState.Read(projectId, context.Request, time.GetUtcNow());
        try
        {
            var view = await views.SaveAsync(
                caller.Value,
                body.Name ?? "",
                state.ToView(),
                replace == true,
                caller.Aborted
            );
            return Results.Json(new { href = state.Address(view) });
        }
        catch (SavedViewException e)
        {
            return Refuse(e);
        }
    }

    private static async Task<IResult> RenameAsync(
        Guid viewId,
        NameBody body,
        SavedViews views,
        CurrentCaller caller
    )
    {
        try
        {
            return await views.RenameAsync(caller.Value, viewId, body.Name ?? "", caller.Aborted)
                ? Results.Ok()
                : Gone();
        }
        catch (SavedViewException e)
        {
            return Refuse(e);
        }
    }

    private static async Task<IResult> DeleteAsync(
        Guid viewId,
        SavedViews views,
        CurrentCaller caller
    ) => await views.DeleteAsync(caller.Value, viewId, caller.Aborted) ? Results.Ok() : Gone();

    private static IResult Refuse(SavedViewException e) =>
        Results.Json(
            new { detail = e.Message },
            statusCode: e.IsTaken ? StatusCodes.Status409Conflict : StatusCodes.Status400BadRequest
        );

    private static IResult Gone() => Results.NotFound(new { detail = "The view is gone." });

    private sealed record NameBody(string? Name);
}
