using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Server.LangSmith.Sessions;

/// <summary>
/// Scores of experiments by key, over their runs, with those that formulas compute. Read for experiments only: they are as large as their
/// dataset, while a plain project may hold millions of runs.
/// </summary>
internal static class ExperimentScores
{
    public static async Task<
        IReadOnlyDictionary<Guid, Dictionary<string, FeedbackStats>>
    > ReadAsync(
        Caller caller,
        IReadOnlyList<Project> projects,
        MetadataContext db,
        TraceQueries queries,
        CancellationToken cancellationToken
    )
    {
        var experiments = projects.Where(p => p.ReferenceDatasetId is not null).ToList();
        var scores = new Dictionary<Guid, Dictionary<string, FeedbackStats>>();
        if (experiments.Count == 0)
        {
            return scores;
        }

        var formulas = await db
            .FeedbackFormulas.AsNoTracking()
            .Where(f => f.WorkspaceId == caller.WorkspaceId)
            .ToListAsync(cancellationToken);
        foreach (var experiment in experiments)
        {
            var stats = await queries.StatsAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    ProjectIds = [experiment.Id],
                    IsRoot = true,
                },
                cancellationToken
            );
            var found = new Dictionary<string, FeedbackStats>(stats.Feedback);
            foreach (
                var formula in formulas.Where(f =>
                    f.ProjectId == experiment.Id || f.DatasetId == experiment.ReferenceDatasetId
                )
            )
            {
                Compute(formula, found);
            }

            scores[experiment.Id] = found;
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
