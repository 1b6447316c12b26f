using Assay.Core.Access;
using Assay.Core.Experiments.Jobs;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;

namespace Assay.Core.Insights;

/// <summary>
/// One turn of a report: summarize the runs that have no summary, propose clusters when there are none, sort the summarized runs into them, say
/// what the figures show. After each answer the state is written, so that a turn that is lost with the process costs only the calls under way.
/// A bad answer costs the run it is about, never the report.
/// </summary>
internal sealed class InsightsExecution(
    InsightsJob job,
    InsightsPlan plan,
    Caller caller,
    InsightsRows rows,
    InsightsAsking asking,
    TraceQueries queries,
    TraceContent content,
    InsightsReports reports
)
{
    private const int Concurrency = 4;

    // So many failures and not one summary: something is wrong with the model, and going on only costs.
    private const int HopelessAfter = 20;
    private const int MaxProposals = 3;

    // Below this, a second level would have more clusters than runs.
    private const int EnoughForGroups = 60;

    private int _failures;
    private int _summaries;

    public async Task RunAsync(CancellationToken stop)
    {
        await ForAllAsync(await rows.InAsync(InsightsRunState.Waiting, stop), SummarizeAsync, stop);
        var clusters = await rows.ClustersAsync(stop);
        var summarized = await rows.InAsync(InsightsRunState.Summarized, stop);
        if (clusters.Count == 0)
        {
            clusters = await ProposeAsync(summarized, stop);
        }

        var leaves = clusters.Where(c => c.Level == 0).ToList();
        await ForAllAsync(summarized, (run, token) => AssignAsync(run, leaves, token), stop);
        await ConcludeAsync(stop);
    }

    private static Task ForAllAsync(
        IReadOnlyList<InsightsRun> runs,
        Func<InsightsRun, CancellationToken, Task> work,
        CancellationToken stop
    ) =>
        Parallel.ForEachAsync(
            runs,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = stop },
            async (run, token) => await work(run, token)
        );

    private async Task SummarizeAsync(InsightsRun row, CancellationToken stop)
    {
        var run = await queries.FindAsync(
            caller,
            row.RunId,
            job.ProjectId,
            RunParts.Details | RunParts.Inputs | RunParts.Outputs | RunParts.FullError,
            stop
        );
        if (run is null)
        {
            await FailAsync(row, "The run was deleted.", stop);
            return;
        }

        var digest = await DigestAsync(run, stop);
        var reply = await asking.AskAsync(
            plan.SummaryModel,
            "Summarize",
            InsightsForms.ForSummary(plan, digest),
            row.RunId,
            stop
        );
        if (reply.Value is { } summary)
        {
            Interlocked.Increment(ref _summaries);
            await rows.MoveAsync(row, InsightsRunState.Summarized, summary, null, null, stop);
        }
        else
        {
            await FailAsync(row, reply.Words!, stop);
            if (
                Interlocked.Increment(ref _failures) == HopelessAfter
                && Volatile.Read(ref _summaries) == 0
                && job.Total > HopelessAfter
            )
            {
                throw new JobHaltException(
                    $"The first {HopelessAfter} runs could not be summarized, the last with: {reply.Words}"
                );
            }
        }
    }

    /// <summary>What a run says itself, or what is said below a root that says nothing.</summary>
    private async Task<string> DigestAsync(Run run, CancellationToken stop)
    {
        var (input, output) = await content.BelowAsync(caller, run, stop);
        return RunDigest.Of(run, await WholeAsync(input), await WholeAsync(output));

        async Task<Run?> WholeAsync(Run? below) =>
            below is null
                ? null
                : await queries.FindAsync(
                    caller,
                    below.Id,
                    job.ProjectId,
                    RunParts.Inputs | RunParts.Outputs,
                    stop
                );
    }

    private Task FailAsync(InsightsRun row, string reason, CancellationToken stop) =>
        rows.MoveAsync(row, InsightsRunState.NotSummarized, null, null, reason, stop);

    private async Task<IReadOnlyList<InsightsCluster>> ProposeAsync(
        IReadOnlyList<InsightsRun> runs,
        CancellationToken stop
    )
    {
        if (runs.Count == 0)
        {
            var failed = await rows.InAsync(InsightsRunState.NotSummarized, stop);
            throw new JobHaltException(
                failed is [.., var last]
                    ? $"No run could be summarized, so there is nothing to sort. The last one: {last.Error}"
                    : "The report was deleted while it was made."
            );
        }

        var wanted = plan.Clusters ?? Math.Clamp((int)Math.Round(Math.Sqrt(runs.Count)), 2, 12);
        var groups = plan.Groups ?? (runs.Count >= EnoughForGroups && wanted >= 6 ? wanted / 3 : 0);
        var question = InsightsForms.ForClusters(
            plan,
            [.. runs.Select(r => r.Summary!)],
            wanted,
            groups
        );
        StructuredReply<IReadOnlyList<ProposedCluster>> reply;
        var attempt = 0;
        do
        {
            reply = await asking.AskAsync(
                plan.ClusterModel,
                "Propose clusters",
                question,
                null,
                stop
            );
        } while (reply.Value is null && ++attempt < MaxProposals);

        if (reply.Value is not { } proposed)
        {
            throw new JobHaltException($"No clusters were proposed: {reply.Words}");
        }

        var clusters = new List<InsightsCluster>();
        foreach (var cluster in proposed)
        {
            var top = Cluster(cluster, null, cluster.Subclusters.Count > 0 ? 1 : 0);
            clusters.Add(top);
            foreach (var sub in cluster.Subclusters)
            {
                clusters.Add(Cluster(sub, top.Id, 0));
            }
        }

        await rows.KeepAsync(clusters, stop);
        return clusters;

        InsightsCluster Cluster(ProposedCluster cluster, Guid? parent, int level) =>
            new()
            {
                Id = Guid.CreateVersion7(),
                JobId = job.Id,
                WorkspaceId = job.WorkspaceId,
                ParentId = parent,
                Level = level,
                Number = clusters.Count,
                Name = cluster.Name,
                Description = cluster.Description,
            };
    }

    private async Task AssignAsync(
        InsightsRun run,
        IReadOnlyList<InsightsCluster> clusters,
        CancellationToken stop
    )
    {
        var reply = await asking.AskAsync(
            plan.ClusterModel,
            "Choose a cluster",
            InsightsForms.ForAssignment(plan, run.Summary!, clusters),
            run.RunId,
            stop
        );
        var (state, cluster) = reply.Value switch
        {
            null => (InsightsRunState.NotAssigned, null),
            InsightsForms.FitsNone => (InsightsRunState.FitsNone, null),
            var name => (InsightsRunState.Assigned, clusters.First(c => c.Name == name)),
        };
        await rows.MoveAsync(run, state, run.Summary, cluster?.Id, reply.Words, stop);
    }

    /// <summary>The key points: the model's where it gives some, else the figures themselves.</summary>
    private async Task ConcludeAsync(CancellationToken stop)
    {
        var report = await reports.ReadAsync(caller, job, stop);
        var lines = report.Lines();
        var reply = await asking.AskAsync(
            plan.ClusterModel,
            "Key points",
            InsightsForms.ForKeyPoints(plan, lines),
            null,
            stop
        );
        await rows.KeepAsync(
            reply.Value is { } said
                ? new InsightsSummary(said.Title, said.Points, null)
                : new InsightsSummary(job.Name, [.. lines.Take(5)], reply.Words),
            stop
        );
    }
}
