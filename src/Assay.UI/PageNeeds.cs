using Assay.Core.Access;
using Microsoft.AspNetCore.Builder;

namespace Assay.UI;

/// <summary>The permission a page's endpoint needs; without one it is <see cref="Permission.Read"/>. The host enforces it.</summary>
/// <param name="permission">The permission.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PageNeedsAttribute(Permission permission) : Attribute
{
    /// <summary>The permission.</summary>
    public Permission Permission { get; } = permission;
}

/// <summary>Declares what endpoints of the screens need.</summary>
internal static class PageNeedsExtensions
{
    public static TBuilder PageNeeds<TBuilder>(this TBuilder builder, Permission permission)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new PageNeedsAttribute(permission));
}
