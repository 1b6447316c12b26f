using Assay.Core.Traces;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>MLflow: every value is JSON, even plain words; inputs and outputs are the call's own request and response.</summary>
internal static class Mlflow
{
    public static readonly SpanSource Source = new("mlflow", ["mlflow*"], ["mlflow.*"]);

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (span.Json("mlflow.spanInputs") is not { } value)
        {
            return null;
        }

        span.Take("mlflow.spanInputs", "inputs");
        return Content.Request(value, kind);
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (span.Json("mlflow.spanOutputs") is not { } value)
        {
            return null;
        }

        span.Take("mlflow.spanOutputs", "outputs");
        return Content.Response(value, kind);
    }

    public static RunKind? Kind(SpanView span) =>
        span.Unquoted("mlflow.spanType")?.ToUpperInvariant() switch
        {
            "CHAT_MODEL" or "LLM" => RunKind.Llm,
            "CHAIN" or "WORKFLOW" or "TASK" or "UNKNOWN" or "EVALUATOR" => RunKind.Chain,
            "AGENT" => RunKind.Agent,
            "TOOL" => RunKind.Tool,
            "RETRIEVER" or "RERANKER" or "MEMORY" => RunKind.Retriever,
            "EMBEDDING" => RunKind.Embedding,
            "PARSER" => RunKind.Parser,
            "GUARDRAIL" => RunKind.Guardrail,
            _ => null,
        };
}
