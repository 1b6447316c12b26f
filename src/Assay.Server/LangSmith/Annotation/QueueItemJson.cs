using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Traces;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Items of queues as both families of LangSmith's endpoints send and read them: runs with their payloads, and items without.</summary>
internal static class QueueItemJson
{
    /// <summary>A run's id, or an object that names the run and where it is.</summary>
    public static NewQueueItem ReadRun(JsonElement json) =>
        json.ValueKind == JsonValueKind.String
            ? new NewQueueItem(
                Guid.TryParse(json.GetString(), out var id)
                    ? id
                    : throw BodyFields.Wrong("run_id", "a UUID")
            )
            : new NewQueueItem(json.Uuid("run_id") ?? throw BodyFields.Wrong("run_id", "a UUID"))
            {
                ProjectId = Project(json),
                StartTime = json.Moment("start_time"),
                ProposedExampleId = json.Uuid("source_proposed_example_id"),
            };

    /// <summary>A run or a thread.</summary>
    public static NewQueueItem ReadItem(JsonElement json)
    {
        json.MustBeObject();
        var thread = json.StrictText("thread_id");
        return json.StrictText("item_type") != "THREAD" && (thread is null || json.Has("run_id"))
            ? ReadRun(json)
            : new NewQueueItem(json.Uuid("run_id") ?? Guid.Empty)
            {
                ThreadId = thread is { Length: > 0 }
                    ? thread
                    : throw BodyFields.Wrong("thread_id", "a text that is not empty"),
                ProjectId = Project(json) ?? throw BodyFields.Wrong("project_id", "a UUID"),
                StartTime = json.Moment("start_time"),
            };
    }

    /// <summary>What a client may change of an item.</summary>
    public static Action<QueueItem> Change(JsonElement json)
    {
        var (reviewed, added) = (json.Moment("last_reviewed_time"), json.Moment("added_at"));
        return item =>
        {
            item.LastReviewedAt = reviewed ?? item.LastReviewedAt;
            item.AddedAt = added ?? item.AddedAt;
        };
    }

    /// <summary>A section by either of its names; null for a word that is none.</summary>
    public static QueueSection? Section(string? word) =>
        word switch
        {
            "needs_my_review" => QueueSection.NeedsMyReview,
            "needs_others_review" => QueueSection.NeedsOthersReview,
            "archived" or "completed" => QueueSection.Completed,
            _ => null,
        };

    /// <summary>The name of a section; the last one is called differently by different endpoints.</summary>
    public static string Name(QueueSection section, string completed) =>
        section switch
        {
            QueueSection.NeedsMyReview => "needs_my_review",
            QueueSection.NeedsOthersReview => "needs_others_review",
            _ => completed,
        };

    /// <summary>What was completed between two times; with or without the times themselves.</summary>
    public static QueueSlice Archived(DateTimeOffset? from, DateTimeOffset? to, bool isExclusive) =>
        new()
        {
            IsCompleted = true,
            // Times are kept in whole microseconds.
            CompletedFrom = isExclusive ? from?.AddMicroseconds(1) : from,
            CompletedBefore = isExclusive ? to : to?.AddMicroseconds(1),
        };

    /// <summary>An item that is a run, as the endpoints for runs know it.</summary>
    public static void Write(Utf8JsonWriter w, QueueItem item)
    {
        w.WriteStartObject();
        w.WriteString("id", item.Id);
        w.WriteString("queue_id", item.QueueId);
        w.WriteString("run_id", item.RunId);
        WriteTimes(w, item, null);
        w.WriteEndObject();
    }

    /// <summary>An item, run or thread, as the platform's endpoints know it.</summary>
    public static void WritePlatform(Utf8JsonWriter w, QueueItem item, QueuePlace? place)
    {
        w.WriteStartObject();
        w.WriteString("id", item.Id);
        w.WriteString("queue_id", item.QueueId);
        w.WriteString("item_type", Type(item));
        w.WriteId("run_id", item.RunId == Guid.Empty ? null : item.RunId);
        w.WriteString("thread_id", item.ThreadId);
        w.WriteId("project_id", item.ProjectId);
        w.WriteString("start_time", item.StartTime is { } start ? WireAsOf.Time(start) : null);
        WriteTimes(w, item, place);
        w.WriteEndObject();
    }

    /// <summary>A run with its place in the queue.</summary>
    public static void WriteRun(
        Utf8JsonWriter w,
        Run run,
        QueuePlace place,
        Caller caller,
        Func<Attachment, string> url,
        RunRelations relations
    ) =>
        RunOut.Write(
            w,
            run,
            caller,
            url,
            relations,
            more: () =>
            {
                w.WriteString("queue_run_id", place.Item.Id);
                WriteTimes(w, place.Item, place);
            }
        );

    /// <summary>What kind of item it is.</summary>
    public static string Type(QueueItem item) => item.ThreadId is null ? "RUN" : "THREAD";

    private static void WriteTimes(Utf8JsonWriter w, QueueItem item, QueuePlace? place)
    {
        w.WriteString("added_at", WireAsOf.Time(item.AddedAt));
        w.WriteString(
            "last_reviewed_time",
            item.LastReviewedAt is { } time ? WireAsOf.Time(time) : null
        );
        w.WriteId("source_proposed_example_id", item.ProposedExampleId);
        if (place is not null)
        {
            w.WriteString("effective_added_at", WireAsOf.Time(place.EffectiveAddedAt));
            w.WriteIds("completed_by", place.CompletedBy);
            w.WriteIds("reserved_by", place.ReservedBy);
        }
    }

    private static Guid? Project(JsonElement json) =>
        json.Uuid("project_id") ?? json.Uuid("session_id");
}
