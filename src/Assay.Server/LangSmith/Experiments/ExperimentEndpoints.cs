using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.V2;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>Results of experiments on LangSmith's wire: examples with runs (v1 and v2) and what improved or regressed.</summary>
internal static class ExperimentEndpoints
{
    public static void MapExperiments(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/datasets/{id:guid}/runs", RunsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/datasets/{id:guid}/runs/delta", DeltaAsync).Needs(Permission.Read);
        app.MapPost("/api/v2/datasets/{id:guid}/experiment-runs", RunsV2Async)
            .Needs(Permission.Read);
        app.MapGet(
                "/o/{tenant:guid}/datasets/{id:guid}/compare",
                (Guid id, string? selectedSessions) =>
                    Results.Redirect(
                        $"/data/{id}/compare?selectedSessions={Uri.EscapeDataString(selectedSessions ?? "")}"
                    )
            )
            .Needs(Permission.Read);
        app.MapGet(
                "/o/{tenant:guid}/datasets/{id:guid}",
                (Guid id) => Results.Redirect($"/data/{id}")
            )
            .Needs(Permission.Read);
    }

    private static async Task<IResult> RunsAsync(
        Guid id,
        HttpContext context,
        ExperimentResults results,
        TraceQueries queries,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var caller = context.Caller();
        var page = await results.RowsAsync(
            caller,
            new ExperimentQuery
            {
                DatasetId = id,
                ExperimentIds = [.. json.Uuids("session_ids")],
                ExampleIds = json.Uuids("example_ids"),
                Filters = Filters(json),
                Offset = Math.Max(0, json.Number("offset") ?? 0),
                Limit = Math.Clamp(json.Number("limit") ?? 100, 1, 100),
                Parts =
                    json.Flag("preview") == true
                        ? RunParts.Details | RunParts.Feedback
                        : RunParts.All,
            },
            context.RequestAborted
        );
        IReadOnlyList<Run> runs = [.. page.Rows.SelectMany(r => r.Runs)];
        var relations = await RunRelations.LoadAsync(
            caller,
            runs,
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        var comparative = await ComparativeAsync(
            caller,
            json.Uuid("comparative_experiment_id"),
            runs,
            queries,
            context.RequestAborted
        );
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartArray();
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
                            RunOut.Write(w, run, caller, url, relations, comparative[run.Id]);
                        }

                        w.WriteEndArray();
                    }
                );
            }

            w.WriteEndArray();
        });
    }

    private static async Task<IResult> DeltaAsync(
        Guid id,
        HttpContext context,
        ExperimentResults results,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        if (
            json.Uuid("baseline_session_id") is not { } baseline
            || json.StrictText("feedback_key") is not { Length: > 0 } key
        )
        {
            return Errors.Invalid("baseline_session_id and feedback_key must be given");
        }

        var others = json.Uuids("comparison_session_ids");
        var caller = context.Caller();
        var scores = await results.ScoresAsync(
            caller,
            new ExperimentQuery
            {
                DatasetId = id,
                ExperimentIds = [baseline, .. others],
                Filters = Filters(json),
            },
            key,
            context.RequestAborted
        );
        await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
        var lowerIsBetter = await db.FeedbackConfigs.AnyAsync(
            c =>
                c.WorkspaceId == caller.WorkspaceId && c.Key == key && c.IsLowerScoreBetter == true,
            context.RequestAborted
        );
        var sign = lowerIsBetter ? -1 : 1;
        var first = scores.GetValueOrDefault(baseline);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("feedback_deltas");
            foreach (var other in others)
            {
                var changes = (scores.GetValueOrDefault(other) ?? new Dictionary<Guid, double>())
                    .Where(s => first?.ContainsKey(s.Key) == true)
                    .Select(s => (s.Key, Change: sign * (s.Value - first![s.Key])))
                    .ToList();
                w.WriteStartObject(other.ToString());
                w.WriteIds(
                    "improved_examples",
                    changes.Where(c => c.Change > 0).Select(c => c.Key)
                );
                w.WriteIds(
                    "regressed_examples",
                    changes.Where(c => c.Change < 0).Select(c => c.Key)
                );
                w.WriteEndObject();
            }

            w.WriteEndObject();
            w.WriteEndObject();
        });
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
        var offset = 0;
        if (
            json.StrictText("cursor") is { Length: > 0 } cursor
            && !int.TryParse(cursor, System.Globalization.CultureInfo.InvariantCulture, out offset)
        )
        {
            throw new InvalidCursorException();
        }

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
                Filters = Filters(json),
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
                offset + size < page.Total
                    ? (offset + size).ToString(System.Globalization.CultureInfo.InvariantCulture)
                    : null
            );
            w.WriteEndObject();
        });
    }

    private static async Task<ILookup<Guid, FeedbackRecord>> ComparativeAsync(
        Caller caller,
        Guid? comparative,
        IReadOnlyList<Run> runs,
        TraceQueries queries,
        CancellationToken cancellationToken
    )
    {
        var items =
            comparative is null || runs.Count == 0
                ? []
                : await queries.FeedbackAsync(
                    caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        ComparativeExperimentId = comparative,
                        RunIds = [.. runs.Select(r => r.Id)],
                        Limit = 10_000,
                    },
                    cancellationToken
                );
        return items.ToLookup(f => f.RunId.GetValueOrDefault());
    }

    private static Dictionary<Guid, IReadOnlyList<string>> Filters(JsonElement json)
    {
        var filters = new Dictionary<Guid, IReadOnlyList<string>>();
        if (json.Field("filters") is { ValueKind: JsonValueKind.Object } given)
        {
            foreach (var property in given.EnumerateObject())
            {
                filters[
                    Guid.TryParse(property.Name, out var id)
                        ? id
                        : throw BodyFields.Wrong("filters", "keyed by experiment ids")
                ] = given.Names(property.Name) ?? [];
            }
        }

        return filters;
    }
}
