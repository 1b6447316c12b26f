using System.Text.Json;
using Assay.Core.Evaluators.Judges;
using Assay.Evaluation.Code;

namespace Assay.Core.Evaluators;

/// <summary>Settings of evaluators as JSON: read, checked and written in one form, so that equal settings are equal texts. Pure.</summary>
internal static class EvaluatorSettings
{
    private const string JavaScript = "javascript";

    /// <summary>The settings checked as far as they can be without the workspace, in canonical form.</summary>
    /// <exception cref="InvalidEvaluatorException">They make no sense; it says where.</exception>
    public static string Canonical(EvaluatorKind kind, string key, string settingsJson)
    {
        if (settingsJson.Length > EvaluatorCatalog.MaxSettings)
        {
            throw new InvalidEvaluatorException(
                "settings",
                $"at most {EvaluatorCatalog.MaxSettings:N0} characters"
            );
        }

        switch (kind)
        {
            case EvaluatorKind.BuiltIn:
                var settings = BuiltInEvaluators.Canonical(Read(settingsJson));
                BuiltInEvaluators.Build(settings, key);
                return settings.GetRawText();
            case EvaluatorKind.Judge:
                return JudgeSettings.Read(settingsJson).ToJson();
            case EvaluatorKind.Code:
                var code = Code(settingsJson);
                return CodeEvaluator.Check(code) is { } problem
                    ? throw new InvalidEvaluatorException("code", problem)
                    : JsonSerializer.Serialize(new { language = JavaScript, code });
            default:
                throw new InvalidEvaluatorException(
                    "kind",
                    "this server runs built-in evaluators, judges and code"
                );
        }
    }

    /// <summary>The code of an evaluator that is some: <c>{language?, code}</c>.</summary>
    public static string Code(string settingsJson)
    {
        var settings = Read(settingsJson);
        if (
            settings.TryGetProperty("language", out var language)
            && language.ValueKind != JsonValueKind.Null
            && !(
                language.ValueKind == JsonValueKind.String
                && language.GetString() is JavaScript or "js"
            )
        )
        {
            throw new InvalidEvaluatorException("language", $"must be {JavaScript}");
        }

        return
            settings.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.String
            ? code.GetString()!
            : throw new InvalidEvaluatorException("code", "is needed");
    }

    public static JsonElement Read(string json)
    {
        try
        {
            var read = JsonElement.Parse(json);
            return read.ValueKind == JsonValueKind.Object
                ? read
                : throw new InvalidEvaluatorException("settings", "must be an object");
        }
        catch (JsonException e)
        {
            throw new InvalidEvaluatorException("settings", "is not JSON", e);
        }
    }
}
