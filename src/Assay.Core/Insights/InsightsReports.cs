using System.Globalization;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Insights;

/// <summary>Reads reports: what the models said, with the figures that the runs have in the store now. Thread-safe.</summary>
public sealed class InsightsReports(
    IDbContextFactory<MetadataContext> metadata,
    TraceQueries queries
)
{
    private const int Chunk = 500;

    /// <summary>How many runs of reports are in which state.</summary>
    public async Task<IReadOnlyDictionary<Guid, InsightsProgress>> ProgressAsync(
        Caller caller,
        IReadOnlyList<Guid> jobs,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var counts = await db
            .InsightsRuns.Where(r => r.WorkspaceId == caller.WorkspaceId && jobs.Contains(r.JobId))
            .GroupBy(r => new { r.JobId, r.State })
            .Select(g => new
            {
                g.Key.JobId,
                g.Key.State,
                Count = g.Count(),
            })
            .ToListAsync(cancellationToken);
        return jobs.Distinct()
            .ToDictionary(
                id => id,
                id => new InsightsProgress(
                    counts.Where(c => c.JobId == id).ToDictionary(c => c.State, c => c.Count)
                )
            );
    }

    /// <summary>How many clusters reports have, by level.</summary>
    public async Task<IReadOnlyDictionary<Guid, IReadOnlyDictionary<int, int>>> ShapesAsync(
        Caller caller,
        IReadOnlyList<Guid> jobs,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var counts = await db
            .InsightsClusters.Where(c =>
                c.WorkspaceId == caller.WorkspaceId && jobs.Contains(c.JobId)
            )
            .GroupBy(c => new { c.JobId, c.Level })
            .Select(g => new
            {
                g.Key.JobId,
                g.Key.Level,
                Count = g.Count(),
            })
            .ToListAsync(cancellationToken);
        return jobs.Distinct()
            .ToDictionary(
                id => id,
                id =>
                    (IReadOnlyDictionary<int, int>)
                        counts.Where(c => c.JobId == id).ToDictionary(c => c.Level, c => c.Count)
            );
    }

    /// <summary>A whole report.</summary>
    public async Task<InsightsReport> ReadAsync(
        Caller caller,
        InsightsJob job,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        List<InsightsRun> rows;
        List<InsightsCluster> clusters;
        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        {
            rows = await db
                .InsightsRuns.AsNoTracking()
                .Where(r => r.WorkspaceId == caller.WorkspaceId && r.JobId == job.Id)
                .OrderBy(r => r.Number)
                .ToListAsync(cancellationToken);
            clusters = await db
                .InsightsClusters.AsNoTracking()
                .Where(c => c.WorkspaceId == caller.WorkspaceId && c.JobId == job.Id)
                .OrderBy(c => c.Number)
                .ToListAsync(cancellationToken);
        }

        var runs = await RunsAsync(
            caller,
            job,
            clusters.Count == 0 ? [] : rows,
            RunParts.Details | RunParts.Feedback,
            cancellationToken
        );
        var byCluster = rows.Where(r => r.ClusterId is not null).ToLookup(r => r.ClusterId);
        return new InsightsReport
        {
            Job = job,
            Progress = new InsightsProgress(
                rows.GroupBy(r => r.State).ToDictionary(g => g.Key, g => g.Count())
            ),
            Clusters =
            [
                .. clusters.Select(c =>
                {
                    List<InsightsRun> held =
                    [
                        .. byCluster[c.Id],
                        .. clusters
                            .Where(child => child.ParentId == c.Id)
                            .SelectMany(child => byCluster[child.Id]),
                    ];
                    return new ClusterReport(
                        c,
                        clusters.Find(p => p.Id == c.ParentId)?.Name,
                        clusters.Count(child => child.ParentId == c.Id),
                        ClusterFigures.Of(held, runs)
                    );
                }),
            ],
            Problems =
            [
                .. rows.Where(r => r.Error is not null)
                    .GroupBy(r => (r.State, r.Error))
                    .Select(g => new InsightsProblem(g.Key.State, g.Key.Error!, g.Count()))
                    .OrderByDescending(p => p.Count),
            ],
            Highlights = InsightsHighlight.Of(rows, clusters, runs),
        };
    }

    /// <summary>One cluster of a report; null when it has none of that id.</summary>
    public async Task<InsightsCluster?> ClusterAsync(
        Caller caller,
        InsightsJob job,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsClusters.AsNoTracking()
            .FirstOrDefaultAsync(
                c => c.WorkspaceId == caller.WorkspaceId && c.JobId == job.Id && c.Id == id,
                cancellationToken
            );
    }

    /// <summary>Runs of a report, in order; of one cluster (with those of the clusters in it), or in some states.</summary>
    /// <returns>A page of them, each with the run as it is in the store now (null when it was deleted), and how many there are.</returns>
    public async Task<(IReadOnlyList<(InsightsRun Row, Run? Run)> Page, int Total)> RunsAsync(
        Caller caller,
        InsightsJob job,
        Guid? cluster,
        IReadOnlyList<InsightsRunState> states,
        RunParts parts,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var all = db
            .InsightsRuns.AsNoTracking()
            .Where(r => r.WorkspaceId == caller.WorkspaceId && r.JobId == job.Id);
        if (cluster is { } id)
        {
            all = all.Where(r =>
                r.ClusterId == id
                || db.InsightsClusters.Any(c => c.Id == r.ClusterId && c.ParentId == id)
            );
        }

        if (states.Count > 0)
        {
            all = all.Where(r => states.Contains(r.State));
        }

        var rows = await all.OrderBy(r => r.Number)
            .Skip(offset)
            .Take(limit)
            .ToListAsync(cancellationToken);
        var runs = await RunsAsync(caller, job, rows, parts, cancellationToken);
        return (
            [.. rows.Select(r => (r, runs.GetValueOrDefault(r.RunId)))],
            await all.CountAsync(cancellationToken)
        );
    }

    private async Task<Dictionary<Guid, Run>> RunsAsync(
        Caller caller,
        InsightsJob job,
        IReadOnlyList<InsightsRun> rows,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var runs = new Dictionary<Guid, Run>();
        foreach (var chunk in rows.Chunk(Chunk))
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    RunIds = [.. chunk.Select(r => r.RunId)],
                    // The same id may be in another project too.
                    Limit = chunk.Length * 2,
                    Parts = parts,
                },
                cancellationToken
            );
            foreach (var run in page.Runs.Where(r => r.ProjectId == job.ProjectId))
            {
                runs[run.Id] = run;
            }
        }

        return runs;
    }
}

/// <summary>How many runs of a report are in which state.</summary>
public sealed class InsightsProgress(IReadOnlyDictionary<InsightsRunState, int> counts)
{
    /// <summary>How many are in a state.</summary>
    public int In(InsightsRunState state) => counts.GetValueOrDefault(state);

    /// <summary>Runs that a model summarized.</summary>
    public int Summarized =>
        In(InsightsRunState.Summarized)
        + In(InsightsRunState.Assigned)
        + In(InsightsRunState.FitsNone)
        + In(InsightsRunState.NotAssigned);

    /// <summary>Runs for which a cluster was looked for.</summary>
    public int Sorted =>
        In(InsightsRunState.Assigned)
        + In(InsightsRunState.FitsNone)
        + In(InsightsRunState.NotAssigned);

    /// <summary>Runs that could not be summarized or sorted.</summary>
    public int Lost => In(InsightsRunState.NotSummarized) + In(InsightsRunState.NotAssigned);

    /// <summary>Questions that were answered, of two for each run: a summary and a cluster.</summary>
    public int Steps => Summarized + Sorted + (2 * In(InsightsRunState.NotSummarized));
}

/// <summary>A report with its figures.</summary>
public sealed record InsightsReport
{
    /// <summary>The record.</summary>
    public required InsightsJob Job { get; init; }

    /// <summary>How far it is.</summary>
    public required InsightsProgress Progress { get; init; }

    /// <summary>The clusters in the order of the proposal: each before the clusters in it.</summary>
    public required IReadOnlyList<ClusterReport> Clusters { get; init; }

    /// <summary>Why runs are in no cluster, the most frequent reason first.</summary>
    public required IReadOnlyList<InsightsProblem> Problems { get; init; }

    /// <summary>Traces worth a look, by their figures; at most 10.</summary>
    public required IReadOnlyList<InsightsHighlight> Highlights { get; init; }

    /// <summary>Title and key points; null until they are written.</summary>
    public InsightsSummary? Summary => InsightsSummary.Of(Job);

    /// <summary>The clusters that hold runs as sentences, the largest first.</summary>
    internal IReadOnlyList<string> Lines() =>
        [
            .. Clusters
                .Where(c => c.Cluster.Level == 0)
                .OrderByDescending(c => c.Figures.Count)
                .Select(c =>
                    $"{(c.ParentName is null ? "" : c.ParentName + ": ")}{c.Cluster.Name}: {c.Figures.Words(Progress.Sorted)}"
                ),
        ];
}

/// <summary>A cluster with its figures.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="ParentName">Name of the cluster around it.</param>
/// <param name="Children">How many clusters it holds.</param>
/// <param name="Figures">Its figures, with those of the clusters in it.</param>
public sealed record ClusterReport(
    InsightsCluster Cluster,
    string? ParentName,
    int Children,
    ClusterFigures Figures
);

/// <summary>A reason why runs are in no cluster.</summary>
/// <param name="State">Where they stand.</param>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How many runs.</param>
public sealed record InsightsProblem(InsightsRunState State, string Reason, int Count);

/// <summary>Figures of the runs of a cluster, each the root of its trace.</summary>
public sealed record ClusterFigures
{
    /// <summary>Runs in it.</summary>
    public required int Count { get; init; }

    /// <summary>Runs that are still in the store; the other figures are theirs.</summary>
    public required int Found { get; init; }

    /// <summary>Runs with an error.</summary>
    public required int Errors { get; init; }

    /// <summary>Share of runs with an error, 0 to 1; null without runs.</summary>
    public double? ErrorRate => Found == 0 ? null : (double)Errors / Found;

    /// <summary>Median time.</summary>
    public TimeSpan? LatencyP50 { get; init; }

    /// <summary>Time that 95 of 100 runs stay below.</summary>
    public TimeSpan? LatencyP95 { get; init; }

    /// <summary>Tokens of the traces.</summary>
    public required long Tokens { get; init; }

    /// <summary>Cost of the traces in US dollars.</summary>
    public required decimal Cost { get; init; }

    /// <summary>Figures of the feedback by key.</summary>
    public required IReadOnlyDictionary<string, FeedbackStats> Feedback { get; init; }

    internal static ClusterFigures Of(
        IReadOnlyList<InsightsRun> rows,
        IReadOnlyDictionary<Guid, Run> runs
    )
    {
        var found = rows.Select(r => runs.GetValueOrDefault(r.RunId)).OfType<Run>().ToList();
        var times = found.Select(r => r.Latency).OfType<TimeSpan>().Order().ToList();
        return new ClusterFigures
        {
            Count = rows.Count,
            Found = found.Count,
            Errors = found.Count(r => r.Status == RunStatus.Error),
            LatencyP50 = At(times, 0.5),
            LatencyP95 = At(times, 0.95),
            Tokens = found.Sum(r => r.Totals.TotalTokens),
            Cost = found.Sum(r => r.Totals.TotalCost),
            Feedback = FeedbackStats.Together(found.SelectMany(r => r.FeedbackStats)),
        };
    }

    /// <summary>The figures as a sentence.</summary>
    internal string Words(int all)
    {
        var words = string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} of {all} runs ({(all == 0 ? 0 : 100.0 * Count / all):0} %), {Errors} with an error"
        );
        if (LatencyP50 is { } median)
        {
            words += string.Create(
                CultureInfo.InvariantCulture,
                $", median {median.TotalSeconds:0.##} s"
            );
        }

        if (Cost > 0)
        {
            words += string.Create(CultureInfo.InvariantCulture, $", ${Cost:0.####}");
        }

        foreach (var (key, stats) in Feedback)
        {
            if (stats.Average is { } mean)
            {
                words += string.Create(CultureInfo.InvariantCulture, $", {key} {mean:0.##}");
            }
        }

        return words;
    }

    private static TimeSpan? At(List<TimeSpan> sorted, double share) =>
        sorted.Count == 0
            ? null
            : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
}

/// <summary>Title and key points of a report.</summary>
/// <param name="Title">Title.</param>
/// <param name="KeyPoints">Sentences, the most useful first.</param>
/// <param name="Problem">Why they are the figures alone and not a model's words; null when a model gave them.</param>
public sealed record InsightsSummary(string Title, IReadOnlyList<string> KeyPoints, string? Problem)
{
    internal static InsightsSummary? Of(InsightsJob job) =>
        job.SummaryJson is { } json ? JsonSerializer.Deserialize<InsightsSummary>(json) : null;

    internal string ToJson() => JsonSerializer.Serialize(this);
}

/// <summary>A trace worth a look.</summary>
/// <param name="Row">The run in the report.</param>
/// <param name="Cluster">Its cluster.</param>
/// <param name="Reason">Why it is worth a look.</param>
public sealed record InsightsHighlight(InsightsRun Row, InsightsCluster? Cluster, string Reason)
{
    private const int Most = 10;
    private const int MaxError = 200;

    /// <summary>Of the largest clusters: the newest failure, then the slowest and the dearest run of all.</summary>
    internal static IReadOnlyList<InsightsHighlight> Of(
        IReadOnlyList<InsightsRun> rows,
        IReadOnlyList<InsightsCluster> clusters,
        IReadOnlyDictionary<Guid, Run> runs
    )
    {
        var known = rows.Where(r => r.ClusterId is not null && runs.ContainsKey(r.RunId)).ToList();
        var picked = new List<InsightsHighlight>();
        Add(
            known.Where(r => runs[r.RunId].Latency is not null).MaxBy(r => runs[r.RunId].Latency),
            run => $"The slowest: {run.Latency!.Value.TotalSeconds:0.##} s"
        );
        Add(
            known
                .Where(r => runs[r.RunId].Totals.TotalCost > 0)
                .MaxBy(r => runs[r.RunId].Totals.TotalCost),
            run => $"The dearest: ${run.Totals.TotalCost:0.######}"
        );
        foreach (var cluster in known.GroupBy(r => r.ClusterId).OrderByDescending(g => g.Count()))
        {
            Add(
                cluster.FirstOrDefault(r => runs[r.RunId].Status == RunStatus.Error),
                run => $"Failed: {Short(run.Error)}"
            );
        }

        return [.. picked.Take(Most)];

        static string? Short(string? error) =>
            error?.Length > MaxError ? error[..MaxError] + "…" : error;

        void Add(InsightsRun? row, Func<Run, FormattableString> why)
        {
            if (row is not null && picked.TrueForAll(p => p.Row.RunId != row.RunId))
            {
                picked.Add(
                    new InsightsHighlight(
                        row,
                        clusters.FirstOrDefault(c => c.Id == row.ClusterId),
                        FormattableString.Invariant(why(runs[row.RunId]))
                    )
                );
            }
        }
    }
}
