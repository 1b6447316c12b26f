using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;

namespace Assay.Server.Otlp.Mapping.Sources;

/// <summary>
/// The AI SDK: versions up to 6, and 7 with its legacy integration, write <c>ai.*</c>. (Version 7's own integration follows the conventions:
/// scope <c>gen_ai</c>, read by <see cref="Semconv"/>.)
/// </summary>
internal static class VercelAi
{
    public static readonly SpanSource Source = new(
        "vercel-ai",
        ["ai", "gen_ai"],
        ["ai.operationId", "ai.model.id", "ai.prompt*"]
    );

    public static Content? Input(SpanView span, RunKind kind)
    {
        if (Taken(span, "ai.prompt.messages", "inputs") is { } messages)
        {
            return Content.Request(messages, RunKind.Llm);
        }

        if (Taken(span, "ai.prompt", "inputs") is { } prompt)
        {
            return Prompt(prompt, kind);
        }

        if (
            (
                Taken(span, "ai.toolCall.args", "inputs")
                ?? Taken(span, "ai.toolCall.input", "inputs")
            ) is
            { } arguments
        )
        {
            return Content.Of(arguments);
        }

        return Content.Of(
            Taken(span, "ai.value", "inputs") ?? Each(Taken(span, "ai.values", "inputs"))
        );
    }

    public static Content? Output(SpanView span, RunKind kind)
    {
        if (!span.HasPrefix("ai."))
        {
            return null;
        }

        var turn = new Turn("assistant");
        foreach (var prefix in (ReadOnlySpan<string>)["ai.response.", "ai.result."])
        {
            AddThoughts(turn, Taken(span, prefix + "reasoning", "outputs"));
            var text = Taken(span, prefix + "text", "outputs");
            turn.Say(span.Text(prefix + "text") ?? text.Text());
            foreach (
                var call in Taken(span, prefix + "toolCalls", "outputs")
                    .Items()
                    .OfType<JsonObject>()
            )
            {
                turn.Calls.Add(PartReader.Call(call));
            }

            PartReader.Read(Taken(span, prefix + "files", "outputs"), turn, []);
            if (turn.IsEmpty && Taken(span, prefix + "object", "outputs") is { } made)
            {
                if (kind != RunKind.Llm)
                {
                    return Content.Of(made);
                }

                turn.Say(span.Text(prefix + "object"));
            }

            if (!turn.IsEmpty)
            {
                turn.FinishReason = FinishReasons.Normalize(span.Text(prefix + "finishReason"));
                return Content.Of(new Conversation(InOrder(turn, IsOutermost(span))));
            }
        }

        if (
            (
                Taken(span, "ai.toolCall.result", "outputs")
                ?? Taken(span, "ai.toolCall.output", "outputs")
            ) is
            { } result
        )
        {
            return Content.Of(result);
        }

        return Taken(span, "ai.embedding", "outputs") is { } one
                ? Content.Of(new JsonObject { ["embedding"] = one.DeepClone() })
            : Each(Taken(span, "ai.embeddings", "outputs")) is { } many
                ? Content.Of(new JsonObject { ["embeddings"] = many })
            : null;
    }

    public static RunKind? Kind(SpanView span)
    {
        if (
            Operation(span) is not { } operation
            || !operation.StartsWith("ai.", StringComparison.Ordinal)
        )
        {
            return null;
        }

        return operation switch
        {
            "ai.toolCall" => RunKind.Tool,
            _ when operation.EndsWith(".doGenerate", StringComparison.Ordinal)
                    || operation.EndsWith(".doStream", StringComparison.Ordinal) => RunKind.Llm,
            _ when operation.EndsWith(".doEmbed", StringComparison.Ordinal) => RunKind.Embedding,
            _ when operation.StartsWith("ai.rerank", StringComparison.Ordinal) => RunKind.Retriever,
            _ => RunKind.Chain,
        };
    }

    /// <summary>The outermost span of a call: neither a step of it nor a tool.</summary>
    public static bool IsOutermost(SpanView span) =>
        Operation(span) is { } operation
        && operation.StartsWith("ai.", StringComparison.Ordinal)
        && !operation.Contains(".do", StringComparison.Ordinal)
        && operation != "ai.toolCall";

    /// <summary>The span is one of the AI SDK's own.</summary>
    public static bool IsOwn(SpanView span) =>
        span.Scope.Name == "ai"
        || Operation(span)?.StartsWith("ai.", StringComparison.Ordinal) == true;

    private static string? Operation(SpanView span) =>
        span.Text("ai.operationId") ?? span.Text("operation.name")?.Split(' ')[0];

    /// <summary>The prompt of an outer span: what the caller wrote, a text or messages, with the system's text beside it.</summary>
    private static Content? Prompt(JsonNode prompt, RunKind kind)
    {
        if (prompt is not JsonObject asked)
        {
            return Content.Request(prompt, RunKind.Llm);
        }

        var system = PayloadReader.Instruction(asked.Get("system"));
        var said = asked.Get("messages") ?? asked.Get("prompt");
        var turns =
            TurnReader.ReadList(said)
            ?? (said.Text() is { Length: > 0 } text ? [new Turn("user").Say(text)] : null);
        return turns is null
            ? Content.Request(prompt, kind)
            : Content.Of(new Conversation(turns).WithSystem(system).Settled());
    }

    /// <summary>The span around several steps gathers their calls beside the last one's text; the calls came before it.</summary>
    private static List<Turn> InOrder(Turn turn, bool isGathered)
    {
        if (
            !isGathered
            || turn.Calls.Count == 0
            || turn.Parts.Count == 0
            || turn.FinishReason == "tool_calls"
        )
        {
            return [turn];
        }

        var asking = new Turn("assistant");
        asking.Calls.AddRange(turn.Calls);
        turn.Calls.Clear();
        return [asking, turn];
    }

    private static void AddThoughts(Turn turn, JsonNode? reasoning)
    {
        if (reasoning is JsonArray parts)
        {
            foreach (var part in parts)
            {
                turn.Think(part.Text("text") ?? part.Text());
            }
        }
        else
        {
            turn.Think(reasoning.Text());
        }
    }

    /// <summary>A list whose items are JSON each.</summary>
    private static JsonArray? Each(JsonNode? list) =>
        list is JsonArray items
            ? new JsonArray([
                .. items.Select(i =>
                    i.Text() is { } text ? Decoding.Decode(text, out _).Alone() : i?.DeepClone()
                ),
            ])
            : null;

    private static JsonNode? Taken(SpanView span, string key, string field)
    {
        if (!span.Has(key))
        {
            return null;
        }

        span.Take(key, field);
        return span.Json(key);
    }
}
