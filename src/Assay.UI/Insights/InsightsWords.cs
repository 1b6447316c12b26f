using Assay.Core.Insights;

namespace Assay.UI.Insights;

/// <summary>How reports are told to people.</summary>
internal static class InsightsWords
{
    public static string State(InsightsJob job) =>
        job.State switch
        {
            InsightsState.Waiting => "waiting",
            InsightsState.Running => "running",
            InsightsState.Done => "done",
            InsightsState.Cancelled => "cancelled",
            _ => "stopped",
        };

    public static string? Class(InsightsJob job) =>
        job.State switch
        {
            InsightsState.Waiting or InsightsState.Running => "run",
            InsightsState.Done => "ok",
            InsightsState.Failed => "err",
            _ => null,
        };

    public static string State(InsightsRunState state) =>
        state switch
        {
            InsightsRunState.Waiting => "not read yet",
            InsightsRunState.Summarized => "not sorted yet",
            InsightsRunState.FitsNone => "fits no cluster",
            InsightsRunState.NotAssigned => "not sorted",
            InsightsRunState.NotSummarized => "not summarized",
            _ => "sorted",
        };
}
