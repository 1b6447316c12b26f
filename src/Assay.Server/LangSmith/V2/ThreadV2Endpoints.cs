using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Threads;
using Assay.Core.Traces;
using Assay.Server.Auth;
using Assay.Server.LangSmith.Runs;

namespace Assay.Server.LangSmith.V2;

/// <summary>Threads in v2: list with figures, the traces of one, the figures of one. Thread ids in paths are free text.</summary>
internal static class ThreadV2Endpoints
{
    public static void MapThreadsV2(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/v2/threads/query", QueryAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/threads/{thread}/traces", ListTracesAsync).Needs(Permission.Read);
        app.MapGet("/api/v2/threads/{thread}/stats", StatsAsync).Needs(Permission.Read);
    }

    private static async Task<IResult> QueryAsync(
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

        var (from, to) = V2Question.Window(json, time);
        var size = V2Question.PageSize(json, 20, 100);
        var skip = V2Question.Position(json.Text("cursor"));
        var query = new ConversationQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectId = project,
            Filter = V2Question.All(
                V2Question.Filter(json, "filter"),
                V2Question.Filter(json, "trace_filter")
            ),
            TreeFilter = V2Question.Filter(json, "tree_filter"),
            ThreadFilter = json.Text("thread_filter") is { Length: > 0 } whole
                ? ConversationFilter.Parse(whole)
                : null,
            From = from,
            To = to,
            Limit = size,
            Offset = skip,
        };
        var page = await queries.ConversationsAsync(caller, query, context.RequestAborted);
        var hasMore = skip + page.Items.Count < page.Total && page.Items.Count > 0;
        var parts = new Dictionary<string, UsageParts>();
        foreach (var thread in page.Items)
        {
            parts[thread.ThreadId] = await queries.UsagePartsAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [project],
                    IsRoot = true,
                    ThreadId = thread.ThreadId,
                    Filter = query.Filter,
                    TreeFilter = query.TreeFilter,
                    From = from,
                    To = to,
                },
                context.RequestAborted
            );
        }

        return new V2Page<Conversation>(
            page.Items,
            (w, thread) => Write(w, thread, parts[thread.ThreadId]),
            hasMore ? V2Question.Cursor(skip + size) : null
        );
    }

    /// <summary>The roots of one thread, oldest first, as a conversation is read.</summary>
    private static async Task<IResult> ListTracesAsync(
        string thread,
        HttpContext context,
        TraceQueries queries
    )
    {
        var caller = context.Caller();
        var asked = context.Request.Query;
        var selects = new RunSelection(asked["selects"]);
        var page = await queries.QueryAsync(
            caller,
            new RunQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectIds = [asked.NeededId("project_id")],
                IsRoot = true,
                ThreadId = Name(thread),
                Filter = V2Question.Filter(asked.Text("filter")),
                Ascending = true,
                Limit = asked.Int("page_size", 20, 1, 100),
                Cursor = asked.Text("cursor"),
                Parts = selects.Parts,
            },
            context.RequestAborted
        );
        return new V2Page<Run>(page.Runs, (w, root) => WriteTrace(w, root, selects), page.Next);
    }

    private static async Task<IResult> StatsAsync(
        string thread,
        HttpContext context,
        TraceQueries queries
    )
    {
        var caller = context.Caller();
        var asked = context.Request.Query;
        var selects = new RunSelection(asked["selects"]);
        var project = asked.NeededId("session_id");
        var filter = V2Question.Filter(asked.Text("filter"));
        var page = await queries.ConversationsAsync(
            caller,
            new ConversationQuery
            {
                WorkspaceId = caller.WorkspaceId,
                ProjectId = project,
                ThreadId = Name(thread),
                Filter = filter,
                Limit = 1,
            },
            context.RequestAborted
        );
        if (page.Items.Count == 0)
        {
            return Errors.NotFound("Thread");
        }

        var details = selects.HasAny(
            "PROMPT_TOKEN_DETAILS",
            "COMPLETION_TOKEN_DETAILS",
            "PROMPT_COST_DETAILS",
            "COMPLETION_COST_DETAILS"
        )
            ? await queries.UsagePartsAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [project],
                    IsRoot = true,
                    ThreadId = Name(thread),
                    Filter = filter,
                },
                context.RequestAborted
            )
            : new UsageParts();
        return WireResult.Json(w => WriteStats(w, page.Items[0], details, selects));
    }

    /// <summary>The web server leaves an encoded slash as it is, because it is no border of a path; here it belongs to the name.</summary>
    private static string Name(string segment) =>
        segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static void Write(Utf8JsonWriter w, Conversation thread, UsageParts parts)
    {
        w.WriteStartObject();
        w.WriteString("thread_id", thread.ThreadId);
        w.WriteString("trace_id", thread.TraceIds.Last);
        w.WriteString("first_trace_id", thread.TraceIds.First);
        w.WriteString("last_trace_id", thread.TraceIds.Last);
        w.WriteNumber("count", thread.TraceCount);
        w.WriteNumber("num_errored_turns", thread.ErrorCount);
        w.WriteUtc("start_time", thread.FirstStart);
        w.WriteUtc("min_start_time", thread.FirstStart);
        w.WriteUtc("max_start_time", thread.LastStart);
        w.WriteNumber("latency_p50", thread.Latency?.P50);
        w.WriteNumber("latency_p99", thread.Latency?.P99);
        w.WriteNumber("total_tokens", thread.Totals.TotalTokens);
        RunV2Out.Cost(w, "total_cost", thread.Totals, thread.Totals.TotalCost);
        WriteParts(w, parts);
        w.WriteString("first_inputs", thread.FirstInputsPreview);
        w.WriteString("last_outputs", thread.LastOutputsPreview);
        w.WriteString("last_error", RunV2Out.Preview(thread.LastError));
        RunOut.Feedback(w, thread.Feedback);
        w.WriteEndObject();
    }

    /// <summary>Both sides in one object each; a name that both have is summed up.</summary>
    private static void WriteParts(Utf8JsonWriter w, UsageParts parts)
    {
        w.WriteStartObject("total_token_details");
        foreach (var name in parts.PromptTokens.Concat(parts.CompletionTokens).GroupBy(p => p.Key))
        {
            w.WriteNumber(name.Key, name.Sum(p => p.Value));
        }

        w.WriteEndObject();
        w.WriteStartObject("total_cost_details");
        foreach (var name in parts.PromptCosts.Concat(parts.CompletionCosts).GroupBy(p => p.Key))
        {
            w.WriteNumber(name.Key, name.Sum(p => p.Value));
        }

        w.WriteEndObject();
    }

    private static void WriteTrace(Utf8JsonWriter w, Run root, RunSelection selects)
    {
        var parts = new UsageParts();
        parts.Add(root.Usage, root.Cost);
        w.WriteStartObject();
        w.WriteString("trace_id", root.TraceId);
        if (selects.Has("THREAD_ID"))
        {
            w.WriteString("thread_id", root.ThreadId);
        }

        if (selects.Has("NAME"))
        {
            w.WriteString("name", root.Name);
        }

        if (selects.Has("START_TIME"))
        {
            w.WriteUtc("start_time", root.StartTime);
        }

        if (selects.Has("END_TIME"))
        {
            w.WriteUtc("end_time", root.EndTime);
        }

        if (selects.Has("FIRST_TOKEN_TIME"))
        {
            w.WriteUtc("first_token_time", root.FirstTokenTime);
        }

        if (selects.Has("LATENCY"))
        {
            w.WriteNumber("latency", root.Latency?.TotalSeconds);
        }

        if (selects.Has("INPUTS"))
        {
            RunOut.Payload(w, "inputs", root, PayloadKind.Inputs, "{}");
        }

        if (selects.Has("INPUTS_PREVIEW"))
        {
            w.WriteString("inputs_preview", root.InputsPreview);
        }

        if (selects.Has("OUTPUTS"))
        {
            RunOut.Payload(w, "outputs", root, PayloadKind.Outputs, "null");
        }

        if (selects.Has("OUTPUTS_PREVIEW"))
        {
            w.WriteString("outputs_preview", root.OutputsPreview);
        }

        if (selects.Has("ERROR"))
        {
            w.WriteString("error", root.Error);
        }

        if (selects.Has("ERROR_PREVIEW"))
        {
            w.WriteString("error_preview", RunV2Out.Preview(root.Error));
        }

        WriteTotals(w, root.Totals, selects);
        WriteDetails(w, parts, selects);
        w.WriteEndObject();
    }

    private static void WriteStats(
        Utf8JsonWriter w,
        Conversation thread,
        UsageParts details,
        RunSelection selects
    )
    {
        w.WriteStartObject();
        if (selects.Has("TURNS"))
        {
            w.WriteNumber("turns", thread.TraceCount);
        }

        if (selects.Has("FIRST_START_TIME"))
        {
            w.WriteUtc("first_start_time", thread.FirstStart);
        }

        if (selects.Has("LAST_START_TIME"))
        {
            w.WriteUtc("last_start_time", thread.LastStart);
        }

        if (selects.Has("LAST_END_TIME"))
        {
            w.WriteUtc("last_end_time", thread.LastEnd);
        }

        if (selects.Has("LATENCY_P50"))
        {
            w.WriteNumber("latency_p50_seconds", thread.Latency?.P50);
        }

        if (selects.Has("LATENCY_P99"))
        {
            w.WriteNumber("latency_p99_seconds", thread.Latency?.P99);
        }

        WriteTotals(w, thread.Totals, selects);
        WriteDetails(w, details, selects);
        if (selects.Has("FEEDBACK_STATS"))
        {
            RunOut.Feedback(w, thread.Feedback);
        }

        w.WriteEndObject();
    }

    private static void WriteTotals(Utf8JsonWriter w, TraceTotals totals, RunSelection selects)
    {
        if (selects.Has("TOTAL_TOKENS"))
        {
            w.WriteNumber("total_tokens", totals.TotalTokens);
        }

        if (selects.Has("PROMPT_TOKENS"))
        {
            w.WriteNumber("prompt_tokens", totals.PromptTokens);
        }

        if (selects.Has("COMPLETION_TOKENS"))
        {
            w.WriteNumber("completion_tokens", totals.CompletionTokens);
        }

        if (selects.Has("TOTAL_COST"))
        {
            RunV2Out.Cost(w, "total_cost", totals, totals.TotalCost);
        }

        if (selects.Has("PROMPT_COST"))
        {
            RunV2Out.Cost(w, "prompt_cost", totals, totals.PromptCost);
        }

        if (selects.Has("COMPLETION_COST"))
        {
            RunV2Out.Cost(w, "completion_cost", totals, totals.CompletionCost);
        }
    }

    private static void WriteDetails(Utf8JsonWriter w, UsageParts details, RunSelection selects)
    {
        if (selects.Has("PROMPT_TOKEN_DETAILS"))
        {
            RunV2Out.Counts(w, "prompt_token_details", details.PromptTokens);
        }

        if (selects.Has("COMPLETION_TOKEN_DETAILS"))
        {
            RunV2Out.Counts(w, "completion_token_details", details.CompletionTokens);
        }

        if (selects.Has("PROMPT_COST_DETAILS"))
        {
            RunV2Out.Costs(w, "prompt_cost_details", details.PromptCosts);
        }

        if (selects.Has("COMPLETION_COST_DETAILS"))
        {
            RunV2Out.Costs(w, "completion_cost_details", details.CompletionCosts);
        }
    }
}
