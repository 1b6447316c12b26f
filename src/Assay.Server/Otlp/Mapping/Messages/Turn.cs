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
    public List<JsonObject> Parts { get; } = [];

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
        && Parts.TrueForAll(p => p.Text("type") == "reasoning");

    /// <summary>All text parts together.</summary>
    public string PlainText =>
        string.Join(
            '\n',
            Parts.Where(p => p.Text("type") == "text").Select(p => p.Text("text") ?? "")
        );

    /// <summary>Adds text; nothing when it is empty.</summary>
    public Turn Say(string? text)
    {
        if (text is { Length: > 0 })
        {
            Parts.Add(new JsonObject { ["type"] = "text", ["text"] = text });
        }

        return this;
    }

    /// <summary>Adds a thought; nothing when it is empty.</summary>
    public Turn Think(string? text)
    {
        if (text is { Length: > 0 })
        {
            Parts.Add(new JsonObject { ["type"] = "reasoning", ["text"] = text });
        }

        return this;
    }

    /// <summary>The message as JSON.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["role"] = Role };
        if (Name is { Length: > 0 })
        {
            json["name"] = Name;
        }

        if (CallId is { Length: > 0 })
        {
            json["tool_call_id"] = CallId;
        }

        json["content"] =
            Parts.Count == 0 ? ""
            : Parts is [var only] && only.Text("type") == "text" ? only.Text("text")
            : new JsonArray([.. Parts.Select(p => p.DeepClone())]);
        if (Calls.Count > 0)
        {
            json["tool_calls"] = new JsonArray([.. Calls.Select(c => (JsonNode)c.ToJson())]);
        }

        if (FinishReason is not null)
        {
            json["finish_reason"] = FinishReason;
        }

        return json;
    }
}

/// <summary>A call that a model asks for.</summary>
/// <param name="Id">Its id; null when the producer lost it.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">JSON text.</param>
internal sealed record ToolCall(string? Id, string Name, string Arguments)
{
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = Name, ["arguments"] = Arguments },
        };
        if (Id is { Length: > 0 })
        {
            json.Insert(0, "id", Id);
        }

        return json;
    }
}
