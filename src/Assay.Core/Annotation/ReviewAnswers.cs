using System.Text.Json;
using System.Text.Json.Serialization;
using Assay.Core.Datasets;
using Assay.Core.Feedback;

namespace Assay.Core.Annotation;

/// <summary>What was answered to one question of the rubric.</summary>
/// <param name="Score">The number; for yes/no 1 and 0, for a category its value.</param>
/// <param name="Label">The category; of a pair <c>a</c>, <c>b</c> or <c>tie</c>, where a is the item's run and b its other run, however they were shown.</param>
/// <param name="Text">Free text.</param>
public sealed record Answer(double? Score = null, string? Label = null, string? Text = null);

/// <summary>Everything one person said about one item.</summary>
public sealed record ReviewAnswers
{
    /// <summary>Label of a pair whose first run is better.</summary>
    public const string First = "a";

    /// <summary>Label of a pair whose other run is better.</summary>
    public const string Second = "b";

    /// <summary>Label of a pair without a winner.</summary>
    public const string Tie = "tie";

    /// <summary>The longest text, in characters.</summary>
    public const int MaxText = 10_000;

    /// <summary>The longest correction, in characters.</summary>
    public const int MaxCorrection = 1 << 20;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>By feedback key.</summary>
    public IReadOnlyDictionary<string, Answer> Answers { get; init; } =
        new Dictionary<string, Answer>();

    /// <summary>Notes.</summary>
    public string? Note { get; init; }

    /// <summary>What the output should have been, JSON text.</summary>
    public string? CorrectionJson { get; init; }

    /// <summary>Reads what was stored; null for null.</summary>
    public static ReviewAnswers? Of(string? json) =>
        json is null ? null : JsonSerializer.Deserialize<ReviewAnswers>(json, s_json);

    /// <summary>As it is stored.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    /// <summary>These answers, held against the rubric: numbers of categories filled in, empty texts left out.</summary>
    /// <exception cref="DatasetProblemException">An answer is missing, out of range, or to no question of the rubric.</exception>
    public ReviewAnswers Checked(IReadOnlyList<RubricQuestion> questions)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var kept = new Dictionary<string, Answer>(StringComparer.Ordinal);
        if (Answers.Keys.FirstOrDefault(k => questions.All(q => q.Key != k)) is { } unknown)
        {
            throw DatasetProblemException.Invalid($"{unknown}: is not in the rubric");
        }

        foreach (var question in questions)
        {
            if (
                Answers.TryGetValue(question.Key, out var answer)
                && Fit(question, answer) is { } fitting
            )
            {
                kept[question.Key] = fitting;
            }
            else if (question.IsRequired)
            {
                throw DatasetProblemException.Invalid($"{question.Key}: needs an answer");
            }
        }

        return new ReviewAnswers
        {
            Answers = kept,
            Note = Text("note", Note),
            CorrectionJson = Json(CorrectionJson),
        };
    }

    private static Answer? Fit(RubricQuestion question, Answer answer)
    {
        if (question.Scale.Type == FeedbackType.Text)
        {
            return Text(question.Key, answer.Text) is { } text ? new Answer(Text: text) : null;
        }

        if (question.Scale.Type == FeedbackType.Score)
        {
            return answer.Score switch
            {
                null => null,
                { } score when question.Scale.Holds(score) => new Answer(score),
                _ => throw DatasetProblemException.Invalid(
                    $"{question.Key}: must be {question.Scale.Range}"
                ),
            };
        }

        if (answer.Label is null && answer.Score is null)
        {
            return null;
        }

        return
            question.Scale.Categories.FirstOrDefault(c =>
                answer.Label is { } label ? c.Label == label : c.Value.Equals(answer.Score)
            )
                is { } category
            ? new Answer(category.Value, category.Label)
            : throw DatasetProblemException.Invalid(
                $"{question.Key}: must be one of {string.Join(", ", question.Scale.Categories.Select(c => c.Label))}"
            );
    }

    private static string? Text(string name, string? text) =>
        string.IsNullOrWhiteSpace(text) ? null
        : text.Length <= MaxText ? text
        : throw DatasetProblemException.Invalid($"{name}: at most {MaxText:N0} characters");

    private static string? Json(string? json)
    {
        if (string.IsNullOrWhiteSpace(json))
        {
            return null;
        }

        if (json.Length > MaxCorrection)
        {
            throw DatasetProblemException.Invalid(
                $"correction: at most {MaxCorrection:N0} characters"
            );
        }

        try
        {
            using var document = JsonDocument.Parse(
                json,
                new JsonDocumentOptions { MaxDepth = 256 }
            );
            return json;
        }
        catch (JsonException e)
        {
            throw DatasetProblemException.Invalid($"correction: is not JSON: {e.Message}");
        }
    }
}
