using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Experiments;
using Assay.Core.Feedback;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Datasets;
using Assay.Server.LangSmith.Runs;
using Assay.Server.LangSmith.Sessions;
using Microsoft.AspNetCore.DataProtection;

namespace Assay.Server.LangSmith.Experiments;

/// <summary><c>POST /datasets/{id}/group/runs</c>: examples grouped by a value of their metadata or of their runs', with figures by experiment.</summary>
internal static class GroupedRuns
{
    public static void MapGroupedRuns(this IEndpointRouteBuilder app) =>
        app.MapPost("/api/v1/datasets/{id:guid}/group/runs", GroupAsync).Needs(Permission.Read);

    private static async Task<IResult> GroupAsync(
        Guid id,
        HttpContext context,
        ExperimentGroups results,
        IDataProtectionProvider protection
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var by = json.StrictText("group_by");
        if (by is not ("run_metadata" or "example_metadata"))
        {
            throw BodyFields.Wrong("group_by", "run_metadata or example_metadata");
        }

        if (json.StrictText("metadata_key") is not { Length: > 0 } key)
        {
            return Errors.Invalid("metadata_key: must be given");
        }

        var caller = context.Caller();
        var groups = await results.ReadAsync(
            caller,
            new ExperimentQuery
            {
                DatasetId = id,
                ExperimentIds = [.. json.Uuids("session_ids")],
                Filters = ExperimentAnswers.Filters(json),
                Offset = Math.Max(0, json.Number("offset") ?? 0),
                Limit = Math.Clamp(json.Number("limit") ?? 10, 1, 100),
                Parts =
                    json.Flag("preview") == true
                        ? RunParts.Details | RunParts.Feedback
                        : RunParts.All,
            },
            key,
            by == "run_metadata",
            Math.Clamp(json.Number("per_group_limit") ?? 5, 1, 10),
            context.RequestAborted
        );
        var relations = await RunRelations.LoadAsync(
            caller,
            [.. groups.SelectMany(g => g.Rows).SelectMany(r => r.Runs)],
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("groups");
            foreach (var group in groups)
            {
                var filter = Filter(by, key, group);
                w.WriteStartObject();
                w.WriteString("group_key", group.Value);
                w.WriteString("filter", filter);
                w.WriteNumber("count", group.Runs.Count);
                w.WriteNumber("example_count", group.ExampleCount);
                Figures(w, group.Runs);
                w.WriteStartArray("sessions");
                foreach (var experiment in group.Experiments)
                {
                    Session(w, experiment, group, filter);
                }

                w.WriteEndArray();
                w.WriteStartArray("examples");
                foreach (var row in group.Rows)
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
                                RunOut.Write(w, run, caller, url, relations);
                            }

                            w.WriteEndArray();
                        }
                    );
                }

                w.WriteEndArray();
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static void Session(
        Utf8JsonWriter w,
        Project experiment,
        ExperimentGroup group,
        string filter
    )
    {
        var own = group.Runs.Where(r => r.ProjectId == experiment.Id).ToList();
        SessionOut.Write(
            w,
            experiment,
            null,
            () =>
            {
                w.WriteString("filter", filter);
                w.WriteNumber("run_count", own.Count);
                w.WriteNumber("example_count", group.ExampleCount);
                Figures(w, own);
            }
        );
    }

    /// <summary>The runs of a group in LangSmith's language.</summary>
    private static string Filter(string by, string key, ExperimentGroup group) =>
        by == "run_metadata"
            ? $"and(eq(is_root, true), and(eq(metadata_key, {JsonSerializer.Serialize(key)}), eq(metadata_value, {JsonSerializer.Serialize(group.Value)})))"
            : "and(eq(is_root, true), in(reference_example, ["
                + string.Join(
                    ", ",
                    group
                        .Runs.Select(r => r.ReferenceExampleId)
                        .Distinct()
                        .Take(1_000)
                        .Select(i => $"\"{i}\"")
                )
                + "]))";

    private static void Figures(Utf8JsonWriter w, IReadOnlyList<Run> runs)
    {
        var latencies = runs.Select(r => r.Latency?.TotalSeconds).OfType<double>().Order().ToList();
        w.WriteNumber("total_tokens", runs.Sum(r => r.Totals.TotalTokens));
        w.WriteNumber("prompt_tokens", runs.Sum(r => r.Totals.PromptTokens));
        w.WriteNumber("completion_tokens", runs.Sum(r => r.Totals.CompletionTokens));
        w.WriteString("total_cost", Wire.Money(runs.Sum(r => r.Totals.TotalCost)));
        w.WriteString("prompt_cost", Wire.Money(runs.Sum(r => r.Totals.PromptCost)));
        w.WriteString("completion_cost", Wire.Money(runs.Sum(r => r.Totals.CompletionCost)));
        w.WriteTime("min_start_time", runs.Count == 0 ? null : runs.Min(r => r.StartTime));
        w.WriteTime("max_start_time", runs.Count == 0 ? null : runs.Max(r => r.StartTime));
        w.WriteNumber("latency_p50", At(latencies, 0.5));
        w.WriteNumber("latency_p99", At(latencies, 0.99));
        w.WriteNumber(
            "error_rate",
            runs.Count == 0
                ? null
                : (double)runs.Count(r => r.Status == RunStatus.Error) / runs.Count
        );
        RunOut.Feedback(w, FeedbackStats.Together(runs.SelectMany(r => r.FeedbackStats)));
    }

    private static double? At(List<double> sorted, double share) =>
        sorted.Count == 0 ? null : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
}
