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

    /// <summary>When the run began, as the client told.</summary>
    public DateTimeOffset? RunStartTime { get; init; }

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

    /// <summary>An evaluator gave it: one of the server, or a client's that says so.</summary>
    [JsonIgnore]
    public bool IsByEvaluator => SourceType is "auto_eval" or "model";

    /// <summary>A person gave it: on the screens, or signed in.</summary>
    [JsonIgnore]
    public bool IsByPerson => !IsByEvaluator && (SourceType == "app" || UserId is not null);

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

    /// <summary>What people gave.</summary>
    public SourceScores People { get; init; }

    /// <summary>What evaluators gave: those of the server and those that say so of themselves.</summary>
    public SourceScores Evaluators { get; init; }

    /// <summary>What came through the API without saying who judged.</summary>
    public SourceScores Others { get; init; }

    /// <summary>True when people and evaluators both gave scores under the key: then the mean is of two kinds of judgement.</summary>
    public bool IsMixed => People.Scored > 0 && Evaluators.Scored > 0;

    /// <summary>How many are evaluator failures.</summary>
    public long Errors { get; init; }

    /// <summary>Statistics by key over a set of feedback.</summary>
    public static IReadOnlyDictionary<string, FeedbackStats> Of(
        IEnumerable<FeedbackRecord> items
    ) =>
        items
            .GroupBy(f => f.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => OfKey([.. g]), StringComparer.Ordinal);

    private static FeedbackStats OfKey(List<FeedbackRecord> items)
    {
        var scores = items.Select(f => f.Score).OfType<double>().ToList();
        var mean = scores.Count == 0 ? (double?)null : scores.Average();
        return new FeedbackStats
        {
            Count = items.Count,
            Average = mean,
            Min = scores.Count == 0 ? null : scores.Min(),
            Max = scores.Count == 0 ? null : scores.Max(),
            StandardDeviation =
                scores.Count < 2
                    ? null
                    : Math.Sqrt(
                        scores.Sum(s => (s - mean!.Value) * (s - mean.Value)) / (scores.Count - 1)
                    ),
            Values = items
                .Select(f => f.Label)
                .OfType<string>()
                .GroupBy(v => v)
                .ToDictionary(g => g.Key, g => g.LongCount()),
            Comments = [.. items.Select(f => f.Comment).OfType<string>().Take(20)],
            Sources = [.. items.Select(Source).Distinct(StringComparer.Ordinal).Take(20)],
            Errors = items.LongCount(f => f.IsError),
            People = SourceScores.Of(items.Where(f => f.IsByPerson)),
            Evaluators = SourceScores.Of(items.Where(f => f.IsByEvaluator)),
            Others = SourceScores.Of(items.Where(f => !f.IsByPerson && !f.IsByEvaluator)),
        };
    }

    /// <summary>A source as JSON text: its type and its metadata.</summary>
    private static string Source(FeedbackRecord item) =>
        $$"""{"type":{{JsonSerializer.Serialize(item.SourceType)}},"metadata":{{item.SourceMetadataJson ?? "null"}}}""";

    /// <summary>
    /// Figures of several sets as one: the mean weighs each set by its scores. The deviation, comments and sources are not told: those of the parts do not
    /// give them exactly.
    /// </summary>
    public static FeedbackStats Together(IReadOnlyCollection<FeedbackStats> parts)
    {
        var people = parts.Aggregate(default(SourceScores), (sum, p) => sum + p.People);
        var evaluators = parts.Aggregate(default(SourceScores), (sum, p) => sum + p.Evaluators);
        var others = parts.Aggregate(default(SourceScores), (sum, p) => sum + p.Others);
        return new FeedbackStats
        {
            Count = parts.Sum(p => p.Count),
            Average = (people + evaluators + others).Mean,
            Min = parts.Min(p => p.Min),
            Max = parts.Max(p => p.Max),
            Values = parts
                .SelectMany(p => p.Values)
                .GroupBy(v => v.Key, v => v.Value, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Sum(), StringComparer.Ordinal),
            Errors = parts.Sum(p => p.Errors),
            People = people,
            Evaluators = evaluators,
            Others = others,
        };
    }

    /// <summary>Figures of several sets as one, key by key.</summary>
    public static IReadOnlyDictionary<string, FeedbackStats> Together(
        IEnumerable<KeyValuePair<string, FeedbackStats>> parts
    ) =>
        parts
            .GroupBy(p => p.Key, p => p.Value, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => Together([.. g]), StringComparer.Ordinal);
}

/// <summary>What one kind of source gave under a key.</summary>
/// <param name="Count">How many judgements.</param>
/// <param name="Scored">How many of them bear a score.</param>
/// <param name="Sum">Sum of the scores.</param>
public readonly record struct SourceScores(long Count, long Scored, double Sum)
{
    /// <summary>Mean of the scores; null when there is none.</summary>
    public double? Mean => Scored == 0 ? null : Sum / Scored;

    /// <summary>Both together.</summary>
    public static SourceScores operator +(SourceScores a, SourceScores b) =>
        new(a.Count + b.Count, a.Scored + b.Scored, a.Sum + b.Sum);

    /// <summary>Of judgements of one kind.</summary>
    public static SourceScores Of(IEnumerable<FeedbackRecord> judgements) =>
        judgements.Aggregate(
            default(SourceScores),
            (sum, f) => sum + new SourceScores(1, f.Score is null ? 0 : 1, f.Score ?? 0)
        );
}
