using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>A conversation found in a payload, and what else the payload says about the call.</summary>
internal sealed class Conversation(List<Turn> turns)
{
    public List<Turn> Turns { get; } = turns;

    /// <summary>What stood beside the messages and is no content: model, parameters, tools, usage.</summary>
    public JsonObject? Rest { get; init; }

    /// <summary>Writes the normal form.</summary>
    public void WriteTo(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteStartArray("messages");
        foreach (var turn in Turns)
        {
            turn.WriteTo(w);
        }

        w.WriteEndArray();
        w.WriteEndObject();
    }

    /// <summary>
    /// Brings a conversation in order: thoughts join the turn they led to, calls made together stand in one turn, results and calls know
    /// of each other. Empty turns of an assistant stay only when they are all there is.
    /// </summary>
    public Conversation Settled()
    {
        for (var i = 0; i + 1 < Turns.Count; i++)
        {
            var (turn, next) = (Turns[i], Turns[i + 1]);
            var isTogether =
                turn.IsThought
                || (turn.Role == "assistant" && turn.Parts.Count == 0 && IsCallsOnly(next));
            if (isTogether && next.Role == "assistant" && turn.FinishReason is null)
            {
                next.Parts.InsertRange(0, turn.Parts);
                next.Calls.InsertRange(0, turn.Calls);
                next.Name ??= turn.Name;
                Turns.RemoveAt(i--);
            }
        }

        Pair();
        return this;
    }

    /// <summary>The system's text goes first, unless a system message is there already (OpenLIT repeats it).</summary>
    public Conversation WithSystem(Turn? system)
    {
        if (system is { IsEmpty: false } && !Turns.Exists(t => t.Role == "system"))
        {
            Turns.Insert(0, system);
        }

        return this;
    }

    private static bool IsCallsOnly(Turn turn) =>
        turn.Role == "assistant" && turn.Calls.Count > 0 && turn.Parts.Count == 0;

    /// <summary>A result without an id answers the first open call, of its tool if it names one; a result without a name has its call's.</summary>
    private void Pair()
    {
        if (!Turns.Exists(t => t.Calls.Count > 0))
        {
            return;
        }

        var open = new List<(Turn Turn, int Index)>();
        var made = 0;
        foreach (var turn in Turns)
        {
            for (var i = 0; i < turn.Calls.Count; i++)
            {
                open.Add((turn, i));
            }

            if (turn.Role != "tool")
            {
                continue;
            }

            var at = open.FindIndex(o => Matches(o.Turn.Calls[o.Index], turn));
            if (at < 0)
            {
                continue;
            }

            var (asker, index) = open[at];
            open.RemoveAt(at);
            var call = asker.Calls[index];
            if (call.Id is null)
            {
                call = call with { Id = turn.CallId ?? $"call_{++made}" };
                asker.Calls[index] = call;
            }

            // Agents put their own name on their tools' messages; the call knows the tool.
            turn.CallId ??= call.Id;
            turn.Name = call.Name;
        }
    }

    private static bool Matches(ToolCall call, Turn result) =>
        result.CallId is not null && call.Id is not null
            ? call.Id == result.CallId
            : result.Name is null || result.Name == call.Name;
}
