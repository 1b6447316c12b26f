using System.Text.Json;
using Assay.Core.Feedback;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Feedback as LangSmith's clients send and read it.</summary>
internal static class FeedbackJson
{
    /// <summary>Reads one; null when it has no key.</summary>
    public static FeedbackRecord? Read(JsonElement json, Guid? id, DateTimeOffset now)
    {
        if (json.ValueKind != JsonValueKind.Object || json.Text("key") is not { Length: > 0 } key)
        {
            return null;
        }

        Wire.TryTime(json.Field("created_at"), out var created);
        var source = json.Field("feedback_source");
        var isBoolean = json.Field("score").ValueKind is JsonValueKind.True or JsonValueKind.False;
        return new FeedbackRecord
        {
            Id = Id(json, "id") ?? id ?? System.Guid.CreateVersion7(now),
            RunId = Id(json, "run_id"),
            TraceId = Id(json, "trace_id"),
            ProjectId = Id(json, "session_id"),
            Key = key,
            Score = Score(json.Field("score")),
            ScoreIsBoolean = isBoolean,
            ValueJson = json.Raw("value"),
            Comment = json.Text("comment"),
            CorrectionJson = json.Raw("correction"),
            SourceType =
                source.ValueKind == JsonValueKind.Object && source.Text("type") is { } type
                    ? type
                    : "api",
            SourceMetadataJson =
                source.ValueKind == JsonValueKind.Object ? source.Raw("metadata") : null,
            FeedbackGroupId = Id(json, "feedback_group_id"),
            ComparativeExperimentId = Id(json, "comparative_experiment_id"),
            ExtraJson = json.Raw("extra"),
            IsError = json.Field("error").ValueKind == JsonValueKind.True,
            CreatedAt = created ?? now,
            ModifiedAt = now,
        };
    }

    /// <summary>A judgement without ids, under a key that is known already.</summary>
    public static FeedbackRecord Judgement(JsonElement json, string key, DateTimeOffset now) =>
        Change(
            new FeedbackRecord
            {
                Id = System.Guid.CreateVersion7(now),
                Key = key,
                CreatedAt = now,
                ModifiedAt = now,
            },
            json,
            now
        );

    /// <summary>A change: only what is said and not null.</summary>
    public static FeedbackRecord Change(FeedbackRecord old, JsonElement json, DateTimeOffset now) =>
        old with
        {
            Score = Score(json.Field("score")) ?? old.Score,
            ScoreIsBoolean = json.Field("score").ValueKind switch
            {
                JsonValueKind.True or JsonValueKind.False => true,
                JsonValueKind.Number => false,
                _ => old.ScoreIsBoolean,
            },
            ValueJson = json.Raw("value") ?? old.ValueJson,
            Comment = json.Text("comment") ?? old.Comment,
            CorrectionJson = json.Raw("correction") ?? old.CorrectionJson,
            ModifiedAt = now,
        };

    /// <summary>For whoever holds a share token: what was said, not who said it, by which evaluator's run, or on what evidence.</summary>
    public static void WritePublic(Utf8JsonWriter w, FeedbackRecord f) =>
        Write(w, f with { UserId = null, SourceMetadataJson = null, ExtraJson = null });

    public static void Write(Utf8JsonWriter w, FeedbackRecord f)
    {
        w.WriteStartObject();
        w.WriteString("id", f.Id);
        w.WriteId("run_id", f.RunId);
        w.WriteId("trace_id", f.TraceId);
        w.WriteId("session_id", f.ProjectId);
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

        w.WriteJson("value", f.ValueJson);
        w.WriteString("comment", f.Comment);
        w.WriteJson("correction", f.CorrectionJson);
        w.WriteId("feedback_group_id", f.FeedbackGroupId);
        w.WriteId("comparative_experiment_id", f.ComparativeExperimentId);
        w.WriteStartObject("feedback_source");
        w.WriteString("type", f.SourceType);
        w.WriteJson("metadata", f.SourceMetadataJson);
        w.WriteId("user_id", f.UserId);
        w.WriteEndObject();
        w.WriteJson("extra", f.ExtraJson);
        w.WriteString("created_at", Wire.Time(f.CreatedAt));
        w.WriteString("modified_at", Wire.Time(f.ModifiedAt));
        w.WriteEndObject();
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

    /// <summary>Feedback is never refused for an id that cannot be read: it then stands for the project or for nothing.</summary>
    private static Guid? Id(JsonElement json, string name) =>
        json.TryId(name, out var id) ? id : null;
}
