using System.Text.Json;
using Assay.Core.Threads;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Figures as v1 clients read them; latencies in seconds.</summary>
internal static class StatsOut
{
    public static void Write(Utf8JsonWriter w, RunStats stats)
    {
        w.WriteNumber("run_count", stats.RunCount);
        w.WriteNumber("latency_p50", stats.Latency?.P50);
        w.WriteNumber("latency_p99", stats.Latency?.P99);
        w.WriteNumber("first_token_p50", stats.FirstToken?.P50);
        w.WriteNumber("first_token_p99", stats.FirstToken?.P99);
        w.WriteNumber("total_tokens", stats.Totals.TotalTokens);
        w.WriteNumber("prompt_tokens", stats.Totals.PromptTokens);
        w.WriteNumber("completion_tokens", stats.Totals.CompletionTokens);
        w.WriteNumber("median_tokens", stats.Tokens is { } tokens ? Math.Round(tokens.P50) : null);
        w.WriteNumber("cost_p50", stats.CostSpread?.P50);
        w.WriteNumber("cost_p99", stats.CostSpread?.P99);
        w.WriteString("total_cost", Wire.Money(stats.Totals.TotalCost));
        w.WriteString("prompt_cost", Wire.Money(stats.Totals.PromptCost));
        w.WriteString("completion_cost", Wire.Money(stats.Totals.CompletionCost));
        w.WriteTime("last_run_start_time", stats.LastRunStart);
        w.WriteNumber(
            "error_rate",
            stats.RunCount == 0 ? null : (double)stats.ErrorCount / stats.RunCount
        );
        w.WriteNumber(
            "streaming_rate",
            stats.RunCount == 0 ? null : (double)stats.StreamedCount / stats.RunCount
        );
        w.WriteStartArray("run_facets");
        w.WriteEndArray();
        RunOut.Feedback(w, stats.Feedback);
    }

    public static void WriteThreads(Utf8JsonWriter w, ConversationPage page)
    {
        w.WriteStartObject();
        w.WriteStartArray("groups");
        foreach (var thread in page.Items)
        {
            w.WriteStartObject();
            w.WriteString("thread_id", thread.ThreadId);
            w.WriteString("group_key", thread.ThreadId);
            w.WriteString("filter", $"eq(thread_id, {JsonSerializer.Serialize(thread.ThreadId)})");
            w.WriteNumber("count", thread.TraceCount);
            w.WriteNumber("total_tokens", thread.Totals.TotalTokens);
            w.WriteString("total_cost", Wire.Money(thread.Totals.TotalCost));
            w.WriteString("min_start_time", Wire.Time(thread.FirstStart));
            w.WriteString("max_start_time", Wire.Time(thread.LastStart));
            w.WriteNumber("latency_p50", thread.Latency?.P50);
            w.WriteNumber("latency_p99", thread.Latency?.P99);
            RunOut.Feedback(w, thread.Feedback);
            w.WriteString("first_inputs", thread.FirstInputsPreview);
            w.WriteString("last_outputs", thread.LastOutputsPreview);
            w.WriteString("last_error", thread.LastError);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteNumber("total", page.Total);
        w.WriteEndObject();
    }
}
