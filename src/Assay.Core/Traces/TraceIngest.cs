using Assay.Core.Access;
using Assay.Core.Blobs;
using Assay.Core.Feedback;
using Assay.Core.Projects;

namespace Assay.Core.Traces;

/// <summary>
/// The one door in for runs: every wire dialect and the gateway end here. Validates, resolves the project, normalizes (model, usage,
/// thread, previews, search tokens), and appends durably. A bad item is a counted <see cref="Rejection"/>, never an exception, and never
/// costs its neighbours. Thread-safe.
/// </summary>
public sealed class TraceIngest(
    IRunStore store,
    ProjectDirectory projects,
    RunNormalizer normalizer,
    IBlobStore blobs,
    RefusedItems refused,
    TimeProvider time
)
{
    /// <summary>
    /// Accepts a batch. When it returns, everything that is not in <see cref="IngestReceipt.Rejections"/> is durable.
    /// </summary>
    /// <exception cref="AccessDeniedException">The caller may not ingest.</exception>
    /// <exception cref="StoreBusyException">Nothing was accepted; try later.</exception>
    public async Task<IngestReceipt> AcceptAsync(
        Caller caller,
        IngestBatch batch,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Ingest);
        var rejections = new List<Rejection>();
        var runs = new List<RunWrite>(batch.Runs.Count);
        var now = time.GetUtcNow();
        foreach (var run in batch.Runs)
        {
            if (
                await PrepareAsync(
                    caller.WorkspaceId,
                    run,
                    batch.DefaultProjectName,
                    now,
                    cancellationToken
                ) is
                { } reason
            )
            {
                rejections.Add(new Rejection(run.RunId, reason));
                refused.Count(caller.WorkspaceId, reason);
                await DropAsync(run);
            }
            else
            {
                runs.Add(run);
            }
        }

        if (runs.Count > 0 || batch.Feedback.Count > 0)
        {
            try
            {
                await store.AppendAsync(
                    new RunBatch(caller.WorkspaceId, runs, batch.Feedback),
                    cancellationToken
                );
            }
            catch (StoreBusyException)
            {
                foreach (var run in runs)
                {
                    await DropAsync(run);
                }

                throw;
            }
        }

        return new IngestReceipt(runs.Count + batch.Feedback.Count, rejections);
    }

    /// <summary>Counts an item that an adapter refused before it came here.</summary>
    public void Refused(Caller caller, string reason) => refused.Count(caller.WorkspaceId, reason);

    /// <summary>Takes away the large values of a run that is not kept: no run will ever point to them.</summary>
    private async ValueTask DropAsync(RunWrite run)
    {
        foreach (var key in run.Blobs())
        {
            await blobs.DeleteAsync(key, CancellationToken.None);
        }
    }

    private async ValueTask<string?> PrepareAsync(
        Guid workspaceId,
        RunWrite run,
        string? defaultProject,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (run.RunId == Guid.Empty)
        {
            return "id: must be a UUID other than zero";
        }

        if (run.ParentRunId == run.RunId)
        {
            return "parent_run_id: a run cannot be its own parent";
        }

        if (normalizer.Normalize(run, now) is { } problem)
        {
            return problem;
        }

        if (run.ProjectId is { } projectId)
        {
            if (!await projects.ExistsAsync(workspaceId, projectId, cancellationToken))
            {
                return $"session_id: there is no project {projectId}";
            }
        }
        else if (run.ProjectName is { Length: > 0 } name)
        {
            if (name.Length > ProjectDirectory.MaxNameLength)
            {
                return $"session_name: longer than {ProjectDirectory.MaxNameLength} characters";
            }

            run.ProjectId = await projects.GetOrCreateAsync(workspaceId, name, cancellationToken);
        }
        else if (run.Operation == RunOperation.Create)
        {
            run.ProjectId = await projects.GetOrCreateAsync(
                workspaceId,
                defaultProject is { Length: > 0 } ? defaultProject : ProjectDirectory.DefaultName,
                cancellationToken
            );
        }

        // An update that names no project stays with the run it changes; the store resolves it.
        return null;
    }
}

/// <summary>What an adapter hands in.</summary>
/// <param name="Runs">Pieces of runs, in the order they arrived.</param>
/// <param name="Feedback">Feedback, in the order it arrived.</param>
/// <param name="DefaultProjectName">The project for runs that name none (a header says it); null for <c>default</c>.</param>
public sealed record IngestBatch(
    IReadOnlyList<RunWrite> Runs,
    IReadOnlyList<FeedbackRecord> Feedback,
    string? DefaultProjectName = null
);

/// <summary>What became of a batch.</summary>
/// <param name="Accepted">Number of pieces that are durable now.</param>
/// <param name="Rejections">The pieces that were refused.</param>
public sealed record IngestReceipt(int Accepted, IReadOnlyList<Rejection> Rejections);

/// <summary>One piece that was refused.</summary>
/// <param name="Id">The run's id as far as it was known.</param>
/// <param name="Reason">Field and reason, in words for the client's developer.</param>
public sealed record Rejection(Guid Id, string Reason);
