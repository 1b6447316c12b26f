using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Claude Code's traces: bare attribute names; input tokens without cached ones, as Anthropic counts.</summary>
internal static class ClaudeCode
{
    public static readonly SpanSource Source = new(
        "claude-code",
        ["com.anthropic.claude_code*", "com.anthropic.claude-code*"],
        ["new_context", "response.model_output", "claude_code.*"]
    );

    public static bool IsOwn(SpanView span) =>
        Source.OwnsScope(span.Scope.Name)
        || span.Span.Name.StartsWith("claude_code.", StringComparison.Ordinal);

    public static Content? Input(SpanView span, RunKind kind)
    {
        foreach (var key in (ReadOnlySpan<string>)["new_context", "user_prompt", "tool_input"])
        {
            if (IsOwn(span) && span.Json(key) is { } value && value.Text() is not "<REDACTED>")
            {
                span.Take(key, "inputs");
                return kind == RunKind.Llm && value.Text() is { } text
                    ? Content.Of(new Conversation([new Turn("user").Say(text)]))
                    : Content.Request(value, kind);
            }
        }

        return null;
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (!IsOwn(span))
        {
            return null;
        }

        if (span.Json("response.model_output") is { } said && said.Text() is not "<REDACTED>")
        {
            span.Take("response.model_output", "outputs");
            return Content.Response(said, kind);
        }

        var done = span.Span.Events.LastOrDefault(e => e.Name == "tool.output");
        var values = done?.Attributes.Where(a => a.Key is "output" or "content" or "tool_output");
        return Content.Of(span.Decode(values?.LastOrDefault()?.Value, "tool.output"));
    }

    public static RunKind? Kind(SpanView span) =>
        !IsOwn(span)
            ? null
            : span.Text("span.type")?.ToLowerInvariant() switch
            {
                "interaction" => RunKind.Agent,
                "llm_request" => RunKind.Llm,
                "tool" or "tool.execution" => RunKind.Tool,
                _ => null,
            };
}
