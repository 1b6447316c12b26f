using System.Text.Json;
using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>
/// One message in the normal form, which is that of OpenAI's chat messages: role, content (a text, or parts), tool calls on the assistant's
/// turn, a tool's result in a turn of its own. Lives for one mapping.
/// </summary>
internal sealed class Turn(string role)
{
    /// <summary><c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>; anything else as the producer wrote it.</summary>
    public string Role { get; set; } = role;

    /// <summary>Speaker or tool.</summary>
    public string? Name { get; set; }

    /// <summary>Normal parts: text, reasoning, image_url, input_audio, audio, video, file; unknown ones as they came.</summary>
    public List<Part> Parts { get; } = [];

    /// <summary>What the assistant asks tools for.</summary>
    public List<ToolCall> Calls { get; } = [];

    /// <summary>On a tool's turn: the call it answers.</summary>
    public string? CallId { get; set; }

    /// <summary>Why the model stopped, normalized.</summary>
    public string? FinishReason { get; set; }

    /// <summary>Nothing is said and nothing is asked.</summary>
    public bool IsEmpty => Parts.Count == 0 && Calls.Count == 0;

    /// <summary>Only thoughts, no answer yet.</summary>
    public bool IsThought =>
        Role == "assistant"
        && Calls.Count == 0
        && Parts.Count > 0
        && Parts.TrueForAll(p => p.IsThought);

    /// <summary>All text parts together.</summary>
    public string PlainText =>
        string.Join('\n', Parts.Where(p => p.IsText).Select(p => p.Text ?? ""));

    /// <summary>Adds text; nothing when it is empty.</summary>
    public Turn Say(string? text)
    {
        if (text is { Length: > 0 })
        {
            Parts.Add(Part.Said(text));
        }

        return this;
    }

    /// <summary>Adds a thought; nothing when it is empty.</summary>
    public Turn Think(string? text)
    {
        if (text is { Length: > 0 })
        {
            Parts.Add(Part.Thought(text));
        }

        return this;
    }

    /// <summary>Writes the message.</summary>
    public void WriteTo(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("role", Role);
        if (Name is { Length: > 0 })
        {
            w.WriteString("name", Name);
        }

        if (CallId is { Length: > 0 })
        {
            w.WriteString("tool_call_id", CallId);
        }

        if (Parts.Count == 0)
        {
            w.WriteString("content", "");
        }
        else if (Parts is [{ IsText: true } only])
        {
            w.WriteString("content", only.Text);
        }
        else
        {
            w.WriteStartArray("content");
            foreach (var part in Parts)
            {
                part.WriteTo(w);
            }

            w.WriteEndArray();
        }

        if (Calls.Count > 0)
        {
            w.WriteStartArray("tool_calls");
            foreach (var call in Calls)
            {
                call.WriteTo(w);
            }

            w.WriteEndArray();
        }

        if (FinishReason is not null)
        {
            w.WriteString("finish_reason", FinishReason);
        }

        w.WriteEndObject();
    }
}

/// <summary>A part of a message in the normal form.</summary>
internal readonly record struct Part
{
    private readonly JsonObject? _json;
    private readonly string? _type;

    private Part(string? type, string? text, JsonObject? json) =>
        (_type, Text, _json) = (type, text, json);

    /// <summary>What it says, of texts and thoughts.</summary>
    public string? Text { get; }

    public bool IsText => _type == "text";

    public bool IsThought => _type == "reasoning";

    public static Part Said(string text) => new("text", text, null);

    public static Part Thought(string text) => new("reasoning", text, null);

    /// <summary>Any other part, as it is to be written.</summary>
    public static Part Of(JsonObject json) => new(json.Text("type"), json.Text("text"), json);

    public void WriteTo(Utf8JsonWriter w)
    {
        if (_json is not null)
        {
            _json.WriteTo(w);
            return;
        }

        w.WriteStartObject();
        w.WriteString("type", _type);
        w.WriteString("text", Text);
        w.WriteEndObject();
    }
}

/// <summary>A call that a model asks for.</summary>
/// <param name="Id">Its id; null when the producer lost it.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">JSON text.</param>
internal sealed record ToolCall(string? Id, string Name, string Arguments)
{
    public void WriteTo(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        if (Id is { Length: > 0 })
        {
            w.WriteString("id", Id);
        }

        w.WriteString("type", "function");
        w.WriteStartObject("function");
        w.WriteString("name", Name);
        w.WriteString("arguments", Arguments);
        w.WriteEndObject();
        w.WriteEndObject();
    }
}
