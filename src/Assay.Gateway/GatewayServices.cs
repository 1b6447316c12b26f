using Assay.Core.Models.Providers;
using Assay.Gateway.Outbound;
using Assay.Gateway.Providers;
using Assay.Gateway.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Assay.Gateway;

/// <summary>The registration of the way out to models.</summary>
public static class GatewayServices
{
    /// <summary>Adds the gateway. Nothing of it is made before the first call.</summary>
    public static IServiceCollection AddGateway(
        this IServiceCollection services,
        OutboundRules rules
    )
    {
        services.AddSingleton(rules);
        services.AddSingleton<SafeHttp>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<IModelClients, ModelClients>();
        return services;
    }
}
