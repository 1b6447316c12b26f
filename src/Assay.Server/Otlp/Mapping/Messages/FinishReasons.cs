using System.Text.Json.Nodes;

namespace Assay.Server.Otlp.Mapping.Messages;

/// <summary>Why a model stopped, in OpenAI's words whatever the provider or instrumentation calls it. Pure.</summary>
internal static class FinishReasons
{
    /// <summary>One reason; null when it says nothing.</summary>
    public static string? Normalize(string? reason) =>
        reason?.Trim().ToLowerInvariant() switch
        {
            null or "" or "n/a" or "null" or "none" or "unknown" => null,
            "tool_calls" or "tool-calls" or "tool_call" or "tooluse" or "tool_use" or "toolcalls" =>
                "tool_calls",
            "endturn" or "end_turn" or "stop" or "stop_sequence" or "completed" or "complete" =>
                "stop",
            "max_tokens" or "maxtokens" or "length" or "max_output_tokens" => "length",
            "content-filter"
            or "contentfilter"
            or "content_filter"
            or "safety"
            or "guardrail_intervened" => "content_filter",
            _ => reason.Trim(),
        };

    /// <summary>The reasons in any of the shapes met: a list, JSON of a list in a text, plain comma-separated text, one word.</summary>
    public static string? First(JsonNode? value)
    {
        var text = value switch
        {
            JsonArray list => list.Select(i => i.Text()).FirstOrDefault(t => t is { Length: > 0 }),
            _ => value.Text()?.Split(',')[0],
        };
        return Normalize(text);
    }
}
