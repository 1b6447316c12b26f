using Assay.Core.Experiments.Jobs;

namespace Assay.UI.Jobs;

/// <summary>How the states of jobs are called and coloured.</summary>
internal static class JobWords
{
    public static string State(ExperimentJob job) =>
        job.State switch
        {
            ExperimentJobState.Waiting => "waiting",
            ExperimentJobState.Running => "running",
            ExperimentJobState.Paused when job.Reason is not null => "stopped",
            ExperimentJobState.Paused => "paused",
            ExperimentJobState.Done when job.Failed > 0 => "done, some failed",
            ExperimentJobState.Done => "done",
            ExperimentJobState.Cancelled => "cancelled",
            _ => "failed",
        };

    /// <summary>What it does, in a word.</summary>
    public static string Kind(ExperimentJob job) =>
        job.Kind switch
        {
            ExperimentJobKind.Run => "Run",
            ExperimentJobKind.Calibrate => "Comparison",
            _ => "Evaluation",
        };

    public static string Class(ExperimentJob job) =>
        job.State switch
        {
            ExperimentJobState.Running => "run",
            ExperimentJobState.Paused => "warn",
            ExperimentJobState.Done when job.Failed > 0 => "warn",
            ExperimentJobState.Done => "ok",
            ExperimentJobState.Failed => "err",
            _ => "",
        };

    /// <summary>True while the numbers change by themselves.</summary>
    public static bool IsLive(ExperimentJob job) =>
        job.State is ExperimentJobState.Waiting or ExperimentJobState.Running;
}
