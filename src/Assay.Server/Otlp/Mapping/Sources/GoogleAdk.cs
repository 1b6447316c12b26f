using System.Text.Json.Nodes;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// Google's Agent Development Kit: whole requests and responses of Gemini as JSON, camelCase from JS and snake_case from Python. <c>{}</c> and
/// <c>N/A</c> mean that there is nothing. Its output tokens leave thoughts out.
/// </summary>
internal static class GoogleAdk
{
    public static readonly SpanSource Source = new(
        "google-adk",
        ["gcp.vertex.agent", "google.adk*"],
        ["gcp.vertex.agent.*"]
    );

    private const string Prefix = "gcp.vertex.agent.";

    public static Content? Input(SpanView span, RunKind kind) =>
        Taken(span, "inputs", "llm_request") is { } request ? Content.Request(request, kind)
        : Taken(span, "inputs", "tool_call_args", "data") is { } other ? Content.Of(other)
        : null;

    public static Content? Output(SpanView span, RunKind kind) =>
        Taken(span, "outputs", "llm_response") is { } response ? Content.Response(response, kind)
        : Taken(span, "outputs", "tool_response") is { } other ? Content.Of(other)
        : null;

    public static RunKind? Kind(SpanView span) =>
        !IsOwn(span)
            ? null
            : span.Span.Name switch
            {
                "call_llm" => RunKind.Llm,
                "invocation" => RunKind.Chain,
                var name when name.StartsWith("agent_run", StringComparison.Ordinal) =>
                    RunKind.Agent,
                var name when name.StartsWith("invoke_agent", StringComparison.Ordinal) =>
                    RunKind.Agent,
                var name when name.StartsWith("execute_tool", StringComparison.Ordinal) =>
                    RunKind.Tool,
                _ => null,
            };

    /// <summary>A span that says once more what its siblings said.</summary>
    public static bool IsRepetition(SpanView span) =>
        IsOwn(span) && span.Span.Name.Contains("(merged tools)", StringComparison.Ordinal);

    /// <summary>Usage of the response: <c>usageMetadata</c> or <c>usage_metadata</c>; null when the span has none.</summary>
    public static JsonNode? Usage(SpanView span) =>
        span.Json("gcp.vertex.agent.llm_response").Get("usageMetadata", "usage_metadata");

    private static bool IsOwn(SpanView span) =>
        Source.OwnsScope(span.Scope.Name) || span.HasPrefix(Prefix);

    private static JsonNode? Taken(SpanView span, string field, params ReadOnlySpan<string> names)
    {
        if (!span.HasPrefix(Prefix))
        {
            return null;
        }

        foreach (var name in names)
        {
            var value = span.Json(Prefix + name);
            if (value is null or JsonObject { Count: 0 } || value.Text() is "" or "{}" or "N/A")
            {
                continue;
            }

            span.Take(Prefix + name, field);
            return value;
        }

        return null;
    }
}
