using Assay.Core.Access;
using Assay.Core.Samples;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Start;

/// <summary>Sample data, in and out.</summary>
internal static class StartEndpoints
{
    public static void MapStart(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/samples", LoadAsync).PageNeeds(Permission.Write);
        ui.MapDelete("/samples", RemoveAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> LoadAsync(SampleData samples, CurrentCaller caller) =>
        Results.Json(new { project = await samples.LoadAsync(caller.Value, caller.Aborted) });

    private static async Task<IResult> RemoveAsync(SampleData samples, CurrentCaller caller) =>
        await samples.RemoveAsync(caller.Value, caller.Aborted)
            ? Results.Ok()
            : Results.NotFound(new { detail = "There is no sample project." });
}
