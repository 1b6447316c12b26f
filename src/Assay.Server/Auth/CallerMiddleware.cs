using Assay.Core.Access;
using Assay.Server.LangSmith;

namespace Assay.Server.Auth;

/// <summary>
/// Finds out who asks and holds every endpoint to the permission it declares. An endpoint that declares none is refused: forgetting is
/// not opening. What routing itself answers (404, 405, 415) is no endpoint of ours and passes.
/// </summary>
internal sealed partial class CallerMiddleware(
    RequestDelegate next,
    ApiKeys keys,
    Members members,
    ILogger<CallerMiddleware> logger
)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            await next(context);
            return;
        }

        if (endpoint.Metadata.GetMetadata<RequiredPermission>() is not { } required)
        {
            Log.Undeclared(logger, endpoint.DisplayName);
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "This endpoint declares no permission, so nobody may use it."
            );
            return;
        }

        if (required.Permission is not { } permission)
        {
            await next(context);
            return;
        }

        var caller = await FindAsync(context);
        if (caller is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(
                context,
                StatusCodes.Status401Unauthorized,
                "Invalid or missing API key. Send it as x-api-key, as Bearer token, or as the password of Basic authentication."
            );
        }
        else if (
            context.Request.Headers["X-Tenant-Id"].ToString() is { Length: > 0 } tenant
            && !(Guid.TryParse(tenant, out var id) && id == caller.WorkspaceId)
        )
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "The key does not open the workspace named in X-Tenant-Id."
            );
        }
        else if (!caller.May(permission))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                new AccessDeniedException(permission).Message
            );
        }
        else
        {
            context.Items[typeof(Caller)] = caller;
            await next(context);
        }
    }

    private async ValueTask<Caller?> FindAsync(HttpContext context)
    {
        if (Credentials.Key(context.Request) is { } key)
        {
            return await keys.FindCallerAsync(key, context.RequestAborted);
        }

        // A cookie goes wherever the browser goes: a change that another site asks for is not the member's.
        if (
            !HttpMethods.IsGet(context.Request.Method)
            && !HttpMethods.IsHead(context.Request.Method)
            && !IsOwnSite(context.Request)
        )
        {
            return null;
        }

        return MemberTicket.Read(context.User) is { } ticket
            ? await members.FindCallerAsync(
                ticket.MemberId,
                ticket.WorkspaceId,
                ticket.Stamp,
                context.RequestAborted
            )
            : null;
    }

    private static bool IsOwnSite(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Origin, UriKind.Absolute, out var origin)
        && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static async Task RefuseAsync(HttpContext context, int status, string detail)
    {
        var request = context.Request;
        var isPage = request
            .Headers.Accept.ToString()
            .Contains("text/html", StringComparison.Ordinal);
        if (status == StatusCodes.Status401Unauthorized && isPage)
        {
            context.Response.Redirect(
                HttpMethods.IsGet(request.Method) && request.Path != "/"
                    ? $"/login?return={Uri.EscapeDataString(request.Path + request.QueryString)}"
                    : "/login"
            );
            return;
        }

        if (status == StatusCodes.Status403Forbidden && isPage)
        {
            context.Response.Redirect("/denied");
            return;
        }

        await WireError.WriteAsync(context, status, detail);
    }

    private static partial class Log
    {
        [LoggerMessage(
            3001,
            LogLevel.Error,
            "The endpoint {Endpoint} declares no permission and is refused"
        )]
        public static partial void Undeclared(ILogger logger, string? endpoint);
    }
}
