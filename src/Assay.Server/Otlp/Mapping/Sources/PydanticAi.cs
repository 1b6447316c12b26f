using System.Text.Json.Nodes;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Pydantic AI and Logfire: the conventions, plus whole histories on agents, and placeholders of spans that have not ended.</summary>
internal static class PydanticAi
{
    public static readonly SpanSource Source = new(
        "pydantic-ai",
        ["pydantic-ai", "pydantic_ai*", "logfire*"],
        ["logfire.*", "pydantic_ai.*", "model_request_parameters"]
    );

    public static Content? Input(SpanView span, RunKind kind)
    {
        foreach (
            var key in (ReadOnlySpan<string>)
                ["pydantic_ai.all_messages", "all_messages_events", "tool_arguments"]
        )
        {
            if (span.Json(key) is { } value)
            {
                span.Take(key, "inputs");
                return Content.Request(History(value), kind == RunKind.Tool ? kind : RunKind.Llm);
            }
        }

        if (!IsOwn(span))
        {
            return null;
        }

        foreach (var key in (ReadOnlySpan<string>)["prompt", "input"])
        {
            if (span.Json(key) is { } value)
            {
                span.Take(key, "inputs");
                return Content.Request(value, kind);
            }
        }

        return null;
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        foreach (var key in (ReadOnlySpan<string>)["final_result", "tool_response"])
        {
            if (span.Json(key) is { } value)
            {
                span.Take(key, "outputs");
                return Content.Response(value, kind);
            }
        }

        if (IsOwn(span) && span.Json("output") is { } output)
        {
            span.Take("output", "outputs");
            return Content.Response(output, kind);
        }

        return null;
    }

    public static RunKind? Kind(SpanView span) =>
        !IsOwn(span)
            ? null
            : span.Span.Name switch
            {
                "agent run" => RunKind.Agent,
                "running tool" => RunKind.Tool,
                var name when name.StartsWith("running tool:", StringComparison.Ordinal) =>
                    RunKind.Tool,
                var name
                    when name.StartsWith("running ", StringComparison.Ordinal)
                        && name.EndsWith("tools", StringComparison.Ordinal) => RunKind.Chain,
                _ => null,
            };

    /// <summary>The real span of a placeholder: the parent that the placeholder names.</summary>
    public static PendingSpan? Pending(SpanView span)
    {
        if (span.Text("logfire.span_type") != "pending_span" || span.Span.ParentSpanId.Length != 8)
        {
            return null;
        }

        var parent = span.Text("logfire.pending_parent_id");
        return new PendingSpan(
            Convert.ToHexStringLower(span.Span.ParentSpanId.Span),
            parent is null || parent.AsSpan().Trim('0').IsEmpty ? null : parent.ToLowerInvariant()
        );
    }

    /// <summary>Version 1 writes an agent's history as events: the message is inside a choice, the rest are messages themselves.</summary>
    private static JsonNode History(JsonNode value)
    {
        if (value is not JsonArray list || !list.Any(i => i.HasMember("event.name")))
        {
            return value;
        }

        var messages = new JsonArray();
        foreach (var item in list.OfType<JsonObject>())
        {
            messages.Add((item.Get("message") ?? item).DeepClone());
        }

        return messages;
    }

    private static bool IsOwn(SpanView span) => Source.OwnsScope(span.Scope.Name);
}
