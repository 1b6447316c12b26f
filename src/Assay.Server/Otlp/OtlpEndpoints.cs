using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Assay.Server.Otlp;

/// <summary>OTLP over HTTP. The content type chooses the decoder, never the path; <see cref="OtlpPaths"/> brings every spelling here.</summary>
internal static class OtlpEndpoints
{
    private const string NothingValid =
        "no span in it has a valid trace id and span id; log records go to /v1/logs, metrics to /v1/metrics";

    public static void MapOtlp(this IEndpointRouteBuilder app)
    {
        app.MapPost(OtlpPaths.Traces, (Delegate)TracesAsync).Needs(Permission.Ingest);
        app.MapPost(OtlpPaths.Logs, (Delegate)LogsAsync).Needs(Permission.Ingest);
        app.MapPost(OtlpPaths.Metrics, (Delegate)MetricsAsync).Needs(Permission.Ingest);
        app.MapGrpcService<OtlpGrpc>();
    }

    /// <summary>Goes before routing, and before <see cref="DialectPaths"/>.</summary>
    public static void UseOtlpPaths(this WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                var request = context.Request;
                if (OtlpPaths.Canonical(request) is { } path)
                {
                    request.Path = path;
                    return next(context);
                }

                var isForeign =
                    context.Features.Get<OtlpPortFeature>() is not null
                    && !OtlpPaths.IsServedOnOtlpPorts(DialectPaths.Canonical(request.Path));
                var isBare = request.Path == "/" && OtlpPaths.IsExporter(request);
                return isForeign || isBare ? OtlpPaths.WriteHintAsync(context) : next(context);
            }
        );

    private static Task TracesAsync(
        HttpContext context,
        OtlpAdmission admission,
        SpanIngest spans
    ) =>
        TakeAsync(
            context,
            admission,
            async bytes =>
            {
                var request = OtlpPaths.IsJson(context.Request)
                    ? OtlpJson.ReadTraces(bytes)
                    : Parse(ExportTraceServiceRequest.Parser, bytes);
                var (valid, outcome) = await spans.AcceptAsync(
                    context.Caller(),
                    request,
                    ProjectChoice.Header(context.Request.Headers),
                    context.RequestAborted
                );
                if (valid == 0 && outcome.Rejected > 0)
                {
                    throw new OtlpFormatException($"{NothingValid} ({outcome.Message})");
                }

                await OtlpAnswer.WriteAsync(
                    context,
                    OtlpAnswer.Traces(outcome),
                    outcome,
                    "rejectedSpans"
                );
            }
        );

    private static Task LogsAsync(HttpContext context, OtlpAdmission admission, LogIngest logs) =>
        TakeAsync(
            context,
            admission,
            async bytes =>
            {
                var request = OtlpPaths.IsJson(context.Request)
                    ? OtlpJson.ReadLogs(bytes)
                    : Parse(ExportLogsServiceRequest.Parser, bytes);
                var outcome = await logs.AcceptAsync(
                    context.Caller(),
                    request,
                    context.RequestAborted
                );
                await OtlpAnswer.WriteAsync(
                    context,
                    OtlpAnswer.Logs(outcome),
                    outcome,
                    "rejectedLogRecords"
                );
            }
        );

    /// <summary>Metrics carry no run ids; they are checked, accepted and not kept, so that an exporter that sends all signals is content.</summary>
    private static Task MetricsAsync(HttpContext context, OtlpAdmission admission) =>
        TakeAsync(
            context,
            admission,
            bytes =>
            {
                if (OtlpPaths.IsJson(context.Request))
                {
                    OtlpJson.CheckMetrics(bytes);
                }
                else
                {
                    Parse(ExportMetricsServiceRequest.Parser, bytes);
                }

                return OtlpAnswer.WriteAsync(
                    context,
                    new ExportMetricsServiceResponse(),
                    OtlpOutcome.Success,
                    "rejectedDataPoints"
                );
            }
        );

    private static async Task TakeAsync(
        HttpContext context,
        OtlpAdmission admission,
        Func<ReadOnlyMemory<byte>, Task> take
    )
    {
        var request = context.Request;
        if (!OtlpPaths.IsJson(request) && !OtlpPaths.IsProtobuf(request))
        {
            await OtlpAnswer.WriteErrorAsync(
                context,
                StatusCodes.Status415UnsupportedMediaType,
                $"Content-Type '{request.ContentType}' is not supported; use application/x-protobuf or application/json."
            );
            return;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        using var room = admission.Open();
        try
        {
            using var body = await OtlpBody.ReadAsync(request, room, context.RequestAborted);
            await take(body.Bytes);
        }
        catch (StoreBusyException e)
        {
            await OtlpAnswer.WriteBusyAsync(context, e);
        }
        catch (OtlpFormatException e)
        {
            await OtlpAnswer.WriteErrorAsync(context, StatusCodes.Status400BadRequest, e.Message);
        }
    }

    /// <exception cref="OtlpFormatException">The bytes are no such message.</exception>
    private static T Parse<T>(MessageParser<T> parser, ReadOnlyMemory<byte> bytes)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OtlpFormatException($"Invalid protobuf: {e.Message}", e);
        }
    }
}

/// <summary>Marks a request that came through a port that serves OTLP alone.</summary>
internal sealed class OtlpPortFeature;
