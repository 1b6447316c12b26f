using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using RpcStatus = Assay.Server.Otlp.Protos.Rpc.Status;

namespace Assay.Server.Tests.Otlp;

/// <summary>Every road on which an export may come, and every answer it may get.</summary>
public sealed class OtlpTransportTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Every_path_of_every_exporter_takes_traces()
    {
        var bases = new[] { _server.Address, _server.OtlpHttp };
        foreach (var address in bases)
        {
            foreach (
                var path in (string[])
                    [
                        "/v1/traces",
                        "/v1/traces/",
                        "/otel/v1/traces",
                        "/otel",
                        "/api/v1/otel",
                        "/api/v1/otel/v1/traces",
                        "/api/public/otel/v1/traces",
                        "/api/v1/private/otel/v1/traces",
                        "/",
                    ]
            )
            {
                var span = Exports.Span(Exports.NewTrace(), path);
                await _server.SendAsync(Exports.Of(span), address + path);
                var run = await _server.RunAsync(span);
                Assert.Equal(path, run.GetProperty("name").GetString());
                Assert.Equal(Exports.TraceId(span), run.GetProperty("trace_id").GetGuid());
            }

            foreach (var path in (string[])["/v1/logs", "/otel/v1/logs", "/v1/metrics"])
            {
                using var response = await _server.Client.PostAsync(
                    address + path,
                    new ExportLogsServiceRequest()
                );
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            }
        }
    }

    [Fact]
    public async Task Every_form_of_a_key_opens()
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"pk:{RunningServer.Key}"));
        using var anonymous = new HttpClient { BaseAddress = new Uri(_server.Address) };
        foreach (
            var (name, value) in ((string, string)[])
                [
                    ("x-api-key", RunningServer.Key),
                    ("api_key", RunningServer.Key),
                    ("Authorization", $"Bearer {RunningServer.Key}"),
                    ("Authorization", $"bearer%20{RunningServer.Key}"),
                    ("Authorization", $"Basic {basic}"),
                    ("Authorization", $"Basic%20{basic}"),
                    ("Authorization", RunningServer.Key),
                ]
        )
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(anonymous, name, value));
        }

        foreach (
            var (name, value) in ((string, string)[])
                [
                    ("x-api-key", "wrong"),
                    ("Authorization", $"Digest {RunningServer.Key}"),
                    ("Authorization", "Basic !"),
                    ("Accept", "*/*"),
                ]
        )
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(anonymous, name, value));
        }
    }

    [Fact]
    public async Task Packed_and_chunked_bodies_are_read()
    {
        foreach (var encoding in (string[])["gzip", "deflate", "br", "zstd", "identity"])
        {
            var span = Exports.Span(Exports.NewTrace(), encoding);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces")
            {
                Content = new StreamContent(
                    new MemoryStream(Pack(Exports.Of(span).ToByteArray(), encoding))
                ),
            };
            request.Headers.TransferEncodingChunked = true;
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(
                "application/x-protobuf"
            );
            request.Content.Headers.ContentEncoding.Add(encoding);
            using var response = await _server.Client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(encoding, (await _server.RunAsync(span)).GetProperty("name").GetString());
        }
    }

    [Fact]
    public async Task Bodies_that_cannot_be_taken_are_refused_in_words()
    {
        var bomb = Pack(new byte[200 << 20], "gzip");
        await RefusedAsync(413, "times its size", bomb, "application/x-protobuf", "gzip");
        await RefusedAsync(400, "unpack", [1, 2, 3], "application/x-protobuf", "gzip");
        await RefusedAsync(415, "lzma", [1], "application/x-protobuf", "lzma");
        await RefusedAsync(415, "text/plain", [1], "text/plain", null);
        await RefusedAsync(400, "Invalid protobuf", [0xFF, 1, 2], "application/x-protobuf", null);
        await RefusedAsync(400, "Invalid JSON", "{"u8.ToArray(), "application/json", null);
        await RefusedAsync(
            400,
            "/v1/logs",
            """{"resourceLogs":[]}"""u8.ToArray(),
            "application/json",
            null
        );
        await RefusedAsync(
            400,
            "attributes",
            """{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":{"a":1}}]}]}]}"""u8.ToArray(),
            "application/json; charset=utf-8",
            null
        );
    }

    [Fact]
    public async Task Nothing_is_a_success()
    {
        foreach (
            var (type, body) in ((string, string)[])
                [
                    ("application/x-protobuf", ""),
                    ("application/json", ""),
                    ("application/json", "{}"),
                    ("application/json", """{"resourceSpans":null,"new":{"x":[1]}}"""),
                ]
        )
        {
            foreach (var signal in (string[])["traces", "logs", "metrics"])
            {
                if (signal != "traces" && body.Contains("Spans", StringComparison.Ordinal))
                {
                    continue;
                }

                using var content = new StringContent(body, Encoding.UTF8, type);
                using var response = await _server.Client.PostAsync(
                    $"/v1/{signal}",
                    content,
                    Cancel
                );
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal(
                    type == "application/json" ? "{}" : "",
                    await response.Content.ReadAsStringAsync(Cancel)
                );
            }
        }
    }

    [Fact]
    public async Task Spans_without_ids_are_refused_and_their_neighbours_kept()
    {
        var good = Exports.Span(Exports.NewTrace(), "good");
        var noTrace = Exports.Span(ByteString.CopyFrom(new byte[16]), "no trace");
        var noId = Exports.Span(Exports.NewTrace(), "no id");
        noId.SpanId = ByteString.Empty;
        using var response = await _server.Client.PostAsync(
            "/v1/traces",
            Exports.Of(noTrace, good, noId)
        );
        var answer = ExportTraceServiceResponse.Parser.ParseFrom(
            await response.Content.ReadAsByteArrayAsync(Cancel)
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, answer.PartialSuccess.RejectedSpans);
        Assert.Contains("no trace", answer.PartialSuccess.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal("good", (await _server.RunAsync(good)).GetProperty("name").GetString());

        using var nothing = await _server.Client.PostAsync("/v1/traces", Exports.Of(noTrace));
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
        using var json = new StringContent(
            $$"""
            {"resourceSpans":[{"scopeSpans":[{"spans":[
              {"traceId":"xyz","spanId":"0102030405060708"},
              {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"upper","startTimeUnixNano":"{{Exports.Start}}","endTimeUnixNano":{{Exports.Start
                + 5}} }
            ]}]}]}
            """,
            Encoding.UTF8,
            "application/json"
        );
        using var partial = await _server.Client.PostAsync("/v1/traces", json, Cancel);
        using var body = JsonDocument.Parse(await partial.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(
            "1",
            body.RootElement.GetProperty("partialSuccess").GetProperty("rejectedSpans").GetString()
        );
    }

    [Fact]
    public async Task Log_records_on_the_path_of_traces_are_refused_with_the_right_path()
    {
        var record = new LogRecord { TimeUnixNano = Exports.Start, SeverityText = "INFO" };
        using var response = await _server.Client.PostAsync("/v1/traces", Exports.Logs(record));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "/v1/logs",
            RpcStatus.Parser.ParseFrom(await response.Content.ReadAsByteArrayAsync(Cancel)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_bare_address_tells_where_to_post()
    {
        using var json = new StringContent("{}", Encoding.UTF8, "application/json");
        using var exporter = new HttpClient();
        exporter.DefaultRequestHeaders.UserAgent.ParseAdd("OTel-OTLP-Exporter-JavaScript/0.301.0");
        foreach (
            var response in (HttpResponseMessage[])
                [
                    await _server.Client.GetAsync(_server.OtlpHttp + "/", Cancel),
                    await _server.Client.PostAsync(_server.OtlpHttp + "/", json, Cancel),
                    await exporter.PostAsync(_server.Address + "/", json, Cancel),
                    await _server.Client.GetAsync(_server.OtlpHttp + "/api/v1/sessions", Cancel),
                ]
        )
        {
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Contains(
                "/v1/traces",
                await response.Content.ReadAsStringAsync(Cancel),
                StringComparison.Ordinal
            );
            response.Dispose();
        }
    }

    [Fact]
    public async Task Grpc_takes_all_signals_and_answers_with_its_own_codes()
    {
        using var channel = GrpcChannel.ForAddress(_server.OtlpGrpc);
        var calls = channel.CreateCallInvoker();
        var key = new Metadata { { "x-api-key", RunningServer.Key } };
        var span = Exports.Span(Exports.NewTrace(), "over gRPC");
        var answer = await CallAsync(calls, "trace.v1.TraceService", Exports.Of(span), key);
        Assert.Empty(answer);
        Assert.Equal("over gRPC", (await _server.RunAsync(span)).GetProperty("name").GetString());
        var zipped = Exports.Span(Exports.NewTrace(), "zipped");
        await CallAsync(
            calls,
            "trace.v1.TraceService",
            Exports.Of(zipped),
            [
                new("authorization", $"Bearer {RunningServer.Key}"),
                new("grpc-internal-encoding-request", "gzip"),
            ]
        );
        Assert.Equal("zipped", (await _server.RunAsync(zipped)).GetProperty("name").GetString());
        Assert.Empty(await CallAsync(calls, "logs.v1.LogsService", Exports.Logs(), key));
        Assert.Empty(
            await CallAsync(
                calls,
                "metrics.v1.MetricsService",
                new ExportMetricsServiceRequest(),
                key
            )
        );
        var noId = Exports.Span(Exports.NewTrace(), "no id");
        noId.SpanId = ByteString.Empty;
        var partial = ExportTraceServiceResponse.Parser.ParseFrom(
            await CallAsync(calls, "trace.v1.TraceService", Exports.Of(noId, span), key)
        );
        Assert.Equal(1, partial.PartialSuccess.RejectedSpans);

        Assert.Equal(
            StatusCode.Unauthenticated,
            await CodeAsync(calls, Exports.Of(span).ToByteArray(), [])
        );
        Assert.Equal(StatusCode.InvalidArgument, await CodeAsync(calls, [0xFF, 1, 2], key));
        Assert.Equal(
            StatusCode.InvalidArgument,
            await CodeAsync(calls, Exports.Of(noId).ToByteArray(), key)
        );
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_warning_and_the_main_port_takes_exports()
    {
        // The ports of this server are taken as far as another one is concerned.
        await using var second = await RunningServer.StartAsync(
            ("ASSAY_OTLP_HTTP_URL", _server.OtlpHttp),
            ("ASSAY_OTLP_GRPC_URL", _server.OtlpGrpc)
        );
        foreach (
            var (setting, address) in ((string, string)[])
                [
                    ("ASSAY_OTLP_HTTP_URL", _server.OtlpHttp),
                    ("ASSAY_OTLP_GRPC_URL", _server.OtlpGrpc),
                ]
        )
        {
            Assert.Contains(
                $"set {setting} to another address",
                await second.SaidAsync($"OTLP is not taken at {address}"),
                StringComparison.Ordinal
            );
        }

        var span = Exports.Span(Exports.NewTrace(), "main port");
        await second.SendAsync(Exports.Of(span));
        Assert.Equal("main port", (await second.RunAsync(span)).GetProperty("name").GetString());
    }

    private static async Task<HttpStatusCode> StatusAsync(
        HttpClient client,
        string name,
        string value
    )
    {
        using var response = await client.PostAsync(
            "/v1/traces",
            Exports.Of(Exports.Span(Exports.NewTrace(), "key")),
            r => r.Headers.TryAddWithoutValidation(name, value)
        );
        return response.StatusCode;
    }

    private async Task RefusedAsync(
        int status,
        string words,
        byte[] body,
        string type,
        string? encoding
    )
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (encoding is not null)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        using var response = await _server.Client.PostAsync("/v1/traces", content, Cancel);
        var bytes = await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.Equal(status, (int)response.StatusCode);
        if (type == "application/x-protobuf")
        {
            Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
            Assert.Contains(
                words,
                RpcStatus.Parser.ParseFrom(bytes).Message,
                StringComparison.Ordinal
            );
        }
        else
        {
            using var json = JsonDocument.Parse(bytes);
            Assert.Contains(
                words,
                json.RootElement.GetProperty("message").GetString(),
                StringComparison.Ordinal
            );
        }
    }

    private static byte[] Pack(byte[] bytes, string encoding)
    {
        using var packed = new MemoryStream();
        using (
            Stream stream = encoding switch
            {
                "gzip" => new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true),
                "deflate" => new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true),
                "br" => new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true),
                "zstd" => new ZstdSharp.CompressionStream(packed, leaveOpen: true),
                _ => new BufferedStream(new MemoryStream()),
            }
        )
        {
            if (encoding == "identity")
            {
                return bytes;
            }

            stream.Write(bytes);
        }

        return packed.ToArray();
    }

    private static async Task<byte[]> CallAsync(
        CallInvoker calls,
        string service,
        IMessage message,
        Metadata headers
    ) => await RawAsync(calls, service, message.ToByteArray(), headers);

    private static async Task<byte[]> RawAsync(
        CallInvoker calls,
        string service,
        byte[] message,
        Metadata headers
    )
    {
        var bytes = Marshallers.Create(b => b, (byte[] b) => b);
        var method = new Method<byte[], byte[]>(
            MethodType.Unary,
            "opentelemetry.proto.collector." + service,
            "Export",
            bytes,
            bytes
        );
        return await calls.AsyncUnaryCall(
            method,
            null,
            new CallOptions(headers, cancellationToken: Cancel),
            message
        );
    }

    private static async Task<StatusCode> CodeAsync(
        CallInvoker calls,
        byte[] message,
        Metadata headers
    )
    {
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            RawAsync(calls, "trace.v1.TraceService", message, headers)
        );
        return error.StatusCode;
    }
}
