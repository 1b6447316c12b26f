using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.V2;

/// <summary>Runs and traces in v2.</summary>
internal static class RunV2Endpoints
{
    public static void MapRunsV2(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v2/runs/query", QueryAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/runs/{id:guid}", GetAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/runs/{id:guid}/url", GetUrlAsync).Needs(Permission.Read);
        app.MapPost("/api/v2/traces/query", QueryTracesAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/traces/{id:guid}/runs", ListTraceAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> QueryAsync(
        HttpContext context,
        TraceQueries queries,
        IDbContextFactory<MetadataContext> metadata,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var caller = context.Caller();
        var projects = json.Ids("project_ids");
        if (json.Id("reference_dataset_id") is { } dataset)
        {
            if (projects.Count > 0)
            {
                return Errors.Invalid(
                    "project_ids: set either project_ids or reference_dataset_id, not both"
                );
            }

            await using var db = await metadata.CreateDbContextAsync(context.RequestAborted);
            projects = await db
                .Projects.AsNoTracking()
                .Where(p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == dataset)
                .Select(p => p.Id)
                .ToListAsync(context.RequestAborted);
        }
        else if (projects.Count == 0)
        {
            return Errors.Invalid("project_ids: needed unless reference_dataset_id is set");
        }

        var selects = new RunSelection(json.Texts("selects"));
        var (from, to) = V2Question.Window(json, time);
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectIds = projects,
            TraceId = json.Id("trace_id"),
            ReferenceExampleIds = json.Ids("reference_examples"),
            Kind = V2Question.Kind(json),
            IsRoot = json.Bool("is_root"),
            HasError = json.Bool("has_error"),
            From = from,
            To = to,
            Filter = V2Question.All(
                V2Question.AnyOf(RunField.Id, json.Ids("ids")),
                V2Question.Filter(json, "filter")
            ),
            TraceFilter = V2Question.Filter(json, "trace_filter"),
            TreeFilter = V2Question.Filter(json, "tree_filter"),
            Ascending = string.Equals(
                json.Text("sort_order"),
                "ASC",
                StringComparison.OrdinalIgnoreCase
            ),
            Limit = V2Question.PageSize(json, 100, 1_000),
            Cursor = json.Text("cursor") is { Length: > 0 } cursor ? cursor : null,
            Parts = selects.Parts,
        };

        // No project is no run; to the store an empty list would mean every project.
        var page =
            projects.Count == 0
                ? new RunPage([], null)
                : await queries.QueryAsync(caller, query, context.RequestAborted);
        var output = await OutputAsync(context, selects, page.Runs);
        return new V2Page<Run>(page.Runs, output.Write, page.Next);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext context, TraceQueries queries)
    {
        var selects = new RunSelection(context.Request.Query["selects"]);
        var run = await queries.FindAsync(
            context.Caller(),
            id,
            context.Request.Query.NeededId("project_id"),
            selects.Parts,
            context.RequestAborted
        );
        if (run is null)
        {
            return Errors.NotFound("Run");
        }

        var output = await OutputAsync(context, selects, [run]);
        return WireResult.Json(w => output.Write(w, run));
    }

    private static async Task<IResult> GetUrlAsync(
        Guid id,
        HttpContext context,
        TraceQueries queries
    )
    {
        var caller = context.Caller();
        var run = await queries.FindAsync(
            caller,
            id,
            context.Request.Query.NeededId("project_id"),
            RunParts.None,
            context.RequestAborted
        );
        return run is null
            ? Errors.NotFound("Run")
            : Results.Json(
                new { url = V2Question.Host(context) + RunOut.AppPath(run, caller.WorkspaceId) }
            );
    }

    private static async Task<IResult> QueryTracesAsync(
        HttpContext context,
        TraceQueries queries,
        TimeProvider time
    )
    {
        using var document = await RunEndpoints.DocumentAsync(context);
        var json = document.AsObject();
        var caller = context.Caller();
        if (json.Id("project_id") is not { } project)
        {
            return Errors.Invalid("project_id: is needed");
        }

        if (!await V2Question.HasProjectAsync(context, caller, project))
        {
            return Errors.NotFound("Project");
        }

        var selects = new RunSelection(json.Texts("selects"));
        var (from, to) = V2Question.Window(json, time);
        var page = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [project],
                IsRoot = true,
                From = from,
                To = to,
                Filter = V2Question.All(
                    V2Question.AnyOf(RunField.TraceId, json.Ids("trace_ids")),
                    V2Question.Filter(json, "trace_filter")
                ),
                TreeFilter = V2Question.Filter(json, "tree_filter"),
                Limit = V2Question.PageSize(json, 20, 100),
                Cursor = json.Text("cursor") is { Length: > 0 } cursor ? cursor : null,
                Parts = selects.Parts,
            },
            context.RequestAborted
        );
        var firstTokens = new Dictionary<Guid, DateTimeOffset?>();
        foreach (var root in page.Runs)
        {
            var trace = await queries.ReadTraceAsync(
                caller,
                root.TraceId,
                project,
                RunParts.None,
                context.RequestAborted
            );
            firstTokens[root.Id] = trace.Min(r => r.FirstTokenTime);
        }

        var output = await OutputAsync(context, selects, page.Runs);
        return new V2Page<Run>(
            page.Runs,
            (w, root) =>
            {
                w.WriteStartObject();
                w.WritePropertyName("root_run");
                output.Write(w, root);
                w.WriteStartObject("trace_aggregates");
                w.WriteNumber("total_tokens", root.Totals.TotalTokens);
                RunV2Out.Cost(w, "total_cost", root.Totals, root.Totals.TotalCost);
                w.WriteUtc("first_token_time", firstTokens[root.Id]);
                w.WriteEndObject();
                w.WriteEndObject();
            },
            page.Next
        );
    }

    /// <summary>Not paged; oldest first. A trace without runs here is an empty list, as clients ask before the first run has arrived.</summary>
    private static async Task<IResult> ListTraceAsync(
        Guid id,
        HttpContext context,
        TraceQueries queries
    )
    {
        var caller = context.Caller();
        var asked = context.Request.Query;
        var selects = new RunSelection(asked["selects"]);
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectIds = [asked.NeededId("project_id")],
            TraceId = id,
            From = asked.Time("min_start_time"),
            To = asked.Time("max_start_time"),
            Filter = V2Question.Filter(asked.Text("filter")),
            Ascending = true,
            Limit = 1_000,
            Parts = selects.Parts,
        };
        var runs = new List<Run>();
        do
        {
            var page = await queries.QueryAsync(caller, query, context.RequestAborted);
            runs.AddRange(page.Runs);
            query = query with { Cursor = page.Next };
        } while (query.Cursor is not null);

        var output = await OutputAsync(context, selects, runs);
        return new V2Page<Run>(runs, output.Write, isPaged: false);
    }

    private static async Task<RunV2Out> OutputAsync(
        HttpContext context,
        RunSelection selects,
        IReadOnlyList<Run> runs
    )
    {
        var caller = context.Caller();
        return new RunV2Out(
            selects,
            caller.WorkspaceId,
            V2Question.Host(context),
            Attachments.Url(
                context,
                context.RequestServices.GetRequiredService<IDataProtectionProvider>()
            ),
            selects.HasAny("SHARE_URL", "REFERENCE_DATASET_ID", "IS_IN_DATASET", "LAST_QUEUED_AT")
                ? await RunRelations.LoadAsync(
                    caller,
                    runs,
                    withTraces: false,
                    context.RequestServices,
                    context.RequestAborted
                )
                : RunRelations.None
        );
    }
}
