using System.Text.Json;
using Assay.Core.Feedback;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Feedback as LangSmith's clients send and read it.</summary>
internal static class FeedbackJson
{
    /// <summary>LangSmith's own limit.</summary>
    public const int MaxKey = 180;

    /// <summary>Reads one; null when it has no key or one that is too long. What cannot be read of the rest is left out.</summary>
    public static FeedbackRecord? Read(JsonElement json, Guid? id, DateTimeOffset now)
    {
        if (
            json.ValueKind != JsonValueKind.Object
            || json.Text("key") is not { Length: > 0 and <= MaxKey } key
        )
        {
            return null;
        }

        Wire.TryTime(json.Field("created_at"), out var created);
        Wire.TryTime(json.Field("start_time"), out var started);
        var source = json.Field("feedback_source");
        var isBoolean = json.Field("score").ValueKind is JsonValueKind.True or JsonValueKind.False;
        return new FeedbackRecord
        {
            Id = Id(json, "id") ?? id ?? System.Guid.CreateVersion7(now),
            // A trace without a run is judged by its root.
            RunId = Id(json, "run_id") ?? Id(json, "trace_id"),
            TraceId = Id(json, "trace_id"),
            ProjectId = Id(json, "session_id"),
            RunStartTime = started,
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

    /// <summary>Refuses what <see cref="Read"/> would leave out: who sends one judgement is told what is wrong with it.</summary>
    public static void Check(JsonElement json)
    {
        json.MustBeObject();
        if (json.StrictText("key") is not { Length: > 0 and <= MaxKey })
        {
            throw BodyFields.Wrong("key", $"a text of 1 to {MaxKey} characters");
        }

        foreach (
            var name in (string[])
                [
                    "id",
                    "run_id",
                    "trace_id",
                    "session_id",
                    "feedback_group_id",
                    "comparative_experiment_id",
                ]
        )
        {
            json.Uuid(name);
        }

        foreach (var name in (string[])["created_at", "modified_at", "start_time"])
        {
            json.Moment(name);
        }

        json.Flag("error");
        json.ObjectText("extra");
        if (json.ObjectText("feedback_source") is not null)
        {
            json.Field("feedback_source").StrictText("type");
        }

        if (!json.Has("run_id") && !json.Has("trace_id") && !json.Has("session_id"))
        {
            throw BodyFields.Wrong("run_id", "given, or trace_id, or session_id");
        }

        CheckJudgement(json);
    }

    /// <summary>Refuses scores that are no numbers and comments that are no texts.</summary>
    public static void CheckJudgement(JsonElement json)
    {
        json.MustBeObject();
        var score = json.Field("score");
        if (score.IsSaid() && Score(score) is null)
        {
            throw BodyFields.Wrong("score", "a number, true or false");
        }

        json.StrictText("comment");
        if (
            json.Field("correction")
                is { ValueKind: not (JsonValueKind.Object or JsonValueKind.String) } correction
            && correction.IsSaid()
        )
        {
            throw BodyFields.Wrong("correction", "a JSON object or a text");
        }
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

    /// <param name="w">Where to.</param>
    /// <param name="f">The feedback.</param>
    /// <param name="names">Names of members, when the client asked for them.</param>
    public static void Write(
        Utf8JsonWriter w,
        FeedbackRecord f,
        IReadOnlyDictionary<Guid, string>? names = null
    )
    {
        w.WriteStartObject();
        w.WriteString("id", f.Id);
        w.WriteId("run_id", f.RunId);
        w.WriteId("trace_id", f.TraceId);
        w.WriteId("session_id", f.ProjectId);
        w.WriteString("start_time", f.RunStartTime is { } start ? Wire.Time(start) : null);
        w.WriteBoolean("is_root", f.RunId is not null && f.RunId == f.TraceId);
        w.WriteNull("feedback_thread_id");
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
        w.WriteId("ls_user_id", f.UserId);
        w.WriteString(
            "user_name",
            f.UserId is { } user && names is not null ? names.GetValueOrDefault(user) : null
        );
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
