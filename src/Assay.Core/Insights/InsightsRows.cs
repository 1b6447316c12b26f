using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Insights;

/// <summary>The stored state of one report that is being made.</summary>
internal sealed class InsightsRows(
    IDbContextFactory<MetadataContext> metadata,
    Guid jobId,
    TimeProvider time
)
{
    private const int MaxError = 1_000;

    /// <summary>Marks the report as being made; null when it is gone or somebody stopped it first.</summary>
    public async Task<InsightsJob?> BeginAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await db
            .InsightsJobs.AsNoTracking()
            .FirstOrDefaultAsync(j => j.Id == jobId, cancellationToken);
        if (job is null)
        {
            return null;
        }

        var started = job.StartedAt ?? time.GetUtcNow();
        var changed = await db
            .InsightsJobs.Where(j =>
                j.Id == jobId
                && (j.State == InsightsState.Waiting || j.State == InsightsState.Running)
            )
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, InsightsState.Running)
                        .SetProperty(j => j.StartedAt, started),
                cancellationToken
            );
        return changed == 0 ? null : job;
    }

    /// <summary>The runs of the report in a state, in order.</summary>
    public async Task<IReadOnlyList<InsightsRun>> InAsync(
        InsightsRunState state,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsRuns.AsNoTracking()
            .Where(r => r.JobId == jobId && r.State == state)
            .OrderBy(r => r.Number)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Writes how far a run got.</summary>
    public async Task MoveAsync(
        InsightsRun run,
        InsightsRunState state,
        string? summary,
        Guid? cluster,
        string? error,
        CancellationToken cancellationToken
    )
    {
        var said = error?.Length > MaxError ? error[..MaxError] : error;
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .InsightsRuns.Where(r => r.JobId == jobId && r.Number == run.Number)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(r => r.State, state)
                        .SetProperty(r => r.Summary, summary)
                        .SetProperty(r => r.ClusterId, cluster)
                        .SetProperty(r => r.Error, said),
                cancellationToken
            );
    }

    /// <summary>The clusters, in order; empty before they are proposed.</summary>
    public async Task<IReadOnlyList<InsightsCluster>> ClustersAsync(
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsClusters.AsNoTracking()
            .Where(c => c.JobId == jobId)
            .OrderBy(c => c.Number)
            .ToListAsync(cancellationToken);
    }

    /// <summary>Keeps a proposal, all of it or nothing.</summary>
    public async Task KeepAsync(
        IReadOnlyList<InsightsCluster> clusters,
        CancellationToken cancellationToken
    )
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (!await db.InsightsJobs.AnyAsync(j => j.Id == jobId, cancellationToken))
        {
            return;
        }

        db.InsightsClusters.AddRange(clusters);
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Keeps title and key points.</summary>
    public async Task KeepAsync(InsightsSummary summary, CancellationToken cancellationToken)
    {
        var json = summary.ToJson();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .InsightsJobs.Where(j => j.Id == jobId)
            .ExecuteUpdateAsync(
                set => set.SetProperty(j => j.SummaryJson, json),
                cancellationToken
            );
    }

    /// <summary>Ends the report, unless somebody ended it otherwise.</summary>
    public async Task EndAsync(
        InsightsState state,
        string? reason,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var said = reason?.Length > MaxError ? reason[..MaxError] : reason;
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .InsightsJobs.Where(j => j.Id == jobId && j.State == InsightsState.Running)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, state)
                        .SetProperty(j => j.Reason, said)
                        .SetProperty(j => j.FinishedAt, now),
                cancellationToken
            );
    }
}
