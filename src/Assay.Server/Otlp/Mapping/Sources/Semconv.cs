using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// OpenTelemetry's GenAI conventions since 1.37: messages as attributes, or as attributes of the event
/// <c>gen_ai.client.inference.operation.details</c> on the span or in the logs. Everybody who follows them is read here (MEAI, Microsoft's
/// agents, AI SDK 7, Traceloop, OpenLIT, Pydantic AI 2+, Strands by opt-in).
/// </summary>
internal static class Semconv
{
    public const string Details = "gen_ai.client.inference.operation.details";

    /// <summary>Instrumentations of the OpenTelemetry project itself.</summary>
    public static readonly SpanSource Contrib = new(
        "opentelemetry-contrib",
        [
            "@opentelemetry/instrumentation-openai",
            "opentelemetry.instrumentation.openai_v2*",
            "opentelemetry.instrumentation.openai_agents_v2*",
            "opentelemetry.instrumentation.vertexai*",
            "opentelemetry.instrumentation.google_genai*",
            "opentelemetry.instrumentation.botocore*",
        ],
        []
    );

    public static readonly SpanSource Source = new("semconv", [], ["gen_ai.*", "mcp.method.name"]);

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (!span.HasPrefix("gen_ai."))
        {
            return null;
        }

        span.Take("gen_ai.input.messages", "inputs");
        span.Take("gen_ai.system_instructions", "inputs");
        return Input(span.Json, kind);
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (!span.Has("gen_ai.output.messages"))
        {
            return null;
        }

        span.Take("gen_ai.output.messages", "outputs");
        return Output(span.Json, kind);
    }

    public static Content? InputOfDetails(SpanView span, RunKind kind) =>
        MayHaveDetails(span) ? FromDetails(span, read => Input(read, kind)) : null;

    public static Content? OutputOfDetails(SpanView span, RunKind kind) =>
        MayHaveDetails(span) ? FromDetails(span, read => Output(read, kind)) : null;

    public static Content? ToolInput(SpanView span, RunKind kind) =>
        Taken(span, "inputs", "gen_ai.tool.call.arguments", "gen_ai.tool.args");

    public static Content? ToolOutput(SpanView span, RunKind kind) =>
        Taken(span, "outputs", "gen_ai.tool.call.result");

    public static Content? RetrievalInput(SpanView span, RunKind kind) =>
        Taken(span, "inputs", "gen_ai.retrieval.query.text", "gen_ai.memory.query.text");

    public static Content? RetrievalOutput(SpanView span, RunKind kind)
    {
        var found = Taken(span, "outputs", "gen_ai.retrieval.documents", "gen_ai.memory.records");
        return found is null ? null : Content.Of(Documents.Normalize(found.Value)) ?? found;
    }

    public static Content? McpInput(SpanView span, RunKind kind) =>
        Taken(span, "inputs", "mcp.request.argument", "mcp.request.arguments");

    public static Content? McpOutput(SpanView span, RunKind kind) =>
        Taken(span, "outputs", "mcp.response.value");

    public static RunKind? Kind(SpanView span) =>
        span.Text("gen_ai.operation.name")?.ToLowerInvariant() switch
        {
            "chat"
            or "completion"
            or "text_completion"
            or "generate_content"
            or "generate"
            or "response"
            or "llm_request" => RunKind.Llm,
            "embeddings" or "embedding" => RunKind.Embedding,
            "execute_tool" when SemanticKernel.IsPrompt(span) => RunKind.Chain,
            "execute_tool" => RunKind.Tool,
            "invoke_agent" or "create_agent" => RunKind.Agent,
            "invoke_workflow" or "agent_step" or "plan" or "execute_task" or "chain" =>
                RunKind.Chain,
            "retrieval" or "vector_db_retrieve" or "search_memory" => RunKind.Retriever,
            { } memory when memory.EndsWith("_memory", StringComparison.Ordinal) => RunKind.Tool,
            _ => null,
        };

    public static RunKind? McpKind(SpanView span) =>
        span.Text("mcp.method.name") switch
        {
            "tools/call" => RunKind.Tool,
            "prompts/get" => RunKind.Prompt,
            null => null,
            _ => RunKind.Chain,
        };

    /// <summary>A tool's attributes without an operation; with one they only tell about the model call.</summary>
    public static RunKind? ToolKind(SpanView span) =>
        !span.Has("gen_ai.operation.name")
        && (span.Has("gen_ai.tool.name") || span.Has("gen_ai.tool.call.id"))
            ? RunKind.Tool
            : null;

    private static Content? Input(Func<string, JsonNode?> read, RunKind kind)
    {
        var system = PayloadReader.Instruction(read("gen_ai.system_instructions"));
        var messages = read("gen_ai.input.messages");
        if (TurnReader.ReadList(messages, "user") is { } turns)
        {
            return Content.Of(new Conversation(turns).WithSystem(system).Settled());
        }

        if (messages.Text() is { Length: > 0 } text)
        {
            return kind is RunKind.Llm or RunKind.Agent
                ? Content.Of(new Conversation([new Turn("user").Say(text)]).WithSystem(system))
                : Content.Of(messages);
        }

        if (messages is JsonObject one && TurnReader.IsMessage(one, "user"))
        {
            return Content.Of(
                new Conversation(TurnReader.Read(one, "user")).WithSystem(system).Settled()
            );
        }

        return messages is JsonArray { Count: > 0 } or JsonObject ? Content.Of(messages)
            : system is null ? null
            : Content.Of(new Conversation([system]));
    }

    private static Content? Output(Func<string, JsonNode?> read, RunKind kind)
    {
        var messages = read("gen_ai.output.messages");
        if (TurnReader.ReadList(messages, "assistant") is { } turns)
        {
            // An agent's list is a course of events, and only its end has a reason; a model's list are its choices.
            foreach (var turn in kind == RunKind.Agent ? turns.SkipLast(1) : [])
            {
                turn.FinishReason = null;
            }

            return Content.Of(new Conversation(turns).Settled());
        }

        if (messages is JsonObject one && TurnReader.IsMessage(one, "assistant"))
        {
            return Content.Of(new Conversation(TurnReader.Read(one, "assistant")).Settled());
        }

        if (messages.Text() is { Length: > 0 } text && kind is RunKind.Llm or RunKind.Agent)
        {
            return Content.Of(new Conversation([new Turn("assistant").Say(messages.Text())]));
        }

        return messages is JsonArray { Count: 0 } ? null : Content.Of(messages);
    }

    private static bool MayHaveDetails(SpanView span) =>
        span.Span.Events.Count > 0 || span.Logs.Count > 0;

    private static Content? FromDetails(SpanView span, Func<Func<string, JsonNode?>, Content?> read)
    {
        foreach (var item in span.Span.Events)
        {
            if (item.Name == Details && read(Reader(span, item.Attributes, null)) is { } found)
            {
                span.TakeEvents();
                return found;
            }
        }

        foreach (var log in span.Logs)
        {
            if (
                Failures.EventName(log) == Details
                && read(Reader(span, log.Attributes, log.Body)) is { } found
            )
            {
                return found;
            }
        }

        return null;
    }

    private static Func<string, JsonNode?> Reader(
        SpanView span,
        Google.Protobuf.Collections.RepeatedField<KeyValue> attributes,
        AnyValue? body
    ) =>
        key =>
            span.Decode(attributes.LastOrDefault(a => a.Key == key)?.Value, key)
            ?? span.Decode(body?.KvlistValue?.Values.LastOrDefault(a => a.Key == key)?.Value, key);

    private static Content? Taken(SpanView span, string field, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Content.Of(span.Json(key)) is { } found)
            {
                span.Take(key, field);
                return found;
            }
        }

        return null;
    }
}
