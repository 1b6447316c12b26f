using System.Runtime.CompilerServices;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Traces;

/// <summary>What the trace screen asks for after the page itself.</summary>
internal static class TraceEndpoints
{
    /// <summary>Marks of texts need previews of every run; beyond this many runs traces are compared by names and figures alone.</summary>
    private const int MaxMarkedRuns = 20_000;

    public static void MapTraces(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/traces/{traceId:guid}/rows", RowsAsync);
        ui.MapGet("/traces/{traceId:guid}/view", FrameAsync);
        ui.MapGet("/traces/{traceId:guid}/events", Watch);
        ui.MapGet("/traces/{traceId:guid}/search", SearchAsync);
        ui.MapGet("/traces/{traceId:guid}/conversation", Conversation);
        ui.MapGet("/traces/{traceId:guid}/export", ExportAsync);
        ui.MapDelete("/traces/{traceId:guid}", DeleteAsync).PageNeeds(Permission.Delete);
        ui.MapGet("/runs/{runId:guid}", Detail);
    }

    private static async Task RowsAsync(
        Guid traceId,
        Guid? project,
        bool? text,
        Guid? reading,
        HttpContext context,
        TraceReadings readings,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        if (
            reading is { } number
            && await readings.TakeAsync(caller.Value, traceId, number) is { } rows
        )
        {
            await context.Response.BodyWriter.WriteAsync(rows, caller.Aborted);
            return;
        }

        var read = await readings.ReadAsync(caller.Value, traceId, project, caller.Aborted);
        var isMarked = text == true && read.Runs.Count <= MaxMarkedRuns;
        if (isMarked)
        {
            read = read with
            {
                Runs = await queries.ReadTraceAsync(
                    caller.Value,
                    traceId,
                    project,
                    RunParts.Details,
                    caller.Aborted
                ),
            };
        }

        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter.AsStream());
        TraceRows.Write(writer, read, isMarked);
    }

    /// <summary>The frame of the trace screen with its first rows, for a trace that opens beside a list.</summary>
    private static async Task<
        Results<RazorComponentResult<TraceFrame>, ProblemHttpResult>
    > FrameAsync(
        Guid traceId,
        Guid? project,
        string? run,
        string? view,
        TraceReadings readings,
        CurrentCaller caller
    )
    {
        var reading = await readings.ReadAsync(caller.Value, traceId, project, caller.Aborted);
        if (reading.Runs.Count == 0)
        {
            return TypedResults.Problem("This trace has no runs.", statusCode: 404);
        }

        return new RazorComponentResult<TraceFrame>(
            new
            {
                TraceId = traceId,
                ProjectId = project,
                Reading = reading,
                ReadingNumber = readings.Keep(caller.Value, traceId, reading),
                RunId = Guid.TryParse(run, out var id) ? id : (Guid?)null,
                View = view,
            }
        );
    }

    /// <summary>A notice for each change of the trace; the screen asks for the rows again, no faster than it can draw them.</summary>
    private static ServerSentEventsResult<string> Watch(
        Guid traceId,
        TraceFeed feed,
        CurrentCaller caller
    ) => TypedResults.ServerSentEvents(Notices(feed, caller, traceId, caller.Aborted), "changed");

    private static async IAsyncEnumerable<string> Notices(
        TraceFeed feed,
        CurrentCaller caller,
        Guid traceId,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // At once, so that the answer begins: whoever waits for its head would wait for the next run otherwise.
        yield return "";
        await foreach (
            var _ in feed.WatchAsync(caller.Value.WorkspaceId, null, traceId, cancellationToken)
        )
        {
            yield return "";
        }
    }

    /// <summary>Ids of the runs whose inputs, outputs, name or error contain the words; the names alone are searched by the browser itself.</summary>
    private static async Task<JsonHttpResult<string[]>> SearchAsync(
        Guid traceId,
        string q,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        var page = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                TraceId = traceId,
                Filter = new Filter.Search(SearchScope.Everything, q),
                Limit = 1_000,
                Parts = RunParts.None,
            },
            caller.Aborted
        );
        return TypedResults.Json<string[]>([.. page.Runs.Select(r => r.Id.ToString("N"))]);
    }

    private static RazorComponentResult<ConversationView> Conversation(
        Guid traceId,
        Guid? project,
        int? skip
    ) =>
        new(
            new
            {
                TraceId = traceId,
                ProjectId = project,
                Skip = skip ?? 0,
            }
        );

    private static RazorComponentResult<RunDetail> Detail(Guid runId, Guid? project) =>
        new(new { RunId = runId, ProjectId = project });

    /// <summary>Every run of the trace as a line of JSON, payloads verbatim; one run in memory at a time.</summary>
    private static async Task ExportAsync(
        Guid traceId,
        Guid? project,
        HttpContext context,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        var runs = await queries.ReadTraceAsync(
            caller.Value,
            traceId,
            project,
            RunParts.None,
            caller.Aborted
        );
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.ContentDisposition =
            $"attachment; filename=\"trace-{traceId}.jsonl\"";
        foreach (var run in runs)
        {
            if (
                await queries.FindAsync(
                    caller.Value,
                    run.Id,
                    run.ProjectId,
                    RunParts.All,
                    caller.Aborted
                ) is
                { } full
            )
            {
                await RunLines.WriteAsync(context.Response.BodyWriter, full, caller.Aborted);
            }
        }
    }

    private static async Task<Ok<long>> DeleteAsync(
        Guid traceId,
        TraceQueries queries,
        CurrentCaller caller
    ) =>
        TypedResults.Ok(
            await queries.DeleteTracesAsync(caller.Value, [traceId], null, caller.Aborted)
        );
}
