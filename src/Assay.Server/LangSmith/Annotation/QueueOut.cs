using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Annotation;
using Assay.Server.LangSmith.Datasets;

namespace Assay.Server.LangSmith.Annotation;

/// <summary>Queues as LangSmith's clients read them.</summary>
internal static class QueueOut
{
    public static void Write(
        Utf8JsonWriter w,
        AnnotationQueue queue,
        IReadOnlyDictionary<Guid, MemberView> members,
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
            w.WriteString("name", members.GetValueOrDefault(reviewer)?.Name);
            w.WriteString("email", members.GetValueOrDefault(reviewer)?.Email);
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
}
