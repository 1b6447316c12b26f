using System.Text.Json;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;

namespace Assay.Server.LangSmith.Evaluators;

/// <summary>Evaluators as LangSmith's clients read them. What only Assay has (built-in ones, own prompts of judges) appears as far as there are fields for it.</summary>
internal static class EvaluatorOut
{
    /// <summary>LangSmith knows judges and programs; what is built in computes, so it counts as one.</summary>
    public static string TypeOf(EvaluatorKind kind) => kind == EvaluatorKind.Judge ? "llm" : "code";

    public static void Write(
        Utf8JsonWriter w,
        EvaluatorDefinition evaluator,
        EvaluatorVersion version
    )
    {
        w.WriteStartObject();
        w.WriteString("id", evaluator.Id);
        w.WriteString("tenant_id", evaluator.WorkspaceId);
        w.WriteString("name", evaluator.Name);
        w.WriteString("type", TypeOf(evaluator.Kind));
        w.WriteStartArray("feedback_keys");
        w.WriteStringValue(evaluator.FeedbackKey);
        w.WriteEndArray();
        w.WriteString("created_at", Wire.Time(evaluator.CreatedAt));
        w.WriteString("updated_at", Wire.Time(evaluator.ModifiedAt));
        w.WriteString("created_by", evaluator.Author);
        w.WriteJson("metadata", evaluator.MetadataJson);
        w.WriteBoolean("is_managed", evaluator.Kind == EvaluatorKind.BuiltIn);
        w.WriteStartArray("run_rules");
        w.WriteEndArray();
        if (evaluator.Kind == EvaluatorKind.Judge)
        {
            Judge(w, evaluator, JudgeSettings.Read(version.SettingsJson));
        }
        else
        {
            Code(w, evaluator, version);
        }

        w.WriteEndObject();
    }

    private static void Judge(
        Utf8JsonWriter w,
        EvaluatorDefinition evaluator,
        JudgeSettings settings
    )
    {
        w.WriteStartObject("llm_evaluator");
        w.WriteString("evaluator_id", evaluator.Id);
        w.WriteString("prompt_repo_handle", settings.Hub?.Handle);
        w.WriteString("commit_hash_or_tag", settings.Hub?.Commit);
        w.WriteStartObject("variable_mapping");
        foreach (var (name, source) in settings.Mapping)
        {
            w.WriteString(name, source);
        }

        w.WriteEndObject();
        w.WriteNumber("num_few_shot_examples", settings.Examples.Count);
        w.WriteEndObject();
    }

    private static void Code(
        Utf8JsonWriter w,
        EvaluatorDefinition evaluator,
        EvaluatorVersion version
    )
    {
        using var settings = JsonDocument.Parse(version.SettingsJson);
        w.WriteStartObject("code_evaluator");
        w.WriteString("evaluator_id", evaluator.Id);
        w.WriteString("language", evaluator.Kind == EvaluatorKind.BuiltIn ? "assay" : "javascript");
        w.WriteString(
            "code",
            evaluator.Kind == EvaluatorKind.BuiltIn
                ? version.SettingsJson
                : settings.RootElement.Text("code")
        );
        w.WriteEndObject();
    }
}
