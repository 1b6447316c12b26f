using System.Text.Json;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <remarks>What a log export holds below its resources.</remarks>
internal static partial class OtlpJson
{
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
}
