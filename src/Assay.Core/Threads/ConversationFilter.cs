using Assay.Core.Feedback;
using Assay.Core.Filters;

namespace Assay.Core.Threads;

/// <summary>
/// Conditions on whole threads, LangSmith's <c>thread_filter</c>: the filter language over the figures of a thread, all of its traces
/// counted. Names are those of the wire's thread and thread statistics. Feedback is the mean by key.
/// </summary>
public static class ConversationFilter
{
    private static readonly SummaryFields<Conversation> s_fields = new(
        new Dictionary<string, SummaryField<Conversation>>
        {
            ["thread_id"] = new SummaryField<Conversation>.Text(t => t.ThreadId),
            ["count"] = new SummaryField<Conversation>.Number(t => t.TraceCount),
            ["turns"] = new SummaryField<Conversation>.Number(t => t.TraceCount),
            ["num_errored_turns"] = new SummaryField<Conversation>.Number(t => t.ErrorCount),
            ["error_rate"] = new SummaryField<Conversation>.Number(t =>
                t.TraceCount == 0 ? null : (double)t.ErrorCount / t.TraceCount
            ),
            ["start_time"] = new SummaryField<Conversation>.Time(t => t.FirstStart),
            ["min_start_time"] = new SummaryField<Conversation>.Time(t => t.FirstStart),
            ["first_start_time"] = new SummaryField<Conversation>.Time(t => t.FirstStart),
            ["max_start_time"] = new SummaryField<Conversation>.Time(t => t.LastStart),
            ["last_start_time"] = new SummaryField<Conversation>.Time(t => t.LastStart),
            ["end_time"] = new SummaryField<Conversation>.Time(t => t.LastEnd),
            ["last_end_time"] = new SummaryField<Conversation>.Time(t => t.LastEnd),
            ["latency_p50"] = new SummaryField<Conversation>.Seconds(t => t.Latency?.P50),
            ["latency_p99"] = new SummaryField<Conversation>.Seconds(t => t.Latency?.P99),
            ["total_tokens"] = new SummaryField<Conversation>.Number(t => t.Totals.TotalTokens),
            ["prompt_tokens"] = new SummaryField<Conversation>.Number(t => t.Totals.PromptTokens),
            ["completion_tokens"] = new SummaryField<Conversation>.Number(t =>
                t.Totals.CompletionTokens
            ),
            ["total_cost"] = new SummaryField<Conversation>.Number(t => (double)t.Totals.TotalCost),
            ["prompt_cost"] = new SummaryField<Conversation>.Number(t =>
                (double)t.Totals.PromptCost
            ),
            ["completion_cost"] = new SummaryField<Conversation>.Number(t =>
                (double)t.Totals.CompletionCost
            ),
        },
        thread => SummaryFeedback.Subject(thread.Feedback)
    );

    /// <summary>Parses a text.</summary>
    /// <exception cref="FilterException">The text is not a filter, or names what threads do not have.</exception>
    public static SummaryFilter<Conversation> Parse(string text) => new(text, s_fields);
}
