using System.Text;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;

namespace Assay.Bench;

/// <summary>Exports as OpenTelemetry's exporters send them: protobuf, semantic conventions of 1.37 and later, messages on the span.</summary>
internal static class OtlpBodies
{
    public static WireBody Traces(IReadOnlyList<SampleRun> runs)
    {
        var scope = new ScopeSpans { Scope = new InstrumentationScope { Name = "bench" } };
        scope.Spans.Add(runs.Select(Span));
        var request = new ExportTraceServiceRequest
        {
            ResourceSpans =
            {
                new ResourceSpans
                {
                    Resource = new Resource { Attributes = { Text("service.name", "bench") } },
                    ScopeSpans = { scope },
                },
            },
        };
        return new WireBody("v1/traces", request.ToByteArray(), "application/x-protobuf", null);
    }

    private static Span Span(SampleRun run)
    {
        var span = new Span
        {
            TraceId = ByteString.CopyFrom(run.Trace.ToByteArray(bigEndian: true)),
            SpanId = SpanId(run.Id),
            ParentSpanId = run.Parent is { } parent ? SpanId(parent) : ByteString.Empty,
            Name = run.Name,
            Kind = 1,
            StartTimeUnixNano = Nanoseconds(run.Start),
            EndTimeUnixNano = Nanoseconds(run.End),
            Attributes =
            {
                Text("session.id", "thread-" + run.Trace.ToString("N")[..4]),
                Text("user.id", "user-" + run.Trace.ToString("N")[..3]),
                Text("deployment.environment.name", "production"),
            },
        };
        if (run.Type == "llm")
        {
            span.Attributes.Add([
                Text("gen_ai.operation.name", "chat"),
                Text("gen_ai.provider.name", "openai"),
                Text("gen_ai.request.model", "gpt-4o-mini"),
                Text("gen_ai.input.messages", Messages("user", run.Inputs)),
                Text("gen_ai.output.messages", Messages("assistant", run.Outputs)),
                Number("gen_ai.usage.input_tokens", 800),
                Number("gen_ai.usage.output_tokens", 120),
            ]);
        }
        else
        {
            span.Attributes.Add([
                Text("openinference.span.kind", run.Type == "tool" ? "TOOL" : "CHAIN"),
                Text("input.value", Encoding.UTF8.GetString(run.Inputs)),
                Text("output.value", Encoding.UTF8.GetString(run.Outputs)),
            ]);
        }

        if (run.Error is { } error)
        {
            span.Status = new Status { Code = 2, Message = error };
        }

        return span;
    }

    private static string Messages(string role, byte[] text) =>
        System.Text.Json.JsonSerializer.Serialize(
            new[]
            {
                new
                {
                    role,
                    parts = new[]
                    {
                        new { type = "text", content = Encoding.UTF8.GetString(text) },
                    },
                },
            }
        );

    private static ByteString SpanId(Guid id) => ByteString.CopyFrom(id.ToByteArray().AsSpan(0, 8));

    private static ulong Nanoseconds(DateTimeOffset time) =>
        (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static KeyValue Text(string key, string value) =>
        new()
        {
            Key = key,
            Value = new AnyValue { StringValue = value },
        };

    private static KeyValue Number(string key, long value) =>
        new()
        {
            Key = key,
            Value = new AnyValue { IntValue = value },
        };
}
