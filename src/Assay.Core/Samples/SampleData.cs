using Assay.Core.Access;
using Assay.Core.Metadata;
using Assay.Core.Projects;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Samples;

/// <summary>
/// The sample project: agents with tools, retrieval, errors, threads, streaming, images, a trace of 2,000 runs, feedback. Clearly named, and gone
/// again in one step.
/// </summary>
public sealed class SampleData(
    IDbContextFactory<MetadataContext> metadata,
    ProjectDirectory projects,
    TraceIngest ingest,
    IRunStore store,
    TimeProvider time
)
{
    /// <summary>The project's name.</summary>
    public const string ProjectName = "Sample: Nordwind support";

    /// <summary>Makes the sample project anew; returns its id.</summary>
    /// <exception cref="AccessDeniedException">The caller may not create projects and send runs.</exception>
    public async Task<Guid> LoadAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Write | Permission.Ingest);
        await RemoveAsync(caller, cancellationToken);
        var id = await projects.GetOrCreateAsync(
            caller.WorkspaceId,
            ProjectName,
            cancellationToken
        );
        await using (var db = await metadata.CreateDbContextAsync(cancellationToken))
        {
            var project = await db.Projects.FirstAsync(
                p => p.WorkspaceId == caller.WorkspaceId && p.Id == id,
                cancellationToken
            );
            project.IsSample = true;
            project.Description = "Made by “load sample data”; delete it whenever you like.";
            await db.SaveChangesAsync(cancellationToken);
        }

        var traces = new SampleTraces(id, time.GetUtcNow());
        traces.Build();
        foreach (var chunk in traces.Runs.Chunk(500))
        {
            await ingest.AcceptAsync(caller, new IngestBatch(chunk, []), cancellationToken);
        }

        await ingest.AcceptAsync(caller, new IngestBatch([], traces.Feedback), cancellationToken);
        return id;
    }

    /// <summary>Removes the sample project with everything in it; false when there is none.</summary>
    public async Task<bool> RemoveAsync(Caller caller, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Write);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var samples = await db
            .Projects.Where(p => p.WorkspaceId == caller.WorkspaceId && p.IsSample)
            .ToListAsync(cancellationToken);
        foreach (var sample in samples)
        {
            await store.SettleAsync(cancellationToken);
            await store.DeleteProjectRunsAsync(caller.WorkspaceId, sample.Id, cancellationToken);
            db.Projects.Remove(sample);
            projects.Forget(caller.WorkspaceId, sample.Id);
        }

        await db.SaveChangesAsync(cancellationToken);
        return samples.Count > 0;
    }
}
