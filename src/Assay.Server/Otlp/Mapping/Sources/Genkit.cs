using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>Genkit: no GenAI attributes, everything inside <c>genkit:input</c> and <c>genkit:output</c>.</summary>
internal static class Genkit
{
    public static readonly SpanSource Source = new("genkit", ["genkit*"], ["genkit:*"]);

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (span.Json("genkit:input") is not { } value)
        {
            return null;
        }

        span.Take("genkit:input", "inputs");
        return Content.Request(value, kind);
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (span.Json("genkit:output") is not { } value)
        {
            return null;
        }

        span.Take("genkit:output", "outputs");
        return Content.Response(value, kind);
    }

    public static RunKind? Kind(SpanView span) =>
        span.Unquoted("genkit:metadata:subtype") switch
        {
            "model" or "background-model" => RunKind.Llm,
            "tool" or "tool.v2" => RunKind.Tool,
            "retriever" or "reranker" => RunKind.Retriever,
            "embedder" => RunKind.Embedding,
            "prompt" or "executable-prompt" => RunKind.Prompt,
            "flow" or "evaluator" => RunKind.Chain,
            _ => span.Has("genkit:type") ? RunKind.Chain : null,
        };

    /// <summary>The model's name: that of the span, where the span is a model's.</summary>
    public static string? Model(SpanView span) =>
        Kind(span) is RunKind.Llm or RunKind.Embedding ? span.Unquoted("genkit:name") : null;
}
