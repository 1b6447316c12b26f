using System.Globalization;
using System.Text.Json;
using Assay.Core.Traces;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using RpcStatus = Assay.Server.Otlp.Protos.Rpc.Status;

namespace Assay.Server.Otlp;

/// <summary>What became of an export: how many items were refused, and why or what else its sender should know.</summary>
internal sealed record OtlpOutcome(long Rejected, string Message)
{
    public static OtlpOutcome Success { get; } = new(0, "");
}

/// <summary>
/// Answers in the encoding of the request: success, partial success, and errors as google.rpc.Status (OTLP specification, "Failures"). Over
/// gRPC an error is a response of trailers alone.
/// </summary>
internal static class OtlpAnswer
{
    /// <summary>The trailer that carries a whole google.rpc.Status.</summary>
    public const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>True when whoever asks reads answers of this kind.</summary>
    public static bool Fits(HttpRequest request) =>
        OtlpPaths.IsGrpc(request)
        || request.Path.StartsWithSegments("/otel/v1", StringComparison.Ordinal);

    public static ExportTraceServiceResponse Traces(OtlpOutcome outcome) =>
        outcome == OtlpOutcome.Success
            ? new()
            : new()
            {
                PartialSuccess = new()
                {
                    RejectedSpans = outcome.Rejected,
                    ErrorMessage = outcome.Message,
                },
            };

    public static ExportLogsServiceResponse Logs(OtlpOutcome outcome) =>
        outcome == OtlpOutcome.Success
            ? new()
            : new()
            {
                PartialSuccess = new()
                {
                    RejectedLogRecords = outcome.Rejected,
                    ErrorMessage = outcome.Message,
                },
            };

    /// <summary>A full success is an empty message: the specification wants partial success unset then.</summary>
    public static async Task WriteAsync(
        HttpContext context,
        IMessage message,
        OtlpOutcome outcome,
        string rejectedField
    )
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        if (!OtlpPaths.IsJson(context.Request))
        {
            context.Response.ContentType = "application/x-protobuf";
            await context.Response.Body.WriteAsync(message.ToByteArray(), context.RequestAborted);
            return;
        }

        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        if (outcome != OtlpOutcome.Success)
        {
            writer.WriteStartObject("partialSuccess");
            writer.WriteString(
                rejectedField,
                outcome.Rejected.ToString(CultureInfo.InvariantCulture)
            );
            writer.WriteString("errorMessage", outcome.Message);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
    }

    /// <summary>An error; the status of HTTP decides the code.</summary>
    public static async Task WriteErrorAsync(HttpContext context, int status, string message)
    {
        var code = Code(status);
        if (OtlpPaths.IsGrpc(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = code.ToString(CultureInfo.InvariantCulture);
            context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
            return;
        }

        context.Response.StatusCode = status;
        if (OtlpPaths.IsProtobuf(context.Request))
        {
            context.Response.ContentType = "application/x-protobuf";
            var body = new RpcStatus { Code = code, Message = message };
            await context.Response.Body.WriteAsync(body.ToByteArray(), context.RequestAborted);
            return;
        }

        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteNumber("code", code);
        writer.WriteString("message", message);
        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
    }

    /// <summary>Temporary overload over HTTP: 503, never 429 or 500, which several exporters take for final, and whole seconds to wait.</summary>
    public static Task WriteBusyAsync(HttpContext context, StoreBusyException busy)
    {
        context.Response.Headers.RetryAfter = Seconds(busy).ToString(CultureInfo.InvariantCulture);
        return WriteErrorAsync(context, StatusCodes.Status503ServiceUnavailable, busy.Message);
    }

    /// <summary>The details of UNAVAILABLE: google.rpc.RetryInfo inside google.rpc.Status.</summary>
    public static byte[] RetryDetails(StoreBusyException busy) =>
        new RpcStatus
        {
            Code = 14,
            Message = busy.Message,
            Details =
            {
                Any.Pack(
                    new Protos.Rpc.RetryInfo
                    {
                        RetryDelay = new Duration { Seconds = Seconds(busy) },
                    }
                ),
            },
        }.ToByteArray();

    private static int Seconds(StoreBusyException busy) =>
        Math.Max(1, (int)Math.Ceiling(busy.RetryAfter.TotalSeconds));

    private static int Code(int status) =>
        status switch
        {
            StatusCodes.Status401Unauthorized => 16,
            StatusCodes.Status403Forbidden => 7,
            StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed => 12,
            StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => 8,
            StatusCodes.Status503ServiceUnavailable => 14,
            >= 400 and < 500 => 3,
            _ => 13,
        };
}
