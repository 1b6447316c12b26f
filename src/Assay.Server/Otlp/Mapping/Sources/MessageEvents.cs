using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// Messages as the conventions 1.28 to 1.36 carried them, an event each, on four carriers: log records with a body, span events with
/// <c>gen_ai.event.content</c> (Semantic Kernel, Azure), span events with plain attributes (Strands), one attribute <c>events</c> (Pydantic AI 1).
/// And the two events of 1.26 and before. A history's assistant and tool messages are input; every choice is output.
/// </summary>
internal static class MessageEvents
{
    private const string Choice = "gen_ai.choice";

    /// <summary>It goes first among records of the same millisecond, which arrive in any order.</summary>
    private const string SystemMessage = "gen_ai.system.message";

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (!MayHave(span))
        {
            return null;
        }

        var items = Collect(span);
        if (kind == RunKind.Tool)
        {
            var told = items.LastOrDefault(i => i.Name == "gen_ai.tool.message").Body;
            return Content.Of(told.Get("content") ?? told);
        }

        var turns = new List<Turn>();
        foreach (var (name, body) in items)
        {
            if (name != Choice)
            {
                var role = name["gen_ai.".Length..^".message".Length];
                turns.AddRange(TurnReader.Read(body, role));
            }
        }

        turns.RemoveAll(t => t.IsEmpty);
        return turns.Count == 0
            ? null
            : Content.Of(
                new Conversation(turns)
                    .WithSystem(PayloadReader.Instruction(span.Json("system_prompt")))
                    .Settled()
            );
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (!MayHave(span))
        {
            return null;
        }

        var choices = Collect(span).Where(i => i.Name == Choice).Select(i => i.Body).ToList();
        if (kind == RunKind.Tool)
        {
            var said = choices.LastOrDefault();
            return said is null
                ? null
                : Content.Of(Unwrapped(said.Get("message", "content") ?? said));
        }

        var turns = new List<Turn>();
        foreach (var choice in choices)
        {
            turns.AddRange(Said(choice));
        }

        return Content.Of(new Conversation(turns));
    }

    /// <summary>The events of 1.26 and before: the whole prompt and the whole completion as JSON.</summary>
    public static Content? OldInput(SpanView span, RunKind kind) =>
        Old(span, "gen_ai.content.prompt", "gen_ai.prompt") is { } value
            ? Content.Request(value, kind)
            : null;

    /// <summary>As <see cref="OldInput"/>.</summary>
    public static Content? OldOutput(SpanView span, RunKind kind) =>
        Old(span, "gen_ai.content.completion", "gen_ai.completion") is { } value
            ? Content.Response(value, kind)
            : null;

    /// <summary>Events that carry content, so that they need not be kept once more.</summary>
    public static bool IsContent(string name) =>
        IsMessage(name)
        || name is "gen_ai.content.prompt" or "gen_ai.content.completion" or Semconv.Details;

    private static bool MayHave(SpanView span) =>
        span.Span.Events.Count > 0 || span.Logs.Count > 0 || span.Has("events");

    private static bool IsMessage(string name) =>
        name
            is "gen_ai.system.message"
                or "gen_ai.user.message"
                or "gen_ai.assistant.message"
                or "gen_ai.tool.message"
                or Choice;

    private static List<Turn> Said(JsonObject choice)
    {
        var turns = choice.Get("message") switch
        {
            JsonObject message => TurnReader.Read(message, "assistant"),
            JsonNode parts => TurnReader.Read(
                new JsonObject { ["role"] = "assistant", ["content"] = parts.DeepClone() }
            ),
            null => TurnReader.Read(choice, "assistant"),
        };
        if (turns.Count > 0)
        {
            turns[^1].FinishReason ??= FinishReasons.Normalize(choice.Text("finish_reason"));
        }

        return turns;
    }

    /// <summary>Bedrock wraps a tool's answer into a list of blocks.</summary>
    private static JsonNode? Unwrapped(JsonNode? value) =>
        value is JsonArray { Count: > 0 } blocks
        && blocks.All(b => b.Get("text", "json") is not null)
            ? blocks.Count == 1
                ? blocks[0].Get("text", "json")
                : JsonValue.Create(PartReader.Result(blocks))
            : value;

    private static List<(string Name, JsonObject Body)> Collect(SpanView span)
    {
        var items = new List<(ulong Time, string Name, JsonObject Body)>();
        foreach (var item in span.Span.Events)
        {
            if (IsMessage(item.Name))
            {
                items.Add((item.TimeUnixNano, item.Name, OfEvent(span, item)));
                span.TakeEvents();
            }
        }

        foreach (var log in span.Logs)
        {
            if (Failures.EventName(log) is var name && IsMessage(name))
            {
                var time = log.TimeUnixNano == 0 ? log.ObservedTimeUnixNano : log.TimeUnixNano;
                items.Add((time, name, OfLog(span, log)));
            }
        }

        // One attribute: the list's order is the order.
        foreach (var item in span.Json("events").Items().OfType<JsonObject>())
        {
            if (item.Text("event.name") is { } name && IsMessage(name))
            {
                span.Take("events", "inputs, outputs");
                items.Add((0, name, item));
            }
        }

        return
        [
            .. items
                .OrderBy(i => i.Time)
                .ThenBy(i => i.Name == SystemMessage ? 0 : 1)
                .Select(i => (i.Name, i.Body)),
        ];
    }

    private static JsonObject OfEvent(SpanView span, Span.Types.Event item)
    {
        var whole = item.Attributes.LastOrDefault(a => a.Key == "gen_ai.event.content")?.Value;
        if (whole is not null && span.Decode(whole, item.Name) is { } content)
        {
            return content as JsonObject ?? new JsonObject { ["content"] = content };
        }

        return OfAttributes(span, item.Name, item.Attributes);
    }

    private static JsonObject OfLog(SpanView span, LogRecord log)
    {
        var name = Failures.EventName(log);
        return
            log.Body is { ValueCase: not AnyValue.ValueOneofCase.None } body
            && span.Decode(body, name) is { } content
            ? content as JsonObject ?? new JsonObject { ["content"] = content }
            : OfAttributes(span, name, log.Attributes);
    }

    private static JsonObject OfAttributes(
        SpanView span,
        string name,
        Google.Protobuf.Collections.RepeatedField<KeyValue> attributes
    )
    {
        var body = new JsonObject();
        foreach (var pair in attributes)
        {
            body[pair.Key] = span.Decode(pair.Value, name);
        }

        return body;
    }

    private static JsonNode? Old(SpanView span, string name, string key)
    {
        if (span.Span.Events.Count == 0 && span.Logs.Count == 0)
        {
            return null;
        }

        var item = span.Span.Events.LastOrDefault(e => e.Name == name);
        var value =
            item?.Attributes.LastOrDefault(a => a.Key == key)?.Value
            ?? span.Logs.LastOrDefault(l => Failures.EventName(l) == name)
                ?.Attributes.LastOrDefault(a => a.Key == key)
                ?.Value;
        if (item is not null)
        {
            span.TakeEvents();
        }

        return span.Decode(value, key);
    }
}
