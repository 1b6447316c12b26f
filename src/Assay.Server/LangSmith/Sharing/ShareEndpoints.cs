using Assay.Core.Access;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Sharing;

/// <summary>Makes, tells and revokes public links to runs, in v1 (any run) and v2 (the root of a trace).</summary>
internal static class ShareEndpoints
{
    public static void MapShares(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/runs/{id:guid}/share", GetAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/runs/{id:guid}/share", PutAsync).Needs(Permission.Write);
        app.MapDelete("/api/v1/runs/{id:guid}/share", DeleteAsync).Needs(Permission.Write);
        app.MapPost("/api/v2/runs/{id:guid}/share", PostTraceAsync).Needs(Permission.Write);
        app.MapDelete("/api/v2/runs/{id:guid}/share", DeleteTraceAsync).Needs(Permission.Write);
    }

    /// <summary>200 with null when not shared: clients take a 404 for a failure.</summary>
    private static async Task<IResult> GetAsync(Guid id, HttpContext context, ShareLinks links)
    {
        var tokens = await links.TokensAsync(context.Caller(), [id], context.RequestAborted);
        return WireResult.Json(w =>
        {
            if (!tokens.TryGetValue(id, out var token))
            {
                w.WriteNullValue();
                return;
            }

            w.WriteStartObject();
            w.WriteString("run_id", id);
            w.WriteString("share_token", token);
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> PutAsync(
        Guid id,
        HttpContext context,
        ShareLinks links,
        TraceQueries queries
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var wished = document.AsObject().Id("share_token");
        var caller = context.Caller();
        var run = await queries.FindAsync(caller, id, null, RunParts.None, context.RequestAborted);
        if (run is null)
        {
            return Errors.NotFound("Run");
        }

        var link = await links.ShareAsync(caller, run, wished, context.RequestAborted);
        return Results.Json(new { run_id = id, share_token = link.Token });
    }

    private static async Task<IResult> DeleteAsync(Guid id, HttpContext context, ShareLinks links)
    {
        await links.RevokeAsync(context.Caller(), id, context.RequestAborted);
        return Results.Json(new { });
    }

    private static async Task<IResult> PostTraceAsync(
        Guid id,
        HttpContext context,
        ShareLinks links,
        TraceQueries queries
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var caller = context.Caller();
        var root = await queries.FindAsync(
            caller,
            json.Id("trace_id") ?? id,
            json.Id("session_id"),
            RunParts.None,
            context.RequestAborted
        );
        if (root is null)
        {
            return Errors.NotFound("Trace");
        }

        var link = await links.ShareAsync(caller, root, null, context.RequestAborted);
        return Results.Json(new { share_token = link.Token });
    }

    /// <summary>204 also when it was not shared; the body names the project, which a trace id does not need here.</summary>
    private static async Task<IResult> DeleteTraceAsync(
        Guid id,
        HttpContext context,
        ShareLinks links
    )
    {
        await links.RevokeAsync(context.Caller(), id, context.RequestAborted);
        return Results.NoContent();
    }
}
