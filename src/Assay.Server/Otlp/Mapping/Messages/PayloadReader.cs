using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>
/// Finds the conversation in a whole request or response of a model, of any dialect; what is no conversation is left to the caller. Pure.
/// </summary>
internal static class PayloadReader
{
    private static readonly string[] s_system =
    [
        "system",
        "instructions",
        "systemInstruction",
        "system_instruction",
        "system_prompt",
    ];

    /// <summary>What was asked; null when the payload is no conversation.</summary>
    public static Conversation? Request(JsonNode? json)
    {
        if (TurnReader.ReadList(json) is { } list)
        {
            return new Conversation(list).Settled();
        }

        if (json is not JsonObject request)
        {
            return null;
        }

        if (TurnReader.IsMessage(request))
        {
            return new Conversation(TurnReader.Read(request)).Settled();
        }

        foreach (
            var (name, role) in (ReadOnlySpan<(string, string?)>)
                [("messages", null), ("input", null), ("contents", "user"), ("prompt", null)]
        )
        {
            var value = request.Get(name);
            if (name is "contents" && value is JsonObject)
            {
                value = new JsonArray(value.DeepClone());
            }

            var turns =
                TurnReader.ReadList(value, role)
                ?? (
                    IsAsked(request, name) && value.Text() is { Length: > 0 } text
                        ? [new Turn("user").Say(text)]
                        : null
                );
            if (turns is not null)
            {
                return new Conversation(turns) { Rest = Without(request, [name, .. s_system]) }
                    .WithSystem(System(request))
                    .Settled();
            }
        }

        return null;
    }

    /// <summary>What was answered; null when the payload is no conversation.</summary>
    public static Conversation? Response(JsonNode? json)
    {
        if (TurnReader.ReadList(json) is { } list)
        {
            return new Conversation(list).Settled();
        }

        if (json is not JsonObject response)
        {
            return null;
        }

        if (response.Get("choices") is JsonArray choices)
        {
            return Found(Choices(choices), response, "choices");
        }

        if (response.Get("candidates") is JsonArray candidates)
        {
            return Found(Candidates(candidates), response, "candidates");
        }

        if (response.Get("generations") is JsonArray generations)
        {
            return Found(Generations(generations, 0), response, "generations");
        }

        // Anthropic's and Gemini's (ADK) answers are messages themselves.
        if (TurnReader.IsMessage(response, response.HasMember("stop_reason") ? "assistant" : null))
        {
            return Found(TurnReader.Read(response, "assistant"), response, "content", "role");
        }

        if (
            response.Get("content") is JsonObject content
            && (content.HasMember("parts") || content.HasMember("role"))
        )
        {
            var turns = TurnReader.Read(content, "assistant");
            Finish(turns, response.Text("finishReason", "finish_reason"));
            return Found(turns, response, "content");
        }

        foreach (var name in (ReadOnlySpan<string>)["message", "output"])
        {
            if (
                response.Get(name) is JsonObject message
                && (
                    TurnReader.IsMessage(message)
                    // Bedrock's converse answers {output: {message: {…}}}.
                    || (message.Get("message") is JsonObject inner && TurnReader.IsMessage(inner))
                )
            )
            {
                var turns = TurnReader.Read(message.Get("message") as JsonObject ?? message);
                Finish(turns, response.Text("finishReason", "finish_reason", "stopReason"));
                return Found(turns, response, name);
            }
        }

        foreach (var name in (ReadOnlySpan<string>)["messages", "output"])
        {
            if (TurnReader.ReadList(response.Get(name)) is { } turns)
            {
                return Found(turns, response, name);
            }
        }

        return null;
    }

    /// <summary>A turn that says the parts or the text of a system instruction.</summary>
    public static Turn? Instruction(JsonNode? json)
    {
        if (json is null)
        {
            return null;
        }

        var turn = new Turn("system");
        PartReader.Read(
            json is JsonObject o && o.Get("parts", "content") is { } inner ? inner : json,
            turn,
            []
        );
        return turn.IsEmpty ? null : turn;
    }

    private static Turn? System(JsonObject request)
    {
        foreach (var name in s_system)
        {
            if (Instruction(request.Get(name)) is { } turn)
            {
                return turn;
            }
        }

        return Instruction(request.Get("config").Get("systemInstruction", "system_instruction"));
    }

    /// <summary>Whether a plain text under the name is what a user asked, and not somebody's own field.</summary>
    private static bool IsAsked(JsonObject request, string name) =>
        name == "contents"
        || request.HasMember("model")
        || request.HasMember("instructions")
        || request.HasMember("system");

    private static Conversation? Found(
        List<Turn> turns,
        JsonObject payload,
        params ReadOnlySpan<string> names
    ) =>
        turns.Count == 0
            ? null
            : new Conversation(turns) { Rest = Without(payload, [.. names]) }.Settled();

    private static List<Turn> Choices(JsonArray choices)
    {
        var turns = new List<Turn>();
        foreach (var choice in choices.OfType<JsonObject>())
        {
            List<Turn> said =
                choice.Get("message", "delta") is JsonObject message
                    ? TurnReader.Read(message, "assistant")
                : choice.Text("text") is { } text ? [new Turn("assistant").Say(text)]
                : [];
            Finish(said, choice.Text("finish_reason", "finishReason"));
            turns.AddRange(said);
        }

        return turns;
    }

    private static List<Turn> Candidates(JsonArray candidates)
    {
        var turns = new List<Turn>();
        foreach (var candidate in candidates.OfType<JsonObject>())
        {
            if (candidate.Get("content", "message") is JsonObject content)
            {
                var said = TurnReader.Read(content, "assistant");
                Finish(said, candidate.Text("finishReason", "finish_reason"));
                turns.AddRange(said);
            }
        }

        return turns;
    }

    private static List<Turn> Generations(JsonArray generations, int depth)
    {
        var turns = new List<Turn>();
        foreach (var item in generations)
        {
            if (item is JsonArray inner && depth < 3)
            {
                turns.AddRange(Generations(inner, depth + 1));
            }
            else if (item.Get("message") is JsonObject message)
            {
                turns.AddRange(TurnReader.Read(message, "assistant"));
            }
            else if (item.Text("text") is { } text)
            {
                turns.Add(new Turn("assistant").Say(text));
            }
        }

        return turns;
    }

    private static void Finish(List<Turn> turns, string? reason)
    {
        if (turns.Count > 0)
        {
            turns[^1].FinishReason ??= FinishReasons.Normalize(reason);
        }
    }

    private static JsonObject Without(JsonObject payload, ReadOnlySpan<string> names)
    {
        var rest = new JsonObject();
        foreach (var (name, value) in payload)
        {
            if (!names.Contains(name))
            {
                rest[name] = value?.DeepClone();
            }
        }

        return rest;
    }
}
