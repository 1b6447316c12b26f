using System.Text.Json;
using Assay.Core.Threads;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Figures as v1 clients read them; latencies in seconds. Costs are texts on a session (numbers in the second version of the wire) and numbers in run statistics.</summary>
internal static class StatsOut
{
    public static void Write(
        Utf8JsonWriter w,
        RunStats stats,
        bool isSession,
        bool areCostsNumbers = false
    )
    {
        var areTexts = isSession && !areCostsNumbers;
        w.WriteNumber("run_count", stats.RunCount);
        w.WriteNumber("latency_p50", stats.Latency?.P50);
        w.WriteNumber("latency_p99", stats.Latency?.P99);
        w.WriteNumber("first_token_p50", stats.FirstToken?.P50);
        w.WriteNumber("first_token_p99", stats.FirstToken?.P99);
        w.WriteNumber("total_tokens", stats.Totals.TotalTokens);
        w.WriteNumber("prompt_tokens", stats.Totals.PromptTokens);
        w.WriteNumber("completion_tokens", stats.Totals.CompletionTokens);
        Cost(w, "total_cost", stats.Totals.TotalCost, areTexts);
        Cost(w, "prompt_cost", stats.Totals.PromptCost, areTexts);
        Cost(w, "completion_cost", stats.Totals.CompletionCost, areTexts);
        w.WriteTime("last_run_start_time", stats.LastRunStart);
        w.WriteNumber("error_rate", Rate(stats.ErrorCount, stats.RunCount));
        w.WriteNumber("streaming_rate", Rate(stats.StreamedCount, stats.RunCount));
        RunOut.Feedback(w, stats.Feedback);
        if (isSession)
        {
            return;
        }

        w.WriteNumber("latency_avg", stats.Latency?.Mean);
        w.WriteNumber("median_tokens", Whole(stats.Tokens?.P50));
        w.WriteNumber("tokens_p99", Whole(stats.Tokens?.P99));
        w.WriteNumber("prompt_tokens_p50", Whole(stats.PromptTokensSpread?.P50));
        w.WriteNumber("prompt_tokens_p99", Whole(stats.PromptTokensSpread?.P99));
        w.WriteNumber("completion_tokens_p50", Whole(stats.CompletionTokensSpread?.P50));
        w.WriteNumber("completion_tokens_p99", Whole(stats.CompletionTokensSpread?.P99));
        w.WriteNumber("cost_p50", stats.CostSpread?.P50);
        w.WriteNumber("cost_p99", stats.CostSpread?.P99);
        w.WriteStartArray("run_facets");
        w.WriteEndArray();
    }

    /// <summary>Parts of tokens and costs by name.</summary>
    public static void WriteParts(Utf8JsonWriter w, UsageParts parts)
    {
        RunOut.Counts(w, "prompt_token_details", parts.PromptTokens);
        RunOut.Counts(w, "completion_token_details", parts.CompletionTokens);
        Costs("prompt_cost_details", parts.PromptCosts);
        Costs("completion_cost_details", parts.CompletionCosts);

        // Numbers, as all costs of run statistics are.
        void Costs(string name, IReadOnlyDictionary<string, decimal> costs)
        {
            w.WriteStartObject(name);
            foreach (var (key, value) in costs)
            {
                w.WriteNumber(key, value);
            }

            w.WriteEndObject();
        }
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

    private static void Cost(Utf8JsonWriter w, string name, decimal cost, bool isText)
    {
        if (isText)
        {
            w.WriteString(name, Wire.Money(cost));
        }
        else
        {
            w.WriteNumber(name, cost);
        }
    }

    private static double? Rate(long part, long whole) => whole == 0 ? null : (double)part / whole;

    private static double? Whole(double? tokens) => tokens is { } value ? Math.Round(value) : null;
}
