using System.Text.Json;
using Assay.Core.Feedback;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Feedback as LangSmith's clients send and read it.</summary>
internal static class FeedbackJson
{
    /// <summary>Reads one; null when it has no key.</summary>
    public static FeedbackRecord? Read(JsonElement json, Guid? id, DateTimeOffset now)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "key") is not { Length: > 0 } key)
        {
            return null;
        }

        Wire.TryTime(Get(json, "created_at"), out var created);
        var source = Get(json, "feedback_source");
        var isBoolean = Get(json, "score").ValueKind is JsonValueKind.True or JsonValueKind.False;
        return new FeedbackRecord
        {
            Id = Id(json, "id") ?? id ?? System.Guid.CreateVersion7(now),
            RunId = Id(json, "run_id"),
            TraceId = Id(json, "trace_id"),
            ProjectId = Id(json, "session_id"),
            Key = key,
            Score = Score(Get(json, "score")),
            ScoreIsBoolean = isBoolean,
            ValueJson = Raw(json, "value"),
            Comment = Text(json, "comment"),
            CorrectionJson = Raw(json, "correction"),
            SourceType =
                source.ValueKind == JsonValueKind.Object && Text(source, "type") is { } type
                    ? type
                    : "api",
            SourceMetadataJson =
                source.ValueKind == JsonValueKind.Object ? Raw(source, "metadata") : null,
            FeedbackGroupId = Id(json, "feedback_group_id"),
            ComparativeExperimentId = Id(json, "comparative_experiment_id"),
            ExtraJson = Raw(json, "extra"),
            IsError = Get(json, "error").ValueKind == JsonValueKind.True,
            CreatedAt = created ?? now,
            ModifiedAt = now,
        };
    }

    /// <summary>A change: only what is said and not null.</summary>
    public static FeedbackRecord Change(FeedbackRecord old, JsonElement json, DateTimeOffset now) =>
        old with
        {
            Score = Score(Get(json, "score")) ?? old.Score,
            ScoreIsBoolean = Get(json, "score").ValueKind switch
            {
                JsonValueKind.True or JsonValueKind.False => true,
                JsonValueKind.Number => false,
                _ => old.ScoreIsBoolean,
            },
            ValueJson = Raw(json, "value") ?? old.ValueJson,
            Comment = Text(json, "comment") ?? old.Comment,
            CorrectionJson = Raw(json, "correction") ?? old.CorrectionJson,
            ModifiedAt = now,
        };

    public static void Write(Utf8JsonWriter w, FeedbackRecord f)
    {
        w.WriteStartObject();
        w.WriteString("id", f.Id);
        Guid(w, "run_id", f.RunId);
        Guid(w, "trace_id", f.TraceId);
        Guid(w, "session_id", f.ProjectId);
        w.WriteString("key", f.Key);
        w.WritePropertyName("score");
        if (f.Score is not { } score)
        {
            w.WriteNullValue();
        }
        else if (f.ScoreIsBoolean)
        {
            w.WriteBooleanValue(score != 0);
        }
        else
        {
            w.WriteNumberValue(score);
        }

        Json(w, "value", f.ValueJson);
        w.WriteString("comment", f.Comment);
        Json(w, "correction", f.CorrectionJson);
        Guid(w, "feedback_group_id", f.FeedbackGroupId);
        Guid(w, "comparative_experiment_id", f.ComparativeExperimentId);
        w.WriteStartObject("feedback_source");
        w.WriteString("type", f.SourceType);
        Json(w, "metadata", f.SourceMetadataJson);
        Guid(w, "user_id", f.UserId);
        w.WriteEndObject();
        Json(w, "extra", f.ExtraJson);
        w.WriteString("created_at", Wire.Time(f.CreatedAt));
        w.WriteString("modified_at", Wire.Time(f.ModifiedAt));
        w.WriteEndObject();
    }

    private static void Guid(Utf8JsonWriter w, string name, Guid? id)
    {
        if (id is { } value)
        {
            w.WriteString(name, value);
        }
        else
        {
            w.WriteNull(name);
        }
    }

    private static void Json(Utf8JsonWriter w, string name, string? json)
    {
        w.WritePropertyName(name);
        w.WriteRawValue(json ?? "null");
    }

    private static double? Score(JsonElement score) =>
        score.ValueKind switch
        {
            JsonValueKind.True => 1,
            JsonValueKind.False => 0,
            JsonValueKind.Number
                when score.TryGetDouble(out var number) && double.IsFinite(number) => number,
            _ => null,
        };

    private static Guid? Id(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: JsonValueKind.String } value
        && System.Guid.TryParse(value.GetString(), out var id)
            ? id
            : null;

    private static string? Text(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static string? Raw(JsonElement json, string name) =>
        Get(json, name) is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value
            ? value.GetRawText()
            : null;

    private static JsonElement Get(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value : default;
}
