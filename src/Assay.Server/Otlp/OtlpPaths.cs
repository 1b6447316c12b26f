namespace Assay.Server.Otlp;

/// <summary>
/// Exporters and SDKs spell the address of one signal in many ways. This makes one of them before routing: <c>/otel/v1/traces</c>,
/// <c>/otel/v1/logs</c>, <c>/otel/v1/metrics</c>.
/// </summary>
internal static class OtlpPaths
{
    public const string Traces = "/otel/v1/traces";
    public const string Logs = "/otel/v1/logs";
    public const string Metrics = "/otel/v1/metrics";

    private const string HintText =
        "Nothing is served here. OTLP over HTTP goes to /v1/traces, /v1/logs and /v1/metrics: an exporter whose endpoint is set in code "
        + "uses it as it is, so the path must be part of it (only OTEL_EXPORTER_OTLP_ENDPOINT has it appended).";

    private static readonly string[] s_signals = [Traces, Logs, Metrics];

    /// <summary>The one spelling, or null when the path is none of a signal's.</summary>
    public static string? Canonical(HttpRequest request)
    {
        var path = (request.Path.Value ?? "").TrimEnd('/');
        foreach (var signal in s_signals)
        {
            if (path.EndsWith(signal.AsSpan("/otel".Length), StringComparison.Ordinal))
            {
                return signal;
            }
        }

        // LangSmith's Python SDK gives its base to the exporter's constructor, and its JavaScript SDK posts to the bare endpoint.
        return
            path is "/otel" or "/api/v1/otel"
            || (path.Length == 0 && HttpMethods.IsPost(request.Method) && IsProtobuf(request))
            ? Traces
            : null;
    }

    /// <summary>What the ports of OTLP serve besides: the hand-over of media and the native traces of an SDK that sends both to one place.</summary>
    public static bool IsServedOnOtlpPorts(PathString path) =>
        path.StartsWithSegments("/otel/v1", StringComparison.Ordinal)
        || path.StartsWithSegments("/api/v1/public/media", StringComparison.Ordinal)
        || path.StartsWithSegments("/api/v1/traces/ingest", StringComparison.Ordinal)
        || path.StartsWithSegments("/media-uploads", StringComparison.Ordinal)
        || path.Value!.StartsWith("/opentelemetry.proto.collector.", StringComparison.Ordinal);

    /// <summary>Says where to post instead.</summary>
    public static async Task WriteHintAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(HintText + "\n", context.RequestAborted);
    }

    /// <summary>OpenTelemetry's own exporters say who they are.</summary>
    public static bool IsExporter(HttpRequest request) =>
        request
            .Headers.UserAgent.ToString()
            .StartsWith("OTel-OTLP-Exporter", StringComparison.OrdinalIgnoreCase);

    public static bool IsProtobuf(HttpRequest request) =>
        request.ContentType is { } type
        && (
            type.StartsWith("application/x-protobuf", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/protobuf", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)
        );

    public static bool IsJson(HttpRequest request) =>
        request.ContentType is { } type
        && type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase);

    public static bool IsGrpc(HttpRequest request) =>
        request.ContentType is { } type
        && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase);
}
