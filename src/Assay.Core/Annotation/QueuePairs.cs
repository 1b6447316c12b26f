using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Annotation;

/// <summary>Fills a pairwise queue from two experiments: what both made of the same example becomes a pair. Thread-safe.</summary>
public sealed class QueuePairs(
    IDbContextFactory<MetadataContext> metadata,
    TraceQueries queries,
    AnnotationQueues queues
)
{
    /// <summary>Adds the pairs; with repetitions the newest run of each example counts. Returns how many examples both have.</summary>
    /// <exception cref="DatasetProblemException">The queue is not pairwise, an experiment is not there, or they have no example in common.</exception>
    public async Task<int> AddAsync(
        Caller caller,
        Guid queueId,
        Guid first,
        Guid second,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (!(await queues.GetAsync(caller, queueId, cancellationToken)).IsPairwise)
        {
            throw DatasetProblemException.Invalid("The queue takes single runs, not pairs");
        }

        if (first == second)
        {
            throw DatasetProblemException.Invalid("Choose two different experiments");
        }

        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        foreach (var id in (Guid[])[first, second])
        {
            if (
                !await db.Projects.AnyAsync(
                    p =>
                        p.WorkspaceId == caller.WorkspaceId
                        && p.Id == id
                        && p.ReferenceDatasetId != null,
                    cancellationToken
                )
            )
            {
                throw DatasetProblemException.NotFound("Experiment");
            }
        }

        var (a, b) = (
            await RunsAsync(caller, first, cancellationToken),
            await RunsAsync(caller, second, cancellationToken)
        );
        List<NewQueueItem> pairs =
        [
            .. a.Where(r => b.ContainsKey(r.Key))
                .OrderBy(r => r.Value.StartTime)
                .Take(AnnotationQueues.MaxItems)
                .Select(r => new NewQueueItem(r.Value.Id)
                {
                    OtherRunId = b[r.Key].Id,
                    ProjectId = first,
                    StartTime = r.Value.StartTime,
                }),
        ];
        if (pairs.Count == 0)
        {
            throw DatasetProblemException.Invalid("The experiments have no example in common");
        }

        await queues.AddAsync(caller, queueId, pairs, cancellationToken);
        return pairs.Count;
    }

    private async Task<Dictionary<Guid, Run>> RunsAsync(
        Caller caller,
        Guid experiment,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<Guid, Run>();
        var query = new RunQuery
        {
            WorkspaceId = caller.WorkspaceId,
            ProjectIds = [experiment],
            IsRoot = true,
            Ascending = true,
            Limit = 1_000,
            Parts = RunParts.None,
        };
        while (true)
        {
            var page = await queries.QueryAsync(caller, query, cancellationToken);
            foreach (var run in page.Runs)
            {
                if (run.ReferenceExampleId is { } example)
                {
                    found[example] = run;
                }
            }

            if (page.Next is null)
            {
                return found;
            }

            query = query with { Cursor = page.Next };
        }
    }
}
