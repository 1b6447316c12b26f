using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Datasets;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.UI.Datasets;
using Assay.UI.Kit;
using Assay.UI.Traces;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Experiments;

/// <summary>Rows of results: blocks, one in full, all as a file. For members under the dataset, for everybody who has its link under the token.</summary>
internal static class ResultsEndpoints
{
    private const int ExportBlock = 200;
    private static readonly string[] s_first = ["example_id", "inputs", "reference_outputs"];

    public static void MapResults(this IEndpointRouteBuilder ui)
    {
        var own = ui.MapGroup("/data/{datasetId:guid}/results");
        own.MapGet("/rows", OwnAsync(RowsAsync));
        own.MapGet("/row", OwnAsync(RowAsync));
        own.MapGet("/export", OwnAsync(ExportAsync));
        var shared = ui.MapGroup("/public/{token:guid}/results")
            .WithMetadata(new AllowAnonymousAttribute());
        shared.MapGet("/rows", SharedAsync(RowsAsync));
        shared.MapGet("/row", SharedAsync(RowAsync));
        shared.MapGet("/export", SharedAsync(ExportAsync));
    }

    private delegate Task<IResult> Answer(
        ResultsSource source,
        HttpContext context,
        Services services
    );

    private static Delegate OwnAsync(Answer answer) =>
        async (
            Guid datasetId,
            HttpContext context,
            DatasetCatalog catalog,
            ExperimentTables tables,
            ExampleReader reader,
            TraceQueries queries,
            CurrentCaller caller
        ) =>
            await catalog.FindAsync(caller.Value, datasetId, caller.Aborted) is { } dataset
                ? await GuardAsync(() =>
                    answer(
                        ResultsSource.Own(caller.Value, dataset),
                        context,
                        new Services(tables, reader, queries)
                    )
                )
                : DatasetEndpoints.Problem(StatusCodes.Status404NotFound, "The dataset is gone.");

    private static Delegate SharedAsync(Answer answer) =>
        async (
            Guid token,
            HttpContext context,
            DatasetCatalog catalog,
            ExperimentTables tables,
            ExampleReader reader,
            TraceQueries queries
        ) =>
            await catalog.FindSharedAsync(token, context.RequestAborted) is { } dataset
                ? await GuardAsync(() =>
                    answer(
                        ResultsSource.Shared(dataset),
                        context,
                        new Services(tables, reader, queries)
                    )
                )
                : DatasetEndpoints.Problem(
                    StatusCodes.Status404NotFound,
                    "This link does not exist, or whoever shared it has taken it back."
                );

    private static async Task<IResult> GuardAsync(Func<Task<IResult>> answer)
    {
        try
        {
            return await answer();
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }

    private static async Task<IResult> RowsAsync(
        ResultsSource source,
        HttpContext context,
        Services services
    )
    {
        var view = await ViewAsync(source, context, services);
        _ = int.TryParse(
            context.Request.Query["offset"],
            CultureInfo.InvariantCulture,
            out var offset
        );
        offset = Math.Max(0, offset);
        var rows = await services.Tables.RowsAsync(
            source.Caller,
            source.Dataset.Id,
            view.Experiments,
            [.. view.Rows.Skip(offset).Take(ResultsView.Block)],
            RunParts.Details,
            context.RequestAborted
        );
        return new RazorComponentResult<ResultRows>(
            new
            {
                View = view,
                Rows = rows,
                Offset = offset,
            }
        );
    }

    private static async Task<IResult> RowAsync(
        ResultsSource source,
        HttpContext context,
        Services services
    )
    {
        var view = await ViewAsync(source, context, services);
        if (
            !Guid.TryParse(context.Request.Query["example"], out var id)
            || !view.Experiments.Any(e => e.Examples.ContainsKey(id))
        )
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status404NotFound,
                "None of the experiments ran this example."
            );
        }

        var rows = await services.Tables.RowsAsync(
            source.Caller,
            source.Dataset.Id,
            view.Experiments,
            [id],
            RunParts.Details | RunParts.Outputs | RunParts.FullError,
            context.RequestAborted
        );
        var feedback = await FeedbackAsync(source, services, rows[0].Runs, context.RequestAborted);
        return new RazorComponentResult<RowDetail>(
            new
            {
                View = view,
                Row = rows[0],
                Feedback = feedback,
            }
        );
    }

    private static async Task<ILookup<Guid, FeedbackRecord>> FeedbackAsync(
        ResultsSource source,
        Services services,
        IReadOnlyList<Run> runs,
        CancellationToken cancellationToken
    ) =>
        (
            runs.Count == 0
                ? []
                : await services.Queries.FeedbackAsync(
                    source.Caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = source.Caller.WorkspaceId,
                        RunIds = [.. runs.Select(r => r.Id)],
                        Limit = 1_000,
                    },
                    cancellationToken
                )
        ).ToLookup(f => f.RunId.GetValueOrDefault());

    private static async Task<IResult> ExportAsync(
        ResultsSource source,
        HttpContext context,
        Services services
    )
    {
        var view = await ViewAsync(source, context, services);
        if (view.Experiments.Count == 0)
        {
            return DatasetEndpoints.Problem(
                StatusCodes.Status400BadRequest,
                "Name at least one experiment."
            );
        }

        var isCsv = context.Request.Query["format"] != "jsonl";
        var name = view.IsSingle
            ? view.Experiments[0].Experiment.Name
            : $"{source.Dataset.Name} compared";
        if (context.Request.Query["format"] == "verdicts")
        {
            return Results.File(
                Encoding.UTF8.GetBytes(VerdictCsv.Of(view)),
                "text/csv; charset=utf-8",
                $"{name}, verdicts.csv"
            );
        }

        return Results.Stream(
            async output =>
            {
                await using var writer = new StreamWriter(
                    output,
                    new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                    64 << 10,
                    leaveOpen: true
                );
                if (isCsv)
                {
                    await writer.WriteAsync(Head(view));
                }

                foreach (var block in view.Rows.Chunk(ExportBlock))
                {
                    var rows = await services.Tables.RowsAsync(
                        source.Caller,
                        source.Dataset.Id,
                        view.Experiments,
                        block,
                        RunParts.Details | RunParts.Outputs,
                        context.RequestAborted
                    );
                    foreach (var row in rows)
                    {
                        await writer.WriteAsync(isCsv ? Csv(view, row) : Json(view, row) + "\n");
                    }
                }
            },
            isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            $"{name}.{(isCsv ? "csv" : "jsonl")}"
        );
    }

    private static string Head(ResultsView view) =>
        string.Join(
            ',',
            s_first
                .Concat(
                    view.Experiments.SelectMany(e =>
                    {
                        var prefix = view.IsSingle ? "" : e.Experiment.Name + " ";
                        return view
                            .Metrics.Select(m => prefix + m.Title.ToLowerInvariant())
                            .Concat(view.LabelKeys.Select(k => $"{prefix}{k} label"))
                            .Prepend(prefix + "error")
                            .Prepend(prefix + "outputs")
                            .Prepend(prefix + "run_id");
                    })
                )
                .Select(RunCsv.Cell)
        ) + "\r\n";

    private static string Csv(ResultsView view, ExperimentRow row)
    {
        var cells = new List<string?>
        {
            row.Example.Id.ToString(),
            row.Example.InputsJson,
            row.Example.OutputsJson,
        };
        foreach (var experiment in view.Experiments)
        {
            var run = row.Runs.FirstOrDefault(r => r.ProjectId == experiment.Experiment.Id);
            cells.Add(run?.Id.ToString());
            cells.Add(Output(run));
            cells.Add(run?.Error);
            for (var m = 0; m < view.Metrics.Count; m++)
            {
                var value = experiment.Value(row.Example.Id, m);
                cells.Add(
                    double.IsFinite(value)
                        ? value.ToString("0.#########", CultureInfo.InvariantCulture)
                        : null
                );
            }

            cells.AddRange(
                view.LabelKeys.Select(k => string.Join(", ", experiment.Labels(row.Example.Id, k)))
            );
        }

        return string.Join(',', cells.Select(RunCsv.Cell)) + "\r\n";
    }

    private static string Json(ResultsView view, ExperimentRow row)
    {
        var experiments = new JsonArray();
        foreach (var experiment in view.Experiments)
        {
            var metrics = new JsonObject();
            for (var m = 0; m < view.Metrics.Count; m++)
            {
                var value = experiment.Value(row.Example.Id, m);
                metrics[view.Metrics[m].Key.TrimStart('.')] = double.IsFinite(value)
                    ? JsonValue.Create(value)
                    : null;
            }

            experiments.Add(
                new JsonObject
                {
                    ["experiment_id"] = experiment.Experiment.Id.ToString(),
                    ["experiment"] = experiment.Experiment.Name,
                    ["metrics"] = metrics,
                    ["labels"] = new JsonObject(
                        view.LabelKeys.Where(k => experiment.Labels(row.Example.Id, k).Count > 0)
                            .Select(k =>
                                KeyValuePair.Create(
                                    k,
                                    (JsonNode?)
                                        new JsonArray([
                                            .. experiment
                                                .Labels(row.Example.Id, k)
                                                .Select(l => JsonValue.Create(l)),
                                        ])
                                )
                            )
                    ),
                    ["runs"] = new JsonArray([
                        .. row
                            .Runs.Where(r => r.ProjectId == experiment.Experiment.Id)
                            .Select(r =>
                                (JsonNode)
                                    new JsonObject
                                    {
                                        ["run_id"] = r.Id.ToString(),
                                        ["outputs"] = Node(Output(r)),
                                        ["error"] = r.Error,
                                        ["latency"] = r.Latency?.TotalSeconds,
                                        ["tokens"] = r.Totals.TotalTokens,
                                        ["cost"] = r.Totals.TotalCost,
                                        ["start_time"] = Format.Iso(r.StartTime),
                                    }
                            ),
                    ]),
                }
            );
        }

        return new JsonObject
        {
            ["example_id"] = row.Example.Id.ToString(),
            ["inputs"] = Node(row.Example.InputsJson),
            ["reference_outputs"] = Node(row.Example.OutputsJson),
            ["experiments"] = experiments,
        }.ToJsonString();
    }

    private static string? Output(Run? run) =>
        run?.Payloads.TryGetValue(PayloadKind.Outputs, out var bytes) == true
            ? Encoding.UTF8.GetString(bytes.Span)
            : null;

    private static JsonNode? Node(string? json)
    {
        if (json is null)
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return JsonValue.Create(json);
        }
    }

    private static Task<ResultsView> ViewAsync(
        ResultsSource source,
        HttpContext context,
        Services services
    ) =>
        ResultsView.ReadAsync(
            source,
            ResultsState.Read(context.Request),
            services.Tables,
            services.Reader,
            context.RequestAborted
        );

    private sealed record Services(
        ExperimentTables Tables,
        ExampleReader Reader,
        TraceQueries Queries
    );
}
