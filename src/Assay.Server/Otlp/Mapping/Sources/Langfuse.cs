using System.Text.Json.Nodes;
using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Langfuse's SDKs (JS v4 and v5, Python v3): observations with JSON or text content, trace attributes on every span.</summary>
internal static class Langfuse
{
    public static readonly SpanSource Source = new(
        "langfuse",
        ["langfuse-sdk", "langfuse*"],
        ["langfuse.observation.*", "langfuse.trace.*"]
    );

    public static Content? Input(SpanView span, RunKind kind) =>
        Take(span, "langfuse.observation.input", "inputs") is { } value
            ? Content.Request(value, kind)
            : null;

    public static Content? Output(SpanView span, RunKind kind) =>
        Take(span, "langfuse.observation.output", "outputs") is { } value
            ? Content.Response(value, kind)
            : null;

    public static RunKind? Kind(SpanView span) =>
        span.Text("langfuse.observation.type")?.ToLowerInvariant() switch
        {
            "generation" => RunKind.Llm,
            // Python up to 3.3.0 writes "span" for model calls of other instrumentations.
            "span"
                when span.Has("langfuse.observation.model.name")
                    || span.Has("langfuse.observation.usage_details") => RunKind.Llm,
            "span" when span.HasPrefix("gen_ai.") || span.HasPrefix("llm.") => null,
            "span" or "event" or "chain" or "evaluator" => RunKind.Chain,
            "agent" => RunKind.Agent,
            "tool" => RunKind.Tool,
            "retriever" => RunKind.Retriever,
            "embedding" => RunKind.Embedding,
            "guardrail" => RunKind.Guardrail,
            _ => null,
        };

    /// <summary>A tag for types that have no run type of their own.</summary>
    public static string? TypeTag(SpanView span) =>
        span.Text("langfuse.observation.type") switch
        {
            "evaluator" => "evaluator",
            "event" => "event",
            _ => null,
        };

    /// <summary>The span is the trace's root whatever its parent.</summary>
    public static bool IsRoot(SpanView span) =>
        span.Flag("langfuse.internal.as_root") == true
        || span.Flag("langfuse.internal.is_app_root") == true;

    /// <summary>Ids of media tokens inside a text.</summary>
    public static void AddMediaIds(string? text, ICollection<string> ids)
    {
        const string start = "@@@langfuseMedia:";
        for (
            var at = text?.IndexOf(start, StringComparison.Ordinal) ?? -1;
            at >= 0 && ids.Count < 64;
            at = text!.IndexOf(start, at + 1, StringComparison.Ordinal)
        )
        {
            var end = text!.IndexOf("@@@", at + start.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                return;
            }

            foreach (var field in text[(at + start.Length)..end].Split('|'))
            {
                if (field.StartsWith("id=", StringComparison.Ordinal) && !ids.Contains(field[3..]))
                {
                    ids.Add(field[3..]);
                }
            }
        }
    }

    private static JsonNode? Take(SpanView span, string key, string field)
    {
        span.Take(key, field);
        return span.Json(key);
    }
}
