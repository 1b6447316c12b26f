using System.Text.Json;
using System.Text.Json.Serialization;

namespace Assay.Core.Feedback;

/// <summary>
/// One judgement about a run, a trace's root, or a whole project (experiment): a score, a value, a comment or a correction under a key.
/// Feedback for a run that has not arrived waits for it; it is never refused for that.
/// </summary>
public sealed record FeedbackRecord
{
    /// <summary>Id, chosen by the client or made; the same id again replaces.</summary>
    public required Guid Id { get; init; }

    /// <summary>The run; null for feedback given to the project itself.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The trace, when told.</summary>
    public Guid? TraceId { get; init; }

    /// <summary>The project, when told or once the run is known.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>What is judged: <c>correctness</c>, <c>user_score</c>, …</summary>
    public required string Key { get; init; }

    /// <summary>The numeric score; booleans are 1 and 0.</summary>
    public double? Score { get; init; }

    /// <summary>Score was a boolean on the wire and is given back as one.</summary>
    public bool ScoreIsBoolean { get; init; }

    /// <summary>The value as JSON text: a label, a number, an object.</summary>
    public string? ValueJson { get; init; }

    /// <summary>The value as filters see it: a text as it is, everything else as its JSON text, null when there is none.</summary>
    [JsonIgnore]
    public string? Label =>
        ValueJson switch
        {
            null or "null" => null,
            ['"', ..] => JsonSerializer.Deserialize<string>(ValueJson),
            _ => ValueJson,
        };

    /// <summary>Free text.</summary>
    public string? Comment { get; init; }

    /// <summary>What the output should have been, as JSON text.</summary>
    public string? CorrectionJson { get; init; }

    /// <summary>Kind of source: <c>api</c>, <c>app</c>, <c>model</c>, <c>auto_eval</c>.</summary>
    public string SourceType { get; init; } = "api";

    /// <summary>Source metadata as JSON text (the evaluator's own run, for one).</summary>
    public string? SourceMetadataJson { get; init; }

    /// <summary>The member who gave it, when a person did.</summary>
    public Guid? UserId { get; init; }

    /// <summary>Groups feedback given together (pairwise comparison).</summary>
    public Guid? FeedbackGroupId { get; init; }

    /// <summary>The comparative experiment it belongs to.</summary>
    public Guid? ComparativeExperimentId { get; init; }

    /// <summary>Extra as JSON text.</summary>
    public string? ExtraJson { get; init; }

    /// <summary>True when the evaluator failed.</summary>
    public bool IsError { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ModifiedAt { get; init; }
}

/// <summary>Feedback of one key over one run or many.</summary>
public sealed record FeedbackStats
{
    /// <summary>How many.</summary>
    public required long Count { get; init; }

    /// <summary>Mean of the scores; null when there is none.</summary>
    public double? Average { get; init; }

    /// <summary>Smallest score.</summary>
    public double? Min { get; init; }

    /// <summary>Largest score.</summary>
    public double? Max { get; init; }

    /// <summary>Sample standard deviation; null below two scores.</summary>
    public double? StandardDeviation { get; init; }

    /// <summary>How often each label was given.</summary>
    public IReadOnlyDictionary<string, long> Values { get; init; } = new Dictionary<string, long>();

    /// <summary>Up to 20 comments.</summary>
    public IReadOnlyList<string> Comments { get; init; } = [];

    /// <summary>Up to 20 sources, as JSON text.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>True when people and evaluators both gave scores under the key: then the mean is of two kinds of judgement.</summary>
    public bool IsMixed =>
        Sources.Any(s => s.StartsWith("{\"type\":\"app\"", StringComparison.Ordinal))
        && Sources.Any(s =>
            s.StartsWith("{\"type\":\"auto_eval\"", StringComparison.Ordinal)
            || s.StartsWith("{\"type\":\"model\"", StringComparison.Ordinal)
        );

    /// <summary>How many are evaluator failures.</summary>
    public long Errors { get; init; }
}
