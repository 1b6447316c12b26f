using Assay.Core.Datasets;

namespace Assay.Core.Experiments.Jobs;

/// <summary>What is done with one row of a job. Implementations: <see cref="PromptRows"/> (ask and score), <see cref="ScoredRows"/> (score), <see cref="CalibrationRows"/> (judge and compare).</summary>
internal interface IRowTask
{
    /// <summary>Finds out how far rows got before the server stopped. Called once, before any row is done.</summary>
    Task ReconcileAsync(bool isFirst, CancellationToken cancellationToken);

    /// <summary>Does one row; null when it was not done and stays waiting.</summary>
    /// <exception cref="JobHaltException">What is wrong would be wrong with every row; the job pauses.</exception>
    Task<RowOutcome?> DoAsync(ExperimentJobRow row, Example? example, JobStop stop);

    /// <summary>Called when no row is left and before the job is done, again when the server stopped in between or rows were done again.</summary>
    Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>How a row ended.</summary>
internal sealed record RowOutcome(int Number, JobRowState State, string? Error)
{
    /// <summary>What the row holds now; null to leave what it holds.</summary>
    public string? ItemJson { get; init; }
}

/// <summary>The job cannot go on before somebody changes something; the message says what.</summary>
internal sealed class JobHaltException(string message) : Exception(message);
