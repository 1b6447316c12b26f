using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Sharing;

/// <summary>The public link of a trace: told, made and taken back from the trace screen. It opens the root and everything below.</summary>
internal static class ShareEndpoints
{
    private const string Path = "/traces/{traceId:guid}/share";

    public static void MapSharing(this IEndpointRouteBuilder ui)
    {
        ui.MapGet(Path, TellAsync);
        ui.MapPost(Path, ShareAsync).PageNeeds(Permission.Write);
        ui.MapDelete(Path, RevokeAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> TellAsync(
        Guid traceId,
        Guid? project,
        TraceQueries queries,
        ShareLinks links,
        CurrentCaller caller
    )
    {
        if (await RootAsync(traceId, project, queries, caller) is not { } root)
        {
            return Gone();
        }

        var tokens = await links.TokensAsync(caller.Value, [root.Id], caller.Aborted);
        return Answer(tokens.TryGetValue(root.Id, out var token) ? token : null, caller);
    }

    private static async Task<IResult> ShareAsync(
        Guid traceId,
        Guid? project,
        TraceQueries queries,
        ShareLinks links,
        CurrentCaller caller
    ) =>
        await RootAsync(traceId, project, queries, caller) is { } root
            ? Answer(
                (await links.ShareAsync(caller.Value, root, null, caller.Aborted)).Token,
                caller
            )
            : Gone();

    private static async Task<IResult> RevokeAsync(
        Guid traceId,
        Guid? project,
        TraceQueries queries,
        ShareLinks links,
        CurrentCaller caller
    )
    {
        if (await RootAsync(traceId, project, queries, caller) is not { } root)
        {
            return Gone();
        }

        await links.RevokeAsync(caller.Value, root.Id, caller.Aborted);
        return Answer(null, caller);
    }

    private static async Task<Run?> RootAsync(
        Guid traceId,
        Guid? project,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        var page = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                TraceId = traceId,
                ProjectIds = project is { } p ? [p] : [],
                IsRoot = true,
                OrderBy = RunField.StartTime,
                Ascending = true,
                Limit = 1,
                Parts = RunParts.None,
            },
            caller.Aborted
        );
        return page.Runs is [var root] ? root : null;
    }

    private static IResult Answer(Guid? token, CurrentCaller caller) =>
        Results.Json(new { url = token is { } t ? $"{caller.BaseAddress}/public/{t}/r" : null });

    private static IResult Gone() => Results.NotFound(new { detail = "The trace is gone." });
}
