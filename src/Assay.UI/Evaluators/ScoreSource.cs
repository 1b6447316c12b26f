using System.Text.Json;
using Assay.Core.Feedback;

namespace Assay.UI.Evaluators;

/// <summary>Where an evaluator's score comes from, as its feedback says.</summary>
/// <param name="EvaluatorId">The evaluator, when it is one of the workspace's.</param>
/// <param name="Version">Its version.</param>
/// <param name="RunId">The run that recorded its work.</param>
/// <param name="EvidenceJson">What the score rests on: raw replies, repetitions.</param>
internal sealed record ScoreSource(
    Guid? EvaluatorId,
    int? Version,
    Guid? RunId,
    string? EvidenceJson
)
{
    /// <summary>Reads it; null for judgements of people.</summary>
    public static ScoreSource? Of(FeedbackRecord feedback)
    {
        if (!feedback.IsByEvaluator)
        {
            return null;
        }

        var source = Parse(feedback.SourceMetadataJson);
        var extra = Parse(feedback.ExtraJson);
        return new ScoreSource(
            Id(source, "evaluator_id"),
            Member(source, "evaluator_version") is { ValueKind: JsonValueKind.Number } version
            && version.TryGetInt32(out var number)
                ? number
                : null,
            Member(source, "__run") is { } run ? Id(run, "run_id") : null,
            Member(extra, "evidence") is { ValueKind: JsonValueKind.Object } evidence
                ? evidence.GetRawText()
                : null
        );
    }

    private static JsonElement Parse(string? json)
    {
        try
        {
            return json is null ? default : JsonElement.Parse(json);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static JsonElement? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : null;

    private static Guid? Id(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.String } text
        && Guid.TryParse(text.GetString(), out var id)
            ? id
            : null;
}
