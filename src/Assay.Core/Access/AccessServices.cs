using Microsoft.Extensions.DependencyInjection;

namespace Assay.Core.Access;

/// <summary>The registration of access.</summary>
public static class AccessServices
{
    /// <summary>Adds what decides who may do what, and what remembers it.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<Bootstrap>();
        services.AddSingleton<Invitations>();
        services.AddSingleton<Members>();
        services.AddSingleton<Workspaces>();
        services.AddSingleton<WorkspaceDeletion>();
        services.AddSingleton<WorkspaceSecrets>();
        return services;
    }
}
