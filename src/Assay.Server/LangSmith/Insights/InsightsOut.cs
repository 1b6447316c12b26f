using System.Globalization;
using System.Text.Json;
using Assay.Core.Insights;

namespace Assay.Server.LangSmith.Insights;

/// <summary>Writes reports as LangSmith's clients read them.</summary>
internal static class InsightsOut
{
    /// <summary>Clients wait for <c>success</c> or <c>error</c>; a cancelled report is one that has come to an end without success.</summary>
    public static string Status(InsightsJob job) =>
        job.State switch
        {
            InsightsState.Waiting => "queued",
            InsightsState.Running => "running",
            InsightsState.Done => "success",
            _ => "error",
        };

    public static void Report(Utf8JsonWriter w, InsightsReport report)
    {
        w.WriteStartObject();
        Job(
            w,
            report.Job,
            report.Progress,
            report.Clusters.GroupBy(c => c.Cluster.Level).ToDictionary(g => g.Key, g => g.Count()),
            report.Problems
        );
        w.WriteStartArray("clusters");
        foreach (var cluster in report.Clusters)
        {
            w.WriteStartObject();
            Cluster(w, cluster.Cluster);
            w.WriteString("parent_name", cluster.ParentName);
            w.WriteNumber("num_runs", cluster.Figures.Count);
            w.WritePropertyName("stats");
            Figures(w, cluster.Figures);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WritePropertyName("report");
        Summary(w, report);
        w.WriteEndObject();
    }

    public static void Job(
        Utf8JsonWriter w,
        InsightsJob job,
        InsightsProgress progress,
        IReadOnlyDictionary<int, int> shape,
        IReadOnlyList<InsightsProblem> problems
    )
    {
        var plan = InsightsPlan.Of(job);
        w.WriteString("id", job.Id);
        w.WriteString("name", job.Name);
        w.WriteString("status", Status(job));
        w.WriteZoned("start_time", plan.From);
        w.WriteZoned("end_time", plan.To);
        w.WriteZoned("created_at", job.CreatedAt);
        w.WriteStartObject("metadata");
        w.WriteString("state", job.State.ToString().ToLowerInvariant());
        w.WriteString("created_by", job.Actor);
        w.WriteZoned("started_at", job.StartedAt);
        w.WriteZoned("finished_at", job.FinishedAt);
        w.WriteString("filter", plan.Filter);
        w.WriteString("summary_model", $"{plan.SummaryModel.Provider}/{plan.SummaryModel.Model}");
        w.WriteString("cluster_model", $"{plan.ClusterModel.Provider}/{plan.ClusterModel.Model}");
        w.WriteBoolean(
            "is_simulated",
            plan.SummaryModel.IsSimulated || plan.ClusterModel.IsSimulated
        );
        w.WriteString("trace_run_id", job.TraceRunId);
        w.WriteNumber("runs_matched", job.Matched);
        w.WriteNumber("runs_sampled", job.Total);
        w.WriteNumber("runs_summarized", progress.Summarized);
        w.WriteNumber("runs_assigned", progress.In(InsightsRunState.Assigned));
        w.WriteNumber("runs_in_no_cluster", progress.In(InsightsRunState.FitsNone));
        w.WriteNumber("runs_not_assigned", progress.In(InsightsRunState.NotAssigned));
        w.WriteNumber("runs_not_summarized", progress.In(InsightsRunState.NotSummarized));
        w.WriteStartArray("problems");
        foreach (var problem in problems)
        {
            w.WriteStartObject();
            w.WriteString(
                "state",
                problem.State == InsightsRunState.NotSummarized ? "not_summarized" : "not_assigned"
            );
            w.WriteString("reason", problem.Reason);
            w.WriteNumber("count", problem.Count);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteEndObject();
        w.WriteStartObject("shape");
        foreach (var (level, count) in shape.OrderBy(s => s.Key))
        {
            w.WriteNumber(level.ToString(CultureInfo.InvariantCulture), count);
        }

        w.WriteEndObject();
        w.WriteString("error", job.Reason);
        w.WriteNull("config_id");
    }

    public static void Cluster(Utf8JsonWriter w, InsightsCluster cluster)
    {
        w.WriteString("id", cluster.Id);
        w.WriteId("parent_id", cluster.ParentId);
        w.WriteNumber("level", cluster.Level);
        w.WriteString("name", cluster.Name);
        w.WriteString("description", cluster.Description);
    }

    /// <summary>Where a run of a report belongs.</summary>
    public static void Place(Utf8JsonWriter w, InsightsRun row)
    {
        w.WriteId("cluster_id", row.ClusterId);
        w.WriteString("summary", row.Summary);
        w.WriteString("insights_error", row.Error);
    }

    private static void Figures(Utf8JsonWriter w, ClusterFigures f)
    {
        w.WriteStartObject();
        w.WriteNumber("run_count", f.Found);
        w.WriteNumber("error_count", f.Errors);
        w.WriteNumber("error_rate", f.ErrorRate);
        w.WriteNumber("latency_p50", f.LatencyP50?.TotalSeconds);
        w.WriteNumber("latency_p95", f.LatencyP95?.TotalSeconds);
        w.WriteNumber("total_tokens", f.Tokens);
        w.WriteString("total_cost", Wire.Money(f.Cost));
        w.WriteStartObject("feedback_stats");
        foreach (var (key, stats) in f.Feedback)
        {
            w.WriteStartObject(key);
            w.WriteNumber("n", stats.Count);
            w.WriteNumber("avg", stats.Average);
            w.WriteEndObject();
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Summary(Utf8JsonWriter w, InsightsReport report)
    {
        if (report.Summary is not { } summary)
        {
            w.WriteNullValue();
            return;
        }

        w.WriteStartObject();
        w.WriteTexts("key_points", summary.KeyPoints);
        w.WriteString("title", summary.Title);
        w.WriteStartArray("highlighted_traces");
        foreach (var (rank, highlight) in report.Highlights.Index())
        {
            w.WriteStartObject();
            w.WriteString("run_id", highlight.Row.RunId);
            w.WriteId("cluster_id", highlight.Cluster?.Id);
            w.WriteString("cluster_name", highlight.Cluster?.Name);
            w.WriteNumber("rank", rank + 1);
            w.WriteString("highlight_reason", highlight.Reason);
            w.WriteString("summary", highlight.Row.Summary);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteZoned("created_at", report.Job.FinishedAt);
        w.WriteEndObject();
    }
}
