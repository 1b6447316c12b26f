using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Experiments;

/// <summary>The answers about experiments that members and visitors of a shared dataset get alike; visitors see nothing of the workspace around a run.</summary>
internal static class ExperimentAnswers
{
    private const int MaxRows = 100;
    private const int MaxCompared = 10;
    private const int MaxKeys = 100;

    /// <summary><c>POST …/runs</c>: examples with the runs of experiments, as JSON or (<c>?format=csv</c>) one line a run.</summary>
    public static async Task<IResult> RowsAsync(
        HttpContext context,
        Caller caller,
        Guid dataset,
        JsonElement json,
        bool isPublic
    )
    {
        json.MustBeObject();
        var isCsv = context.Request.Query.Word("format") switch
        {
            null => false,
            "csv" => true,
            _ => throw BodyFields.Wrong("format", "csv"),
        };
        var services = context.RequestServices;
        var results = services.GetRequiredService<ExperimentResults>();
        var query = new ExperimentQuery
        {
            DatasetId = dataset,
            ExperimentIds = [.. json.Uuids("session_ids")],
            ExampleIds = json.Uuids("example_ids"),
            Filters = Filters(json),
            Sort = Sort(json, "sort_params", "sort_by", "sort_order"),
            Offset = Math.Max(0, json.Number("offset") ?? 0),
            Limit = Math.Clamp(json.Number("limit") ?? MaxRows, 1, MaxRows),
            Parts =
                json.Flag("preview") == true ? RunParts.Details | RunParts.Feedback : RunParts.All,
        };
        var page = await results.RowsAsync(caller, query, context.RequestAborted);
        if (isCsv)
        {
            return Csv(context, caller, results, query, json.Number("limit"), page);
        }

        IReadOnlyList<Run> runs = [.. page.Rows.SelectMany(r => r.Runs)];
        var relations = isPublic
            ? RunRelations.None
            : await RunRelations.LoadAsync(
                caller,
                runs,
                withTraces: false,
                services,
                context.RequestAborted
            );
        var comparative = await ComparativeAsync(
            caller,
            json.Uuid("comparative_experiment_id"),
            runs,
            services.GetRequiredService<TraceQueries>(),
            context.RequestAborted
        );
        var url = Attachments.Url(context, services.GetRequiredService<IDataProtectionProvider>());
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
                            if (isPublic)
                            {
                                RunOut.WritePublic(w, run, url, relations, withProject: true);
                            }
                            else
                            {
                                RunOut.Write(w, run, caller, url, relations, comparative[run.Id]);
                            }
                        }

                        w.WriteEndArray();
                    }
                );
            }

            w.WriteEndArray();
        });
    }

    /// <summary><c>POST …/runs/delta</c>: the examples that a feedback key says improved or regressed against a baseline.</summary>
    public static async Task<IResult> DeltaAsync(
        HttpContext context,
        Caller caller,
        Guid dataset,
        JsonElement json
    )
    {
        json.MustBeObject();
        if (
            json.Uuid("baseline_session_id") is null
            || json.StrictText("feedback_key") is not { Length: > 0 } key
        )
        {
            return Errors.Invalid("baseline_session_id and feedback_key must be given");
        }

        var deltas = await DeltasAsync(context, caller, dataset, json, key);
        return WireResult.Json(w => Write(w, null, deltas));
    }

    /// <summary><c>POST …/runs/delta/stream</c>: the same for several keys, an event for each as it is known, then one named <c>end</c>.</summary>
    public static async Task<IResult> DeltaStreamAsync(
        HttpContext context,
        Caller caller,
        Guid dataset,
        JsonElement json
    )
    {
        json.MustBeObject();
        var keys = json.Names("feedback_keys") ?? [];
        var others = json.Uuids("comparison_session_ids");
        if (
            json.Uuid("baseline_session_id") is null
            || keys.Count is 0 or > MaxKeys
            || others.Count is 0 or > MaxCompared
        )
        {
            return Errors.Invalid(
                $"baseline_session_id, 1 to {MaxKeys} feedback_keys and 1 to {MaxCompared} comparison_session_ids must be given"
            );
        }

        // The first before the answer begins, so that a wrong experiment is an error and no broken stream.
        var first = await DeltasAsync(context, caller, dataset, json, keys[0]);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        for (var i = 0; i < keys.Count; i++)
        {
            var deltas =
                i == 0 ? first : await DeltasAsync(context, caller, dataset, json, keys[i]);
            using var buffer = new MemoryStream();
            await using (var w = new Utf8JsonWriter(buffer))
            {
                Write(w, keys[i], deltas);
            }

            await context.Response.WriteAsync(
                $"event: data\ndata: {Encoding.UTF8.GetString(buffer.ToArray())}\n\n",
                context.RequestAborted
            );
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        await context.Response.WriteAsync("event: end\n\n", context.RequestAborted);
        return Results.Empty;
    }

    /// <summary>Filters in LangSmith's language by experiment.</summary>
    public static Dictionary<Guid, IReadOnlyList<string>> Filters(JsonElement json)
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

    /// <summary>A wish for an order; null for none.</summary>
    public static ExperimentSort? Sort(JsonElement json, string name, string by, string order)
    {
        if (!json.Has(name))
        {
            return null;
        }

        var wish = json.Field(name);
        if (
            wish.ValueKind != JsonValueKind.Object
            || wish.StrictText(by) is not { Length: > 0 } key
        )
        {
            throw BodyFields.Wrong(name, $"an object that names {by}");
        }

        return new ExperimentSort(
            key,
            wish.StrictText(order)?.ToUpperInvariant() switch
            {
                null or "DESC" => false,
                "ASC" => true,
                _ => throw BodyFields.Wrong($"{name}.{order}", "ASC or DESC"),
            }
        );
    }

    private static async Task<
        IReadOnlyList<(Guid Experiment, List<Guid> Improved, List<Guid> Regressed)>
    > DeltasAsync(HttpContext context, Caller caller, Guid dataset, JsonElement json, string key)
    {
        var baseline = json.Uuid("baseline_session_id").GetValueOrDefault();
        var others = json.Uuids("comparison_session_ids");
        var scores = await context
            .RequestServices.GetRequiredService<ExperimentResults>()
            .ScoresAsync(
                caller,
                new ExperimentQuery
                {
                    DatasetId = dataset,
                    ExperimentIds = [baseline, .. others],
                    Filters = Filters(json),
                },
                key,
                json.Uuid("comparative_experiment_id"),
                context.RequestAborted
            );
        await using var db = await context
            .RequestServices.GetRequiredService<IDbContextFactory<MetadataContext>>()
            .CreateDbContextAsync(context.RequestAborted);
        var lowerIsBetter = await db.FeedbackConfigs.AnyAsync(
            c =>
                c.WorkspaceId == caller.WorkspaceId && c.Key == key && c.IsLowerScoreBetter == true,
            context.RequestAborted
        );
        var sign = lowerIsBetter ? -1 : 1;
        var first = scores[baseline];
        return
        [
            .. others.Select(other =>
            {
                var changes = scores[other]
                    .Where(s => first.ContainsKey(s.Key))
                    .Select(s => (s.Key, Change: sign * (s.Value - first[s.Key])))
                    .ToList();
                return (
                    other,
                    changes.Where(c => c.Change > 0).Select(c => c.Key).ToList(),
                    changes.Where(c => c.Change < 0).Select(c => c.Key).ToList()
                );
            }),
        ];
    }

    private static void Write(
        Utf8JsonWriter w,
        string? key,
        IReadOnlyList<(Guid Experiment, List<Guid> Improved, List<Guid> Regressed)> deltas
    )
    {
        w.WriteStartObject();
        if (key is not null)
        {
            w.WriteString("feedback_key", key);
        }

        w.WriteStartObject("feedback_deltas");
        foreach (var (experiment, improved, regressed) in deltas)
        {
            w.WriteStartObject(experiment.ToString());
            w.WriteIds("improved_examples", improved);
            w.WriteIds("regressed_examples", regressed);
            w.WriteEndObject();
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static IResult Csv(
        HttpContext context,
        Caller caller,
        ExperimentResults results,
        ExperimentQuery query,
        int? limit,
        ExperimentPage first
    ) =>
        Results.Stream(
            async output =>
            {
                await using var writer = new StreamWriter(
                    output,
                    new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                    leaveOpen: true
                );
                await writer.WriteAsync(
                    "example_id,inputs,reference_outputs,session_id,run_id,status,start_time,latency_s,total_tokens,total_cost,outputs,error,feedback\r\n"
                );
                // A file has every row unless a number was given.
                var left = limit ?? first.Total;
                for (var page = first; ; )
                {
                    foreach (var row in page.Rows.Take(left))
                    {
                        foreach (var run in row.Runs)
                        {
                            await writer.WriteAsync(Line(row, run));
                        }
                    }

                    left -= page.Rows.Count;
                    query = query with { Offset = query.Offset + page.Rows.Count };
                    if (left <= 0 || page.Rows.Count == 0)
                    {
                        return;
                    }

                    page = await results.RowsAsync(caller, query, context.RequestAborted);
                }
            },
            "text/csv; charset=utf-8",
            "experiment-runs.csv"
        );

    private static string Line(ExperimentRow row, Run run)
    {
        string?[] cells =
        [
            row.Example.Id.ToString(),
            row.Example.InputsJson,
            row.Example.OutputsJson,
            run.ProjectId.ToString(),
            run.Id.ToString(),
            run.Status.ToString().ToLowerInvariant(),
            Wire.Time(run.StartTime),
            run.Latency?.TotalSeconds.ToString("0.######", CultureInfo.InvariantCulture),
            run.Totals.TotalTokens.ToString(CultureInfo.InvariantCulture),
            Wire.Money(run.Totals.TotalCost),
            run.Payloads.TryGetValue(PayloadKind.Outputs, out var json)
                ? Encoding.UTF8.GetString(json.Span)
                : run.OutputsPreview,
            run.Error,
            JsonSerializer.Serialize(
                run.FeedbackStats.ToDictionary(f => f.Key, f => f.Value.Average)
            ),
        ];
        return string.Join(',', cells.Select(Core.Datasets.ExampleExports.Cell)) + "\r\n";
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
}
