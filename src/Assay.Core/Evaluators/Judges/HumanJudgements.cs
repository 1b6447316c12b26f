using Assay.Core.Access;
using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Core.Evaluators.Judges;

/// <summary>Which judgements of people a judge is compared with.</summary>
public sealed record CalibrationRequest
{
    /// <summary>The most runs of one comparison.</summary>
    public const int MaxItems = 1_000;

    /// <summary>The feedback key people answered under.</summary>
    public required string HumanKey { get; init; }

    /// <summary>Only runs of this project or experiment; null for all.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>At most this many runs, the newest judgements first.</summary>
    public int Most { get; init; } = 100;
}

/// <summary>A feedback key that people answered under.</summary>
/// <param name="Key">The key.</param>
/// <param name="Runs">On how many runs.</param>
public sealed record HumanKey(string Key, int Runs);

/// <summary>
/// What people said, as a judge can be compared with: about single runs under a feedback key, or, for pairwise judges, which of two runs is better, from
/// pairwise queues and comparative experiments. Thread-safe.
/// </summary>
public sealed class HumanJudgements(TraceQueries queries, FeedbackKeys keys)
{
    private const int MaxFeedback = 10_000;

    /// <summary>The keys under which people judged runs, most used first, from the newest judgements.</summary>
    public async Task<IReadOnlyList<HumanKey>> HumanKeysAsync(
        Caller caller,
        bool isPairs,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await GivenAsync(caller, [], null, isPairs, cancellationToken))
                .GroupBy(f => f.Key, StringComparer.Ordinal)
                .Select(g => new HumanKey(g.Key, g.Select(f => f.RunId).Distinct().Count()))
                .OrderByDescending(k => k.Runs)
                .ThenBy(k => k.Key, StringComparer.Ordinal),
        ];

    /// <summary>The runs or pairs people judged, the newest judgements first; runs that the judge is shown as examples are left out.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="settings">The judge's settings.</param>
    /// <param name="request">Which judgements.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<CalibrationItem>> ItemsAsync(
        Caller caller,
        JudgeSettings settings,
        CalibrationRequest request,
        CancellationToken cancellationToken
    )
    {
        var given = await GivenAsync(
            caller,
            [request.HumanKey],
            request.ProjectId,
            settings.Pairwise,
            cancellationToken
        );
        var shown = settings.Examples.Select(e => e.Run).OfType<Guid>().ToHashSet();
        var all = settings.Pairwise
            ? await PairsAsync(caller, given, cancellationToken)
            : Single(
                given,
                (await keys.ScalesAsync(caller, cancellationToken)).GetValueOrDefault(
                    request.HumanKey
                ),
                settings
            );
        return
        [
            .. all.Where(i => !shown.Contains(i.Item.Run))
                .OrderByDescending(i => i.Newest)
                .Take(request.Most)
                .Select(i => i.Item),
        ];
    }

    private static IEnumerable<(CalibrationItem Item, DateTimeOffset Newest)> Single(
        IReadOnlyList<FeedbackRecord> given,
        FeedbackScale? scale,
        JudgeSettings settings
    ) =>
        given
            .GroupBy(f => f.RunId.GetValueOrDefault())
            .Select(g =>
                (
                    Run: g.Key,
                    Newest: g.Max(f => f.ModifiedAt),
                    Label: HumanLabels.Of([.. g], scale, settings.Verdict)
                )
            )
            .Where(l => l.Label?.Category is not null)
            .Select(l =>
                (
                    new CalibrationItem
                    {
                        Run = l.Run,
                        Human = l.Label!.Category!,
                        HumanNumber = l.Label.Number,
                        People = l.Label.People,
                        Comment = l.Label.Comment,
                    },
                    l.Newest
                )
            );

    /// <summary>
    /// Which of two runs people prefer. The scores that a judgement gave its two runs are compared; several judgements of the same two are counted, and
    /// where people are split evenly the pair says nothing. A is the run with the smaller id, the older one.
    /// </summary>
    private async Task<IEnumerable<(CalibrationItem Item, DateTimeOffset Newest)>> PairsAsync(
        Caller caller,
        IReadOnlyList<FeedbackRecord> given,
        CancellationToken cancellationToken
    )
    {
        var exampleOf = await ExamplesAsync(
            caller,
            [
                .. given
                    .Where(f => f.FeedbackGroupId is null)
                    .Select(f => f.RunId.GetValueOrDefault())
                    .Distinct(),
            ],
            cancellationToken
        );
        // One judgement: what one person said at once about the runs of one example.
        return given
            .GroupBy(f =>
                (
                    Group: f.FeedbackGroupId ?? f.ComparativeExperimentId.GetValueOrDefault(),
                    Example: f.FeedbackGroupId is null
                        ? exampleOf.GetValueOrDefault(f.RunId.GetValueOrDefault())
                        : default,
                    f.UserId
                )
            )
            .SelectMany(judgement => Compared([.. judgement]))
            .GroupBy(v => (v.First, v.Second))
            .Select(pair =>
                (
                    Pair: pair.Key,
                    // Who judged twice changed their mind.
                    Votes: pair.GroupBy(v => v.By).Select(g => g.MaxBy(v => v.At)!).ToList()
                )
            )
            .Select(p =>
                (
                    p.Pair,
                    p.Votes,
                    Counts: p.Votes.CountBy(v => v.Label).OrderByDescending(c => c.Value).ToList()
                )
            )
            .Where(p => p.Counts.Count == 1 || p.Counts[0].Value > p.Counts[1].Value)
            .Select(p =>
                (
                    new CalibrationItem
                    {
                        Run = p.Pair.First,
                        OtherRun = p.Pair.Second,
                        Human = p.Counts[0].Key,
                        People = p.Votes.Count,
                        Comment = p
                            .Votes.Select(v => v.Comment)
                            .FirstOrDefault(c => c is { Length: > 0 }),
                    },
                    p.Votes.Max(v => v.At)
                )
            );
    }

    private static IEnumerable<Vote> Compared(IReadOnlyList<FeedbackRecord> judgement)
    {
        var runs = judgement
            .GroupBy(f => f.RunId.GetValueOrDefault())
            .Select(g => g.MaxBy(f => f.ModifiedAt)!)
            .OrderBy(f => f.RunId)
            .ToList();
        for (var i = 0; i < runs.Count; i++)
        {
            for (var j = i + 1; j < runs.Count; j++)
            {
                var (a, b) = (runs[i], runs[j]);
                yield return new Vote(
                    a.RunId.GetValueOrDefault(),
                    b.RunId.GetValueOrDefault(),
                    a.Score.GetValueOrDefault().CompareTo(b.Score.GetValueOrDefault()) switch
                    {
                        > 0 => VerdictForm.FirstIsBetter,
                        < 0 => VerdictForm.SecondIsBetter,
                        _ => VerdictForm.NeitherIsBetter,
                    },
                    a.UserId ?? a.FeedbackGroupId ?? a.Id,
                    a.Comment is { Length: > 0 } said ? said : b.Comment,
                    a.ModifiedAt > b.ModifiedAt ? a.ModifiedAt : b.ModifiedAt
                );
            }
        }
    }

    private async Task<Dictionary<Guid, Guid>> ExamplesAsync(
        Caller caller,
        IReadOnlyList<Guid> runs,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<Guid, Guid>();
        foreach (var chunk in runs.Chunk(500))
        {
            var page = await queries.QueryAsync(
                caller,
                new RunQuery
                {
                    WorkspaceId = caller.WorkspaceId,
                    RunIds = chunk,
                    Limit = chunk.Length,
                    Parts = RunParts.None,
                },
                cancellationToken
            );
            foreach (var run in page.Runs)
            {
                found[run.Id] = run.ReferenceExampleId ?? run.Id;
            }
        }

        return found;
    }

    /// <summary>Judgements of people: given on the screens, by a signed-in member, or as the correction of an evaluator's score.</summary>
    private async Task<IReadOnlyList<FeedbackRecord>> GivenAsync(
        Caller caller,
        IReadOnlyList<string> wanted,
        Guid? projectId,
        bool isPairs,
        CancellationToken cancellationToken
    ) => [.. (
                await queries.FeedbackAsync(
                    caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        Keys = wanted,
                        ProjectIds = projectId is { } project && !isPairs ? [project] : [],
                        IsOnRun = true,
                        Limit = MaxFeedback,
                    },
                    cancellationToken
                )
            ).Where(HumanLabels.IsPeoples).Where(f => isPairs ? f.Score is not null && (f.FeedbackGroupId is not null || f.ComparativeExperimentId is not null) : f.ComparativeExperimentId is null)];

    private sealed record Vote(
        Guid First,
        Guid Second,
        string Label,
        Guid By,
        string? Comment,
        DateTimeOffset At
    );
}
