using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;

namespace Assay.Server.Otlp;

/// <summary>
/// What log records of a span had said before this process knew of it: a restart in the middle of a call loses the records from memory, not what
/// became of them. Later records continue it, so that the conversation keeps both parts. Immutable.
/// </summary>
internal sealed record SaidBefore(ReadOnlyMemory<byte>? Inputs, ReadOnlyMemory<byte>? Outputs)
{
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 256 };

    /// <summary>Nothing.</summary>
    public static SaidBefore Nothing { get; } = new(null, null);

    public bool IsNothing => Inputs is null && Outputs is null;

    /// <summary>What the stored run has from log records: all that did not come with the span itself.</summary>
    /// <param name="run">The run with inputs, outputs and extra.</param>
    public static SaidBefore Of(Run run)
    {
        var moved = run.Payloads.TryGetValue(PayloadKind.Extra, out var extra)
            ? Parse(extra).Get("otel").Get("moved") as JsonObject
            : null;
        return new SaidBefore(
            Taken(PayloadKind.Inputs, "inputs"),
            Taken(PayloadKind.Outputs, "outputs")
        );

        ReadOnlyMemory<byte>? Taken(PayloadKind kind, string field) =>
            run.Payloads.TryGetValue(kind, out var json)
            && moved?.Any(m => m.Value.Text()?.Contains(field, StringComparison.Ordinal) == true)
                != true
                ? json
                : (ReadOnlyMemory<byte>?)null;
    }

    /// <summary>
    /// Conversations one after the other, without the messages of the first that the second repeats (records are sent again when an answer got
    /// lost). What is no conversation replaces what was.
    /// </summary>
    public static ReadOnlyMemory<byte>? Join(
        ReadOnlyMemory<byte>? before,
        ReadOnlyMemory<byte>? now
    )
    {
        if (
            before is not { } old
            || now is not { } later
            || Parse(old).Get("messages") is not JsonArray first
            || Parse(later).Get("messages") is not JsonArray second
        )
        {
            return now;
        }

        foreach (var message in second)
        {
            if (!first.Any(m => JsonNode.DeepEquals(m, message)))
            {
                first.Add(message?.DeepClone());
            }
        }

        return SpanJson.Payload(first.Parent, "messages");
    }

    private static JsonNode? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonNode.Parse(json.Span, documentOptions: s_options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
