using System.Security.Claims;
using Assay.Core.Access;
using Assay.Server.LangSmith;

namespace Assay.Server.Auth;

/// <summary>What an endpoint needs of its caller; null means it is open to everybody.</summary>
internal sealed record RequiredPermission(Permission? Permission);

/// <summary>Finds out who asks and holds every endpoint to the permission it declares. An endpoint that declares none is refused: forgetting is not opening.</summary>
internal sealed class CallerMiddleware(RequestDelegate next, ApiKeys keys, Bootstrap members)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var required = context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>();
        if (required is null or { Permission: null })
        {
            await next(context);
            return;
        }

        var caller = await FindAsync(context);
        if (caller is null)
        {
            await RefuseAsync(
                context,
                StatusCodes.Status401Unauthorized,
                "Invalid or missing API key. Send it as x-api-key."
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
        else if (!caller.May(required.Permission.Value))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                $"This needs the permission '{required.Permission}'."
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
        if (Key(context.Request) is { Length: > 0 } key)
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

        return
            Guid.TryParse(context.User.FindFirstValue(ClaimTypes.NameIdentifier), out var member)
            && Guid.TryParse(context.User.FindFirstValue("workspace"), out var workspace)
            ? await members.FindCallerAsync(member, workspace, context.RequestAborted)
            : null;
    }

    private static bool IsOwnSite(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Origin, UriKind.Absolute, out var origin)
        && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static string? Key(HttpRequest request)
    {
        if (request.Headers["x-api-key"].ToString() is { Length: > 0 } key)
        {
            return key;
        }

        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? authorization[7..].Trim()
            : null;
    }

    private static async Task RefuseAsync(HttpContext context, int status, string detail)
    {
        if (
            status == StatusCodes.Status401Unauthorized
            && context
                .Request.Headers.Accept.ToString()
                .Contains("text/html", StringComparison.Ordinal)
        )
        {
            context.Response.Redirect("/login");
            return;
        }

        await WireError.WriteAsync(context, status, detail);
    }
}

/// <summary>Declares and reads the caller.</summary>
internal static class CallerAccess
{
    /// <summary>The endpoint needs this permission.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder builder, Permission permission)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequiredPermission(permission));

    /// <summary>The endpoint is open to everybody.</summary>
    public static TBuilder IsOpen<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequiredPermission(null));

    /// <summary>The caller of an endpoint that needs a permission.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Items[typeof(Caller)] as Caller
        ?? throw new InvalidOperationException("The endpoint declares no permission.");
}
