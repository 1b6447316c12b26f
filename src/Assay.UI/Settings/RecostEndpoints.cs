using Assay.Core.Access;
using Assay.Core.Models.Prices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Settings;

/// <summary>How the re-costing of past calls stands, and its end.</summary>
internal static class RecostEndpoints
{
    public static void MapRecosting(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/recost", () => new RazorComponentResult<RecostPanel>());
        ui.MapPost("/recost/{jobId:guid}/cancel", CancelAsync).PageNeeds(Permission.Manage);
    }

    private static async Task<IResult> CancelAsync(
        Guid jobId,
        RecostJobs jobs,
        CurrentCaller caller
    ) =>
        await jobs.CancelAsync(caller.Value, jobId, caller.Aborted)
            ? Results.Ok()
            : Results.NotFound(new { detail = "It does not run any more." });
}
