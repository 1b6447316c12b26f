using Assay.Core.Access;

namespace Assay.Server.Auth;

/// <summary>What an endpoint needs of its caller; null means it is open to everybody.</summary>
internal sealed record RequiredPermission(Permission? Permission);

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
