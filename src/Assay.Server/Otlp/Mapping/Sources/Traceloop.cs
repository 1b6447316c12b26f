using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// Traceloop and OpenLLMetry. Since 2025 messages follow the conventions (<see cref="Semconv"/>); before, they were flattened under
/// <c>gen_ai.prompt.N</c>. Workflows, tasks and tools carry <c>traceloop.entity.*</c>.
/// </summary>
internal static class Traceloop
{
    public static readonly SpanSource Source = new(
        "traceloop",
        [
            "@traceloop/*",
            "traceloop*",
            "opentelemetry.instrumentation.openai*",
            "opentelemetry.instrumentation.anthropic*",
            "opentelemetry.instrumentation.bedrock*",
            "opentelemetry.instrumentation.cohere*",
            "opentelemetry.instrumentation.google_generativeai*",
            "opentelemetry.instrumentation.groq*",
            "opentelemetry.instrumentation.langchain*",
            "opentelemetry.instrumentation.llamaindex*",
            "opentelemetry.instrumentation.crewai*",
            "opentelemetry.instrumentation.haystack*",
            "opentelemetry.instrumentation.mistralai*",
            "opentelemetry.instrumentation.ollama*",
            "opentelemetry.instrumentation.mcp*",
            "opentelemetry.instrumentation.chromadb*",
            "opentelemetry.instrumentation.pinecone*",
            "opentelemetry.instrumentation.qdrant*",
        ],
        ["traceloop.*", "gen_ai.prompt.0.*", "llm.request.type"]
    );

    public static Content? FlatIn(SpanView span, RunKind kind) =>
        Flat(span, "gen_ai.prompt.", "user", "inputs");

    public static Content? FlatOut(SpanView span, RunKind kind) =>
        Flat(span, "gen_ai.completion.", "assistant", "outputs");

    public static Content? EntityIn(SpanView span, RunKind kind)
    {
        if (span.Json("traceloop.entity.input") is not { } value)
        {
            return null;
        }

        span.Take("traceloop.entity.input", "inputs");
        return Content.Request(Unwrapped(value), kind);
    }

    public static Content? EntityOut(SpanView span, RunKind kind)
    {
        if (span.Json("traceloop.entity.output") is not { } value)
        {
            return null;
        }

        span.Take("traceloop.entity.output", "outputs");
        return Content.Response(value, kind);
    }

    public static RunKind? Kind(SpanView span) =>
        span.Text("traceloop.span.kind")?.ToLowerInvariant() switch
        {
            "workflow" or "task" or "handoff" => RunKind.Chain,
            "agent" => RunKind.Agent,
            "tool" => RunKind.Tool,
            _ => span.Text(["llm.request.type", "traceloop.llm.request.type"])
                ?.ToLowerInvariant() switch
            {
                "chat" or "completion" => RunKind.Llm,
                "embedding" => RunKind.Embedding,
                "rerank" => RunKind.Retriever,
                _ => null,
            },
        };

    /// <summary>
    /// JS writes its own count of the texts as usage of streamed calls, and nothing tells them from real ones except the number: a real prompt costs
    /// more than its texts.
    /// </summary>
    public static bool GuessesTokens(SpanView span, Conversation? talk, long prompt)
    {
        if (
            talk is null
            || prompt == 0
            || !span.Scope.Name.StartsWith("@traceloop/", StringComparison.Ordinal)
        )
        {
            return false;
        }

        var texts = talk.Turns.Select(t => t.PlainText).ToList();
        return texts.Sum(t => t.Length) <= Assay.Core.Models.TokenEstimator.MaxTokenizedCharacters
            && texts.Sum(Assay.Core.Models.TokenEstimator.Count) == prompt;
    }

    /// <summary>JS hands on Anthropic's own counts, which leave cached tokens out of the prompt; Python adds them up.</summary>
    public static bool LeavesCacheOut(SpanView span) =>
        span.Scope.Name == "@traceloop/instrumentation-anthropic";

    private static Content? Flat(SpanView span, string prefix, string role, string field)
    {
        if (IndexedKeys.Read(span, prefix, "tool_calls") is not { } list)
        {
            return null;
        }

        span.Take(prefix + "*", field);
        var turns = new List<Turn>();
        foreach (var item in list.OfType<JsonObject>())
        {
            // Null content is the text "null", several parts are JSON in a text.
            item["content"] = item.Text("content") switch
            {
                null or "null" => null,
                ['[', ..] text
                    when Decoding.Decode(text, out _) is JsonArray parts
                        && parts.All(p => p.Text("type") is not null) => parts,
                { } text => text,
            };
            turns.AddRange(TurnReader.Read(item, role));
        }

        return Content.Of(new Conversation(turns).Settled());
    }

    /// <summary>A call's arguments as a person would write them: the keywords, or the only argument.</summary>
    private static JsonNode Unwrapped(JsonNode value)
    {
        if (value is not JsonObject { Count: 2 } call || call.Get("args") is not JsonArray args)
        {
            return value;
        }

        return call.Get("kwargs") switch
        {
            JsonObject { Count: > 0 } keywords when args.Count == 0 => keywords,
            JsonObject { Count: 0 } when args.Count == 1 && args[0] is { } only => only,
            _ => value,
        };
    }
}
