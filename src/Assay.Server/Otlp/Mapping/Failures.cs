using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// Whether a span failed, and the text to show. A failure hides in the status, a level, an attribute, an event or a log record. An exception event
/// alone is only an event (a handled exception), except where the producer sets the status before it knows (LangSmith).
/// </summary>
internal static class Failures
{
    private const string ExceptionLog = "gen_ai.client.operation.exception";

    public static (string? Error, bool Failed) Read(SpanView span)
    {
        var exception = span.Span.Events.LastOrDefault(e => e.Name == "exception");
        var logged = span.Logs.LastOrDefault(l => EventName(l) == ExceptionLog);
        var level = span.Text("langfuse.observation.level");
        var failed =
            span.Span.Status is { Code: 2 }
            || string.Equals(level, "ERROR", StringComparison.OrdinalIgnoreCase)
            || (exception is not null && span.Scope.Name == "langsmith")
            || span.Unquoted("genkit:state") == "error"
            || span.Text("gen_ai.tool.status") == "error"
            || span.Has("error.type")
            || logged is not null;
        if (!failed)
        {
            return (null, false);
        }

        return (
            Exception(exception?.Attributes)
                ?? Exception(logged?.Attributes)
                ?? Said(span.Span.Status?.Message)
                ?? span.Text("langfuse.observation.status_message")
                ?? span.Text(["exception.message", "genkit:error", "error.message", "error.type"]),
            true
        );
    }

    /// <summary>A record's event name: its own field, or the attribute that older SDKs write.</summary>
    public static string EventName(LogRecord log) =>
        log.EventName is { Length: > 0 } name
            ? name
            : AnyValues.Text(log.Attributes.LastOrDefault(a => a.Key == "event.name")?.Value) ?? "";

    private static string? Exception(
        Google.Protobuf.Collections.RepeatedField<KeyValue>? attributes
    )
    {
        if (attributes is null)
        {
            return null;
        }

        var message = Value("exception.message");
        var type = Value("exception.type");
        var stack = Value("exception.stacktrace");
        var head =
            type is null || message?.StartsWith(type, StringComparison.Ordinal) == true ? message
            : message is null ? type
            : $"{type}: {message}";
        // The stack says the message once more, under a longer name of the type as a rule.
        var said =
            stack is null || message is null
                ? -1
                : stack.IndexOf(message, StringComparison.Ordinal);
        return head is null ? stack
            : stack is null ? head
            : said is >= 0 and < 200 ? head + stack[(said + message!.Length)..]
            : $"{head}\n\n{stack}";

        string? Value(string key) =>
            Said(AnyValues.Text(attributes.LastOrDefault(a => a.Key == key)?.Value));
    }

    private static string? Said(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
