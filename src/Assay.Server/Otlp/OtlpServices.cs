using Assay.Server.Otlp.Mapping;

namespace Assay.Server.Otlp;

/// <summary>Registration of OpenTelemetry's door.</summary>
internal static class OtlpServices
{
    public static void AddOtlp(this IServiceCollection services)
    {
        services.AddSingleton<UnrecognizedSpans>();
        services.AddSingleton<SpanMapper>();
        services.AddSingleton<TraceMemory>();
        services.AddSingleton<OtlpAdmission>();
        services.AddSingleton<SpanIngest>();
        services.AddSingleton<LogIngest>();
        services.AddSingleton<OtlpPorts>();
        services.AddHostedService(provider => provider.GetRequiredService<OtlpPorts>());
        services.AddOtlpGrpc();
    }
}
