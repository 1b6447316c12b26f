using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Traces;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Has runs scored that are there already.</summary>
internal sealed class ScoredRows(
    Caller caller,
    RunScorer scorer,
    TraceQueries queries,
    EvaluationInputs inputs
) : IRowTask
{
    public Task ReconcileAsync(bool isFirst, CancellationToken cancellationToken) =>
        // Scores have ids of their own making: given twice, they are there once.
        Task.CompletedTask;

    public async Task<RowOutcome?> DoAsync(ExperimentJobRow row, Example? example, JobStop stop)
    {
        var run = await queries.FindAsync(
            caller,
            row.RunId,
            null,
            RunParts.Details | RunParts.Inputs | RunParts.Outputs,
            stop.AtOnce
        );
        return run is null
            ? new RowOutcome(row.Number, JobRowState.Failed, "The run is gone.")
            : await scorer.ScoreAsync(
                row,
                await inputs.OfAsync(caller, run, example, scorer.Needs, stop.AtOnce),
                stop.AtOnce
            );
    }
}
