using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>Writes the JSON that a run keeps of a span: extra, events, inputs and outputs. Thread-safe.</summary>
internal static class SpanJson
{
    public static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 256,
        SkipValidation = true,
    };

    private const int MaxEvents = 512;

    private const int MaxKeptScratch = 1 << 20;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? t_writer;

    /// <summary>Content as UTF-8: a conversation in its normal form, a value that is no object under a name.</summary>
    public static ReadOnlyMemory<byte> Payload(Content content, string name)
    {
        if (content.Talk is not { } talk)
        {
            return Payload(content.Value, name);
        }

        var w = Begin();
        talk.WriteTo(w);
        return End(w);
    }

    /// <summary>A JSON value as UTF-8; values that are no object are put under a name.</summary>
    public static ReadOnlyMemory<byte> Payload(JsonNode? value, string name)
    {
        var w = Begin();
        if (value is JsonObject)
        {
            value.WriteTo(w);
        }
        else
        {
            w.WriteStartObject();
            w.WritePropertyName(name);
            WriteNode(w, value);
            w.WriteEndObject();
        }

        return End(w);
    }

    /// <summary>Writes a node or null.</summary>
    public static void WriteNode(Utf8JsonWriter w, JsonNode? node)
    {
        if (node is null)
        {
            w.WriteNullValue();
        }
        else
        {
            node.WriteTo(w);
        }
    }

    /// <summary>The extra of a run.</summary>
    public static ReadOnlyMemory<byte> Extra(
        SpanView span,
        List<KeyValuePair<string, JsonNode?>> metadata,
        JsonObject? invocation,
        string source,
        bool isHidden
    )
    {
        var w = Begin();
        w.WriteStartObject();
        w.WriteStartObject("metadata");
        foreach (var (key, value) in metadata)
        {
            w.WritePropertyName(key);
            WriteNode(w, value);
        }

        w.WriteEndObject();
        if (invocation is { Count: > 0 })
        {
            w.WritePropertyName("invocation_params");
            invocation.WriteTo(w);
        }

        w.WriteStartObject("otel");
        w.WriteString("source", source);
        if (isHidden)
        {
            w.WriteBoolean("hidden", true);
        }

        WriteRaw(w, span);
        w.WriteEndObject();
        w.WriteEndObject();
        return End(w);
    }

    /// <summary>The span's events that are not content; null when there is none.</summary>
    public static ReadOnlyMemory<byte>? Events(SpanView span, Func<Span.Types.Event, bool> isKept)
    {
        if (span.Span.Events.Count == 0)
        {
            return null;
        }

        var kept = span.Span.Events.Where(isKept).Take(MaxEvents).ToList();
        if (kept.Count == 0)
        {
            return null;
        }

        var w = Begin();
        w.WriteStartArray();
        foreach (var item in kept)
        {
            w.WriteStartObject();
            w.WriteString("name", item.Name);
            w.WriteString("time", Time(item.TimeUnixNano));
            if (item.Attributes.Count > 0)
            {
                w.WritePropertyName("kwargs");
                AnyValues.WriteMap(w, item.Attributes, 0);
            }

            w.WriteEndObject();
        }

        w.WriteEndArray();
        return End(w);
    }

    /// <summary>Nanoseconds since 1970 as ISO 8601 with microseconds.</summary>
    public static string Time(ulong nanoseconds) =>
        Instant(nanoseconds)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Nanoseconds since 1970 as a time; what lies beyond the calendar is its end.</summary>
    public static DateTimeOffset Instant(ulong nanoseconds)
    {
        var ticks = (long)Math.Min(nanoseconds / 100, long.MaxValue / 2);
        return DateTimeOffset.UnixEpoch.AddTicks(
            Math.Min(ticks, DateTimeOffset.MaxValue.Ticks - DateTimeOffset.UnixEpoch.Ticks)
        );
    }

    private static void WriteRaw(Utf8JsonWriter w, SpanView span)
    {
        w.WriteStartObject("scope");
        w.WriteString("name", span.Scope.Name);
        if (span.Scope.Version.Length > 0)
        {
            w.WriteString("version", span.Scope.Version);
        }

        if (span.Scope.Attributes.Count > 0)
        {
            w.WritePropertyName("attributes");
            AnyValues.WriteMap(w, span.Scope.Attributes, 0, Secrets.IsHarmless);
        }

        w.WriteEndObject();
        w.WritePropertyName("resource");
        AnyValues.WriteMap(w, span.Resource.Attributes, 0, Secrets.IsHarmless);
        w.WriteString("span_name", span.Span.Name);
        w.WriteString("kind", Kind(span.Span.Kind));
        w.WritePropertyName("attributes");
        AnyValues.WriteMap(
            w,
            span.Span.Attributes,
            0,
            key => !span.IsMoved(key) && Secrets.IsHarmless(key)
        );
        if (span.Moved.Count > 0)
        {
            w.WriteStartObject("moved");
            foreach (var (key, field) in span.Moved)
            {
                w.WriteString(key, field);
            }

            w.WriteEndObject();
        }

        WriteStatus(w, span.Span);
        WriteLinks(w, span.Span);
    }

    private static void WriteStatus(Utf8JsonWriter w, Span span)
    {
        if (span.Status is { Code: not 0 } status)
        {
            w.WriteString("status", status.Code == 1 ? "ok" : "error");
        }

        if (span.TraceState.Length > 0)
        {
            w.WriteString("trace_state", span.TraceState);
        }

        foreach (
            var (name, count) in (ReadOnlySpan<(string, uint)>)
                [
                    ("dropped_attributes", span.DroppedAttributesCount),
                    ("dropped_events", span.DroppedEventsCount),
                    ("dropped_links", span.DroppedLinksCount),
                ]
        )
        {
            if (count > 0)
            {
                w.WriteNumber(name, count);
            }
        }
    }

    private static void WriteLinks(Utf8JsonWriter w, Span span)
    {
        if (span.Links.Count == 0)
        {
            return;
        }

        w.WriteStartArray("links");
        foreach (var link in span.Links.Take(MaxEvents))
        {
            w.WriteStartObject();
            w.WriteString("trace_id", Convert.ToHexStringLower(link.TraceId.Span));
            w.WriteString("span_id", Convert.ToHexStringLower(link.SpanId.Span));
            if (link.Attributes.Count > 0)
            {
                w.WritePropertyName("attributes");
                AnyValues.WriteMap(w, link.Attributes, 0);
            }

            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static string Kind(int kind) =>
        kind switch
        {
            1 => "internal",
            2 => "server",
            3 => "client",
            4 => "producer",
            5 => "consumer",
            _ => "unspecified",
        };

    /// <summary>The thread's own writer, empty: what is written is copied once, at its right size.</summary>
    private static Utf8JsonWriter Begin()
    {
        t_buffer ??= new ArrayBufferWriter<byte>(4_096);
        t_buffer.ResetWrittenCount();
        t_writer ??= new Utf8JsonWriter(t_buffer, Compact);
        t_writer.Reset(t_buffer);
        return t_writer;
    }

    private static ReadOnlyMemory<byte> End(Utf8JsonWriter w)
    {
        w.Flush();
        var json = t_buffer!.WrittenSpan.ToArray();
        if (t_buffer.Capacity > MaxKeptScratch)
        {
            (t_buffer, t_writer) = (null, null);
        }

        return json;
    }
}
