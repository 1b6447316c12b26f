using System.Text.Json;
using Assay.Core.Evaluators;
using Microsoft.AspNetCore.Http;

namespace Assay.UI.Evaluators;

/// <summary>An evaluator as the editor sends it.</summary>
internal sealed record DraftBody(
    string? Name,
    string? Key,
    string? Kind,
    string? Description,
    string? Note,
    JsonElement Settings
)
{
    /// <exception cref="InvalidEvaluatorException">The kind is none.</exception>
    public EvaluatorDraft ToDraft() =>
        new()
        {
            Name = Name ?? "",
            FeedbackKey = Key ?? "",
            Kind = Enum.TryParse<EvaluatorKind>(Kind, ignoreCase: true, out var kind)
                ? kind
                : throw new InvalidEvaluatorException("kind", "choose one"),
            Description = Description,
            Note = Note,
            SettingsJson =
                Settings.ValueKind == JsonValueKind.Object ? Settings.GetRawText() : "{}",
        };

    /// <summary>The same with a name and a key, for a preview of an evaluator that has neither yet.</summary>
    public EvaluatorDraft ToTrial()
    {
        var draft = ToDraft();
        return draft with
        {
            Name = draft.Name.Trim().Length > 0 ? draft.Name : "Preview",
            FeedbackKey = draft.FeedbackKey.Trim().Length > 0 ? draft.FeedbackKey : "preview",
        };
    }
}

/// <summary>Turns what goes wrong with evaluators into answers.</summary>
internal static class EvaluatorProblems
{
    public static async Task<IResult> AnswerAsync(Func<Task<IResult>> answer)
    {
        try
        {
            return await answer();
        }
        catch (InvalidEvaluatorException e)
        {
            return Results.Json(
                new { detail = e.Message, field = e.Field },
                statusCode: StatusCodes.Status400BadRequest
            );
        }
        catch (EvaluatorConflictException e)
        {
            return Results.Json(
                new { detail = e.Message },
                statusCode: StatusCodes.Status409Conflict
            );
        }
    }

    public static IResult Gone() =>
        Results.Json(
            new { detail = "The evaluator is not there any more." },
            statusCode: StatusCodes.Status404NotFound
        );
}
