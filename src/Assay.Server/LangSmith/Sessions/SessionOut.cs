using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Projects;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>Writes a project as LangSmith's clients read a session; figures only when they were asked for.</summary>
internal static class SessionOut
{
    public static void Write(
        Utf8JsonWriter w,
        Project project,
        SessionFigures? figures,
        Action? more = null
    )
    {
        w.WriteStartObject();
        WriteProject(w, project);
        w.WriteString("trace_tier", "longlived");
        if (figures is not null)
        {
            StatsOut.Write(w, figures.Runs, isSession: true);
            WriteMore(w, figures);
        }

        more?.Invoke();
        w.WriteEndObject();
    }

    /// <summary>A project as the second version of the wire has it: its type, words in capitals, costs as numbers.</summary>
    public static void WriteV2(Utf8JsonWriter w, Project project, SessionFigures? figures)
    {
        w.WriteStartObject();
        WriteProject(w, project);
        w.WriteString("type", project.ReferenceDatasetId is null ? "PROJECT" : "EXPERIMENT");
        w.WriteString("trace_tier", "LONG_LIVED");
        if (figures is not null)
        {
            StatsOut.Write(w, figures.Runs, isSession: true, areCostsNumbers: true);
            WriteMore(w, figures);
        }

        w.WriteEndObject();
    }

    private static void WriteProject(Utf8JsonWriter w, Project project)
    {
        w.WriteString("id", project.Id);
        w.WriteString("tenant_id", project.WorkspaceId);
        w.WriteString("name", project.Name);
        w.WriteString("description", project.Description);

        // With its zone: JavaScript takes a time without one for local time.
        w.WriteZoned("start_time", project.StartTime);
        w.WriteZoned("end_time", project.EndTime);
        w.WriteJson("extra", project.ExtraJson);
        w.WriteId("reference_dataset_id", project.ReferenceDatasetId);
        w.WriteId("default_dataset_id", project.DefaultDatasetId);
        w.WriteNumber("test_run_number", project.ExperimentNumber);
    }

    private static void WriteMore(Utf8JsonWriter w, SessionFigures figures)
    {
        w.WriteTime("last_run_start_time_live", figures.Runs.LastRunStart);
        RunOut.Feedback(w, figures.Feedback, "session_feedback_stats");
        WriteFacets(w, figures.Facets);
    }

    /// <summary>
    /// An experiment for whoever holds the token of its dataset. The id of the workspace is not told; clients demand one, so it is empty.
    /// </summary>
    public static void WritePublic(Utf8JsonWriter w, Project project, SessionFigures? figures)
    {
        w.WriteStartObject();
        w.WriteString("id", project.Id);
        w.WriteString("tenant_id", Guid.Empty);
        w.WriteString("name", project.Name);
        w.WriteString("description", project.Description);
        w.WriteZoned("start_time", project.StartTime);
        w.WriteZoned("end_time", project.EndTime);
        w.WriteJson("extra", PublicMetadata.Extra(project.ExtraJson));
        w.WriteId("reference_dataset_id", project.ReferenceDatasetId);
        w.WriteNumber("test_run_number", project.ExperimentNumber);
        if (figures is not null)
        {
            StatsOut.Write(
                w,
                figures.Runs with
                {
                    Feedback = RunOut.Public(figures.Runs.Feedback),
                },
                isSession: true
            );
            RunOut.Feedback(w, RunOut.Public(figures.Feedback), "session_feedback_stats");
        }

        w.WriteEndObject();
    }

    private static void WriteFacets(Utf8JsonWriter w, IReadOnlyList<Facet> facets)
    {
        w.WriteStartArray("run_facets");
        foreach (var facet in facets)
        {
            foreach (var value in facet.Values)
            {
                w.WriteStartObject();
                w.WriteString("key", facet.Name);
                w.WriteString("value", value.Value);
                w.WriteString("query", Query(facet.Name, value.Value));
                w.WriteNumber("n", value.Count);
                w.WriteEndObject();
            }
        }

        w.WriteEndArray();
    }

    /// <summary>The filter that finds the runs a facet value counts.</summary>
    private static string Query(string field, string value)
    {
        var text = JsonSerializer.Serialize(value);
        return field.StartsWith("metadata.", StringComparison.Ordinal)
                ? $"and(eq(metadata_key, {JsonSerializer.Serialize(field[9..])}), eq(metadata_value, {text}))"
            : field == "tag" ? $"has(tags, {text})"
            : $"eq({field}, {text})";
    }
}

/// <summary>The figures of a project.</summary>
/// <param name="Runs">Over its roots.</param>
/// <param name="Feedback">Feedback given to the project itself.</param>
/// <param name="Facets">Values with counts; empty unless asked for.</param>
internal sealed record SessionFigures(
    RunStats Runs,
    IReadOnlyDictionary<string, FeedbackStats> Feedback,
    IReadOnlyList<Facet> Facets
)
{
    public static SessionFigures None { get; } =
        new(new RunStats(), new Dictionary<string, FeedbackStats>(), []);
}
