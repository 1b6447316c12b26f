using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.V2;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>Results of experiments on LangSmith's wire: examples with runs (v1 and v2) and what improved or regressed.</summary>
internal static class ExperimentEndpoints
{
    public static void MapExperiments(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets/{id:guid}/runs", RunsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/datasets/{id:guid}/runs/delta", DeltaAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/datasets/{id:guid}/runs/delta/stream", DeltaStreamAsync)
            .Needs(Permission.Read);
        app.MapPost("/api/v2/datasets/{id:guid}/experiment-runs", RunsV2Async)
            .Needs(Permission.Read);
    }

    private static async Task<IResult> RunsAsync(Guid id, HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.RowsAsync(
            context,
            context.Caller(),
            id,
            document.RootElement,
            isPublic: false
        );
    }

    private static async Task<IResult> DeltaAsync(Guid id, HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.DeltaAsync(
            context,
            context.Caller(),
            id,
            document.RootElement
        );
    }

    private static async Task<IResult> DeltaStreamAsync(Guid id, HttpContext context)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        return await ExperimentAnswers.DeltaStreamAsync(
            context,
            context.Caller(),
            id,
            document.RootElement
        );
    }

    private static async Task<IResult> RunsV2Async(
        Guid id,
        HttpContext context,
        ExperimentResults results,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var offset = OffsetCursor.Read(json.StrictText("cursor"));
        var size = Math.Clamp(json.Number("page_size") ?? 20, 1, 100);
        var selects = new RunSelection(json.Names("selects") ?? []);
        var caller = context.Caller();
        var page = await results.RowsAsync(
            caller,
            new ExperimentQuery
            {
                DatasetId = id,
                ExperimentIds = [.. json.Uuids("experiment_ids")],
                ExampleIds = json.Uuids("example_ids"),
                Filters = ExperimentAnswers.Filters(json),
                Sort = ExperimentAnswers.Sort(json, "sort", "by", "order"),
                Offset = Math.Max(0, offset),
                Limit = size,
                Parts = selects.Parts,
            },
            context.RequestAborted
        );
        var url = Attachments.Url(context, protection);
        var relations = await RunRelations.LoadAsync(
            caller,
            [.. page.Rows.SelectMany(r => r.Runs)],
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        var runs = new RunV2Out(
            selects,
            caller.WorkspaceId,
            $"{context.Request.Scheme}://{context.Request.Host}",
            url,
            relations
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("items");
            foreach (var row in page.Rows)
            {
                DatasetOut.Write(
                    w,
                    row.Example,
                    url,
                    () =>
                    {
                        w.WriteStartArray("runs");
                        foreach (var run in row.Runs)
                        {
                            runs.Write(w, run);
                        }

                        w.WriteEndArray();
                    }
                );
            }

            w.WriteEndArray();
            w.WriteString(
                "next_cursor",
                OffsetCursor.Next(offset, size, offset + size < page.Total)
            );
            w.WriteEndObject();
        });
    }
}
