using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.UI.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Datasets;

/// <summary>
/// Runs into a dataset, from the trace page (one), the project's list (the selected) and its query (all it finds: the list's own state in
/// the address of the call).
/// </summary>
internal static class FromRunsEndpoints
{
    private const int MaxSelected = 1_000;
    private const int MaxDatasets = 200;

    public static void MapFromRuns(this IEndpointRouteBuilder ui)
    {
        ui.MapPost("/from-runs/preview", PreviewAsync).PageNeeds(Permission.Write);
        ui.MapPost("/from-runs", AddAsync).PageNeeds(Permission.Write);
    }

    private static async Task<IResult> PreviewAsync(
        Wanted wanted,
        HttpContext context,
        TraceExamples examples,
        DatasetCatalog catalog,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        try
        {
            if (Runs(wanted, context, caller, time) is not { } runs)
            {
                return Nothing();
            }

            var preview = await examples.PreviewAsync(
                caller.Value,
                runs,
                wanted.Mapping(),
                caller.Aborted
            );
            var datasets = await catalog.ListAsync(
                caller.Value,
                new DatasetQuery { SortBy = "modified_at", Limit = MaxDatasets },
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    datasets = datasets.Select(d => new
                    {
                        id = d.Dataset.Id,
                        name = d.Dataset.Name,
                        examples = d.Dataset.ExampleCount,
                    }),
                    fields = preview.Fields.Select(f => new
                    {
                        path = f.Path,
                        sample = f.Sample,
                        runs = f.Runs,
                    }),
                    rows = preview.Rows.Select(r => new
                    {
                        problem = r.Problem,
                        inputs = Json(r.InputsJson),
                        outputs = Json(r.OutputsJson),
                        metadata = Json(r.MetadataJson),
                    }),
                    count = preview.Count,
                }
            );
        }
        catch (FilterException e)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status400BadRequest, e.Message);
        }
    }

    private static async Task<IResult> AddAsync(
        Wanted wanted,
        HttpContext context,
        TraceExamples examples,
        DatasetCatalog catalog,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        try
        {
            if (Runs(wanted, context, caller, time) is not { } runs)
            {
                return Nothing();
            }

            var datasetId =
                wanted.Dataset
                ?? (
                    await catalog.CreateAsync(
                        caller.Value,
                        new DatasetDraft { Name = wanted.NewName?.Trim() ?? "" },
                        caller.Aborted
                    )
                ).Id;
            var (receipt, known) = await examples.AddAsync(
                caller.Value,
                datasetId,
                runs,
                wanted.Mapping(),
                wanted.Skip,
                caller.Aborted
            );
            return Results.Json(
                new
                {
                    dataset = datasetId,
                    added = receipt.Imported,
                    known,
                    bad = receipt.Bad,
                    problems = receipt.Problems.Take(20).Select(p => p.Reason),
                }
            );
        }
        catch (FilterException e)
        {
            return DatasetEndpoints.Problem(StatusCodes.Status400BadRequest, e.Message);
        }
        catch (DatasetProblemException e)
        {
            return DatasetEndpoints.Problem(e);
        }
    }

    private static IResult Nothing() =>
        DatasetEndpoints.Problem(
            StatusCodes.Status400BadRequest,
            $"Name 1 to {MaxSelected:N0} runs, or a project."
        );

    private static RunQuery? Runs(
        Wanted wanted,
        HttpContext context,
        CurrentCaller caller,
        TimeProvider time
    ) =>
        wanted.Ids is { Count: > 0 and <= MaxSelected } ids
            ? new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = wanted.Project is { } project ? [project] : [],
                RunIds = ids,
            }
        : wanted is { Ids: null or { Count: 0 }, Project: { } all }
            ? ListState
                .Read(all, context.Request, time.GetUtcNow())
                .ToQuery(caller.Value.WorkspaceId)
        : null;

    private static JsonNode? Json(string? json) => json is null ? null : JsonNode.Parse(json);

    /// <summary>Which runs, where to, and what becomes of them.</summary>
    private sealed record Wanted(
        Guid? Project,
        IReadOnlyList<Guid>? Ids,
        Guid? Dataset,
        string? NewName,
        bool Skip,
        IReadOnlyList<TracePick>? Inputs,
        IReadOnlyList<TracePick>? Outputs,
        IReadOnlyList<TracePick>? Metadata,
        bool? TakesOutputs,
        IReadOnlyList<string>? Splits
    )
    {
        public TraceMapping Mapping() =>
            new()
            {
                Inputs = Inputs ?? [],
                Outputs = Outputs ?? [],
                Metadata = Metadata ?? [],
                TakesOutputs = TakesOutputs ?? true,
                Splits = Splits ?? [],
            };
    }
}
