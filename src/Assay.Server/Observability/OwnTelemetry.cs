using System.Diagnostics;
using Assay.Core.Access;
using Assay.Server.Auth;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Assay.Server.Observability;

/// <summary>
/// The server's own traces and metrics, sent by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says where to; the other <c>OTEL_*</c>
/// variables work as OpenTelemetry describes them. What comes in as telemetry leaves no spans: an Assay that sends to itself would
/// otherwise never come to rest.
/// </summary>
internal static class OwnTelemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddOwnTelemetry(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration[Endpoint]))
        {
            return;
        }

        builder.Services.AddSingleton<StoreMetrics>();
        builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(r =>
                r.AddService(
                        "assay-server",
                        serviceVersion: typeof(OwnTelemetry).Assembly.GetName().Version?.ToString(3)
                    )
                    .AddEnvironmentVariableDetector()
            )
            .WithTracing(t =>
                t.AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddOtlpExporter()
            )
            .WithMetrics(m =>
                m.AddMeter(StoreMetrics.MeterName)
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddOtlpExporter()
            );
    }

    /// <summary>Goes after routing: an endpoint that needs <see cref="Permission.Ingest"/> takes telemetry in and is left out of our own.</summary>
    public static void UseOwnTelemetry(this WebApplication app)
    {
        if (app.Services.GetService<StoreMetrics>() is null)
        {
            return;
        }

        app.Use(
            async (context, next) =>
            {
                var needed = context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>();
                if (needed?.Permission != Permission.Ingest)
                {
                    await next(context);
                    return;
                }

                if (Activity.Current is { } span)
                {
                    span.IsAllDataRequested = false;
                    span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
                }

                using var quiet = SuppressInstrumentationScope.Begin();
                await next(context);
            }
        );
    }
}
