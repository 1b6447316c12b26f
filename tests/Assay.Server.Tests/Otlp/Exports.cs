using System.Security.Cryptography;
using System.Text.Json;
using Assay.Server.Otlp;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;

namespace Assay.Server.Tests.Otlp;

/// <summary>Exports as an emitter would make them, and how to read back what became of them.</summary>
internal static class Exports
{
    public const ulong Start = 1_790_000_000_000_000_000;

    public static ByteString NewTrace() => ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16));

    public static ByteString NewId() => ByteString.CopyFrom(RandomNumberGenerator.GetBytes(8));

    public static Span Span(
        ByteString trace,
        string name,
        ByteString? parent = null,
        params (string Key, string Value)[] attributes
    ) =>
        new()
        {
            TraceId = trace,
            SpanId = NewId(),
            ParentSpanId = parent ?? ByteString.Empty,
            Name = name,
            Kind = 1,
            StartTimeUnixNano = Start,
            EndTimeUnixNano = Start + 1_000_000_000,
            Attributes = { attributes.Select(a => Text(a.Key, a.Value)) },
        };

    public static KeyValue Text(string key, string value) =>
        new()
        {
            Key = key,
            Value = new AnyValue { StringValue = value },
        };

    public static ExportTraceServiceRequest Of(params Span[] spans) => Of("shop", spans);

    public static ExportTraceServiceRequest Of(string service, params Span[] spans) =>
        new()
        {
            ResourceSpans =
            {
                new ResourceSpans
                {
                    Resource = new Resource { Attributes = { Text("service.name", service) } },
                    ScopeSpans =
                    {
                        new ScopeSpans
                        {
                            Scope = new InstrumentationScope { Name = "test" },
                            Spans = { spans },
                        },
                    },
                },
            },
        };

    public static ExportLogsServiceRequest Logs(params LogRecord[] records) =>
        new()
        {
            ResourceLogs =
            {
                new ResourceLogs
                {
                    Resource = new Resource { Attributes = { Text("service.name", "shop") } },
                    ScopeLogs =
                    {
                        new ScopeLogs
                        {
                            Scope = new InstrumentationScope { Name = "test" },
                            LogRecords = { records },
                        },
                    },
                },
            },
        };

    public static Guid RunId(Span span) => SpanIds.Run(span.TraceId.Span, span.SpanId.Span);

    public static Guid TraceId(Span span) => SpanIds.Trace(span.TraceId.Span);

    public static async Task<HttpResponseMessage> PostAsync(
        this HttpClient client,
        string path,
        IMessage message,
        Action<HttpRequestMessage>? change = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(message.ToByteArray())
            {
                Headers = { ContentType = new("application/x-protobuf") },
            },
        };
        change?.Invoke(request);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Posts and wants a full success.</summary>
    public static async Task SendAsync(
        this RunningServer server,
        IMessage message,
        string path = "/v1/traces",
        Action<HttpRequestMessage>? change = null
    )
    {
        using var response = await server.Client.PostAsync(path, message, change);
        var body = await response.Content.ReadAsByteArrayAsync(
            TestContext.Current.CancellationToken
        );
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        Assert.Empty(body);
    }

    public static Task<JsonElement> RunAsync(this RunningServer server, Span span) =>
        server.JsonAsync(HttpMethod.Get, $"/api/v1/runs/{RunId(span)}");

    public static async Task<string> ProjectOfAsync(this RunningServer server, Span span)
    {
        var run = await server.RunAsync(span);
        var project = await server.JsonAsync(
            HttpMethod.Get,
            $"/api/v1/sessions/{run.GetProperty("session_id").GetString()}"
        );
        return project.GetProperty("name").GetString()!;
    }
}
