using System.Globalization;
using Assay.Core.Access;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Metadata;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Insights;

/// <summary>
/// The reports about a workspace's projects: asked for, listed, renamed, cancelled, gone on with, deleted. <see cref="InsightsWorker"/> makes
/// them. Thread-safe.
/// </summary>
public sealed class InsightsJobs(
    IDbContextFactory<MetadataContext> metadata,
    InsightsSampling sampling,
    TimeProvider time
)
{
    /// <summary>The most reports of a workspace that wait or are worked on.</summary>
    public const int MaxLive = 10;

    /// <summary>How those who ask for reports reach the one who makes them.</summary>
    internal JobSignals Signals { get; } = new();

    /// <summary>Chooses the runs and asks for a report about them. It is durable when this returns; null when there is no such project.</summary>
    /// <exception cref="InvalidInsightsException">The plan is unusable, or there is no run to look at.</exception>
    /// <exception cref="Filters.FilterException">The filter cannot be understood.</exception>
    public async Task<InsightsJob?> StartAsync(
        Caller caller,
        Guid projectId,
        InsightsPlan plan,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        plan.Check();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        if (
            !await db.Projects.AnyAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == projectId,
                cancellationToken
            )
        )
        {
            return null;
        }

        if (
            await db.InsightsJobs.CountAsync(
                j =>
                    j.WorkspaceId == caller.WorkspaceId
                    && (j.State == InsightsState.Waiting || j.State == InsightsState.Running),
                cancellationToken
            ) >= MaxLive
        )
        {
            throw new InvalidInsightsException(
                "insights",
                $"{MaxLive} reports of this workspace are being made already; wait for one or cancel one"
            );
        }

        var (runs, matched) = await sampling.ChooseAsync(
            caller,
            projectId,
            plan,
            cancellationToken
        );
        if (runs.Count == 0)
        {
            throw new InvalidInsightsException(
                "insights",
                "the project has no finished trace in this time that meets the filter"
            );
        }

        var now = time.GetUtcNow();
        var job = new InsightsJob
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            ProjectId = projectId,
            Name =
                plan.Name?.Trim()
                ?? string.Create(
                    CultureInfo.InvariantCulture,
                    $"Insights of {now.UtcDateTime:d MMM yyyy, HH:mm}"
                ),
            PlanJson = plan.ToJson(),
            Matched = matched,
            Total = runs.Count,
            TraceRunId = Guid.CreateVersion7(now),
            UserId = caller.UserId,
            Actor = caller.Name,
            CreatedAt = now,
        };
        db.InsightsJobs.Add(job);
        db.InsightsRuns.AddRange(
            runs.Select(
                (run, number) =>
                    new InsightsRun
                    {
                        JobId = job.Id,
                        WorkspaceId = caller.WorkspaceId,
                        RunId = run,
                        Number = number,
                    }
            )
        );
        db.AuditEntries.Add(AuditEntry.Of(caller, "insights.start", job.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        Signals.Wake();
        return job;
    }

    /// <summary>Reports about a project, newest first.</summary>
    public async Task<IReadOnlyList<InsightsJob>> ListAsync(
        Caller caller,
        Guid projectId,
        int offset,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsJobs.AsNoTracking()
            .Where(j => j.WorkspaceId == caller.WorkspaceId && j.ProjectId == projectId)
            .OrderByDescending(j => j.CreatedAt)
            .ThenBy(j => j.Id)
            .Skip(offset)
            .Take(limit)
            .ToListAsync(cancellationToken);
    }

    /// <summary>One report; null when the project has none of that id.</summary>
    public async Task<InsightsJob?> FindAsync(
        Caller caller,
        Guid projectId,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await db
            .InsightsJobs.AsNoTracking()
            .FirstOrDefaultAsync(
                j => j.WorkspaceId == caller.WorkspaceId && j.ProjectId == projectId && j.Id == id,
                cancellationToken
            );
    }

    /// <summary>Gives a report another name; null when there is none.</summary>
    /// <exception cref="InvalidInsightsException">The name is empty or too long.</exception>
    public async Task<InsightsJob?> RenameAsync(
        Caller caller,
        Guid projectId,
        Guid id,
        string name,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        name = name.Trim();
        if (name.Length is 0 or > InsightsPlan.MaxName)
        {
            throw new InvalidInsightsException(
                "name",
                $"must have 1 to {InsightsPlan.MaxName} characters"
            );
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await Of(db, caller, projectId, id)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.Name, name), cancellationToken);
        return await FindAsync(caller, projectId, id, cancellationToken);
    }

    /// <summary>Gives a report up; calls under way are broken off. False when it has come to an end already.</summary>
    public async Task<bool> CancelAsync(
        Caller caller,
        Guid projectId,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var ended = await Of(db, caller, projectId, id)
            .Where(j => j.State == InsightsState.Waiting || j.State == InsightsState.Running)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, InsightsState.Cancelled)
                        .SetProperty(j => j.Reason, $"Cancelled by {caller.Name}.")
                        .SetProperty(j => j.FinishedAt, now),
                cancellationToken
            );
        if (ended == 0)
        {
            return false;
        }

        Signals.Stop(id, isAtOnce: true);
        await AuditAsync(db, caller, "insights.cancel", id, now, cancellationToken);
        return true;
    }

    /// <summary>
    /// Goes on with a report that was cancelled, failed, or left runs out: they are asked about again, what is done stays. False when there is
    /// nothing to do.
    /// </summary>
    public async Task<bool> ResumeAsync(
        Caller caller,
        Guid projectId,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        // A turn that was told to stop may still be ending: it must not take up what is put back here.
        if (Signals.IsRunning(id))
        {
            return false;
        }

        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var job = await Of(db, caller, projectId, id).FirstOrDefaultAsync(cancellationToken);
        if (job is null || job.IsLive)
        {
            return false;
        }

        var rows = db.InsightsRuns.Where(r => r.JobId == id);
        var again =
            await rows.Where(r => r.State == InsightsRunState.NotSummarized)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(r => r.State, InsightsRunState.Waiting)
                            .SetProperty(r => r.Error, (string?)null),
                    cancellationToken
                )
            + await rows.Where(r => r.State == InsightsRunState.NotAssigned)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(r => r.State, InsightsRunState.Summarized)
                            .SetProperty(r => r.Error, (string?)null),
                    cancellationToken
                );
        if (again == 0 && job.State == InsightsState.Done)
        {
            return false;
        }

        (job.State, job.Reason, job.FinishedAt) = (InsightsState.Waiting, null, null);
        db.AuditEntries.Add(AuditEntry.Of(caller, "insights.resume", job.Name, now));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Signals.Wake();
        return true;
    }

    /// <summary>Deletes a report; its runs stay, they are the project's. False when there is none.</summary>
    public async Task<bool> DeleteAsync(
        Caller caller,
        Guid projectId,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Delete);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var job = await Of(db, caller, projectId, id).FirstOrDefaultAsync(cancellationToken);
        if (job is null)
        {
            return false;
        }

        db.InsightsJobs.Remove(job);
        db.AuditEntries.Add(AuditEntry.Of(caller, "insights.delete", job.Name, time.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
        Signals.Stop(id, isAtOnce: true);
        return true;
    }

    private static IQueryable<InsightsJob> Of(
        MetadataContext db,
        Caller caller,
        Guid projectId,
        Guid id
    ) =>
        db.InsightsJobs.Where(j =>
            j.WorkspaceId == caller.WorkspaceId && j.ProjectId == projectId && j.Id == id
        );

    private static async Task AuditAsync(
        MetadataContext db,
        Caller caller,
        string action,
        Guid id,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var name = await db
            .InsightsJobs.Where(j => j.WorkspaceId == caller.WorkspaceId && j.Id == id)
            .Select(j => j.Name)
            .FirstOrDefaultAsync(cancellationToken);
        db.AuditEntries.Add(AuditEntry.Of(caller, action, name, now));
        await db.SaveChangesAsync(cancellationToken);
    }
}
