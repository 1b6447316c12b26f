using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.UI.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Projects;

/// <summary>What the project page asks for after the page itself.</summary>
internal static class ProjectEndpoints
{
    private const int MaxExported = 100_000;
    private const int MaxSelected = 1_000;
    private const int MaxCompletions = 12;

    public static void MapProjects(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/projects/{projectId:guid}/rows", RowsAsync);
        ui.MapGet("/projects/{projectId:guid}/overview", Overview);
        ui.MapGet("/projects/{projectId:guid}/facets", Facets);
        ui.MapGet("/projects/{projectId:guid}/events", Watch);
        ui.MapGet("/projects/{projectId:guid}/complete", CompleteAsync);
        ui.MapGet("/projects/{projectId:guid}/export", ExportAsync);
        ui.MapPost("/projects/{projectId:guid}/export", ExportSelectedAsync);
        ui.MapPost("/projects/{projectId:guid}/delete", DeleteAsync).PageNeeds(Permission.Delete);
    }

    private static async Task<IResult> RowsAsync(
        Guid projectId,
        string? cursor,
        HttpContext context,
        TraceQueries queries,
        TraceContent content,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var state = ListState.Read(projectId, context.Request, now);
        var page = await queries.QueryAsync(
            caller.Value,
            state.ToQuery(caller.Value.WorkspaceId) with
            {
                Cursor = cursor is { Length: > 0 } ? cursor : null,
            },
            caller.Aborted
        );
        return new RazorComponentResult<RunRows>(
            new
            {
                Runs = await content.WithPreviewsAsync(caller.Value, page.Runs, caller.Aborted),
                state.Columns,
                page.Next,
                Now = now,
                state.ScoreKey,
            }
        );
    }

    private static RazorComponentResult<Overview> Overview(
        Guid projectId,
        HttpContext context,
        TimeProvider time
    ) => new(new { State = ListState.Read(projectId, context.Request, time.GetUtcNow()) });

    private static RazorComponentResult<FacetDrawer> Facets(
        Guid projectId,
        HttpContext context,
        TimeProvider time
    ) => new(new { State = ListState.Read(projectId, context.Request, time.GetUtcNow()) });

    /// <summary>The ids of traces that changed, as they do.</summary>
    private static ServerSentEventsResult<string> Watch(
        Guid projectId,
        TraceFeed feed,
        CurrentCaller caller
    ) => TypedResults.ServerSentEvents(Changes(feed, caller, projectId, caller.Aborted));

    private static async IAsyncEnumerable<SseItem<string>> Changes(
        TraceFeed feed,
        CurrentCaller caller,
        Guid projectId,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // At once, so that the answer begins: whoever waits for its head would wait for the next run otherwise.
        yield return new SseItem<string>("", "begin");
        await foreach (
            var change in feed.WatchAsync(
                caller.Value.WorkspaceId,
                projectId,
                null,
                cancellationToken
            )
        )
        {
            yield return new SseItem<string>(change.TraceId.ToString("N"), "changed");
        }
    }

    /// <summary>What can stand next in the query bar; values come from the maintained dictionaries, never from a scan.</summary>
    private static async Task<IResult> CompleteAsync(
        Guid projectId,
        string? q,
        int at,
        TraceQueries queries,
        FeedbackKeys keys,
        CurrentCaller caller
    )
    {
        var text = q ?? "";
        var caret = Math.Clamp(at, 0, text.Length);
        var start = caret;
        while (start > 0 && !char.IsWhiteSpace(text[start - 1]))
        {
            start--;
        }

        var typed = text[start..caret].TrimStart('-');
        start = caret - typed.Length;
        var colon = typed.IndexOf(':', StringComparison.Ordinal);
        var items = new List<Offer>();
        if (colon > 0)
        {
            start += colon + 1;
            var (field, prefix) = (typed[..colon], typed[(colon + 1)..].Trim('"'));
            var values =
                field == "status"
                    ?
                    [
                        new FacetValue("error", 0),
                        new FacetValue("success", 0),
                        new FacetValue("pending", 0),
                    ]
                    : (
                        await queries.FacetsAsync(
                            caller.Value,
                            projectId,
                            null,
                            null,
                            200,
                            caller.Aborted
                        )
                    )
                        .FirstOrDefault(f => f.Name == (field == "type" ? "run_type" : field))
                        ?.Values
                        ?? [];
            items.AddRange(
                values
                    .Where(v => v.Value.Contains(prefix, StringComparison.OrdinalIgnoreCase))
                    .Select(v => new Offer(
                        QueryText.Quote(v.Value),
                        v.Value,
                        v.Count == 0 ? "" : Kit.Format.Count(v.Count)
                    ))
            );
        }
        else
        {
            items.AddRange(
                QueryText
                    .Fields.Where(f => f.Name.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
                    .Select(f => new Offer(
                        f.Name
                            + (
                                f.Name is "latency" or "first_token" or "tokens" or "cost"
                                    ? ">"
                                    : ":"
                            ),
                        f.Name,
                        f.Note
                    ))
            );
            if (typed.Length > 0)
            {
                var facets = await queries.FacetsAsync(
                    caller.Value,
                    projectId,
                    null,
                    null,
                    1,
                    caller.Aborted
                );
                items.AddRange(
                    facets
                        .Where(f =>
                            f.Name.StartsWith("metadata.", StringComparison.Ordinal)
                            && f.Name.StartsWith(typed, StringComparison.OrdinalIgnoreCase)
                        )
                        .Select(f => new Offer(f.Name + ":", f.Name, "metadata"))
                );
                items.AddRange(
                    (await keys.ScalesAsync(caller.Value, caller.Aborted))
                        .Where(k =>
                            $"feedback.{k.Key}".StartsWith(
                                typed,
                                StringComparison.OrdinalIgnoreCase
                            )
                        )
                        .Select(k => new Offer(
                            $"feedback.{k.Key}>=",
                            $"feedback.{k.Key}",
                            k.Value.Type == FeedbackType.Score ? k.Value.Range : "feedback"
                        ))
                );
            }
        }

        return Results.Json(
            new
            {
                start,
                length = caret - start,
                items = items.Take(MaxCompletions),
            }
        );
    }

    private static async Task ExportAsync(
        Guid projectId,
        string format,
        HttpContext context,
        TraceQueries queries,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var query = ListState
            .Read(projectId, context.Request, now)
            .ToQuery(caller.Value.WorkspaceId);
        await WriteAsync(context, format, query with { Limit = 200 }, queries, caller);
    }

    private static async Task ExportSelectedAsync(
        Guid projectId,
        string format,
        Selection selection,
        HttpContext context,
        TraceQueries queries,
        CurrentCaller caller
    ) =>
        await WriteAsync(
            context,
            format,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = [projectId],
                RunIds = [.. selection.Ids.Take(MaxSelected)],
                Limit = MaxSelected,
            },
            queries,
            caller
        );

    private static async Task WriteAsync(
        HttpContext context,
        string format,
        RunQuery query,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        var isCsv = format == "csv";
        query = query with { Parts = isCsv ? RunParts.Details | RunParts.Feedback : RunParts.All };
        // Asked before anything is written: a question that is refused can still be answered as such.
        var page = await queries.QueryAsync(caller.Value, query, caller.Aborted);
        context.Response.ContentType = isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        context.Response.Headers.ContentDisposition =
            $"attachment; filename=\"runs.{(isCsv ? "csv" : "jsonl")}\"";
        if (isCsv)
        {
            await RunCsv.HeadAsync(context.Response.BodyWriter, caller.Aborted);
        }

        for (var written = 0; ; )
        {
            foreach (var run in page.Runs)
            {
                await (
                    isCsv
                        ? RunCsv.WriteAsync(context.Response.BodyWriter, run, caller.Aborted)
                        : RunLines.WriteAsync(context.Response.BodyWriter, run, caller.Aborted)
                );
            }

            written += page.Runs.Count;
            if (page.Next is null || written >= MaxExported)
            {
                break;
            }

            page = await queries.QueryAsync(
                caller.Value,
                query with
                {
                    Cursor = page.Next,
                },
                caller.Aborted
            );
        }
    }

    private static async Task<IResult> DeleteAsync(
        Guid projectId,
        Selection selection,
        TraceQueries queries,
        CurrentCaller caller
    )
    {
        if (selection.Ids is not { Count: > 0 and <= MaxSelected })
        {
            return Results.BadRequest(new { detail = $"1 to {MaxSelected:N0} at once." });
        }

        var gone = selection.IsTraces
            ? await queries.DeleteTracesAsync(
                caller.Value,
                selection.Ids,
                projectId,
                caller.Aborted
            )
            : await queries.DeleteRunsAsync(caller.Value, selection.Ids, caller.Aborted);
        return Results.Json(new { runs = gone });
    }

    /// <summary>What is selected in the list.</summary>
    private sealed record Selection(IReadOnlyList<Guid> Ids, bool IsTraces);

    private sealed record Offer(string Insert, string Label, string Note);
}
