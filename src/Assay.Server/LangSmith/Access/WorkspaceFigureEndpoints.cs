using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Access;

/// <summary>What a workspace holds and shares, and the limits that LangSmith's clients ask for: there are none here.</summary>
internal static class WorkspaceFigureEndpoints
{
    public static void MapWorkspaceFigures(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/workspaces/current/stats", StatsAsync).Needs(Permission.Read);
        app.MapGet("/api/v1/workspaces/current/shared", SharedAsync).Needs(Permission.Read);
        app.MapDelete("/api/v1/workspaces/current/shared", UnshareAsync).Needs(Permission.Write);
        app.MapGet("/api/v1/workspaces/current/usage_limits", UsageLimits).Needs(Permission.Read);
        app.MapGet("/api/v1/usage-limits", NoLimits).Needs(Permission.Read);
        app.MapGet("/api/v1/usage-limits/org", NoLimits).Needs(Permission.Read);
    }

    private static async Task<IResult> StatsAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        return Results.Json(
            new
            {
                tenant_id = workspace,
                dataset_count = await db.Datasets.CountAsync(
                    d => d.WorkspaceId == workspace,
                    context.RequestAborted
                ),
                tracer_session_count = await db.Projects.CountAsync(
                    p => p.WorkspaceId == workspace && p.ReferenceDatasetId == null,
                    context.RequestAborted
                ),
                repo_count = await db.Prompts.CountAsync(
                    p => p.WorkspaceId == workspace,
                    context.RequestAborted
                ),
                annotation_queue_count = await db.AnnotationQueues.CountAsync(
                    q => q.WorkspaceId == workspace,
                    context.RequestAborted
                ),
                deployment_count = 0,
                dashboards_count = 0,
                evaluator_count = await db.Evaluators.CountAsync(
                    e => e.WorkspaceId == workspace,
                    context.RequestAborted
                ),
            }
        );
    }

    private static async Task<IResult> SharedAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        var runs = await (
            from s in db.ShareLinks.AsNoTracking()
            where s.WorkspaceId == workspace
            orderby s.CreatedAt descending
            select new
            {
                Link = s,
                Project = db
                    .Projects.Where(p => p.Id == s.ProjectId)
                    .Select(p => p.Name)
                    .FirstOrDefault(),
            }
        ).ToListAsync(context.RequestAborted);
        var datasets = await db
            .Datasets.AsNoTracking()
            .Where(d => d.WorkspaceId == workspace && d.ShareToken != null)
            .OrderByDescending(d => d.ModifiedAt)
            .ToListAsync(context.RequestAborted);
        var entities = runs.Select(
                object (r) =>
                    new
                    {
                        type = "run",
                        share_token = r.Link.Token,
                        created_at = Wire.Time(r.Link.CreatedAt),
                        run_id = r.Link.RunId,
                        session_id = r.Link.ProjectId,
                        session_name = r.Project,
                    }
            )
            .Concat(
                datasets.Select(d => new
                {
                    type = "dataset",
                    share_token = d.ShareToken,
                    created_at = Wire.Time(d.ModifiedAt),
                    dataset_id = d.Id,
                    dataset_name = d.Name,
                })
            );
        return Results.Json(
            new
            {
                entities = entities
                    .Skip(context.Request.Query.Int("offset", 0, 0, int.MaxValue))
                    .Take(context.Request.Query.Int("limit", 50, 1, 100)),
            }
        );
    }

    private static async Task<IResult> UnshareAsync(
        HttpContext context,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var tokens = json.Uuids("share_tokens");
        var isAll = json.Flag("unshare_all") == true;
        if (tokens.Count == 0 && !isAll)
        {
            return Errors.Invalid("share_tokens: needed unless unshare_all is true");
        }

        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var workspace = context.Caller().WorkspaceId;
        await db
            .ShareLinks.Where(s =>
                s.WorkspaceId == workspace && (isAll || tokens.Contains(s.Token))
            )
            .ExecuteDeleteAsync(context.RequestAborted);
        await db
            .Datasets.Where(d =>
                d.WorkspaceId == workspace
                && d.ShareToken != null
                && (isAll || tokens.Contains(d.ShareToken.Value))
            )
            .ExecuteUpdateAsync(
                u => u.SetProperty(d => d.ShareToken, (Guid?)null),
                context.RequestAborted
            );
        return WireResult.Json(w => w.WriteNullValue());
    }

    private static IResult UsageLimits() =>
        Results.Json(
            new
            {
                in_reject_set = false,
                usage_limit_type = (string?)null,
                tenant_limit = (int?)null,
            }
        );

    private static IResult NoLimits() => Results.Json(Array.Empty<object>());
}
