using System.Globalization;
using System.Text;
using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.UI.Datasets;
using Assay.UI.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Experiments;

/// <summary>The table of a dataset's experiments as a file.</summary>
internal static class ExperimentTableEndpoints
{
    private const int MaxExperiments = 200;

    public static void MapExperimentTable(this IEndpointRouteBuilder ui) =>
        ui.MapGet("/data/{datasetId:guid}/experiments/export", ExportAsync);

    private static async Task<IResult> ExportAsync(
        Guid datasetId,
        DatasetCatalog catalog,
        ExperimentTables tables,
        ExperimentLog log,
        CurrentCaller caller
    )
    {
        if (await catalog.FindAsync(caller.Value, datasetId, caller.Aborted) is not { } dataset)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status404NotFound, "The dataset is gone.");
        }

        var (page, _) = await tables.ListAsync(
            caller.Value,
            datasetId,
            null,
            0,
            MaxExperiments,
            caller.Aborted
        );
        List<Guid> ids = [.. page.Select(p => p.Id)];
        var measured = await tables.MeasureAsync(caller.Value, datasetId, ids, caller.Aborted);
        var summaries = await tables.SummariesAsync(caller.Value, ids, caller.Aborted);
        var tracked = await log.LastValuesAsync(caller.Value, ids, caller.Aborted);
        var parameters = measured.ToDictionary(
            x => x.Experiment.Id,
            x => ExperimentParameters.Of(x.Experiment)
        );
        var metrics = measured.Count == 0 ? [] : measured[0].Metrics;
        var whole = summaries
            .Values.SelectMany(s => s.Keys)
            .Concat(tracked.Values.SelectMany(t => t.Keys))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        var keys = parameters
            .Values.SelectMany(p => p.Keys)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        var text = new StringBuilder();
        Line(
            text,
            [
                "experiment_id",
                "name",
                "baseline",
                "started",
                "runs",
                "failed",
                .. metrics.SelectMany(m =>
                    new[]
                    {
                        m.Title.ToLowerInvariant(),
                        m.Title.ToLowerInvariant() + " low",
                        m.Title.ToLowerInvariant() + " high",
                        m.Title.ToLowerInvariant() + " n",
                    }
                ),
                .. whole,
                .. keys,
            ]
        );
        foreach (var x in measured)
        {
            var id = x.Experiment.Id;
            Line(
                text,
                [
                    id.ToString(),
                    x.Experiment.Name,
                    id == dataset.BaselineExperimentId ? "true" : "",
                    Format.Iso(x.Experiment.StartTime),
                    x.RunCount.ToString(CultureInfo.InvariantCulture),
                    x.ErrorCount.ToString(CultureInfo.InvariantCulture),
                    .. Enumerable
                        .Range(0, metrics.Count)
                        .SelectMany(m =>
                            x.Mean(m) is { } mean
                                ? new[]
                                {
                                    Number(mean.Estimate),
                                    Number(mean.Lower),
                                    Number(mean.Upper),
                                    mean.N.ToString(CultureInfo.InvariantCulture),
                                }
                                : ["", "", "", ""]
                        ),
                    .. whole.Select(k =>
                        summaries.TryGetValue(id, out var own)
                        && own.TryGetValue(k, out var stats)
                        && stats.Average is { } average
                            ? Number(average)
                        : tracked.TryGetValue(id, out var last)
                        && last.TryGetValue(k, out var value)
                            ? Number(value)
                        : ""
                    ),
                    .. keys.Select(k => parameters[id].GetValueOrDefault(k) ?? ""),
                ]
            );
        }

        return Results.File(
            Encoding.UTF8.GetBytes(text.ToString()),
            "text/csv; charset=utf-8",
            $"{dataset.Name} experiments.csv"
        );
    }

    private static string Number(double value) =>
        double.IsFinite(value) ? value.ToString("0.#########", CultureInfo.InvariantCulture) : "";

    private static void Line(StringBuilder text, IEnumerable<string> cells) =>
        text.AppendJoin(',', cells.Select(ExampleExports.Cell)).Append("\r\n");
}
