using System.Text.Json;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <remarks>What a trace export holds below its resources.</remarks>
internal static partial class OtlpJson
{
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
}
