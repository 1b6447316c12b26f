using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// OpenInference (Arize, Phoenix; also OpenAI Agents, LlamaIndex, CrewAI, smolagents through it): everything flattened into indexed keys.
/// <c>input.value</c> repeats the messages of a model call, so it is read only where there are none.
/// </summary>
internal static class OpenInference
{
    public static readonly SpanSource Source = new(
        "openinference",
        ["@arizeai/openinference-*", "openinference.*"],
        ["openinference.span.kind", "llm.input_messages*", "llm.output_messages*"]
    );

    private static readonly string[] s_lists = ["contents", "tool_calls"];

    public static Content? MessagesIn(SpanView span, RunKind kind)
    {
        if (kind != RunKind.Llm)
        {
            return null;
        }

        if (Messages(span, "llm.input_messages", "inputs") is { Count: > 0 } turns)
        {
            span.Take("input.value", "inputs");
            // Anthropic's system text is no message; the instrumentation leaves it among the parameters.
            var system = PayloadReader.Instruction(
                span.Json("llm.invocation_parameters").Get("system")
            );
            return Content.Of(new Conversation(turns).WithSystem(system).Settled());
        }

        var prompts = IndexedKeys.Read(span, "llm.prompts.");
        if (prompts is null)
        {
            return null;
        }

        span.Take("llm.prompts.*", "inputs");
        span.Take("input.value", "inputs");
        return Content.Of(
            new Conversation([
                .. prompts.Select(p => new Turn("user").Say(p.Get("prompt").Text("text"))),
            ])
        );
    }

    public static Content? MessagesOut(SpanView span, RunKind kind)
    {
        if (kind != RunKind.Llm)
        {
            return null;
        }

        if (Messages(span, "llm.output_messages", "outputs") is { Count: > 0 } turns)
        {
            turns[^1].FinishReason ??= FinishReasons.Normalize(span.Text("llm.finish_reason"));
            span.Take("output.value", "outputs");
            return Content.Of(new Conversation(turns).Settled()) is { } said
                ? said with
                {
                    Raw = span.Json("output.value"),
                }
                : null;
        }

        var choices = IndexedKeys.Read(span, "llm.choices.");
        if (choices is null)
        {
            return null;
        }

        span.Take("llm.choices.*", "outputs");
        span.Take("output.value", "outputs");
        return Content.Of(
            new Conversation([
                .. choices.Select(c => new Turn("assistant").Say(c.Get("completion").Text("text"))),
            ])
        );
    }

    public static Content? ValueIn(SpanView span, RunKind kind)
    {
        if (
            kind == RunKind.Retriever
            && Reranked(span, "reranker.input_documents.") is { } documents
        )
        {
            span.Take("reranker.input_documents.*", "inputs");
            span.Take("reranker.query", "inputs");
            var asked = new JsonObject { ["query"] = span.Text("reranker.query") };
            asked["documents"] = documents["documents"]?.DeepClone();
            return Content.Of(asked);
        }

        if (Value(span, "input", "inputs") is { } value)
        {
            return Content.Request(value, kind);
        }

        if (
            kind == RunKind.Embedding
            && IndexedKeys.Read(span, "embedding.embeddings.") is { } made
        )
        {
            return Content.Of(
                new JsonArray([.. made.Select(e => e.Get("embedding").Get("text")?.DeepClone())])
            );
        }

        return null;
    }

    public static Content? ValueOut(SpanView span, RunKind kind)
    {
        var documents =
            Reranked(span, "retrieval.documents.") ?? Reranked(span, "reranker.output_documents.");
        if (documents is not null)
        {
            span.Take("retrieval.documents.*", "outputs");
            span.Take("reranker.output_documents.*", "outputs");
            span.Take("output.value", "outputs");
            return Content.Of(documents);
        }

        if (kind == RunKind.Embedding && Vectors(span) is { } vectors)
        {
            span.Take("embedding.embeddings.*", "inputs, outputs");
            span.Take("output.value", "outputs");
            return Content.Of(vectors);
        }

        return Value(span, "output", "outputs") is { } value ? Content.Response(value, kind) : null;
    }

    public static RunKind? Kind(SpanView span) =>
        span.Text("openinference.span.kind")?.ToUpperInvariant() switch
        {
            "LLM" => RunKind.Llm,
            "CHAIN" when span.Span.Name.EndsWith("OutputParser", StringComparison.Ordinal) =>
                RunKind.Parser,
            "CHAIN" or "EVALUATOR" => RunKind.Chain,
            "TOOL" => RunKind.Tool,
            "RETRIEVER" or "RERANKER" => RunKind.Retriever,
            "EMBEDDING" => RunKind.Embedding,
            "AGENT" => RunKind.Agent,
            "PROMPT" => RunKind.Prompt,
            "GUARDRAIL" => RunKind.Guardrail,
            _ => null,
        };

    /// <summary>A template that was filled in, with no model asked.</summary>
    public static RunKind? PromptKind(SpanView span) =>
        span.Has("llm.prompt_template.variables") && !span.Has("llm.model_name")
            ? RunKind.Prompt
            : null;

    private static List<Turn>? Messages(SpanView span, string key, string field)
    {
        var list = IndexedKeys.Read(span, key + ".", s_lists);
        if (list is not null)
        {
            span.Take(key + ".*", field);
        }
        else if (span.Json(key) is JsonArray whole)
        {
            span.Take(key, field);
            list = whole;
        }
        else
        {
            return null;
        }

        var turns = new List<Turn>();
        foreach (var item in list.OfType<JsonObject>())
        {
            var message = Plain(item);
            var read = TurnReader.Read(message, "assistant");
            // A message without a role is what is left of a reasoning item.
            if (!message.HasMember("role") && read is [{ Calls.Count: 0 } only])
            {
                var thought = only.PlainText;
                only.Parts.RemoveAll(p => p.IsText);
                only.Think(thought);
            }

            turns.AddRange(read);
        }

        return turns;
    }

    /// <summary>One message without the words that OpenInference puts around its members.</summary>
    private static JsonObject Plain(JsonObject item)
    {
        if (item.Get("message") is JsonObject inner)
        {
            item = inner;
        }

        var plain = new JsonObject();
        foreach (var (name, value) in item)
        {
            plain[name.StartsWith("message.", StringComparison.Ordinal) ? name[8..] : name] =
                value?.DeepClone();
        }

        if (plain.Get("contents") is JsonArray contents)
        {
            plain["content"] = new JsonArray([.. contents.Select(Part)]);
        }

        // Anthropic's users bring results; here a result is a tool's.
        if (plain.Text("tool_call_id") is { Length: > 0 } && plain.Text("role") == "user")
        {
            plain["role"] = "tool";
        }

        if (plain.Text("function_call_name") is { } function)
        {
            plain["function_call"] = new JsonObject
            {
                ["name"] = function,
                ["arguments"] = plain.Text("function_call_arguments_json"),
            };
        }

        return plain;
    }

    /// <summary>A part; a call beside one (Anthropic's order of text and calls) is that part itself.</summary>
    private static JsonNode? Part(JsonNode? item)
    {
        if (item.Get("tool_call") is not JsonObject call)
        {
            return (item.Get("message_content") ?? item)?.DeepClone();
        }

        var part = (JsonObject)call.DeepClone();
        part["type"] = "tool_call";
        return part;
    }

    private static JsonNode? Value(SpanView span, string side, string field)
    {
        var key = side + ".value";
        if (!span.Has(key))
        {
            return null;
        }

        span.Take(key, field);
        return span.Text(side + ".mime_type") is "text/plain"
            ? JsonValue.Create(span.Text(key))
            : span.Json(key);
    }

    private static JsonObject? Reranked(SpanView span, string prefix) =>
        Documents.Normalize(IndexedKeys.Read(span, prefix));

    private static JsonObject? Vectors(SpanView span)
    {
        var made = IndexedKeys.Read(span, "embedding.embeddings.");
        var vectors = made?.Select(e => e.Get("embedding").Get("vector")).Where(v => v is not null);
        return vectors is null || !vectors.Any()
            ? null
            : new JsonObject
            {
                ["embeddings"] = new JsonArray([.. vectors.Select(v => v!.DeepClone())]),
            };
    }
}
