using System.Text.Json;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;
using Google.Protobuf;

namespace Assay.Server.Tests.Otlp.Mapping;

/// <summary>What holds for every span, tried on captures that were shaken and on spans made up from a fixed seed.</summary>
public sealed class MapperPropertyTests
{
    private const int Rounds = 3_000;

    private static readonly string[] s_keys =
    [
        .. Captured()
            .SelectMany(s => s.Span.Attributes.Select(a => a.Key))
            .Distinct(StringComparer.Ordinal),
        "gen_ai.prompt",
        "gen_ai.completion",
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.llm_response",
        "genkit:input",
        "genkit:output",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "events",
        "pydantic_ai.all_messages",
        "langsmith.attachments",
        "metadata",
        "llm.input_messages.99999999.message.role",
        "llm.input_messages.-1.message.role",
        "llm.input_messages..message",
        "gen_ai.prompt.0.content.0",
        "retrieval.documents.0.document",
    ];

    private static readonly string[] s_texts =
    [
        "",
        "null",
        "hello",
        "{",
        "[",
        "\"",
        "[[[[",
        "{\"a\":",
        "[{\"role\":\"user\",\"content\":\"hi\"},{\"ro",
        "[{\"role\":1,\"content\":{}},null,[],\"x\"]",
        "[{\"role\":\"tool\",\"content\":[{\"toolResult\":{}}]}]",
        "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\"},{\"type\":\"tool_call_response\"},{\"type\":\"blob\"},{}]}]",
        "{\"messages\":[[{\"lc\":1,\"id\":[\"x\",\"HumanMessage\"],\"kwargs\":{\"content\":\"hi\"}}]]}",
        "{\"choices\":[{\"message\":null},{\"delta\":{}},{\"text\":\"x\"}]}",
        "{\"input\":-5,\"output\":1e400,\"total\":\"33\"}",
        "\"\\ud83d\"",
        "{\"t\":\"\\uD83D \\udE00 \\\\ud83d\"}",
        "\ud83d",
        "9999999999999999999999",
        "-1",
        "NaN",
        new string('[', 5_000),
        "{\"a\":{\"a\":" + new string('[', 300) + new string(']', 300) + "}}",
    ];

    [Fact]
    public void No_span_makes_the_mapper_throw_and_all_it_says_is_JSON()
    {
        var random = new Random(4_711);
        var mapper = new SpanMapper(new UnrecognizedSpans());
        for (var round = 0; round < Rounds; round++)
        {
            var (scope, span) = MadeUp(random);
            var logs = Enumerable.Range(0, random.Next(3)).Select(_ => Log(random)).ToList();
            Check(mapper.Map(new Resource(), scope, span, logs), span);
        }
    }

    [Fact]
    public void Shaken_captures_neither_throw_nor_count_wrong()
    {
        var random = new Random(815);
        var mapper = new SpanMapper(new UnrecognizedSpans());
        foreach (var (scope, original) in Captured())
        {
            for (var round = 0; round < 20; round++)
            {
                var span = original.Clone();
                foreach (var attribute in span.Attributes)
                {
                    if (random.Next(4) == 0)
                    {
                        attribute.Value =
                            attribute.Value.HasStringValue && random.Next(2) == 0
                                ? new AnyValue
                                {
                                    StringValue = attribute.Value.StringValue[
                                        ..random.Next(attribute.Value.StringValue.Length + 1)
                                    ],
                                }
                                : Value(random, 0);
                    }
                }

                Check(mapper.Map(new Resource(), scope, span, []), span);
            }
        }
    }

    [Fact]
    public void The_order_of_attributes_means_nothing()
    {
        var random = new Random(42);
        var mapper = new SpanMapper(new UnrecognizedSpans());
        foreach (var (scope, original) in Captured())
        {
            var mapped = mapper.Map(new Resource(), scope, original, []);
            for (var round = 0; round < 3; round++)
            {
                var span = original.Clone();
                var attributes = span.Attributes.ToArray();
                random.Shuffle(attributes);
                span.Attributes.Clear();
                span.Attributes.AddRange(attributes);
                var again = mapper.Map(new Resource(), scope, span, []);
                Assert.Equal(Spans.Text(mapped.Inputs), Spans.Text(again.Inputs));
                Assert.Equal(Spans.Text(mapped.Outputs), Spans.Text(again.Outputs));
                Assert.Equal(
                    (
                        mapped.Name,
                        mapped.Kind,
                        mapped.Source,
                        mapped.Model,
                        mapped.Provider,
                        mapped.ThreadId,
                        mapped.Error
                    ),
                    (
                        again.Name,
                        again.Kind,
                        again.Source,
                        again.Model,
                        again.Provider,
                        again.ThreadId,
                        again.Error
                    )
                );
                Assert.Equal(mapped.Usage?.TotalTokens, again.Usage?.TotalTokens);
                Assert.Equal(Sorted(mapped.Extra), Sorted(again.Extra));
            }
        }
    }

    [Fact]
    public void Lists_are_made_of_what_is_there_and_not_of_what_their_keys_claim()
    {
        var span = Spans.Of("x", "chat", ("openinference.span.kind", "LLM"));
        foreach (
            var index in (string[])
                ["3", "9999", "10000", "9999999", "99999999999999999999", "-1", "1e3", "١"]
        )
        {
            span.Span.Attributes.Add(
                Spans.Pair($"llm.input_messages.{index}.message.content", "at " + index)
            );
            span.Span.Attributes.Add(
                Spans.Pair($"llm.input_messages.{index}.message.role", "user")
            );
        }

        Assert.Equal(
            """
            user: at 3
            user: at 9999
            """,
            Spans.Run(span.Map()).Asked
        );
    }

    [Fact]
    public void JSON_cut_at_any_place_is_mended_and_keeps_its_whole_elements()
    {
        const string json =
            """[{"role":"user","content":"Wie wird's? \"gut\" \\ \u00e4 😀"},{"role":"assistant","n":-1.5e3,"ok":true,"none":null,"tool_calls":[{"id":"c1"},{"id":"c2"}]}]""";
        var elements = 0;
        for (var length = 1; length < json.Length; length++)
        {
            var mended = Decoding.Decode(json[..length], out var isCut);
            Assert.True(isCut, json[..length]);
            var list = Assert.IsType<System.Text.Json.Nodes.JsonArray>(mended);
            // Never fewer elements than a shorter beginning had.
            Assert.True(list.Count >= elements, json[..length]);
            elements = list.Count;
        }

        Assert.Equal(2, elements);
    }

    private static void Check(MappedSpan mapped, Span span)
    {
        foreach (
            var payload in (ReadOnlyMemory<byte>?[])
                [
                    mapped.Inputs,
                    mapped.Outputs,
                    mapped.Trace.Inputs,
                    mapped.Trace.Outputs,
                    mapped.Extra,
                ]
        )
        {
            if (payload is { } json)
            {
                using var document = JsonDocument.Parse(
                    json,
                    new JsonDocumentOptions { MaxDepth = 256 }
                );
                Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
                ReadAll(document.RootElement);
                Assert.True(json.Length <= (span.CalculateSize() * 12) + 20_000);
            }
        }

        if (mapped.Events is { } events)
        {
            using var document = JsonDocument.Parse(events);
            ReadAll(document.RootElement);
        }

        if (mapped.Usage is { } usage)
        {
            Assert.Equal(usage.TotalTokens, usage.PromptTokens + usage.CompletionTokens);
            Assert.True(usage is { PromptTokens: >= 0, CompletionTokens: >= 0 });
            Assert.All(
                usage.PromptDetails ?? new Dictionary<string, long>(),
                p => Assert.True(p.Value > 0)
            );
        }

        Assert.True(mapped.Tags.Count <= 50);
        Assert.True(mapped.Warnings.Count <= 8);
        Assert.True(mapped.ThreadId is null or { Length: > 0 and <= 1_000 });
    }

    /// <summary>Every text can be read: no half characters.</summary>
    private static void ReadAll(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                json.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                {
                    ReadAll(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in json.EnumerateObject())
                {
                    _ = member.Name;
                    ReadAll(member.Value);
                }

                break;
        }
    }

    private static string Sorted(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return Sorted(document.RootElement);
    }

    private static string Sorted(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object
            ? "{"
                + string.Join(
                    ',',
                    json.EnumerateObject()
                        .OrderBy(m => m.Name, StringComparer.Ordinal)
                        .Select(m => m.Name + ":" + Sorted(m.Value))
                )
                + "}"
            : json.GetRawText();

    private static (InstrumentationScope Scope, Span Span) MadeUp(Random random)
    {
        string[] scopes =
        [
            "",
            "langsmith",
            "langfuse-sdk",
            "ai",
            "pydantic-ai",
            "gcp.vertex.agent",
            "strands-agents",
            "x",
            "@traceloop/instrumentation-openai",
            "genkit-tracer",
        ];
        var span = new Span
        {
            Name = s_texts[random.Next(9)],
            SpanId = ByteString.CopyFrom(1, 2, 3, 4, 5, 6, 7, 8),
            StartTimeUnixNano = random.Next(3) == 0 ? ulong.MaxValue : (ulong)random.NextInt64(),
            EndTimeUnixNano = (ulong)random.NextInt64(),
            DroppedAttributesCount = (uint)random.Next(2),
        };
        for (var i = random.Next(25); i > 0; i--)
        {
            span.Attributes.Add(
                new KeyValue { Key = s_keys[random.Next(s_keys.Length)], Value = Value(random, 0) }
            );
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            string[] names =
            [
                "exception",
                "gen_ai.user.message",
                "gen_ai.choice",
                "gen_ai.tool.message",
                "gen_ai.client.inference.operation.details",
                "gen_ai.content.prompt",
                "gen_ai.evaluation.result",
            ];
            var item = new Span.Types.Event
            {
                Name = names[random.Next(names.Length)],
                TimeUnixNano = (ulong)random.NextInt64(),
            };
            foreach (
                var key in (string[])
                    [
                        "content",
                        "role",
                        "message",
                        "gen_ai.event.content",
                        "gen_ai.input.messages",
                        "exception.message",
                        "gen_ai.evaluation.name",
                    ]
            )
            {
                if (random.Next(2) == 0)
                {
                    item.Attributes.Add(new KeyValue { Key = key, Value = Value(random, 0) });
                }
            }

            span.Events.Add(item);
        }

        return (new InstrumentationScope { Name = scopes[random.Next(scopes.Length)] }, span);
    }

    private static LogRecord Log(Random random)
    {
        string[] names =
        [
            "gen_ai.user.message",
            "gen_ai.choice",
            "gen_ai.client.operation.exception",
            "other",
        ];
        return new LogRecord
        {
            EventName = names[random.Next(names.Length)],
            Body = Value(random, 0),
        };
    }

    private static AnyValue Value(Random random, int depth)
    {
        switch (random.Next(depth > 3 ? 5 : 8))
        {
            case 0:
                return new AnyValue { IntValue = random.NextInt64(long.MinValue, long.MaxValue) };
            case 1:
                return new AnyValue
                {
                    DoubleValue = random.Next(3) switch
                    {
                        0 => double.NaN,
                        1 => double.MaxValue,
                        _ => random.NextDouble(),
                    },
                };
            case 2:
                return new AnyValue
                {
                    BytesValue = ByteString.CopyFrom([0xFF, 0xFE, (byte)random.Next(256)]),
                };
            case 3:
                return new AnyValue();
            case 5:
                var list = new AnyValue { ArrayValue = new ArrayValue() };
                for (var i = random.Next(4); i > 0; i--)
                {
                    list.ArrayValue.Values.Add(Value(random, depth + 1));
                }

                return list;
            case 6:
                var map = new AnyValue { KvlistValue = new KeyValueList() };
                foreach (var key in (string[])["role", "content", "parts", "type", "type", "id"])
                {
                    if (random.Next(2) == 0)
                    {
                        map.KvlistValue.Values.Add(
                            new KeyValue { Key = key, Value = Value(random, depth + 1) }
                        );
                    }
                }

                return map;
            default:
                return new AnyValue { StringValue = s_texts[random.Next(s_texts.Length)] };
        }
    }

    private static List<(InstrumentationScope Scope, Span Span)> Captured() =>
        [
            .. Directory
                .EnumerateFiles(
                    Path.Combine(AppContext.BaseDirectory, "fixtures", "otel"),
                    "*.traces.pb",
                    SearchOption.AllDirectories
                )
                .Order(StringComparer.Ordinal)
                .SelectMany(f =>
                    ExportTraceServiceRequest.Parser.ParseFrom(File.ReadAllBytes(f)).ResourceSpans
                )
                .SelectMany(r => r.ScopeSpans)
                .SelectMany(s => s.Spans.Select(span => (s.Scope, span))),
        ];
}
