using Assay.Core.Access;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Assay.Server.Otlp;

/// <summary>
/// OTLP over gRPC. Requests are decoded by hand inside the call, not by the framework before it, so that a message that cannot be read is
/// INVALID_ARGUMENT (and not sent again) and what is in memory is counted.
/// </summary>
internal sealed class OtlpGrpc(OtlpAdmission admission, SpanIngest spans, LogIngest logs)
{
    public async Task<ExportTraceServiceResponse> TracesAsync(
        ReceivedMessage message,
        ServerCallContext call
    )
    {
        var http = call.GetHttpContext();
        using var room = admission.Open();
        return await AnswerAsync(async () =>
        {
            room.Take(message.Length);
            var (valid, outcome) = await spans.AcceptAsync(
                http.Caller(),
                message.Parse(ExportTraceServiceRequest.Parser),
                ProjectChoice.Header(http.Request.Headers),
                call.CancellationToken
            );
            return valid == 0 && outcome.Rejected > 0
                ? throw new OtlpFormatException(outcome.Message)
                : OtlpAnswer.Traces(outcome);
        });
    }

    public async Task<ExportLogsServiceResponse> LogsAsync(
        ReceivedMessage message,
        ServerCallContext call
    )
    {
        using var room = admission.Open();
        return await AnswerAsync(async () =>
        {
            room.Take(message.Length);
            return OtlpAnswer.Logs(
                await logs.AcceptAsync(
                    call.GetHttpContext().Caller(),
                    message.Parse(ExportLogsServiceRequest.Parser),
                    call.CancellationToken
                )
            );
        });
    }

    public Task<ExportMetricsServiceResponse> MetricsAsync(
        ReceivedMessage message,
        ServerCallContext call
    ) =>
        AnswerAsync(() =>
        {
            message.Parse(ExportMetricsServiceRequest.Parser);
            return Task.FromResult(new ExportMetricsServiceResponse());
        });

    private static async Task<T> AnswerAsync<T>(Func<Task<T>> answer)
    {
        try
        {
            return await answer();
        }
        catch (OtlpFormatException e)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.InvalidArgument, e.Message));
        }
        catch (StoreBusyException e)
        {
            throw new RpcException(
                new Grpc.Core.Status(StatusCode.Unavailable, e.Message),
                new Metadata { { OtlpAnswer.DetailsTrailer, OtlpAnswer.RetryDetails(e) } }
            );
        }
    }
}

/// <summary>A message as it came, not yet decoded.</summary>
internal sealed class ReceivedMessage(byte[] bytes)
{
    public int Length => bytes.Length;

    /// <exception cref="OtlpFormatException">The bytes are no such message.</exception>
    public T Parse<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OtlpFormatException($"Invalid protobuf: {e.Message}", e);
        }
    }
}

/// <summary>Tells the framework which methods <see cref="OtlpGrpc"/> serves.</summary>
internal sealed class OtlpGrpcMethods : IServiceMethodProvider<OtlpGrpc>
{
    private const string Prefix = "opentelemetry.proto.collector.";

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<OtlpGrpc> context)
    {
        Add<ExportTraceServiceResponse>(
            context,
            "trace.v1.TraceService",
            (s, m, c) => s.TracesAsync(m, c)
        );
        Add<ExportLogsServiceResponse>(
            context,
            "logs.v1.LogsService",
            (s, m, c) => s.LogsAsync(m, c)
        );
        Add<ExportMetricsServiceResponse>(
            context,
            "metrics.v1.MetricsService",
            (s, m, c) => s.MetricsAsync(m, c)
        );
    }

    private static void Add<TResponse>(
        ServiceMethodProviderContext<OtlpGrpc> context,
        string service,
        UnaryServerMethod<OtlpGrpc, ReceivedMessage, TResponse> invoke
    )
        where TResponse : class, IMessage<TResponse>
    {
        var method = new Method<ReceivedMessage, TResponse>(
            MethodType.Unary,
            Prefix + service,
            "Export",
            Marshallers.Create<ReceivedMessage>(
                (_, _) => throw new NotSupportedException(),
                received => new ReceivedMessage(received.PayloadAsNewBuffer())
            ),
            Marshallers.Create<TResponse>(
                (response, target) => target.Complete(response.ToByteArray()),
                _ => throw new NotSupportedException()
            )
        );
        context.AddUnaryMethod(method, [new RequiredPermission(Permission.Ingest)], invoke);
    }
}

/// <summary>Registration of OTLP over gRPC.</summary>
internal static class OtlpGrpcServices
{
    public static void AddOtlpGrpc(this IServiceCollection services)
    {
        services.AddGrpc(o =>
        {
            o.MaxReceiveMessageSize = OtlpAdmission.MaxBody;
            // Unknown services are answered by routing; the framework's catch-all would be an endpoint without a permission.
            o.IgnoreUnknownServices = true;
        });
        services.AddSingleton<OtlpGrpc>();
        services.AddSingleton<IServiceMethodProvider<OtlpGrpc>, OtlpGrpcMethods>();
    }
}
