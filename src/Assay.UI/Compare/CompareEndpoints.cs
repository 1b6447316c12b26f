using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.UI.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Assay.UI.Compare;

/// <summary>What comparing asks for after the page itself: a pair of runs, and traces to compare with.</summary>
internal static class CompareEndpoints
{
    private const int MaxCandidates = 30;

    public static void MapCompare(this IEndpointRouteBuilder ui)
    {
        ui.MapGet("/compare/pair", Pair);
        ui.MapGet("/compare/candidates", CandidatesAsync);
    }

    private static RazorComponentResult<ComparePair> Pair(Guid? a, Guid? pa, Guid? b, Guid? pb) =>
        new(
            new
            {
                LeftId = a,
                LeftProject = pa,
                RightId = b,
                RightProject = pb,
            }
        );

    /// <summary>Newest traces of the project that bear the name of this one; or the trace an id or a link names.</summary>
    private static async Task<IResult> CandidatesAsync(
        Guid trace,
        Guid project,
        string? q,
        TraceQueries queries,
        CurrentCaller caller,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        if (TraceAddress.Find(q) is { } id)
        {
            var named = await queries.FindAsync(
                caller.Value,
                id,
                null,
                RunParts.None,
                caller.Aborted
            );
            return Results.Json(
                named is null || named.TraceId == trace ? [] : new[] { Offer(named, now) }
            );
        }

        var root = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = [project],
                TraceId = trace,
                OrderBy = RunField.StartTime,
                Ascending = true,
                Limit = 1,
                Parts = RunParts.None,
            },
            caller.Aborted
        );
        if (root.Runs is not [var mine])
        {
            return Results.Json(Array.Empty<Candidate>());
        }

        var text = q?.Trim() ?? "";
        var page = await queries.QueryAsync(
            caller.Value,
            new RunQuery
            {
                WorkspaceId = caller.Value.WorkspaceId,
                ProjectIds = [project],
                IsRoot = true,
                Filter =
                    text.Length == 0
                        ? new Filter.Compare(
                            RunField.Name,
                            Comparison.Equal,
                            FilterValue.Of(mine.Name)
                        )
                        : new Filter.Search(SearchScope.Everything, text),
                Limit = MaxCandidates + 1,
                Parts = RunParts.Details,
            },
            caller.Aborted
        );
        return Results.Json(
            page.Runs.Where(r => r.TraceId != trace).Take(MaxCandidates).Select(r => Offer(r, now))
        );
    }

    private static Candidate Offer(Run run, DateTimeOffset now) =>
        new(
            run.InputsPreview is { Length: > 0 } input ? $"{run.Name} · {input}" : run.Name,
            run.TraceId,
            Format.StatusIcon(run.Status),
            $"{Format.Duration(run.Latency)} · {Format.When(run.StartTime, now)}"
        );

    private sealed record Candidate(string Title, Guid Trace, string Mark, string Note);
}
