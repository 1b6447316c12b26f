using System.Collections.Frozen;
using System.Text.Json;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <summary>
/// OTLP's JSON (specification, "JSON Protobuf Encoding"), which is not protobuf's own: ids are hexadecimal, enumerations are numbers, unknown
/// fields are passed over. Taken as well because clients send it: names of fields in snake_case, whole numbers as text or as numbers, NaN and
/// infinities as text. A value of a wrong type counts as not said and costs nobody else anything; a wrong structure refuses the body.
/// </summary>
internal static partial class OtlpJson
{
    private const int MaxFieldName = 64;

    private static readonly JsonReaderOptions s_options = new()
    {
        MaxDepth = 256,
        CommentHandling = JsonCommentHandling.Disallow,
    };

    private static readonly FrozenDictionary<string, Field> s_fields = Enum.GetValues<Field>()
        .ToFrozenDictionary(f => f.ToString(), f => f, StringComparer.OrdinalIgnoreCase);

    private delegate void Take(ref Utf8JsonReader reader);

    private delegate void TakeField(ref Utf8JsonReader reader, Field field);

    private enum Field
    {
        None,
        ResourceSpans,
        ResourceLogs,
        ResourceMetrics,
        Resource,
        ScopeSpans,
        ScopeLogs,
        InstrumentationLibrarySpans,
        InstrumentationLibraryLogs,
        InstrumentationLibrary,
        Scope,
        Spans,
        LogRecords,
        Logs,
        SchemaUrl,
        Attributes,
        DroppedAttributesCount,
        Name,
        Version,
        Key,
        Value,
        Values,
        StringValue,
        BoolValue,
        IntValue,
        DoubleValue,
        ArrayValue,
        KvlistValue,
        BytesValue,
        TraceId,
        SpanId,
        TraceState,
        ParentSpanId,
        Kind,
        StartTimeUnixNano,
        EndTimeUnixNano,
        Events,
        DroppedEventsCount,
        Links,
        DroppedLinksCount,
        Status,
        Flags,
        TimeUnixNano,
        Message,
        Code,
        SeverityNumber,
        SeverityText,
        Body,
        ObservedTimeUnixNano,
        EventName,
    }

    /// <exception cref="OtlpFormatException">The body is no trace export.</exception>
    public static ExportTraceServiceRequest ReadTraces(ReadOnlyMemory<byte> utf8)
    {
        var request = new ExportTraceServiceRequest();
        ReadBody(
            utf8,
            (ref Utf8JsonReader reader, Field field) =>
            {
                if (field == Field.ResourceSpans)
                {
                    ReadItems(
                        ref reader,
                        "resourceSpans",
                        (ref r) => request.ResourceSpans.Add(ReadResourceSpans(ref r))
                    );
                }
                else
                {
                    RefuseOtherSignal(field, OtlpPaths.Traces);
                    reader.Skip();
                }
            }
        );
        return request;
    }

    /// <exception cref="OtlpFormatException">The body is no log export.</exception>
    public static ExportLogsServiceRequest ReadLogs(ReadOnlyMemory<byte> utf8)
    {
        var request = new ExportLogsServiceRequest();
        ReadBody(
            utf8,
            (ref Utf8JsonReader reader, Field field) =>
            {
                if (field == Field.ResourceLogs)
                {
                    ReadItems(
                        ref reader,
                        "resourceLogs",
                        (ref r) => request.ResourceLogs.Add(ReadResourceLogs(ref r))
                    );
                }
                else
                {
                    RefuseOtherSignal(field, OtlpPaths.Logs);
                    reader.Skip();
                }
            }
        );
        return request;
    }

    /// <summary>Metrics are not kept; their structure is all that is looked at.</summary>
    /// <exception cref="OtlpFormatException">The body is no metric export.</exception>
    public static void CheckMetrics(ReadOnlyMemory<byte> utf8) =>
        ReadBody(
            utf8,
            (ref Utf8JsonReader reader, Field field) =>
            {
                RefuseOtherSignal(field, OtlpPaths.Metrics);
                reader.Skip();
            }
        );

    private static void RefuseOtherSignal(Field field, string path)
    {
        var right = field switch
        {
            Field.ResourceSpans => OtlpPaths.Traces,
            Field.ResourceLogs => OtlpPaths.Logs,
            Field.ResourceMetrics => OtlpPaths.Metrics,
            _ => path,
        };
        if (right != path)
        {
            var name = char.ToLowerInvariant(field.ToString()[0]) + field.ToString()[1..];
            throw new OtlpFormatException(
                $"The body holds {name}, which go to {right["/otel".Length..]}, not to {path["/otel".Length..]}."
            );
        }
    }

    private static void ReadBody(ReadOnlyMemory<byte> utf8, TakeField take)
    {
        if (utf8.IsEmpty)
        {
            return;
        }

        var reader = new Utf8JsonReader(utf8.Span, s_options);
        try
        {
            reader.Read();
            ReadObject(ref reader, "body", take);
            if (reader.Read())
            {
                throw new OtlpFormatException("The body goes on after its JSON object.");
            }
        }
        catch (JsonException e)
        {
            throw new OtlpFormatException($"Invalid JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // Invalid UTF-8 or lone surrogates inside a text.
            throw new OtlpFormatException($"Invalid JSON text: {e.Message}", e);
        }
    }

    private static Resource ReadResource(ref Utf8JsonReader reader)
    {
        var item = new Resource();
        ReadObject(
            ref reader,
            "resource",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Attributes:
                        ReadAttributes(ref r, item.Attributes.Add);
                        break;
                    case Field.DroppedAttributesCount:
                        item.DroppedAttributesCount = Count(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static InstrumentationScope ReadScope(ref Utf8JsonReader reader)
    {
        var item = new InstrumentationScope();
        ReadObject(
            ref reader,
            "scope",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Name:
                        item.Name = Text(ref r);
                        break;
                    case Field.Version:
                        item.Version = Text(ref r);
                        break;
                    case Field.Attributes:
                        ReadAttributes(ref r, item.Attributes.Add);
                        break;
                    case Field.DroppedAttributesCount:
                        item.DroppedAttributesCount = Count(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }
}
