using System.Runtime.CompilerServices;
using System.Text;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Experiments;

/// <summary>
/// What people and judges preferred, as pairs to train on: two answers to one example of which one was said to be better, in a pairwise queue
/// or a comparative experiment. Thread-safe.
/// </summary>
public sealed class PreferencePairs(
    IDbContextFactory<MetadataContext> metadata,
    ExampleReader examples,
    TraceQueries queries
)
{
    private const int Batch = 500;

    /// <summary>
    /// The pairs of a dataset, in the order of its examples. Judgements of the same two runs are counted together: the majority decides, and
    /// where there is none the pair is left out.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="datasetId">The dataset.</param>
    /// <param name="key">Only judgements under this feedback key; null means any.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="DatasetProblemException">There is no such dataset.</exception>
    public async IAsyncEnumerable<PreferencePair> StreamAsync(
        Caller caller,
        Guid datasetId,
        string? key,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var exampleOf = new Dictionary<Guid, Guid>();
        var judged = new List<FeedbackRecord>();
        foreach (var experiment in await ExperimentsAsync(caller, datasetId, cancellationToken))
        {
            var figures = await queries.ExperimentFiguresAsync(
                caller,
                experiment,
                cancellationToken
            );
            foreach (var chunk in figures.Runs.Chunk(Batch))
            {
                foreach (var run in chunk)
                {
                    exampleOf[run.RunId] = run.ExampleId;
                }

                judged.AddRange(
                    (
                        await queries.FeedbackAsync(
                            caller,
                            new FeedbackQuery
                            {
                                WorkspaceId = caller.WorkspaceId,
                                RunIds = [.. chunk.Select(r => r.RunId)],
                                Keys = key is null ? [] : [key],
                                HasScore = true,
                                Limit = int.MaxValue,
                            },
                            cancellationToken
                        )
                    ).Where(f =>
                        f.FeedbackGroupId is not null || f.ComparativeExperimentId is not null
                    )
                );
            }
        }

        var pairs = Decide(judged, exampleOf)
            .GroupBy(p => p.ExampleId)
            .ToDictionary(g => g.Key, g => g.ToList());
        if (pairs.Count == 0)
        {
            yield break;
        }

        var ordered = await examples.IdsAsync(caller, datasetId, AsOf.Now, cancellationToken);
        foreach (var chunk in ordered.Where(pairs.ContainsKey).Chunk(100))
        {
            var found = (
                await examples.ListAsync(
                    caller,
                    new ExampleQuery
                    {
                        DatasetId = datasetId,
                        Ids = chunk,
                        Limit = chunk.Length,
                    },
                    cancellationToken
                )
            ).ToDictionary(e => e.Id);
            var wanted = chunk
                .SelectMany(i => pairs[i])
                .SelectMany(p => new[] { p.Chosen, p.Rejected })
                .Distinct();
            var outputs = new Dictionary<Guid, string>();
            foreach (var ids in wanted.Chunk(Batch))
            {
                var page = await queries.QueryAsync(
                    caller,
                    new RunQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        RunIds = ids,
                        Limit = ids.Length,
                        Parts = RunParts.Outputs,
                    },
                    cancellationToken
                );
                foreach (var run in page.Runs)
                {
                    if (run.Payloads.TryGetValue(PayloadKind.Outputs, out var json))
                    {
                        outputs[run.Id] = Encoding.UTF8.GetString(json.Span);
                    }
                }
            }

            foreach (var pair in chunk.SelectMany(i => pairs[i]))
            {
                if (
                    found.TryGetValue(pair.ExampleId, out var example)
                    && outputs.TryGetValue(pair.Chosen, out var chosen)
                    && outputs.TryGetValue(pair.Rejected, out var rejected)
                )
                {
                    yield return new PreferencePair(
                        example,
                        pair.Chosen,
                        chosen,
                        pair.Rejected,
                        rejected
                    );
                }
            }
        }
    }

    private static IEnumerable<(Guid ExampleId, Guid Chosen, Guid Rejected)> Decide(
        List<FeedbackRecord> judged,
        Dictionary<Guid, Guid> exampleOf
    )
    {
        var votes = new Dictionary<(Guid Example, Guid First, Guid Second), int>();
        var judgements = judged
            .Where(f => exampleOf.ContainsKey(f.RunId.GetValueOrDefault()))
            .GroupBy(f =>
                (
                    Group: f.FeedbackGroupId ?? f.ComparativeExperimentId.GetValueOrDefault(),
                    f.Key,
                    Example: exampleOf[f.RunId.GetValueOrDefault()]
                )
            );
        foreach (var judgement in judgements)
        {
            var scores = judgement
                .GroupBy(f => f.RunId.GetValueOrDefault())
                .Select(g => (Run: g.Key, Score: g.Average(f => f.Score.GetValueOrDefault())))
                .OrderBy(s => s.Run)
                .ToList();
            for (var i = 0; i < scores.Count; i++)
            {
                for (var j = i + 1; j < scores.Count; j++)
                {
                    var pair = (judgement.Key.Example, scores[i].Run, scores[j].Run);
                    votes[pair] =
                        votes.GetValueOrDefault(pair) + scores[i].Score.CompareTo(scores[j].Score);
                }
            }
        }

        return votes
            .Where(v => v.Value != 0)
            .Select(v =>
                v.Value > 0
                    ? (v.Key.Example, v.Key.First, v.Key.Second)
                    : (v.Key.Example, v.Key.Second, v.Key.First)
            );
    }

    private async Task<IReadOnlyList<Guid>> ExperimentsAsync(
        Caller caller,
        Guid datasetId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        _ = await DatasetCatalog.GetAsync(db, caller, datasetId, cancellationToken);
        return await db
            .Projects.AsNoTracking()
            .Where(p => p.WorkspaceId == caller.WorkspaceId && p.ReferenceDatasetId == datasetId)
            .OrderBy(p => p.StartTime)
            .Select(p => p.Id)
            .ToListAsync(cancellationToken);
    }
}

/// <summary>Two answers to one example, one of them better.</summary>
/// <param name="Example">The example.</param>
/// <param name="ChosenRun">The run of the better answer.</param>
/// <param name="ChosenJson">Its outputs, JSON text.</param>
/// <param name="RejectedRun">The run of the other.</param>
/// <param name="RejectedJson">Its outputs, JSON text.</param>
public sealed record PreferencePair(
    Example Example,
    Guid ChosenRun,
    string ChosenJson,
    Guid RejectedRun,
    string RejectedJson
);
