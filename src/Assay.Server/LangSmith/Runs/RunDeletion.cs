using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Deletion on LangSmith's wire: whole traces by id or by metadata of their root, and, which only this server offers, single runs. Public
/// links to what goes go with it.
/// </summary>
internal static class RunDeletion
{
    private const int Step = 1_000;

    public static void MapRunDeletion(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/runs/delete", DeleteAsync)
            .Needs(Permission.Delete)
            .Audited("run.delete");
        app.MapPost("/api/v1/runs/delete/traces", DeleteTracesAsync)
            .Needs(Permission.Delete)
            .Audited("run.delete");
        app.MapDelete("/api/v1/runs/{id:guid}", DeleteOneAsync)
            .Needs(Permission.Delete)
            .Audited("run.delete");
    }

    /// <summary>
    /// <c>{session_id?, trace_ids?}</c>, <c>{session_id?, metadata: {key: value}}</c>, or <c>{run_ids}</c>. Of several, each is done.
    /// </summary>
    private static async Task<IResult> DeleteAsync(
        HttpContext context,
        TraceQueries queries,
        ShareLinks links
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var project = json.Id("session_id");
        var traces = json.Ids("trace_ids");
        var runs = json.Ids("run_ids");
        var metadata = json.Field("metadata");
        if (traces.Count + runs.Count == 0 && !IsCondition(metadata))
        {
            return Errors.Invalid("body: must name trace_ids, run_ids or metadata");
        }

        var caller = context.Caller();
        var deleted = await RemoveAsync(caller, traces, project, queries, links, context);
        if (runs.Count > 0)
        {
            deleted += await queries.DeleteRunsAsync(caller, runs, context.RequestAborted);
            await links.DropAsync(caller.WorkspaceId, runs, [], null, context.RequestAborted);
        }

        if (IsCondition(metadata))
        {
            deleted += await DeleteByMetadataAsync(
                caller,
                metadata,
                project,
                queries,
                links,
                context
            );
        }

        return Results.Json(new { deleted });
    }

    private static async Task<IResult> DeleteTracesAsync(
        HttpContext context,
        TraceQueries queries,
        ShareLinks links
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var ids = json.Ids("trace_ids");
        return ids.Count == 0
            ? Errors.Invalid("trace_ids: must name at least one trace")
            : Results.Json(
                new
                {
                    deleted = await RemoveAsync(
                        context.Caller(),
                        ids,
                        json.Id("session_id"),
                        queries,
                        links,
                        context
                    ),
                }
            );
    }

    private static async Task<IResult> DeleteOneAsync(
        Guid id,
        HttpContext context,
        TraceQueries queries,
        ShareLinks links
    )
    {
        var caller = context.Caller();
        if (await queries.DeleteRunsAsync(caller, [id], context.RequestAborted) == 0)
        {
            return Errors.NotFound("Run");
        }

        await links.DropAsync(caller.WorkspaceId, [id], [], null, context.RequestAborted);
        return Results.Json(new { deleted = 1 });
    }

    private static async Task<long> RemoveAsync(
        Caller caller,
        IReadOnlyList<Guid> traces,
        Guid? project,
        TraceQueries queries,
        ShareLinks links,
        HttpContext context
    )
    {
        if (traces.Count == 0)
        {
            return 0;
        }

        var deleted = await queries.DeleteTracesAsync(
            caller,
            traces,
            project,
            context.RequestAborted
        );
        await links.DropAsync(caller.WorkspaceId, [], traces, null, context.RequestAborted);
        return deleted;
    }

    private static async Task<long> DeleteByMetadataAsync(
        Caller caller,
        JsonElement metadata,
        Guid? project,
        TraceQueries queries,
        ShareLinks links,
        HttpContext context
    )
    {
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectIds = project is { } id ? [id] : [],
            IsRoot = true,
            Filter = new Filter.MetadataContains(metadata.GetRawText()),
            Limit = Step,
            Parts = RunParts.None,
        };
        long deleted = 0;
        while (true)
        {
            var page = await queries.QueryAsync(caller, query, context.RequestAborted);
            var traces = page.Runs.Select(r => r.TraceId).Distinct().ToList();
            var step = await RemoveAsync(caller, traces, project, queries, links, context);
            deleted += step;
            if (step == 0 || page.Next is null)
            {
                return deleted;
            }
        }
    }

    private static bool IsCondition(JsonElement metadata) =>
        metadata.ValueKind == JsonValueKind.Object && metadata.EnumerateObject().Any();
}
