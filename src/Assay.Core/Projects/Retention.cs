using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Projects;

/// <summary>How long the traces of a project are kept, in days from the start of their root.</summary>
/// <param name="Days">All of them; null means for ever.</param>
/// <param name="ErrorDays">Those in which a run failed, when longer; null means as all others.</param>
/// <param name="FeedbackDays">Those with feedback, when longer; null means as all others.</param>
public sealed record RetentionRule(int? Days, int? ErrorDays, int? FeedbackDays)
{
    /// <summary>The longest that can be said: a hundred years.</summary>
    public const int MaxDays = 36_500;

    /// <summary>What is wrong with it, in words; null when nothing.</summary>
    public string? Problem =>
        Days is null && (ErrorDays ?? FeedbackDays) is not null
            ? "Traces that are kept for ever need no longer time for errors or feedback."
        : new[] { Days, ErrorDays, FeedbackDays }.Any(d => d is < 1 or > MaxDays)
            ? $"Days are whole numbers from 1 to {MaxDays}."
        : ErrorDays < Days || FeedbackDays < Days
            ? "Errors and feedback can be kept longer than the others, not shorter."
        : null;

    /// <summary>The rule of a project.</summary>
    public static RetentionRule Of(Project project) =>
        new(project.RetentionDays, project.ErrorRetentionDays, project.FeedbackRetentionDays);

    /// <summary>What has to go now; null when everything stays.</summary>
    public ExpireRequest? Expired(Guid workspaceId, Guid projectId, DateTimeOffset now) =>
        Days is { } days
            ? new ExpireRequest
            {
                WorkspaceId = workspaceId,
                ProjectId = projectId,
                Before = now.AddDays(-days),
                ErrorsBefore = ErrorDays is { } errors ? now.AddDays(-errors) : null,
                FeedbackBefore = FeedbackDays is { } rated ? now.AddDays(-rated) : null,
            }
            : null;
}

/// <summary>A project on the retention screen.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Rule">Its rule.</param>
/// <param name="Traces">Traces it holds.</param>
public sealed record RetentionView(Guid Id, string Name, RetentionRule Rule, long Traces);

/// <summary>Reads and changes how long projects keep their traces. Thread-safe.</summary>
public sealed class Retention(
    IDbContextFactory<MetadataContext> metadata,
    IRunStore store,
    TimeProvider time
)
{
    /// <summary>Projects whose name holds a text, by name, at most <paramref name="limit"/>.</summary>
    public async Task<IReadOnlyList<RetentionView>> ListAsync(
        Caller caller,
        string? name,
        int limit,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var query = db.Projects.AsNoTracking().Where(p => p.WorkspaceId == caller.WorkspaceId);
        if (name is { Length: > 0 })
        {
            query = query.Where(p => p.Name.Contains(name));
        }

        var projects = await query.OrderBy(p => p.Name).Take(limit).ToListAsync(cancellationToken);
        var stats = await store.ProjectStatsAsync(
            caller.WorkspaceId,
            [.. projects.Select(p => p.Id)],
            null,
            null,
            rootsOnly: true,
            cancellationToken
        );
        return
        [
            .. projects.Select(p => new RetentionView(
                p.Id,
                p.Name,
                RetentionRule.Of(p),
                stats.GetValueOrDefault(p.Id)?.RunCount ?? 0
            )),
        ];
    }

    /// <summary>One project; null when the workspace has none of that id.</summary>
    public async Task<RetentionView?> FindAsync(
        Caller caller,
        Guid projectId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var project = await db
            .Projects.AsNoTracking()
            .FirstOrDefaultAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == projectId,
                cancellationToken
            );
        return project is null
            ? null
            : new RetentionView(project.Id, project.Name, RetentionRule.Of(project), 0);
    }

    /// <summary>About how many traces a rule would take now: those past the shortest time, to the hour, whatever keeps some of them longer.</summary>
    public async Task<long> AffectedAsync(
        Caller caller,
        Guid projectId,
        RetentionRule rule,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        if (rule.Expired(caller.WorkspaceId, projectId, time.GetUtcNow()) is not { } expired)
        {
            return 0;
        }

        var stats = await store.ProjectStatsAsync(
            caller.WorkspaceId,
            [projectId],
            null,
            expired.Before,
            rootsOnly: true,
            cancellationToken
        );
        return stats.GetValueOrDefault(projectId)?.RunCount ?? 0;
    }

    /// <summary>Sets a rule and writes it to the audit log; false when the workspace has no such project.</summary>
    /// <exception cref="ArgumentException">The rule has a <see cref="RetentionRule.Problem"/>.</exception>
    public async Task<bool> SetAsync(
        Caller caller,
        Guid projectId,
        RetentionRule rule,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        if (rule.Problem is { } problem)
        {
            throw new ArgumentException(problem, nameof(rule));
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var project = await db.Projects.FirstOrDefaultAsync(
            p => p.WorkspaceId == caller.WorkspaceId && p.Id == projectId,
            cancellationToken
        );
        if (project is null)
        {
            return false;
        }

        var now = time.GetUtcNow();
        (project.RetentionDays, project.ErrorRetentionDays, project.FeedbackRetentionDays) = (
            rule.Days,
            rule.ErrorDays,
            rule.FeedbackDays
        );
        project.ModifiedAt = now;
        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "project.retention",
                $"{project.Name}: {Words(rule.Days)}, errors {Words(rule.ErrorDays ?? rule.Days)}, with feedback {Words(rule.FeedbackDays ?? rule.Days)}",
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    /// <summary>Days that traces of new projects are kept; null for ever.</summary>
    public async Task<int?> DefaultAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await DefaultAsync(db, caller.WorkspaceId, cancellationToken);
    }

    /// <summary>The same, for whoever makes a project.</summary>
    public static Task<int?> DefaultAsync(
        MetadataContext db,
        Guid workspaceId,
        CancellationToken cancellationToken
    ) =>
        db
            .Workspaces.Where(w => w.Id == workspaceId)
            .Select(w => w.DefaultRetentionDays)
            .FirstOrDefaultAsync(cancellationToken);

    /// <summary>Sets how long traces of new projects are kept, with an entry in the audit log.</summary>
    /// <param name="caller">Who asks; needs <see cref="Permission.Manage"/>.</param>
    /// <param name="days">Days; null for ever.</param>
    /// <param name="toAll">Also the projects there are, but no experiments; longer times for errors and feedback stay.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="ArgumentException">The days are out of range.</exception>
    public async Task SetDefaultAsync(
        Caller caller,
        int? days,
        bool toAll,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Manage);
        if (new RetentionRule(days, null, null).Problem is { } problem)
        {
            throw new ArgumentException(problem, nameof(days));
        }

        var now = time.GetUtcNow();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var workspace = await db.Workspaces.SingleAsync(
            w => w.Id == caller.WorkspaceId,
            cancellationToken
        );
        workspace.DefaultRetentionDays = days;
        if (toAll)
        {
            var projects = await db
                .Projects.Where(p =>
                    p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == null
                )
                .ToListAsync(cancellationToken);
            foreach (var project in projects)
            {
                project.RetentionDays = days;
                project.ErrorRetentionDays = Longer(project.ErrorRetentionDays, days);
                project.FeedbackRetentionDays = Longer(project.FeedbackRetentionDays, days);
                project.ModifiedAt = now;
            }
        }

        db.AuditEntries.Add(
            AuditEntry.Of(
                caller,
                "workspace.retention",
                toAll ? $"{Words(days)}, all projects" : $"{Words(days)}, new projects",
                now
            )
        );
        await db.SaveChangesAsync(cancellationToken);
    }

    private static int? Longer(int? own, int? days) => days is null || own < days ? null : own;

    private static string Words(int? days) => days is null ? "for ever" : $"{days} days";
}
