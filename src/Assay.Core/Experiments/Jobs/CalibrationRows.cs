using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Evaluators.Judges;

namespace Assay.Core.Experiments.Jobs;

/// <summary>Has a judge judge what people judged. A verdict is durable with its row; when no row is left, judge and people are compared.</summary>
internal sealed class CalibrationRows(
    Caller caller,
    ExperimentJob job,
    JobPlan plan,
    OpenedEvaluator judge,
    JobRows rows,
    Calibrations calibrations
) : IRowTask
{
    public Task ReconcileAsync(bool isFirst, CancellationToken cancellationToken) =>
        // What was asked and not written is asked again; the judge's kept verdicts make that cheap.
        Task.CompletedTask;

    public async Task<RowOutcome?> DoAsync(ExperimentJobRow row, Example? example, JobStop stop)
    {
        var item = JsonSerializer.Deserialize<CalibrationItem>(row.ItemJson!, JudgeSettings.Json)!;
        if (await calibrations.JudgeAsync(caller, judge, item, stop.AtOnce) is not { } judged)
        {
            return new RowOutcome(row.Number, JobRowState.Failed, "The run is gone.");
        }

        return new RowOutcome(
            row.Number,
            judged.Judge is null ? JobRowState.Unscored : JobRowState.Done,
            judged.Judge is null ? judged.Reason : null
        )
        {
            ItemJson = JsonSerializer.Serialize(judged, JudgeSettings.Json),
        };
    }

    public async Task CompleteAsync(CancellationToken cancellationToken) =>
        await calibrations.SaveAsync(
            caller,
            job.Id,
            judge,
            plan.Json.Text("human_key") ?? "",
            [
                .. (await rows.ItemsAsync(cancellationToken)).Select(i =>
                    JsonSerializer.Deserialize<CalibrationItem>(i, JudgeSettings.Json)!
                ),
            ],
            cancellationToken
        );
}
