using Assay.Core.Access;
using Assay.Core.Projects;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Access;

/// <summary>
/// How long traces are kept, on LangSmith's wire. Its two tiers are times here: <c>shortlived</c> is fourteen days, <c>longlived</c> for ever,
/// or the days set for the workspace. What is set holds for projects made afterwards, or for all.
/// </summary>
internal static class TtlEndpoints
{
    private const int ShortlivedDays = 14;

    public static void MapTtlSettings(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/workspaces/current/ttl-settings", DaysAsync).Needs(Permission.Read);
        app.MapPut("/api/v1/workspaces/current/ttl-settings", SetDaysAsync)
            .Needs(Permission.Manage);
        foreach (var path in (string[])["/api/v1/ttl-settings", "/api/v1/orgs/ttl-settings"])
        {
            app.MapGet(path, TiersAsync).Needs(Permission.Read);
            app.MapPut(path, SetTierAsync).Needs(Permission.Manage);
        }
    }

    private static async Task<IResult> DaysAsync(HttpContext context, Retention retention) =>
        Days(context, await retention.DefaultAsync(context.Caller(), context.RequestAborted));

    private static async Task<IResult> SetDaysAsync(HttpContext context, Retention retention)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        if (!json.Has("longlived_ttl_days"))
        {
            throw BodyFields.Wrong("longlived_ttl_days", "given: days, or null for ever");
        }

        var days = json.Number("longlived_ttl_days");
        if (days is < 1 or > RetentionRule.MaxDays)
        {
            throw BodyFields.Wrong("longlived_ttl_days", $"from 1 to {RetentionRule.MaxDays}");
        }

        await retention.SetDefaultAsync(context.Caller(), days, false, context.RequestAborted);
        return Days(context, days);
    }

    private static IResult Days(HttpContext context, int? days) =>
        Results.Json(
            new
            {
                tenant_id = context.Caller().WorkspaceId,
                longlived_ttl_days = days,
                is_custom = days is not null,
            }
        );

    private static async Task<IResult> TiersAsync(
        HttpContext context,
        Retention retention,
        Workspaces workspaces
    ) =>
        Results.Json(
            new[]
            {
                Tier(
                    await workspaces.GetAsync(context.Caller(), context.RequestAborted),
                    await retention.DefaultAsync(context.Caller(), context.RequestAborted),
                    false
                ),
            }
        );

    private static async Task<IResult> SetTierAsync(
        HttpContext context,
        Retention retention,
        Workspaces workspaces
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var caller = context.Caller();
        if (json.Uuid("tenant_id") is { } tenant && tenant != caller.WorkspaceId)
        {
            return Errors.NotFound("Workspace");
        }

        int? days = json.StrictText("default_trace_tier") switch
        {
            "shortlived" => ShortlivedDays,
            "longlived" => null,
            _ => throw BodyFields.Wrong("default_trace_tier", "shortlived or longlived"),
        };
        var toAll = json.Flag("apply_to_all_projects") == true;
        await retention.SetDefaultAsync(caller, days, toAll, context.RequestAborted);
        return Results.Json(
            Tier(await workspaces.GetAsync(caller, context.RequestAborted), days, toAll)
        );
    }

    private static object Tier(Workspace workspace, int? days, bool toAll) =>
        new
        {
            id = workspace.Id,
            tenant_id = workspace.Id,
            organization_id = workspace.OrganizationId,
            default_trace_tier = days == ShortlivedDays ? "shortlived" : "longlived",
            apply_to_all_projects = toAll,
            longlived_ttl_days = days == ShortlivedDays ? null : days,
            configured_by = days is null ? "system" : "user",
            created_at = Wire.Time(workspace.CreatedAt),
            updated_at = Wire.Time(workspace.CreatedAt),
        };
}
