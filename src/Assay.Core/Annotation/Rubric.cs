using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Feedback;

namespace Assay.Core.Annotation;

/// <summary>One question that reviewers are asked about every item.</summary>
/// <param name="Key">The feedback key its answers go under.</param>
/// <param name="Description">What is meant, for people.</param>
/// <param name="IsRequired">An item cannot be done without it.</param>
/// <param name="Scale">What can be answered.</param>
/// <param name="Meanings">What labels and scores mean, by label or number as text.</param>
public sealed record RubricQuestion(
    string Key,
    string? Description,
    bool IsRequired,
    FeedbackScale Scale,
    IReadOnlyDictionary<string, string> Meanings
);

/// <summary>The rubric of a queue: LangSmith's <c>rubric_items</c>, each read with what its feedback key means in the workspace.</summary>
public static class Rubric
{
    /// <summary>The most questions of a queue.</summary>
    public const int MaxQuestions = 50;

    /// <summary>The key of a pairwise queue without a rubric.</summary>
    public const string Preference = "preference";

    /// <summary>What can be said about a pair.</summary>
    public static readonly FeedbackScale PairScale = new(
        FeedbackType.Category,
        null,
        null,
        [new(1, ReviewAnswers.First), new(0, ReviewAnswers.Second), new(0.5, ReviewAnswers.Tie)]
    );

    /// <summary>The questions of a queue. What a key without settings means is guessed from the rubric: labels where it describes some, else 0 to 1.</summary>
    public static IReadOnlyList<RubricQuestion> Questions(
        AnnotationQueue queue,
        IReadOnlyDictionary<string, FeedbackScale> scales
    )
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentNullException.ThrowIfNull(scales);
        var questions = new List<RubricQuestion>();
        if (queue.RubricJson is { } json && JsonNode.Parse(json) is JsonArray items)
        {
            foreach (var item in items.OfType<JsonObject>())
            {
                if (
                    Text(item["feedback_key"]) is not { Length: > 0 } key
                    || questions.Exists(q => q.Key == key)
                )
                {
                    continue;
                }

                var values = Pairs(item["value_descriptions"]);
                var meanings = values
                    .Concat(Pairs(item["score_descriptions"]))
                    .DistinctBy(p => p.Key)
                    .ToDictionary(p => p.Key, p => p.Value);
                var scale =
                    queue.IsPairwise ? PairScale
                    : scales.TryGetValue(key, out var known) ? known
                    : values.Count > 0
                        ? new FeedbackScale(
                            FeedbackType.Category,
                            null,
                            null,
                            [.. values.Select((v, i) => new FeedbackCategory(i, v.Key))]
                        )
                    : FeedbackScale.Unit;
                questions.Add(
                    new RubricQuestion(
                        key,
                        Text(item["description"]),
                        item["is_required"] is JsonValue flag
                            && flag.GetValueKind() == JsonValueKind.True,
                        scale,
                        meanings
                    )
                );
            }
        }

        return questions.Count == 0 && queue.IsPairwise
            ?
            [
                new RubricQuestion(
                    Preference,
                    "Which one is better?",
                    true,
                    PairScale,
                    new Dictionary<string, string>()
                ),
            ]
            : questions;
    }

    /// <summary>The rubric with these questions; what else clients have stored about a key is kept.</summary>
    public static string? Write(string? old, IReadOnlyList<RubricQuestion> questions)
    {
        ArgumentNullException.ThrowIfNull(questions);
        if (questions.Count == 0)
        {
            return null;
        }

        var known =
            old is not null && JsonNode.Parse(old) is JsonArray list
                ? list.OfType<JsonObject>().ToList()
                : [];
        var written = new JsonArray();
        foreach (var question in questions)
        {
            var item =
                known.Find(o => Text(o["feedback_key"]) == question.Key)?.DeepClone() as JsonObject
                ?? [];
            item["feedback_key"] = question.Key;
            item["description"] = question.Description;
            item["is_required"] = question.IsRequired;
            written.Add((JsonNode)item);
        }

        return written.ToJsonString();
    }

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : null;

    private static List<KeyValuePair<string, string>> Pairs(JsonNode? node) =>
        node is JsonObject pairs
            ? [.. pairs.Select(p => KeyValuePair.Create(p.Key, Text(p.Value) ?? ""))]
            : [];
}
