using Assay.Core.Access;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Access;

/// <summary>API keys: those of the workspace (service keys) and those of a member (personal access tokens), and sign-in by e-mail and password for programs.</summary>
internal static class ApiKeyEndpoints
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public static void MapApiKeys(this IEndpointRouteBuilder app)
    {
        foreach (var path in (string[])["/api/v1/api-key", "/api/v1/orgs/current/service-keys"])
        {
            app.MapGet(path, ListAsync).Needs(Permission.Manage);
            app.MapPost(path, CreateAsync).Needs(Permission.Manage);
            app.MapDelete(path + "/{id:guid}", RevokeAsync).Needs(Permission.Manage);
        }

        foreach (
            var path in (string[])
                ["/api/v1/api-key/current", "/api/v1/orgs/current/personal-access-tokens"]
        )
        {
            app.MapGet(path, ListOwnAsync).Needs(Permission.Read);
            app.MapPost(path, CreateOwnAsync).Needs(Permission.Read);
            app.MapDelete(path + "/{id:guid}", RevokeOwnAsync).Needs(Permission.Read);
        }

        app.MapPost("/api/v1/login", LoginAsync)
            .IsOpen()
            .RequireRateLimiting(SignInEndpoints.RateLimit);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        var name = (await workspaces.GetAsync(caller, context.RequestAborted)).Name;
        var found = await keys.ListAsync(caller, context.RequestAborted);
        return Results.Json(
            found.Where(k => k.RevokedAt is null).Select(k => AccessJson.Of(k, name))
        );
    }

    private static async Task<IResult> ListOwnAsync(
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        var name = (await workspaces.GetAsync(caller, context.RequestAborted)).Name;
        var found = await keys.ListAsync(caller, context.RequestAborted);
        return Results.Json(
            found
                .Where(k =>
                    k.RevokedAt is null && k.MemberId is not null && k.MemberId == caller.UserId
                )
                .Select(k => AccessJson.Of(k, name))
        );
    }

    private static Task<IResult> CreateAsync(
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces,
        TimeProvider time
    ) => MakeAsync(context, keys, workspaces, time, isPersonal: false);

    private static Task<IResult> CreateOwnAsync(
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces,
        TimeProvider time
    ) =>
        context.Caller() is { UserId: not null, ApiKeyId: null }
            ? MakeAsync(context, keys, workspaces, time, isPersonal: true)
            : Task.FromResult(
                Errors.Detail(
                    StatusCodes.Status400BadRequest,
                    "A personal key is made by a signed-in member, not by another key"
                )
            );

    private static async Task<IResult> MakeAsync(
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces,
        TimeProvider time,
        bool isPersonal
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        var label = json.Text("description")?.Trim() is { Length: > 0 } text
            ? text
            : "Default API key";
        if (label.Length > ApiKeys.MaxLabelLength)
        {
            return Errors.Invalid(
                $"description: must have at most {ApiKeys.MaxLabelLength} characters"
            );
        }

        if (!Wire.TryTime(json.Field("expires_at"), out var expires) || expires <= time.GetUtcNow())
        {
            return Errors.Invalid("expires_at: must be an ISO 8601 time in the future");
        }

        var scope = json.Bool("read_only") == true ? KeyScope.Read : KeyScope.Full;
        if (
            json.Text("scope") is { } named
            && !(
                Enum.TryParse(named, ignoreCase: true, out scope)
                && Enum.IsDefined(scope)
                && char.IsAsciiLetter(named[0])
            )
        )
        {
            return Errors.Invalid("scope: must be ingest, read or full");
        }

        var caller = context.Caller();
        var (key, secret) = await keys.CreateAsync(
            caller,
            label,
            scope,
            expires,
            isPersonal,
            context.RequestAborted
        );
        var workspace = await workspaces.GetAsync(caller, context.RequestAborted);
        return Results.Json(AccessJson.Of(key, workspace.Name, secret));
    }

    private static async Task<IResult> RevokeAsync(
        Guid id,
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        return await keys.RevokeAsync(caller, id, context.RequestAborted) is { } key
            ? Results.Json(
                AccessJson.Of(key, (await workspaces.GetAsync(caller, context.RequestAborted)).Name)
            )
            : Errors.NotFound("API key");
    }

    private static async Task<IResult> RevokeOwnAsync(
        Guid id,
        HttpContext context,
        ApiKeys keys,
        Workspaces workspaces
    )
    {
        var caller = context.Caller();
        var mine = await keys.ListAsync(caller, context.RequestAborted);
        return
            caller.ApiKeyId is null
            && mine.Any(k => k.Id == id && k.MemberId is not null && k.MemberId == caller.UserId)
            ? await RevokeAsync(id, context, keys, workspaces)
            : Errors.NotFound("API key");
    }

    /// <summary>Basic authentication with e-mail and password gives a personal key for some hours.</summary>
    private static async Task<IResult> LoginAsync(
        HttpContext context,
        SignIns signIns,
        Members members,
        ApiKeys keys,
        TimeProvider time
    )
    {
        if (
            Credentials.Basic(context.Request) is not ({ } email, { } password)
            || await signIns.CheckAsync(email, password, context.RequestAborted) is not { } member
            || await members.FindHomeAsync(member.Id, context.RequestAborted) is not { } workspace
            || await members.FindCallerAsync(
                member.Id,
                workspace,
                member.SecurityStamp,
                context.RequestAborted
            )
                is not { } caller
        )
        {
            return Errors.Detail(
                StatusCodes.Status401Unauthorized,
                "E-mail and password do not match, or the account is locked for a while"
            );
        }

        var (_, secret) = await keys.CreateAsync(
            caller,
            "sign-in by password",
            KeyScope.Full,
            time.GetUtcNow() + TokenLifetime,
            isPersonal: true,
            context.RequestAborted
        );
        return Results.Json(new { access_token = secret });
    }
}
