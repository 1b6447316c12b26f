using Assay.Core.Metadata;
using Assay.Core.Sharing;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Assay.Core.Projects;

/// <summary>
/// Takes away what is past its time, project by project, in small steps, and then has the store give its disk back. Public links to what
/// went go with it. Thread-safe; a second sweep beside a first finds nothing left to do.
/// </summary>
public sealed partial class RetentionSweep(
    IDbContextFactory<MetadataContext> metadata,
    IRunStore store,
    ShareLinks links,
    TimeProvider time,
    ILogger<RetentionSweep> logger
)
{
    private const int TracesPerStep = 100;

    /// <summary>When the last sweep ended; null before the first.</summary>
    public DateTimeOffset? LastEnd { get; private set; }

    /// <summary>How many runs the last sweep removed.</summary>
    public long LastRemoved { get; private set; }

    /// <summary>Sweeps once.</summary>
    /// <returns>How many runs went.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellationToken)
    {
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var projects = await db
            .Projects.AsNoTracking()
            .Where(p => p.RetentionDays != null)
            .ToListAsync(cancellationToken);
        long total = 0;
        foreach (var project in projects)
        {
            var removed = await ExpireAsync(project, cancellationToken);
            if (removed > 0)
            {
                total += removed;
                Log.Expired(logger, removed, project.Id);
                await DropLinksAsync(db, project, cancellationToken);
            }
        }

        await store.CompactAsync(cancellationToken);
        (LastEnd, LastRemoved) = (time.GetUtcNow(), total);
        return total;
    }

    private async Task<long> ExpireAsync(Project project, CancellationToken cancellationToken)
    {
        if (
            RetentionRule.Of(project).Expired(project.WorkspaceId, project.Id, time.GetUtcNow())
            is not { } request
        )
        {
            return 0;
        }

        long total = 0;
        while (true)
        {
            var step = await store.ExpireAsync(
                request with
                {
                    MaxTraces = TracesPerStep,
                },
                cancellationToken
            );
            total += step;
            if (step == 0)
            {
                return total;
            }
        }
    }

    private async Task DropLinksAsync(
        MetadataContext db,
        Project project,
        CancellationToken cancellationToken
    )
    {
        var shared = await db
            .ShareLinks.AsNoTracking()
            .Where(l => l.WorkspaceId == project.WorkspaceId && l.ProjectId == project.Id)
            .Select(l => l.RunId)
            .ToListAsync(cancellationToken);
        var gone = new List<Guid>();
        foreach (var run in shared)
        {
            if (
                await store.FindAsync(
                    project.WorkspaceId,
                    run,
                    project.Id,
                    RunParts.None,
                    cancellationToken
                )
                is null
            )
            {
                gone.Add(run);
            }
        }

        if (gone.Count > 0)
        {
            await links.DropAsync(project.WorkspaceId, gone, [], null, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1301,
            LogLevel.Information,
            "{Runs} runs of project {Project} were past their time and are deleted"
        )]
        public static partial void Expired(ILogger logger, long runs, Guid project);
    }
}
