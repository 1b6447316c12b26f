namespace Assay.Core.Experiments.Jobs;

/// <summary>What a job does. The numbers are stored.</summary>
public enum ExperimentJobKind : byte
{
    /// <summary>Runs a prompt on the examples of a dataset and scores the answers: a new experiment.</summary>
    Run = 0,

    /// <summary>Scores the runs of an experiment that is there.</summary>
    Evaluate = 1,

    /// <summary>Has a judge judge what people judged, and compares the two.</summary>
    Calibrate = 2,
}

/// <summary>Where a job stands. The numbers are stored.</summary>
public enum ExperimentJobState : byte
{
    /// <summary>Waits for its turn.</summary>
    Waiting = 0,

    /// <summary>Is being worked on; a server that starts goes on with it.</summary>
    Running = 1,

    /// <summary>Stopped by a person, or by something that would fail every row (<see cref="ExperimentJob.Reason"/>); can go on.</summary>
    Paused = 2,

    /// <summary>Every row is done or failed.</summary>
    Done = 3,

    /// <summary>Given up by a person.</summary>
    Cancelled = 4,

    /// <summary>Cannot go on: the experiment or the dataset is gone.</summary>
    Failed = 5,
}

/// <summary>
/// Work on an experiment or a judge that the server does in the background. The record and its rows are durable: a server that was killed goes on where
/// it stopped, and no example is run twice in the result.
/// </summary>
public sealed class ExperimentJob
{
    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>What it does.</summary>
    public ExperimentJobKind Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public ExperimentJobState State { get; set; }

    /// <summary>The dataset; empty for a comparison with people.</summary>
    public Guid DatasetId { get; init; }

    /// <summary>The experiment that gets the runs or the scores; empty for a comparison with people.</summary>
    public Guid ExperimentId { get; init; }

    /// <summary>The judge that is compared with people; null for other work.</summary>
    public Guid? EvaluatorId { get; init; }

    /// <summary>The experiment's or judge's name when the job was made.</summary>
    public required string Name { get; init; }

    /// <summary>What was asked for; see <see cref="JobPlan"/>.</summary>
    public required string PlanJson { get; init; }

    /// <summary>Rows in all.</summary>
    public int Total { get; init; }

    /// <summary>Rows that are done, with or without a failed evaluator.</summary>
    public int Done { get; set; }

    /// <summary>Rows that got no answer.</summary>
    public int Failed { get; set; }

    /// <summary>Rows that are done but that some evaluator could not judge.</summary>
    public int Unscored { get; set; }

    /// <summary>Why it is paused or failed; null when a person did it or nothing happened.</summary>
    public string? Reason { get; set; }

    /// <summary>The member who asked for it.</summary>
    public Guid? UserId { get; init; }

    /// <summary>Who asked for it, by name at that time.</summary>
    public required string Actor { get; init; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was first worked on.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it came to an end; null while it has not, or goes on again.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>True when nothing more happens by itself.</summary>
    public bool IsFinal =>
        State
            is ExperimentJobState.Done
                or ExperimentJobState.Cancelled
                or ExperimentJobState.Failed;

    /// <summary>Rows that have come to an end.</summary>
    public int Finished => Done + Failed;
}

/// <summary>Where a row stands. The numbers are stored.</summary>
public enum JobRowState : byte
{
    /// <summary>Not done yet.</summary>
    Waiting = 0,

    /// <summary>Answered and scored.</summary>
    Done = 1,

    /// <summary>No answer; <see cref="ExperimentJobRow.Error"/> says why.</summary>
    Failed = 2,

    /// <summary>Answered, but an evaluator could not judge; <see cref="ExperimentJobRow.Error"/> says why.</summary>
    Unscored = 3,
}

/// <summary>One example in one repetition (or one run to be scored).</summary>
public sealed class ExperimentJobRow
{
    /// <summary>The job.</summary>
    public Guid JobId { get; init; }

    /// <summary>Place in the job, from 0.</summary>
    public int Number { get; init; }

    /// <summary>The example; null for a run that was made of none.</summary>
    public Guid? ExampleId { get; init; }

    /// <summary>Which time the example is run, from 1.</summary>
    public int Repetition { get; init; }

    /// <summary>The run that it becomes, known before it starts: whoever finds it in the store knows how far the row got.</summary>
    public Guid RunId { get; set; }

    /// <summary>An earlier, useless run of this row that is still to be removed.</summary>
    public Guid? StaleRunId { get; set; }

    /// <summary>Where it stands.</summary>
    public JobRowState State { get; set; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; set; }

    /// <summary>What people said about the run and, once it was asked, the judge (JSON); null for other work.</summary>
    public string? ItemJson { get; set; }
}
