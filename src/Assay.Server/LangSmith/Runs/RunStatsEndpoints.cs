using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Threads;
using Assay.Core.Traces;
using Assay.Server.Auth;

namespace Assay.Server.LangSmith.Runs;

/// <summary>Figures over runs, whole or by group, and threads as v1 groups them.</summary>
internal static class RunStatsEndpoints
{
    // One bucket from 1970 to 2069: a series with it is a set of figures by group.
    private static readonly TimeSpan OneBucket = TimeSpan.FromDays(36_500);

    private const long MaxUnaskedParts = 10_000;

    private static readonly string[] s_parts =
    [
        "all_run_stats",
        "all_token_stats",
        "prompt_token_details",
        "completion_token_details",
        "prompt_cost_details",
        "completion_cost_details",
    ];

    public static void MapRunStats(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v1/runs/stats", StatsAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/group", GroupAsync).Needs(Permission.Read);
        app.MapPost("/api/v1/runs/group/stats", GroupStatsAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> StatsAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var query = RunQueryJson.Read(json);
        if (json.Field("group_by") is { ValueKind: JsonValueKind.Object } group)
        {
            return await ByGroupAsync(context, queries, query, group);
        }

        var stats = await queries.StatsAsync(context.Caller(), query, context.RequestAborted);

        // Reading the parts costs more than all figures together: of many runs they come when they are named.
        var selected = json.Texts("select");
        var parts =
            selected.Any(s_parts.Contains)
            || (selected.Count == 0 && stats.RunCount <= MaxUnaskedParts)
                ? await queries.UsagePartsAsync(context.Caller(), query, context.RequestAborted)
                : null;
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            StatsOut.Write(w, stats, isSession: false);
            if (parts is not null)
            {
                StatsOut.WriteParts(w, parts);
            }

            w.WriteEndObject();
        });
    }

    /// <summary><c>{attribute, path?, max_groups}</c>: one set of figures for each of the largest groups.</summary>
    private static async Task<IResult> ByGroupAsync(
        HttpContext context,
        TraceQueries queries,
        RunQuery query,
        JsonElement group
    )
    {
        var attribute = group.Text("attribute");
        var path = group.Text("path");
        if (attribute is not ("name" or "run_type" or "tag" or "metadata"))
        {
            return Errors.Invalid("group_by.attribute: must be name, run_type, tag or metadata");
        }

        if (attribute == "metadata" && path is null)
        {
            return Errors.Invalid("group_by.path: names the metadata key to group by");
        }

        var series = await queries.SeriesAsync(
            context.Caller(),
            new RunSeriesQuery
            {
                Runs = query with { From = query.From ?? DateTimeOffset.UnixEpoch },
                Bucket = OneBucket,
                GroupBy = attribute switch
                {
                    "name" => RunField.Name,
                    "run_type" => RunField.Kind,
                    _ => null,
                },
                GroupByTag = attribute == "tag",
                GroupByMetadataKey = attribute == "metadata" ? path : null,
                MaxGroups = Math.Clamp(group.Int("max_groups") ?? 5, 1, 100),
            },
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            foreach (var bucket in series.Where(b => b.Stats.RunCount > 0))
            {
                w.WriteStartObject(bucket.Group);
                StatsOut.Write(w, bucket.Stats, isSession: false);
                w.WriteEndObject();
            }

            w.WriteEndObject();
        });
    }

    private static async Task<IResult> GroupAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var query = Question(json, context.Caller());
        var page = await queries.ConversationsAsync(
            context.Caller(),
            query with
            {
                Limit = Math.Clamp(json.Int("limit") ?? 10, 1, 100),
                Offset = Math.Max(0, json.Int("offset") ?? 0),
            },
            context.RequestAborted
        );
        return WireResult.Json(w => StatsOut.WriteThreads(w, page));
    }

    private static async Task<IResult> GroupStatsAsync(HttpContext context, TraceQueries queries)
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var caller = context.Caller();
        var query = Question(document.AsObject(), caller);
        var page = await queries.ConversationsAsync(
            caller,
            query with
            {
                Limit = 1,
            },
            context.RequestAborted
        );
        Filter ofThreads = new Filter.Compare(
            RunField.ThreadId,
            Comparison.NotEqual,
            FilterValue.Null
        );
        var stats = await queries.StatsAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [query.ProjectId],
                IsRoot = true,
                From = query.From,
                To = query.To,
                Filter = query.Filter is { } filter
                    ? new Filter.And([filter, ofThreads])
                    : ofThreads,
            },
            context.RequestAborted
        );
        return WireResult.Json(w =>
        {
            w.WriteStartObject();
            w.WriteNumber("group_count", page.Total);
            StatsOut.Write(w, stats, isSession: false);
            w.WriteEndObject();
        });
    }

    private static ConversationQuery Question(JsonElement json, Caller caller)
    {
        if (json.Text("group_by") is { } by && by != "conversation")
        {
            throw new BadRequestBodyException(
                StatusCodes.Status422UnprocessableEntity,
                "group_by: must be conversation"
            );
        }

        var query = RunQueryJson.Read(json);
        return new ConversationQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectId =
                json.Id("session_id")
                ?? throw new BadRequestBodyException(
                    StatusCodes.Status422UnprocessableEntity,
                    "session_id: is needed"
                ),
            Filter = query.Filter,
            From = query.From,
            To = query.To,
        };
    }
}
