using System.Text;
using System.Text.Json;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>Spans as an emitter writes them, for emitters of which there is no capture, mapped without a server.</summary>
internal sealed class Spans
{
    public const ulong Start = 1_795_473_860_000_000_000;

    private readonly Resource _resource = new();
    private readonly List<LogRecord> _logs = [];

    private Spans(string scope, string name)
    {
        Scope = new InstrumentationScope { Name = scope };
        Span = new Span
        {
            Name = name,
            Kind = 1,
            StartTimeUnixNano = Start,
            EndTimeUnixNano = Start + 1_000_000_000,
            SpanId = Google.Protobuf.ByteString.CopyFrom(1, 2, 3, 4, 5, 6, 7, 8),
        };
    }

    public InstrumentationScope Scope { get; }

    public Span Span { get; }

    public static UnrecognizedSpans Unrecognized { get; } = new();

    public static Spans Of(
        string scope,
        string name,
        params (string Key, object Value)[] attributes
    )
    {
        var span = new Spans(scope, name);
        span.Span.Attributes.AddRange(attributes.Select(a => Pair(a.Key, a.Value)));
        return span;
    }

    public Spans Event(string name, params (string Key, object Value)[] attributes)
    {
        var item = new Span.Types.Event
        {
            Name = name,
            TimeUnixNano = Start + ((ulong)Span.Events.Count * 1_000_000),
        };
        item.Attributes.AddRange(attributes.Select(a => Pair(a.Key, a.Value)));
        Span.Events.Add(item);
        return this;
    }

    /// <summary>A record as instrumentations of 2024 wrote it: the name in an attribute, JSON in the body.</summary>
    public Spans Log(string name, string body)
    {
        _logs.Add(
            new LogRecord
            {
                TimeUnixNano = Start + (ulong)_logs.Count,
                Body = new AnyValue { StringValue = body },
                Attributes = { Pair("event.name", name) },
            }
        );
        return this;
    }

    public Spans Resource(string key, object value)
    {
        _resource.Attributes.Add(Pair(key, value));
        return this;
    }

    public Spans Status(int code, string message = "")
    {
        Span.Status = new Status { Code = code, Message = message };
        return this;
    }

    public MappedSpan Map() => new SpanMapper(Unrecognized).Map(_resource, Scope, Span, _logs);

    /// <summary>The whole run in the form that golden tests check, as far as the mapper decides it.</summary>
    public static GoldenRun Run(MappedSpan mapped)
    {
        using var json = JsonDocument.Parse(
            $$"""
            {"name": {{JsonSerializer.Serialize(mapped.Name)}}, "inputs": {{Text(mapped.Inputs)
                ?? "{}"}},
             "outputs": {{Text(mapped.Outputs) ?? "null"}}, "extra": {{Text(mapped.Extra)}}}
            """
        );
        return new GoldenRun(json.RootElement.Clone());
    }

    public static string? Text(ReadOnlyMemory<byte>? json) =>
        json is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;

    public static KeyValue Pair(string key, object value) =>
        new() { Key = key, Value = Value(value) };

    private static AnyValue Value(object value) =>
        value switch
        {
            string text => new AnyValue { StringValue = text },
            bool flag => new AnyValue { BoolValue = flag },
            int number => new AnyValue { IntValue = number },
            long number => new AnyValue { IntValue = number },
            double number => new AnyValue { DoubleValue = number },
            string[] list => new AnyValue
            {
                ArrayValue = new ArrayValue { Values = { list.Select(i => Value(i)) } },
            },
            _ => throw new ArgumentException($"No attribute of {value.GetType()}.", nameof(value)),
        };
}
