using System.Globalization;
using Assay.Core.Access;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Access;

/// <summary>The audit log, in the OCSF "API Activity" shape that LangSmith's wire uses. Entries record changes that were made, so all of them succeeded.</summary>
internal static class AuditEndpoints
{
    private const int ApiActivity = 6003;

    private static readonly Dictionary<string, string> s_operations = new()
    {
        ["api_key.create"] = "create_api_key",
        ["api_key.revoke"] = "delete_api_key",
        ["workspace.create"] = "create_workspace",
        ["workspace.delete"] = "delete_workspace",
        ["workspace.update"] = "update_workspace",
        ["organization.update"] = "update_organization_info",
        ["member.invite"] = "invite_user_to_org",
        ["member.uninvite"] = "delete_workspace_pending_member",
        ["member.join"] = "add_member_to_workspace",
        ["member.add"] = "add_member_to_workspace",
        ["member.update"] = "update_workspace_member",
        ["member.remove"] = "delete_workspace_member",
        ["member.password"] = "update_basic_auth_user",
        ["member.sign_in"] = "login",
        ["secret.write"] = "update_workspace_secrets",
        ["secret.delete"] = "update_workspace_secrets",
        ["project.delete"] = "delete_tracer_session",
        ["run.delete"] = "delete_runs",
        ["model_price.create"] = "create_model_price_map",
        ["model_price.update"] = "update_model_price_map",
        ["model_price.delete"] = "delete_model_price_map",
        ["model_price.recost"] = "recost_runs",
    };

    public static void MapAudit(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/audit-logs", ListAsync).Needs(Permission.Manage);

    private static async Task<IResult> ListAsync(
        HttpContext context,
        AuditLog log,
        Workspaces workspaces
    )
    {
        var q = context.Request.Query;
        var caller = context.Caller();
        if (!TryTime(q["start_time"], out var from) || !TryTime(q["end_time"], out var to))
        {
            return Errors.Invalid("start_time, end_time: must be ISO 8601 times");
        }

        if (
            q["workspace_id"].ToString() is { Length: > 0 } workspace
            && !(Guid.TryParse(workspace, out var id) && id == caller.WorkspaceId)
        )
        {
            return Errors.NotFound("Workspace");
        }

        var operations = q["operations"].OfType<string>().ToHashSet(StringComparer.Ordinal);
        var limit = int.TryParse(q["limit"], CultureInfo.InvariantCulture, out var n) ? n : 100;
        var page = await log.ListAsync(
            caller,
            new AuditQuery
            {
                Actions =
                    operations.Count == 0
                        ? null
                        :
                        [
                            .. (await log.ActionsAsync(caller, context.RequestAborted)).Where(a =>
                                operations.Contains(Operation(a))
                            ),
                            .. operations,
                        ],
                From = from,
                To = to,
                Cursor = q["cursor"],
                Limit = limit,
            },
            context.RequestAborted
        );
        var organization = (
            await workspaces.GetAsync(caller, context.RequestAborted)
        ).OrganizationId;
        return Results.Json(
            new { cursor = page.Next, items = page.Entries.Select(e => Of(e, organization)) }
        );
    }

    /// <summary>LangSmith's name of an action; our own where it has none.</summary>
    private static string Operation(string action) =>
        s_operations.GetValueOrDefault(action, action.Replace('.', '_'));

    private static object Of(AuditEntry entry, Guid organization)
    {
        var operation = Operation(entry.Action);
        // OCSF: 1 create, 2 read, 3 update, 4 delete, 99 other.
        var verb = entry.Action[(entry.Action.IndexOf('.', StringComparison.Ordinal) + 1)..];
        var activity = verb switch
        {
            "create" or "invite" or "join" or "add" => 1,
            "update" or "write" or "password" or "set_up" or "recost" => 3,
            "delete" or "revoke" or "remove" or "uninvite" => 4,
            _ => 99,
        };
        return new
        {
            class_uid = ApiActivity,
            class_name = "API Activity",
            category_uid = 6,
            category_name = "Application Activity",
            severity_id = 99,
            type_uid = (ApiActivity * 100) + activity,
            activity_id = activity,
            activity_name = verb,
            status_id = 1,
            status = "Success",
            time = entry.At.ToUnixTimeMilliseconds(),
            metadata = new
            {
                uid = entry.Id,
                product = new { name = "Assay", vendor_name = "Assay" },
            },
            api = new { operation },
            actor = new
            {
                user = new
                {
                    uid = entry.MemberId,
                    credential_uid = entry.ApiKeyId,
                    name = entry.Actor,
                },
            },
            message = entry.Subject,
            resources = Array.Empty<object>(),
            unmapped = new
            {
                original_audit_log = new
                {
                    id = entry.Id,
                    operation_name = operation,
                    operation_succeeded = true,
                    request_time = Wire.Time(entry.At),
                    api_key_id = entry.ApiKeyId,
                    user_id = entry.MemberId,
                    ls_user_id = entry.MemberId,
                    organization_id = organization,
                    workspace_id = entry.WorkspaceId,
                    enrichments = (object?)null,
                },
            },
        };
    }

    private static bool TryTime(string? text, out DateTimeOffset? time)
    {
        time = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        var known = Wire.TryTime(text, out var parsed);
        time = parsed;
        return known;
    }
}
