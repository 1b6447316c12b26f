using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>
/// Scores of experiments and projects by key, over their roots, with those that formulas compute. A project may hold millions of traces, and its scores are
/// found through them: of one page of projects those are read that have together <see cref="MaxTraces"/> at most, in the order of the page.
/// </summary>
internal static class SessionScores
{
    private const long MaxTraces = 200_000;

    public static async Task<
        IReadOnlyDictionary<Guid, Dictionary<string, FeedbackStats>>
    > ReadAsync(
        Caller caller,
        IReadOnlyList<Project> projects,
        IReadOnlyDictionary<Guid, RunStats> runs,
        DateTimeOffset? since,
        MetadataContext db,
        TraceQueries queries,
        CancellationToken cancellationToken
    )
    {
        var scores = new Dictionary<Guid, Dictionary<string, FeedbackStats>>();
        IReadOnlyList<FeedbackFormula> formulas = await db
            .FeedbackFormulas.AsNoTracking()
            .Where(f => f.WorkspaceId == caller.WorkspaceId)
            .ToListAsync(cancellationToken);
        var left = MaxTraces;
        foreach (var project in projects)
        {
            if (project.ReferenceDatasetId is null)
            {
                var traces = runs.GetValueOrDefault(project.Id)?.RunCount ?? 0;
                if (traces == 0 || traces > left)
                {
                    continue;
                }

                left -= traces;
            }

            var found = new Dictionary<string, FeedbackStats>(
                await queries.FeedbackStatsAsync(
                    caller,
                    new RunQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        ProjectIds = [project.Id],
                        IsRoot = true,
                        From = project.ReferenceDatasetId is null ? since : null,
                    },
                    cancellationToken
                )
            );
            foreach (
                var formula in formulas.Where(f =>
                    f.ProjectId == project.Id
                    || (f.DatasetId is not null && f.DatasetId == project.ReferenceDatasetId)
                )
            )
            {
                Compute(formula, found);
            }

            scores[project.Id] = found;
        }

        return scores;
    }

    /// <summary>A weighted sum or mean is linear, so over means it is the mean of the runs' own; a missing part leaves the score out.</summary>
    private static void Compute(FeedbackFormula formula, Dictionary<string, FeedbackStats> scores)
    {
        var (sum, weights, count) = (0.0, 0.0, long.MaxValue);
        foreach (var part in JsonNode.Parse(formula.PartsJson) as JsonArray ?? [])
        {
            if (
                part?["key"]?.GetValue<string>() is not { } key
                || !scores.TryGetValue(key, out var stats)
                || stats.Average is not { } average
            )
            {
                return;
            }

            var weight = part["weight"]?.GetValue<double>() ?? 0;
            sum += weight * average;
            weights += weight;
            count = Math.Min(count, stats.Count);
        }

        if (formula.Aggregation == "sum" || weights != 0)
        {
            scores[formula.Key] = new FeedbackStats
            {
                Count = count,
                Average = formula.Aggregation == "sum" ? sum : sum / weights,
            };
        }
    }
}
