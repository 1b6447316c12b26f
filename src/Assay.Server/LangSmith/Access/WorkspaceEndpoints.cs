using System.Text.Json;
using Assay.Core.Access;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Access;

/// <summary>Workspaces (LangSmith's tenants), their settings and their secrets.</summary>
internal static class WorkspaceEndpoints
{
    public static void MapWorkspaces(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/v1/settings", SettingsAsync).Needs(Permission.Ingest);
        app.MapPost("/api/v1/settings/handle", HandleAsync).Needs(Permission.Manage);
        foreach (var path in (string[])["/api/v1/workspaces", "/api/v1/tenants"])
        {
            app.MapGet(path, ListAsync).Needs(Permission.Read);
            app.MapPost(path, CreateAsync).Needs(Permission.ManageOrganization);
        }

        app.MapPatch("/api/v1/workspaces/{id:guid}", RenameAsync).Needs(Permission.Manage);
        app.MapDelete("/api/v1/workspaces/{id:guid}", DeleteAsync)
            .Needs(Permission.ManageOrganization);
        app.MapGet("/api/v1/workspaces/current/secrets", SecretsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/workspaces/current/secrets", WriteSecretsAsync)
            .Needs(Permission.Manage);
    }

    private static async Task<IResult> SettingsAsync(HttpContext context, Workspaces workspaces) =>
        Settings(await workspaces.GetAsync(context.Caller(), context.RequestAborted));

    private static IResult Settings(Workspace workspace) =>
        Results.Json(
            new
            {
                id = workspace.Id,
                display_name = workspace.Name,
                created_at = Wire.Time(workspace.CreatedAt),
                tenant_handle = workspace.Handle,
            }
        );

    private static async Task<IResult> HandleAsync(HttpContext context, Workspaces workspaces)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (document.RootElement.Text("tenant_handle") is not { } handle)
        {
            return Errors.Invalid("tenant_handle: must be a text");
        }

        var outcome = await workspaces.ChangeAsync(
            context.Caller(),
            null,
            handle,
            context.RequestAborted
        );
        return outcome == WorkspaceChange.Done
            ? await SettingsAsync(context, workspaces)
            : Refused(outcome);
    }

    private static async Task<IResult> ListAsync(HttpContext context, Workspaces workspaces)
    {
        var caller = context.Caller();
        var found = await workspaces.ListAsync(caller, context.RequestAborted);
        return Results.Json(
            found.Select(f =>
                AccessJson.Of(
                    f.Workspace,
                    f.Role,
                    f.Role is { } role ? Grants.Of(role) : caller.Permissions
                )
            )
        );
    }

    private static async Task<IResult> CreateAsync(HttpContext context, Workspaces workspaces)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        if (!json.TryId("id", out var id))
        {
            return Errors.Invalid("id: must be a UUID");
        }

        var (outcome, workspace) = await workspaces.CreateAsync(
            context.Caller(),
            json.Text("display_name") ?? "",
            json.Text("tenant_handle"),
            id,
            context.RequestAborted
        );
        return workspace is null ? Refused(outcome) : Results.Json(AccessJson.Of(workspace));
    }

    private static async Task<IResult> RenameAsync(
        Guid id,
        HttpContext context,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        if (id != caller.WorkspaceId)
        {
            return Errors.NotFound("Workspace");
        }

        using var document = await RunEndpoints.DocumentAsync(context);
        var outcome = await workspaces.ChangeAsync(
            caller,
            document.RootElement.Text("display_name") ?? "",
            null,
            context.RequestAborted
        );
        return outcome == WorkspaceChange.Done
            ? Results.Json(AccessJson.Of(await workspaces.GetAsync(caller, context.RequestAborted)))
            : Refused(outcome);
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        HttpContext context,
        WorkspaceDeletion deletion
    )
    {
        var caller = context.Caller();
        return id != caller.WorkspaceId ? Errors.NotFound("Workspace")
            : await deletion.DeleteAsync(caller, context.RequestAborted)
                ? WireResult.Json(w => w.WriteNullValue())
            : Errors.Detail(
                StatusCodes.Status409Conflict,
                "The last workspace of an organization cannot be deleted"
            );
    }

    private static async Task<IResult> SecretsAsync(
        HttpContext context,
        WorkspaceSecrets secrets
    ) =>
        Results.Json(
            (await secrets.ListAsync(context.Caller(), context.RequestAborted)).Select(s => new
            {
                key = s.Key,
            })
        );

    private static async Task<IResult> WriteSecretsAsync(
        HttpContext context,
        WorkspaceSecrets secrets
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return Errors.Invalid("body: must be a list of {key, value}");
        }

        var wanted = new Dictionary<string, string?>();
        foreach (var item in document.RootElement.EnumerateArray())
        {
            var value = item.Text("value");
            if (item.Text("key") is not { Length: > 0 and <= WorkspaceSecrets.MaxKeyLength } key)
            {
                return Errors.Invalid(
                    $"key: must have 1 to {WorkspaceSecrets.MaxKeyLength} characters"
                );
            }

            if (
                value is { Length: > WorkspaceSecrets.MaxValueLength }
                || (value is null && item.Field("value").IsSaid())
            )
            {
                return Errors.Invalid(
                    $"value: must be null or a text of at most {WorkspaceSecrets.MaxValueLength} characters"
                );
            }

            wanted[key] = value;
        }

        await secrets.WriteAsync(context.Caller(), wanted, context.RequestAborted);
        return WireResult.Json(w => w.WriteNullValue());
    }

    private static IResult Refused(WorkspaceChange outcome) =>
        outcome switch
        {
            WorkspaceChange.NotFound => Errors.NotFound("Workspace"),
            WorkspaceChange.Taken => Errors.Detail(
                StatusCodes.Status409Conflict,
                "A workspace with that handle or id already exists"
            ),
            _ => Errors.Invalid(
                $"display_name: must have 1 to {Workspaces.MaxNameLength} characters; tenant_handle: lower-case letters, digits and single dashes"
            ),
        };
}
