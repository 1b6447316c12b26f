using System.Text.Json;
using Assay.Core.Annotation;
using Assay.Core.Datasets;
using Assay.Core.Feedback;

namespace Assay.UI.Queues;

/// <summary>A question of a rubric, or what a feedback key means, as the editor in the browser holds it.</summary>
internal sealed record RubricDraft
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public string Key { get; init; } = "";

    public string? Description { get; init; }

    public bool Required { get; init; }

    /// <summary><c>score</c>, <c>category</c>, <c>boolean</c> or <c>text</c>.</summary>
    public string Type { get; init; } = "score";

    public double? Min { get; init; }

    public double? Max { get; init; }

    public IReadOnlyList<FeedbackCategory> Categories { get; init; } = [];

    public static RubricDraft Of(RubricQuestion question) =>
        new()
        {
            Key = question.Key,
            Description = question.Description,
            Required = question.IsRequired,
            Type = Name(question.Scale.Type),
            Min = question.Scale.Min,
            Max = question.Scale.Max,
            Categories = question.Scale.Categories,
        };

    public static string Name(FeedbackType type) =>
        type switch
        {
            FeedbackType.Category => "category",
            FeedbackType.Boolean => "boolean",
            FeedbackType.Text => "text",
            _ => "score",
        };

    public static string ToJson(IEnumerable<RubricDraft> drafts) =>
        JsonSerializer.Serialize(drafts, s_json);

    /// <summary>Reads what the editor sent.</summary>
    /// <exception cref="DatasetProblemException">It makes no sense.</exception>
    public static IReadOnlyList<RubricQuestion> Read(string? json)
    {
        if (string.IsNullOrWhiteSpace(json))
        {
            return [];
        }

        List<RubricDraft> drafts;
        try
        {
            drafts = JsonSerializer.Deserialize<List<RubricDraft>>(json, s_json) ?? [];
        }
        catch (JsonException)
        {
            throw Wrong("The rubric cannot be read.");
        }

        if (drafts.Count > Rubric.MaxQuestions)
        {
            throw Wrong($"At most {Rubric.MaxQuestions} questions.");
        }

        var questions = drafts.ConvertAll(d => new RubricQuestion(
            d.Key.Trim(),
            string.IsNullOrWhiteSpace(d.Description) ? null : d.Description.Trim(),
            d.Required,
            d.Scale(),
            new Dictionary<string, string>()
        ));
        return questions.Find(q => q.Key.Length is 0 or > FeedbackKeys.MaxKeyLength) is not null
                ? throw Wrong(
                    $"Every question needs a feedback key of 1 to {FeedbackKeys.MaxKeyLength} characters."
                )
            : questions.DistinctBy(q => q.Key).Count() != questions.Count
                ? throw Wrong("Two questions have the same feedback key.")
            : questions;
    }

    public FeedbackScale Scale() =>
        Type switch
        {
            "category" => new FeedbackScale(
                FeedbackType.Category,
                null,
                null,
                [.. Categories.Select(c => c with { Label = c.Label.Trim() })]
            ),
            "boolean" => Categories.Count == 2
                ? new FeedbackScale(FeedbackType.Boolean, null, null, Categories)
                : FeedbackScale.YesNo,
            "text" => FeedbackScale.FreeText,
            _ => new FeedbackScale(FeedbackType.Score, Min, Max, []),
        };

    private static DatasetProblemException Wrong(string message) =>
        new(DatasetProblem.Invalid, message);
}
