using Assay.Core.Access;
using Microsoft.AspNetCore.Builder;

namespace Assay.UI;

/// <summary>The permission a page's endpoint needs; without one it is <see cref="Permission.Read"/>. The host enforces it.</summary>
/// <param name="Permission">The permission.</param>
public sealed record PageNeeds(Permission Permission);

/// <summary>Declares what endpoints of the screens need.</summary>
internal static class PageNeedsExtensions
{
    public static TBuilder PageNeeds<TBuilder>(this TBuilder builder, Permission permission)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new PageNeeds(permission));
}
