using System.Buffers;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Assay.Server.LangSmith.V2;

/// <summary>
/// A page of items: one JSON document, or, for clients that accept <c>text/event-stream</c>, the same document as it grows. Each event is a
/// list of JSON Patch operations (RFC 6902): first the empty page, then every item, then the cursor, then the event <c>end</c>; that is how
/// the streaming calls of npm <c>langsmith</c> 0.12 read it.
/// </summary>
/// <param name="items">The items.</param>
/// <param name="write">Writes one.</param>
/// <param name="next">The cursor of the next page; null on the last.</param>
/// <param name="isPaged">False for lists that come whole and have no cursor.</param>
internal sealed class V2Page<T>(
    IReadOnlyList<T> items,
    Action<Utf8JsonWriter, T> write,
    string? next = null,
    bool isPaged = true
) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.Append(HeaderNames.Vary, HeaderNames.Accept);
        if (AcceptsEvents(httpContext.Request))
        {
            await WriteEventsAsync(httpContext);
        }
        else
        {
            await WireResult.Json(WriteDocument).ExecuteAsync(httpContext);
        }
    }

    private static bool AcceptsEvents(HttpRequest request) =>
        request
            .GetTypedHeaders()
            .Accept.Any(a =>
                a.MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase)
            );

    private void WriteDocument(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteStartArray("items");
        foreach (var item in items)
        {
            write(w, item);
        }

        w.WriteEndArray();
        if (isPaged)
        {
            if (next is not null)
            {
                w.WriteString("next_cursor", next);
            }

            w.WriteBoolean("has_more", next is not null);
        }

        w.WriteEndObject();
    }

    private async Task WriteEventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        await EventAsync(
            context,
            "",
            w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("items");
                w.WriteEndArray();
                w.WriteEndObject();
            }
        );
        foreach (var item in items)
        {
            await EventAsync(context, "/items/-", w => write(w, item));
        }

        if (isPaged)
        {
            await EventAsync(context, "/next_cursor", w => w.WriteStringValue(next));
            await EventAsync(context, "/has_more", w => w.WriteBooleanValue(next is not null));
        }

        await context.Response.WriteAsync("event: end\ndata: {}\n\n", context.RequestAborted);
    }

    /// <summary>One event with one operation. JSON is written in one line, as an event's data has to be.</summary>
    private static async Task EventAsync(
        HttpContext context,
        string path,
        Action<Utf8JsonWriter> value
    )
    {
        var body = context.Response.BodyWriter;
        body.Write("event: data\ndata: "u8);
        await using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartArray();
            writer.WriteStartObject();
            writer.WriteString("op", "add");
            writer.WriteString("path", path);
            writer.WritePropertyName("value");
            value(writer);
            writer.WriteEndObject();
            writer.WriteEndArray();
        }

        body.Write("\n\n"u8);
        await body.FlushAsync(context.RequestAborted);
    }
}
