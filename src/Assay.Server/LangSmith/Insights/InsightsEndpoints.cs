using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Insights;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Insights;

/// <summary>
/// Reports about a project on LangSmith's wire. Only here: <c>status</c> in a PATCH (<c>cancelled</c> gives a report up, <c>queued</c> goes on
/// with one), and <c>provider/model</c> as a model.
/// </summary>
internal static class InsightsEndpoints
{
    private const string Path = "/api/v1/sessions/{id:guid}/insights";
    private const int MaxPage = 100;

    public static void MapInsights(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, ListAsync).Needs(Permission.Read);
        app.MapPost(Path, StartAsync).Needs(Permission.Write);
        app.MapGet(Path + "/{jobId:guid}", GetAsync).Needs(Permission.Read);
        app.MapPatch(Path + "/{jobId:guid}", PatchAsync).Needs(Permission.Write);
        app.MapDelete(Path + "/{jobId:guid}", DeleteAsync).Needs(Permission.Delete);
        app.MapGet(Path + "/{jobId:guid}/runs", RunsAsync).Needs(Permission.Read);
        app.MapGet(Path + "/{jobId:guid}/clusters/{clusterId:guid}", ClusterAsync)
            .Needs(Permission.Read);
    }

    private static async Task<IResult> ListAsync(
        Guid id,
        HttpContext context,
        InsightsJobs jobs,
        InsightsReports reports,
        IDbContextFactory<MetadataContext> metadata
    )
    {
        var caller = context.Caller();
        await using (var db = await metadata.CreateDbContextAsync(context.RequestAborted))
        {
            if (
                !await db.Projects.AnyAsync(
                    p => p.WorkspaceId == caller.WorkspaceId && p.Id == id,
                    context.RequestAborted
                )
            )
            {
                return Errors.NotFound("Session");
            }
        }

        var query = context.Request.Query;
        // There are no saved settings here, so no report was made by any.
        var page = query.Id("config_id") is not null
            ? []
            : await jobs.ListAsync(
                caller,
                id,
                query.Int("offset", 0, 0, int.MaxValue),
                query.Int("limit", MaxPage, 1, MaxPage),
                context.RequestAborted
            );
        List<Guid> ids = [.. page.Select(j => j.Id)];
        var progress = await reports.ProgressAsync(caller, ids, context.RequestAborted);
        var shapes = await reports.ShapesAsync(caller, ids, context.RequestAborted);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("clustering_jobs");
            foreach (var job in page)
            {
                w.WriteStartObject();
                InsightsOut.Job(w, job, progress[job.Id], shapes[job.Id], []);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static async Task<IResult> StartAsync(
        Guid id,
        HttpContext context,
        InsightsJobs jobs,
        InsightsModels models,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var plan = await PlanAsync(document.RootElement, context, models, time);
        var job = await jobs.StartAsync(context.Caller(), id, plan, context.RequestAborted);
        return job is null
            ? Errors.NotFound("Session")
            : WireResult.Json(w =>
            {
                w.WriteStartObject();
                w.WriteString("id", job.Id);
                w.WriteString("name", job.Name);
                w.WriteString("status", InsightsOut.Status(job));
                w.WriteNull("error");
                w.WriteEndObject();
            });
    }

    private static async Task<InsightsPlan> PlanAsync(
        JsonElement json,
        HttpContext context,
        InsightsModels models,
        TimeProvider time
    )
    {
        json.MustBeObject();
        foreach (var unserved in (string[])["partitions", "attribute_schemas"])
        {
            if (
                json.Field(unserved) is { ValueKind: JsonValueKind.Object } given
                && given.EnumerateObject().Any()
            )
            {
                throw BodyFields.Wrong(unserved, "left out: it is not served here");
            }
        }

        if (json.Uuid("config_id") is not null || json.Flag("is_scheduled") == true)
        {
            throw BodyFields.Wrong(
                json.Has("config_id") ? "config_id" : "is_scheduled",
                "left out: saved and scheduled reports are not served here"
            );
        }

        var maker = json.StrictText("model") ?? "openai";
        var summary = json.StrictText("summary_model") ?? json.StrictText("cluster_model");
        var cluster = json.StrictText("cluster_model") ?? json.StrictText("summary_model");
        var hours = json.Number("last_n_hours");
        if (hours is <= 0)
        {
            throw BodyFields.Wrong("last_n_hours", "above 0");
        }

        var (clusters, groups) = Hierarchy(json.Field("hierarchy"));
        return new InsightsPlan
        {
            Name = json.StrictText("name") is { } name && name.Trim().Length > 0 ? name : null,
            From =
                json.Moment("start_time")
                ?? (hours is { } back ? time.GetUtcNow().AddHours(-(double)back) : null),
            To = json.Moment("end_time"),
            Filter = json.StrictText("filter"),
            Sample = Sample(json.Field("sample")),
            Clusters = clusters,
            Groups = groups,
            Context = UserContext(json.Field("user_context")),
            SummaryPrompt = json.StrictText("summary_prompt") is { Length: > 0 } prompt
                ? prompt
                : null,
            SummaryModel = await models.AskedForAsync(
                context.Caller(),
                maker,
                summary,
                context.RequestAborted
            ),
            ClusterModel = await models.AskedForAsync(
                context.Caller(),
                maker,
                cluster,
                context.RequestAborted
            ),
        };
    }

    /// <summary>How many clusters by level, those that hold runs first.</summary>
    private static (int? Clusters, int? Groups) Hierarchy(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return (null, null);
        }

        var levels =
            json.ValueKind == JsonValueKind.Array
                ? json.EnumerateArray()
                    .Select(n =>
                        n.ValueKind == JsonValueKind.Number && n.TryGetInt32(out var count)
                            ? count
                            : throw BodyFields.Wrong("hierarchy", "a list of whole numbers")
                    )
                    .ToList()
                : throw BodyFields.Wrong("hierarchy", "a list of whole numbers");
        return levels switch
        {
            [] => (null, null),
            [var only] => (only, 0),
            [var leaves, var groups] => (leaves, groups),
            _ => throw BodyFields.Wrong("hierarchy", "at most two levels"),
        };
    }

    private static double Sample(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => InsightsPlan.DefaultSample,
            JsonValueKind.Number => json.GetDouble(),
            _ => throw BodyFields.Wrong("sample", "a number"),
        };

    private static Dictionary<string, string> UserContext(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => [],
            JsonValueKind.Object => json.EnumerateObject()
                .GroupBy(p => p.Name, StringComparer.Ordinal)
                .ToDictionary(
                    g => g.Key,
                    g =>
                        g.Last().Value is { ValueKind: JsonValueKind.String } text
                            ? text.GetString()!
                            : throw BodyFields.Wrong("user_context", "an object of texts"),
                    StringComparer.Ordinal
                ),
            _ => throw BodyFields.Wrong("user_context", "an object of texts"),
        };

    private static async Task<IResult> GetAsync(
        Guid id,
        Guid jobId,
        HttpContext context,
        InsightsJobs jobs,
        InsightsReports reports
    )
    {
        var caller = context.Caller();
        if (await jobs.FindAsync(caller, id, jobId, context.RequestAborted) is not { } job)
        {
            return NoReport();
        }

        var report = await reports.ReadAsync(caller, job, context.RequestAborted);
        return WireResult.Json(w => InsightsOut.Report(w, report));
    }

    private static async Task<IResult> PatchAsync(
        Guid id,
        Guid jobId,
        HttpContext context,
        InsightsJobs jobs
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.RootElement;
        json.MustBeObject();
        var (name, status) = (json.StrictText("name"), json.StrictText("status"));
        if (status is not (null or "cancelled" or "queued"))
        {
            throw BodyFields.Wrong("status", "cancelled or queued");
        }

        if (name is null && status is null)
        {
            throw BodyFields.Wrong("name", "given");
        }

        var caller = context.Caller();
        if (await jobs.FindAsync(caller, id, jobId, context.RequestAborted) is not { } job)
        {
            return NoReport();
        }

        if (name is not null)
        {
            await jobs.RenameAsync(caller, id, jobId, name, context.RequestAborted);
        }

        var isDone = status switch
        {
            "cancelled" => await jobs.CancelAsync(caller, id, jobId, context.RequestAborted),
            "queued" => await jobs.ResumeAsync(caller, id, jobId, context.RequestAborted),
            _ => true,
        };
        if (!isDone)
        {
            return Errors.Detail(
                StatusCodes.Status409Conflict,
                status == "cancelled"
                    ? "The report has come to an end already"
                    : "The report is being made, or there is nothing left to do"
            );
        }

        job = await jobs.FindAsync(caller, id, jobId, context.RequestAborted);
        return job is null
            ? NoReport()
            : WireResult.Json(w =>
            {
                w.WriteStartObject();
                w.WriteString("name", job.Name);
                w.WriteString("status", InsightsOut.Status(job));
                w.WriteEndObject();
            });
    }

    private static async Task<IResult> DeleteAsync(
        Guid id,
        Guid jobId,
        HttpContext context,
        InsightsJobs jobs
    ) =>
        await jobs.DeleteAsync(context.Caller(), id, jobId, context.RequestAborted)
            ? Results.Json(new { id = jobId, message = "Insights job deleted" })
            : NoReport();

    private static async Task<IResult> RunsAsync(
        Guid id,
        Guid jobId,
        HttpContext context,
        InsightsJobs jobs,
        InsightsReports reports,
        IDataProtectionProvider protection
    )
    {
        var caller = context.Caller();
        var query = context.Request.Query;
        if (query.Text("attribute_sort_key") is not null)
        {
            throw BodyFields.Wrong(
                "attribute_sort_key",
                "left out: runs have no attributes in reports here"
            );
        }

        if (await jobs.FindAsync(caller, id, jobId, context.RequestAborted) is not { } job)
        {
            return NoReport();
        }

        var offset = query.Int("offset", 0, 0, int.MaxValue);
        var (page, total) = await reports.RunsAsync(
            caller,
            job,
            query.Id("cluster_id"),
            [],
            RunParts.Details | RunParts.Feedback | RunParts.Inputs | RunParts.Outputs,
            offset,
            query.Int("limit", MaxPage, 1, MaxPage),
            context.RequestAborted
        );
        var relations = await RunRelations.LoadAsync(
            caller,
            [.. page.Select(p => p.Run).OfType<Run>()],
            withTraces: false,
            context.RequestServices,
            context.RequestAborted
        );
        var url = Attachments.Url(context, protection);
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("runs");
            foreach (var (row, run) in page)
            {
                if (run is not null)
                {
                    RunOut.Write(
                        w,
                        run,
                        caller,
                        url,
                        relations,
                        more: () => InsightsOut.Place(w, row)
                    );
                    continue;
                }

                // Deleted since: what the report knows of it stays readable.
                w.WriteStartObject();
                w.WriteString("id", row.RunId);
                InsightsOut.Place(w, row);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            if (offset + page.Count < total)
            {
                w.WriteNumber("offset", offset + page.Count);
            }
            else
            {
                w.WriteNull("offset");
            }

            w.WriteEndObject();
        });
    }

    private static async Task<IResult> ClusterAsync(
        Guid id,
        Guid jobId,
        Guid clusterId,
        HttpContext context,
        InsightsJobs jobs,
        InsightsReports reports
    )
    {
        var caller = context.Caller();
        if (await jobs.FindAsync(caller, id, jobId, context.RequestAborted) is not { } job)
        {
            return NoReport();
        }

        var report = await reports.ReadAsync(caller, job, context.RequestAborted);
        return report.Clusters.FirstOrDefault(c => c.Cluster.Id == clusterId) is { } cluster
            ? WireResult.Json(w =>
            {
                w.WriteStartObject();
                InsightsOut.Cluster(w, cluster.Cluster);
                w.WriteNumber("num_children", cluster.Children);
                w.WriteEndObject();
            })
            : Errors.NotFound("Cluster");
    }

    private static IResult NoReport() => Errors.NotFound("Insights job");
}
