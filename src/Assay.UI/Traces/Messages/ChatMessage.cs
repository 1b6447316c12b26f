namespace Assay.UI.Traces.Messages;

/// <summary>One message of a conversation, whatever dialect it was written in.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>; anything else as the client wrote it.</param>
/// <param name="Name">The tool or the speaker, when told.</param>
/// <param name="Parts">What it says, in order.</param>
public sealed record ChatMessage(string Role, string? Name, IReadOnlyList<MessagePart> Parts)
{
    /// <summary>Two messages with the same key say the same: histories repeat them from call to call.</summary>
    public string Key => Role + "\n" + string.Join('\n', Parts.Select(p => p.Key));

    /// <summary>The text to copy.</summary>
    public string PlainText =>
        string.Join(
            "\n\n",
            Parts.Select(p =>
                p switch
                {
                    MessagePart.Text t => t.Value,
                    MessagePart.Reasoning r => r.Value,
                    MessagePart.ToolCall c => $"{c.Name}({c.Arguments})",
                    MessagePart.ToolResult r => r.Value,
                    MessagePart.Json j => j.Value,
                    _ => "",
                }
            )
        );
}

/// <summary>A part of a message.</summary>
public abstract record MessagePart
{
    private MessagePart() { }

    /// <summary>Tells equal parts.</summary>
    public abstract string Key { get; }

    /// <summary>Text, markdown as a rule.</summary>
    public sealed record Text(string Value) : MessagePart
    {
        public override string Key => "t" + Value;
    }

    /// <summary>What the model thought before it answered.</summary>
    public sealed record Reasoning(string Value) : MessagePart
    {
        public override string Key => "r" + Value;
    }

    /// <summary>An image, sound, film or file: by address, or inside the payload at a JSON pointer.</summary>
    public sealed record Media(string Kind, string? Url, string? Place, string? ContentType)
        : MessagePart
    {
        /// <summary>Name of the run's attachment that it is; null when it is none.</summary>
        public string? File { get; init; }

        // The pointer moves as the history grows; media of one kind in equal places of equal messages count as equal.
        public override string Key => "m" + Kind + Url + File;
    }

    /// <summary>A call the model asks for.</summary>
    public sealed record ToolCall(string? Id, string Name, string Arguments) : MessagePart
    {
        public override string Key => "c" + Id + Name + Arguments;
    }

    /// <summary>What a tool gave back.</summary>
    public sealed record ToolResult(string? Id, string? Name, string Value) : MessagePart
    {
        public override string Key => "o" + Id + Value;
    }

    /// <summary>Something of no known shape.</summary>
    public sealed record Json(string Value) : MessagePart
    {
        public override string Key => "j" + Value;
    }
}
