using Assay.Core.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.UI;

/// <summary>The registration of the screens.</summary>
public static class UiServices
{
    /// <summary>Adds the screens. The host says how the caller of a request is found.</summary>
    public static IServiceCollection AddUi(
        this IServiceCollection services,
        Func<HttpContext, Caller> caller
    )
    {
        services.AddRazorComponents();
        services.AddHttpContextAccessor();
        services.AddScoped(provider => new CurrentCaller(
            provider.GetRequiredService<IHttpContextAccessor>().HttpContext
                ?? throw new InvalidOperationException("No request."),
            caller
        ));
        return services;
    }

    /// <summary>Maps the pages; pages marked <c>[AllowAnonymous]</c> are open.</summary>
    public static IEndpointConventionBuilder MapUi(this IEndpointRouteBuilder app) =>
        app.MapRazorComponents<App>();
}

/// <summary>Who looks at the page.</summary>
public sealed class CurrentCaller(HttpContext context, Func<HttpContext, Caller> find)
{
    /// <summary>The caller of this request.</summary>
    public Caller Value => find(context);

    /// <summary>The address people reach this server at, without a closing slash.</summary>
    public string BaseAddress => $"{context.Request.Scheme}://{context.Request.Host}";

    /// <summary>Ends when the browser goes away.</summary>
    public CancellationToken Aborted => context.RequestAborted;
}
