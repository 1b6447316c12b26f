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

    private static ResourceSpans ReadResourceSpans(ref Utf8JsonReader reader)
    {
        var item = new ResourceSpans();
        ReadObject(
            ref reader,
            "resourceSpans",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Resource:
                        item.Resource = ReadResource(ref r);
                        break;
                    case Field.ScopeSpans or Field.InstrumentationLibrarySpans:
                        ReadItems(
                            ref r,
                            "scopeSpans",
                            (ref s) => item.ScopeSpans.Add(ReadScopeSpans(ref s))
                        );
                        break;
                    case Field.SchemaUrl:
                        item.SchemaUrl = Text(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static ScopeSpans ReadScopeSpans(ref Utf8JsonReader reader)
    {
        var item = new ScopeSpans();
        ReadObject(
            ref reader,
            "scopeSpans",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Scope or Field.InstrumentationLibrary:
                        item.Scope = ReadScope(ref r);
                        break;
                    case Field.Spans:
                        ReadItems(ref r, "spans", (ref s) => item.Spans.Add(ReadSpan(ref s)));
                        break;
                    case Field.SchemaUrl:
                        item.SchemaUrl = Text(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static Span ReadSpan(ref Utf8JsonReader reader)
    {
        var span = new Span();
        ReadObject(
            ref reader,
            "span",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.TraceId:
                        span.TraceId = Hex(ref r);
                        break;
                    case Field.SpanId:
                        span.SpanId = Hex(ref r);
                        break;
                    case Field.ParentSpanId:
                        span.ParentSpanId = Hex(ref r);
                        break;
                    case Field.TraceState:
                        span.TraceState = Text(ref r);
                        break;
                    case Field.Name:
                        span.Name = Text(ref r);
                        break;
                    case Field.Kind:
                        span.Kind = KindOf(ref r);
                        break;
                    case Field.StartTimeUnixNano:
                        span.StartTimeUnixNano = Nanoseconds(ref r);
                        break;
                    case Field.EndTimeUnixNano:
                        span.EndTimeUnixNano = Nanoseconds(ref r);
                        break;
                    case Field.Attributes:
                        ReadAttributes(ref r, span.Attributes.Add);
                        break;
                    case Field.DroppedAttributesCount:
                        span.DroppedAttributesCount = Count(ref r);
                        break;
                    case Field.Events:
                        ReadItems(ref r, "events", (ref e) => span.Events.Add(ReadEvent(ref e)));
                        break;
                    case Field.DroppedEventsCount:
                        span.DroppedEventsCount = Count(ref r);
                        break;
                    case Field.Links:
                        ReadItems(ref r, "links", (ref l) => span.Links.Add(ReadLink(ref l)));
                        break;
                    case Field.DroppedLinksCount:
                        span.DroppedLinksCount = Count(ref r);
                        break;
                    case Field.Status:
                        span.Status = ReadStatus(ref r);
                        break;
                    case Field.Flags:
                        span.Flags = Count(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return span;
    }

    private static Span.Types.Event ReadEvent(ref Utf8JsonReader reader)
    {
        var item = new Span.Types.Event();
        ReadObject(
            ref reader,
            "event",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.TimeUnixNano:
                        item.TimeUnixNano = Nanoseconds(ref r);
                        break;
                    case Field.Name:
                        item.Name = Text(ref r);
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

    private static Span.Types.Link ReadLink(ref Utf8JsonReader reader)
    {
        var item = new Span.Types.Link();
        ReadObject(
            ref reader,
            "link",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.TraceId:
                        item.TraceId = Hex(ref r);
                        break;
                    case Field.SpanId:
                        item.SpanId = Hex(ref r);
                        break;
                    case Field.TraceState:
                        item.TraceState = Text(ref r);
                        break;
                    case Field.Attributes:
                        ReadAttributes(ref r, item.Attributes.Add);
                        break;
                    case Field.DroppedAttributesCount:
                        item.DroppedAttributesCount = Count(ref r);
                        break;
                    case Field.Flags:
                        item.Flags = Count(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static Status ReadStatus(ref Utf8JsonReader reader)
    {
        var status = new Status();
        ReadObject(
            ref reader,
            "status",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Message:
                        status.Message = Text(ref r);
                        break;
                    case Field.Code when r.TokenType == JsonTokenType.String:
                        status.Code = Text(ref r) switch
                        {
                            "STATUS_CODE_OK" or "1" => 1,
                            "STATUS_CODE_ERROR" or "2" => 2,
                            _ => 0,
                        };
                        break;
                    case Field.Code:
                        status.Code = (int)Count(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return status;
    }

    private static ResourceLogs ReadResourceLogs(ref Utf8JsonReader reader)
    {
        var item = new ResourceLogs();
        ReadObject(
            ref reader,
            "resourceLogs",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Resource:
                        item.Resource = ReadResource(ref r);
                        break;
                    case Field.ScopeLogs or Field.InstrumentationLibraryLogs:
                        ReadItems(
                            ref r,
                            "scopeLogs",
                            (ref s) => item.ScopeLogs.Add(ReadScopeLogs(ref s))
                        );
                        break;
                    case Field.SchemaUrl:
                        item.SchemaUrl = Text(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static ScopeLogs ReadScopeLogs(ref Utf8JsonReader reader)
    {
        var item = new ScopeLogs();
        ReadObject(
            ref reader,
            "scopeLogs",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.Scope or Field.InstrumentationLibrary:
                        item.Scope = ReadScope(ref r);
                        break;
                    case Field.LogRecords or Field.Logs:
                        ReadItems(
                            ref r,
                            "logRecords",
                            (ref l) => item.LogRecords.Add(ReadLogRecord(ref l))
                        );
                        break;
                    case Field.SchemaUrl:
                        item.SchemaUrl = Text(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
    }

    private static LogRecord ReadLogRecord(ref Utf8JsonReader reader)
    {
        var item = new LogRecord();
        ReadObject(
            ref reader,
            "logRecord",
            (ref r, field) =>
            {
                switch (field)
                {
                    case Field.TimeUnixNano:
                        item.TimeUnixNano = Nanoseconds(ref r);
                        break;
                    case Field.ObservedTimeUnixNano:
                        item.ObservedTimeUnixNano = Nanoseconds(ref r);
                        break;
                    case Field.SeverityNumber:
                        item.SeverityNumber = (int)Count(ref r);
                        break;
                    case Field.SeverityText:
                        item.SeverityText = Text(ref r);
                        break;
                    case Field.Body:
                        item.Body = ReadAnyValue(ref r);
                        break;
                    case Field.Attributes:
                        ReadAttributes(ref r, item.Attributes.Add);
                        break;
                    case Field.DroppedAttributesCount:
                        item.DroppedAttributesCount = Count(ref r);
                        break;
                    case Field.Flags:
                        item.Flags = Count(ref r);
                        break;
                    case Field.TraceId:
                        item.TraceId = Hex(ref r);
                        break;
                    case Field.SpanId:
                        item.SpanId = Hex(ref r);
                        break;
                    case Field.EventName:
                        item.EventName = Text(ref r);
                        break;
                    default:
                        r.Skip();
                        break;
                }
            }
        );
        return item;
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
