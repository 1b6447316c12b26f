using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Core.Traces;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Queues and their items as LangSmith's clients read them.</summary>
internal static class QueueOut
{
    public static void Write(
        Utf8JsonWriter w,
        AnnotationQueue queue,
        bool withRubric,
        int? total = null
    )
    {
        w.WriteStartObject();
        w.WriteString("id", queue.Id);
        w.WriteString("tenant_id", queue.WorkspaceId);
        w.WriteString("name", queue.Name);
        w.WriteString("description", queue.Description);
        w.WriteString("queue_type", queue.IsPairwise ? "pairwise" : "single");
        w.WriteString("created_at", WireAsOf.Time(queue.CreatedAt));
        w.WriteString("updated_at", WireAsOf.Time(queue.UpdatedAt));
        w.WriteNumber("num_reviewers_per_item", queue.ReviewersPerItem);
        w.WriteBoolean("enable_reservations", queue.HasReservations);
        w.WriteNumber("reservation_minutes", queue.ReservationMinutes);
        w.WriteString("reviewer_access_mode", queue.AccessMode);
        w.WriteId("default_dataset", queue.DefaultDatasetId);
        w.WriteNull("source_rule_id");
        w.WriteNull("run_rule_id");
        w.WriteJson("metadata", queue.MetadataJson);
        w.WriteStartArray("assigned_reviewers");
        foreach (var reviewer in queue.Reviewers)
        {
            w.WriteStartObject();
            w.WriteString("id", reviewer);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        if (withRubric)
        {
            w.WriteJson("rubric_items", queue.RubricJson);
            w.WriteString("rubric_instructions", queue.Instructions);
        }

        if (total is { } runs)
        {
            w.WriteNumber("total_runs", runs);
        }

        w.WriteEndObject();
    }

    public static void WriteItem(Utf8JsonWriter w, QueueItem item)
    {
        w.WriteStartObject();
        w.WriteString("id", item.Id);
        w.WriteString("queue_id", item.QueueId);
        w.WriteString("run_id", item.RunId);
        w.WriteString("added_at", WireAsOf.Time(item.AddedAt));
        w.WriteString(
            "last_reviewed_time",
            item.LastReviewedAt is { } time ? WireAsOf.Time(time) : null
        );
        w.WriteId("source_proposed_example_id", item.ProposedExampleId);
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
                var item = place.Item;
                w.WriteString("queue_run_id", item.Id);
                w.WriteString("added_at", WireAsOf.Time(item.AddedAt));
                w.WriteString("effective_added_at", WireAsOf.Time(place.EffectiveAddedAt));
                w.WriteString(
                    "last_reviewed_time",
                    item.LastReviewedAt is { } time ? WireAsOf.Time(time) : null
                );
                w.WriteIds("completed_by", place.CompletedBy);
                w.WriteIds("reserved_by", place.ReservedBy);
                w.WriteId("source_proposed_example_id", item.ProposedExampleId);
            }
        );
}
