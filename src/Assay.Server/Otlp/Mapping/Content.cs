using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping.Messages;

namespace Assay.Server.Otlp.Mapping;

/// <summary>Inputs or outputs as a source gives them: a conversation, or any value.</summary>
internal sealed record Content
{
    private Content(Conversation? talk, JsonNode? value)
    {
        Talk = talk;
        Value = value;
    }

    /// <summary>The conversation; null when the content is none.</summary>
    public Conversation? Talk { get; }

    /// <summary>The value, when there is no conversation.</summary>
    public JsonNode? Value { get; }

    /// <summary>The whole response it was taken from, where usage and the model may be looked up.</summary>
    public JsonNode? Raw { get; init; }

    public static Content? Of(Conversation? talk) =>
        talk is { Turns.Count: > 0 } ? new Content(talk, null) : null;

    /// <summary>A value as it is; null when it says nothing (<c>null</c>, an empty text, a mark of absence).</summary>
    public static Content? Of(JsonNode? value) =>
        value is null || value.Text() is "" or "N/A" or "<not serializable>"
            ? null
            : new Content(null, value) { Raw = value };

    /// <summary>What was given to a run: a conversation for a model call; for others only where nothing but one is said.</summary>
    public static Content? Request(JsonNode? value, RunKind kind)
    {
        if (
            Of(value) is not { } content
            || kind is RunKind.Tool or RunKind.Retriever or RunKind.Embedding
        )
        {
            return Of(value);
        }

        var talk = PayloadReader.Request(value);
        if (talk is not null && (kind == RunKind.Llm || talk.Rest is null or { Count: 0 }))
        {
            return new Content(talk, null) { Raw = value };
        }

        return kind == RunKind.Llm && value.Text() is { } text
            ? new Content(new Conversation([new Turn("user").Say(text)]), null)
            : content;
    }

    /// <summary>What a run gave back.</summary>
    public static Content? Response(JsonNode? value, RunKind kind)
    {
        if (kind == RunKind.Retriever && Documents.Normalize(value) is { } documents)
        {
            return Of(documents);
        }

        if (
            Of(value) is not { } content
            || kind is RunKind.Tool or RunKind.Retriever or RunKind.Embedding
        )
        {
            return Of(value);
        }

        var talk = PayloadReader.Response(value);
        if (talk is not null && (kind == RunKind.Llm || talk.Rest is null or { Count: 0 }))
        {
            return new Content(talk, null) { Raw = value };
        }

        return kind == RunKind.Llm && value.Text() is { } text
            ? new Content(new Conversation([new Turn("assistant").Say(text)]), null)
            : content;
    }
}
