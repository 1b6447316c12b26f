using System.Net;
using System.Text;
using System.Text.Json;
using Assay.Server.Otlp;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;
using Assay.Server.Otlp.Protos.Rpc;
using CsCheck;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using RpcStatus = Assay.Server.Otlp.Protos.Rpc.Status;

namespace Assay.Server.Tests.Otlp;

/// <summary>What nobody should send and somebody will.</summary>
public sealed class HostileExportTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void Damaged_json_is_refused_in_words_or_read_and_nothing_else_happens()
    {
        var valid = Encoding.UTF8.GetBytes(
            """{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"intValue":"5"}}]}}}]},"scopeSpans":[{"scope":{"name":"x"},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","startTimeUnixNano":"1","endTimeUnixNano":2,"kind":"SPAN_KIND_CLIENT","status":{"code":2},"events":[{"name":"e","attributes":[]}],"links":[{}],"attributes":[{"key":"d","value":{"doubleValue":"NaN"}},{"key":"y","value":{"bytesValue":"AQI="}}]}]}]}]}"""
        );
        Assert.Single(OtlpJson.ReadTraces(valid).ResourceSpans);
        Damage(valid)
            .Sample(bytes =>
            {
                try
                {
                    OtlpJson.ReadTraces(bytes);
                }
                catch (OtlpFormatException) { }

                try
                {
                    OtlpJson.ReadLogs(bytes);
                }
                catch (OtlpFormatException) { }
            });
    }

    [Fact]
    public void Damaged_protobuf_is_refused_or_mapped_and_nothing_else_happens()
    {
        var span = Exports.Span(
            Exports.NewTrace(),
            "chat",
            Exports.NewId(),
            ("gen_ai.operation.name", "chat"),
            (
                "gen_ai.input.messages",
                """[{"role":"user","parts":[{"type":"text","content":"x"}]}]"""
            ),
            ("llm.input_messages.0.message.role", "user")
        );
        var valid = Exports.Of(span).ToByteArray();
        var mapper = new SpanMapper(new UnrecognizedSpans());
        Damage(valid)
            .Sample(bytes =>
            {
                ExportTraceServiceRequest request;
                try
                {
                    request = ExportTraceServiceRequest.Parser.ParseFrom(bytes);
                }
                catch (InvalidProtocolBufferException)
                {
                    return;
                }

                foreach (var group in request.ResourceSpans)
                {
                    foreach (var scope in group.ScopeSpans)
                    {
                        foreach (var item in scope.Spans)
                        {
                            mapper.Map(
                                group.Resource ?? new Resource(),
                                scope.Scope ?? new InstrumentationScope(),
                                item,
                                []
                            );
                        }
                    }
                }
            });
    }

    [Fact]
    public async Task An_attribute_of_fifty_megabytes_and_its_neighbour_are_kept()
    {
        var trace = Exports.NewTrace();
        var huge = Exports.Span(trace, "huge", null, ("input.value", new string('x', 50 << 20)));
        var small = Exports.Span(trace, "small", huge.SpanId);
        await _server.SendAsync(Exports.Of(huge, small));
        var run = await _server.RunAsync(small);
        Assert.Equal(Exports.RunId(huge), run.GetProperty("parent_run_id").GetGuid());
        Assert.Equal("huge", (await _server.RunAsync(huge)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_hundred_thousand_spans_in_one_request_are_taken()
    {
        var trace = Exports.NewTrace();
        var root = Exports.Span(trace, "root");
        var spans = Enumerable
            .Range(0, 99_999)
            .Select(_ => Exports.Span(trace, "leaf", root.SpanId))
            .Prepend(root)
            .ToArray();
        await _server.SendAsync(Exports.Of(spans));
        foreach (var span in (Span[])[spans[0], spans[50_000], spans[^1]])
        {
            Assert.Equal(span.Name, (await EventuallyAsync(span)).GetProperty("name").GetString());
        }
    }

    [Fact]
    public async Task Keys_that_name_absurd_places_and_deep_values_cost_nobody_else()
    {
        var bombs = Exports.Span(
            Exports.NewTrace(),
            "bombs",
            null,
            ("gen_ai.prompt.999999999.content", "x"),
            ("llm.input_messages.2147483647.message.content", "y"),
            ("llm.input_messages.99999999999999999999.message.role", "z"),
            ("gen_ai.input.messages", new string('[', 100_000)),
            ("input.value", string.Concat(Enumerable.Repeat("{\"a\":", 5_000)))
        );
        var neighbour = Exports.Span(Exports.NewTrace(), "neighbour");
        using var response = await _server.Client.PostAsync(
            "/v1/traces",
            Exports.Of(bombs, neighbour)
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            "neighbour",
            (await _server.RunAsync(neighbour)).GetProperty("name").GetString()
        );
        Assert.Equal("bombs", (await _server.RunAsync(bombs)).GetProperty("name").GetString());

        var value = new AnyValue { StringValue = "bottom" };
        for (var i = 0; i < 200; i++)
        {
            value = new AnyValue { ArrayValue = new ArrayValue { Values = { value } } };
        }

        var deep = Exports.Span(Exports.NewTrace(), "deep");
        deep.Attributes.Add(new KeyValue { Key = "a", Value = value });
        using var refused = await _server.Client.PostAsync("/v1/traces", Exports.Of(deep));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task When_too_much_comes_at_once_it_is_sent_back_and_nothing_is_lost()
    {
        await using var small = await RunningServer.StartAsync(("ASSAY_OTLP_MAX_BYTES", "1500000"));
        var spans = Enumerable
            .Range(0, 24)
            .Select(_ =>
                Exports.Span(
                    Exports.NewTrace(),
                    "big",
                    null,
                    ("input.value", new string('x', 1_000_000))
                )
            )
            .ToArray();
        var refused = 0;
        await Task.WhenAll(
            spans.Select(async span =>
            {
                while (true)
                {
                    using var response = await small.Client.PostAsync(
                        "/v1/traces",
                        Exports.Of(span)
                    );
                    if (response.IsSuccessStatusCode)
                    {
                        return;
                    }

                    Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
                    Assert.True(response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
                    Interlocked.Increment(ref refused);
                    await Task.Delay(50, Cancel);
                }
            })
        );
        Assert.True(refused > 0, "the test sent too little to be refused once");
        foreach (var span in spans)
        {
            Assert.Equal("big", (await small.RunAsync(span)).GetProperty("name").GetString());
        }

        await AssertGrpcSaysWhenToComeBackAsync(small);
    }

    private static async Task AssertGrpcSaysWhenToComeBackAsync(RunningServer small)
    {
        using var channel = GrpcChannel.ForAddress(small.OtlpGrpc);
        var tooMuch = Exports.Span(
            Exports.NewTrace(),
            "too much",
            null,
            ("input.value", new string('x', 1_600_000))
        );
        var busy = await Assert.ThrowsAsync<RpcException>(() => ExportAsync(channel, tooMuch));
        Assert.Equal(StatusCode.Unavailable, busy.StatusCode);
        var status = RpcStatus.Parser.ParseFrom(
            busy.Trailers.GetValueBytes("grpc-status-details-bin")
        );
        var detail = Assert.Single(status.Details);
        Assert.Equal("type.googleapis.com/google.rpc.RetryInfo", detail.TypeUrl);
        Assert.True(detail.Unpack<RetryInfo>().RetryDelay.Seconds >= 1);

        // What was refused held no room: the next one finds some.
        var fits = Exports.Span(Exports.NewTrace(), "fits");
        await ExportAsync(channel, fits);
        Assert.Equal("fits", (await small.RunAsync(fits)).GetProperty("name").GetString());
    }

    private static async Task ExportAsync(GrpcChannel channel, Span span)
    {
        var bytes = Marshallers.Create(b => b, (byte[] b) => b);
        await channel
            .CreateCallInvoker()
            .AsyncUnaryCall(
                new Method<byte[], byte[]>(
                    MethodType.Unary,
                    "opentelemetry.proto.collector.trace.v1.TraceService",
                    "Export",
                    bytes,
                    bytes
                ),
                null,
                new CallOptions(
                    new Metadata { { "x-api-key", RunningServer.Key } },
                    cancellationToken: Cancel
                ),
                Exports.Of(span).ToByteArray()
            );
    }

    /// <summary>The index follows the journal; so large a trace takes it longer than a read waits, so it is asked again as soon as that gave up.</summary>
    private async Task<JsonElement> EventuallyAsync(Span span)
    {
        while (true)
        {
            using var response = await _server.Client.GetAsync(
                $"/api/v1/runs/{Exports.RunId(span)}",
                Cancel
            );
            if (response.IsSuccessStatusCode)
            {
                using var json = JsonDocument.Parse(
                    await response.Content.ReadAsStringAsync(Cancel)
                );
                return json.RootElement.Clone();
            }

            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    private static Gen<byte[]> Damage(byte[] valid) =>
        Gen.Select(
            Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 12],
            Gen.Int[0, valid.Length],
            (changes, length) =>
            {
                var bytes = valid.ToArray();
                foreach (var (at, value) in changes)
                {
                    bytes[at] = value;
                }

                return length % 4 == 0 ? bytes[..length] : bytes;
            }
        );
}
