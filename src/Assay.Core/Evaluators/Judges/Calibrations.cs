using System.Runtime.CompilerServices;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Feedback;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Evaluation;
using Microsoft.EntityFrameworkCore;

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

/// <summary>How far a comparison is.</summary>
/// <param name="Done">Runs judged.</param>
/// <param name="Total">Runs to judge.</param>
/// <param name="Saved">The comparison, in the last step.</param>
public sealed record CalibrationStep(int Done, int Total, JudgeCalibration? Saved);

/// <summary>A feedback key that people answered under.</summary>
/// <param name="Key">The key.</param>
/// <param name="Runs">On how many runs.</param>
public sealed record HumanKey(string Key, int Runs);

/// <summary>
/// Compares judges with people. The judge's current version judges the runs people judged (kept verdicts cost nothing), runs it was shown as examples are left
/// out, and what came out is stored with the version. Thread-safe.
/// </summary>
public sealed class Calibrations(
    IDbContextFactory<MetadataContext> metadata,
    EvaluatorCatalog catalog,
    EvaluatorFactory factory,
    EvaluationInputs inputs,
    TraceQueries queries,
    ExampleReader examples,
    FeedbackKeys keys,
    TimeProvider time
)
{
    /// <summary>Calls to a judge at the same time.</summary>
    public const int AtOnce = 4;

    /// <summary>The longest example that is shown to a judge, in characters of JSON.</summary>
    public const int MaxExample = 20_000;

    private const int MaxFeedback = 10_000;

    /// <summary>The keys under which people judged runs, most used first, from the newest judgements.</summary>
    public async Task<IReadOnlyList<HumanKey>> HumanKeysAsync(
        Caller caller,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await PeoplesAsync(caller, [], null, cancellationToken))
                .GroupBy(f => f.Key, StringComparer.Ordinal)
                .Select(g => new HumanKey(g.Key, g.Select(f => f.RunId).Distinct().Count()))
                .OrderByDescending(k => k.Runs)
                .ThenBy(k => k.Key, StringComparer.Ordinal),
        ];

    /// <summary>Comparisons of a judge without their items, newest first.</summary>
    public async Task<IReadOnlyList<JudgeCalibration>> ListAsync(
        Caller caller,
        Guid evaluatorId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        return await JudgeTrust
            .Figures(
                db.JudgeCalibrations.Where(c =>
                    c.WorkspaceId == caller.WorkspaceId && c.EvaluatorId == evaluatorId
                )
            )
            .ToListAsync(cancellationToken);
    }

    /// <summary>One comparison with its items; null when there is none.</summary>
    public async Task<(
        JudgeCalibration Calibration,
        IReadOnlyList<CalibrationItem> Items
    )?> FindAsync(Caller caller, Guid evaluatorId, Guid id, CancellationToken cancellationToken)
    {
        caller.Demand(Permission.Read);
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var found = await db
            .JudgeCalibrations.AsNoTracking()
            .FirstOrDefaultAsync(
                c =>
                    c.WorkspaceId == caller.WorkspaceId
                    && c.EvaluatorId == evaluatorId
                    && c.Id == id,
                cancellationToken
            );
        return found is null
            ? null
            : (
                found,
                JsonSerializer.Deserialize<List<CalibrationItem>>(
                    found.ItemsJson,
                    JudgeSettings.Json
                ) ?? []
            );
    }

    /// <summary>Compares the current version of a judge with people; steps come as runs are judged, the last one has the stored comparison.</summary>
    /// <exception cref="InvalidEvaluatorException">It is no judge, nobody judged anything under that key, or the judge cannot run.</exception>
    public async IAsyncEnumerable<CalibrationStep> RunAsync(
        Caller caller,
        Guid evaluatorId,
        CalibrationRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        if (request.Most is < 1 or > CalibrationRequest.MaxItems)
        {
            throw new InvalidEvaluatorException(
                "most",
                $"must be 1 to {CalibrationRequest.MaxItems:N0}"
            );
        }

        var opened =
            await factory.OpenAsync(caller, evaluatorId, null, cancellationToken)
            ?? throw new InvalidEvaluatorException("evaluator", "is not there any more");
        if (opened is not { Judge: { Pairwise: false } settings, Definition: { } judge })
        {
            throw new InvalidEvaluatorException(
                "evaluator",
                "only judges of single answers can be compared with people's feedback"
            );
        }

        var labelled = await LabelledAsync(caller, judge, settings, request, cancellationToken);
        if (labelled.Count == 0)
        {
            throw new InvalidEvaluatorException(
                "human_key",
                $"nobody judged a run under '{request.HumanKey}' in a way this judge's verdicts can be compared with"
            );
        }

        yield return new CalibrationStep(0, labelled.Count, null);
        var items = new List<CalibrationItem>();
        decimal? dollars = null;
        foreach (var chunk in labelled.Chunk(AtOnce))
        {
            var judged = await Task.WhenAll(
                chunk.Select(l => JudgeAsync(caller, opened, l, cancellationToken))
            );
            foreach (var (item, cost) in judged)
            {
                dollars = cost is null ? dollars : (dollars ?? 0) + cost;
                if (item is not null)
                {
                    items.Add(item);
                }
            }

            yield return new CalibrationStep(
                Math.Min(labelled.Count, items.Count),
                labelled.Count,
                null
            );
        }

        var saved = await SaveAsync(
            caller,
            opened,
            request.HumanKey,
            items,
            dollars,
            cancellationToken
        );
        yield return new CalibrationStep(items.Count, items.Count, saved);
    }

    /// <summary>Shows the judge a run as people judged it, from now on: a new version with one more example.</summary>
    /// <returns>The evaluator with its new version.</returns>
    /// <exception cref="InvalidEvaluatorException">The run cannot be an example.</exception>
    /// <exception cref="EvaluatorConflictException">Somebody changed the judge meanwhile.</exception>
    public async Task<EvaluatorDefinition> AddExampleAsync(
        Caller caller,
        Guid evaluatorId,
        Guid calibrationId,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var item = (
            await FindAsync(caller, evaluatorId, calibrationId, cancellationToken)
        )?.Items.FirstOrDefault(i => i.Run == runId);
        var opened = await factory.OpenAsync(caller, evaluatorId, null, cancellationToken);
        if (
            item is null
            || opened
                is not {
                    Judge: { } settings,
                    Prompt: { } prompt,
                    Definition: { } judge,
                    Version: { } version
                }
        )
        {
            throw new InvalidEvaluatorException("run", "is not part of this comparison");
        }

        if (settings.Examples.Any(e => e.Run == runId))
        {
            throw new InvalidEvaluatorException("run", "is an example already");
        }

        var input =
            await InputAsync(caller, opened, item.Run, item.Project, cancellationToken)
            ?? throw new InvalidEvaluatorException("run", "is gone");
        var (values, missing) = prompt.Fill(input);
        if (missing.Count > 0)
        {
            throw new InvalidEvaluatorException("run", string.Join("; ", missing));
        }

        if (JsonSerializer.Serialize(values).Length > MaxExample)
        {
            throw new InvalidEvaluatorException(
                "run",
                $"is too long for an example (more than {MaxExample:N0} characters)"
            );
        }

        var example = new JudgeExample(
            values,
            VerdictOf(settings.Verdict, item),
            item.Comment,
            runId
        );
        return await catalog.SaveAsync(
                caller,
                evaluatorId,
                new EvaluatorDraft
                {
                    Name = judge.Name,
                    FeedbackKey = judge.FeedbackKey,
                    Kind = judge.Kind,
                    Description = judge.Description,
                    Note = $"Example from people's judgement of run {runId}",
                    SettingsJson = (
                        settings with
                        {
                            Examples = [.. settings.Examples, example],
                        }
                    ).ToJson(),
                },
                version.Number,
                cancellationToken
            ) ?? throw new InvalidEvaluatorException("evaluator", "is not there any more");
    }

    /// <summary>Sets what a judge must reach; null for the usual rules. False when there is no such judge.</summary>
    /// <exception cref="InvalidEvaluatorException">The rules make no sense.</exception>
    public async Task<bool> SetRulesAsync(
        Caller caller,
        Guid evaluatorId,
        TrustRules? rules,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        rules?.Check();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        var stored = await db.Evaluators.FirstOrDefaultAsync(
            e => e.WorkspaceId == caller.WorkspaceId && e.Id == evaluatorId,
            cancellationToken
        );
        if (stored is null)
        {
            return false;
        }

        stored.TrustJson =
            rules is null || rules == TrustRules.Usual
                ? null
                : JsonSerializer.Serialize(rules, JudgeSettings.Json);
        stored.ModifiedAt = time.GetUtcNow();
        db.AuditEntries.Add(
            AuditEntry.Of(caller, "evaluator.trust", stored.Name, time.GetUtcNow())
        );
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    private static JsonElement VerdictOf(VerdictForm form, CalibrationItem item) =>
        form.Kind switch
        {
            VerdictKind.Boolean => JsonSerializer.SerializeToElement(item.Human == Verdict.Yes),
            VerdictKind.Score when item.HumanNumber is { } number =>
                JsonSerializer.SerializeToElement(
                    Math.Clamp(form.IsInteger ? Math.Round(number) : number, form.Min, form.Max)
                ),
            _ => JsonSerializer.SerializeToElement(item.Human),
        };

    private async Task<IReadOnlyList<Labelled>> LabelledAsync(
        Caller caller,
        EvaluatorDefinition judge,
        JudgeSettings settings,
        CalibrationRequest request,
        CancellationToken cancellationToken
    )
    {
        var scale = (await keys.ScalesAsync(caller, cancellationToken)).GetValueOrDefault(
            request.HumanKey
        );
        var given = await PeoplesAsync(
            caller,
            [request.HumanKey],
            request.ProjectId,
            cancellationToken
        );
        var shown = settings.Examples.Select(e => e.Run).OfType<Guid>().ToHashSet();
        return
        [
            .. given
                .GroupBy(f => f.RunId.GetValueOrDefault())
                .Where(g => !shown.Contains(g.Key))
                .Select(g =>
                    (
                        Run: g.Key,
                        Newest: g.Max(f => f.ModifiedAt),
                        Label: HumanLabels.Of([.. g], scale, settings.Verdict)
                    )
                )
                .Where(l => l.Label?.Category is not null)
                .OrderByDescending(l => l.Newest)
                .Take(request.Most)
                .Select(l => new Labelled(l.Run, l.Label!)),
        ];
    }

    /// <summary>Judgements of people: given on the screens, by a signed-in member, or as the correction of an evaluator's score.</summary>
    private async Task<IReadOnlyList<FeedbackRecord>> PeoplesAsync(
        Caller caller,
        IReadOnlyList<string> wanted,
        Guid? projectId,
        CancellationToken cancellationToken
    ) =>
        [
            .. (
                await queries.FeedbackAsync(
                    caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        Keys = wanted,
                        ProjectIds = projectId is { } project ? [project] : [],
                        IsOnRun = true,
                        Limit = MaxFeedback,
                    },
                    cancellationToken
                )
            ).Where(HumanLabels.IsPeoples),
        ];

    private async Task<(CalibrationItem? Item, decimal? UsDollars)> JudgeAsync(
        Caller caller,
        OpenedEvaluator judge,
        Labelled labelled,
        CancellationToken cancellationToken
    )
    {
        var run = await FindRunAsync(caller, labelled.Run, null, cancellationToken);
        if (run is null)
        {
            return (null, null);
        }

        var input = await InputAsync(caller, judge, run, cancellationToken);
        var result = await judge.EvaluateAsync(input, cancellationToken);
        var score = result.Scores[0];
        return (
            new CalibrationItem
            {
                Run = run.Id,
                Trace = run.TraceId,
                Project = run.ProjectId,
                Title = run.InputsPreview ?? run.Name,
                Human = labelled.Label.Category!,
                HumanNumber = labelled.Label.Number,
                People = labelled.Label.People,
                Comment = labelled.Label.Comment,
                Judge = score.IsFailed
                    ? null
                    : HumanLabels.Category(judge.Judge!.Verdict, score.Number, score.Label),
                JudgeNumber = score.Number,
                Reason =
                    score.Reason
                    ?? score
                        .Diagnostics.FirstOrDefault(d => d.Severity == DiagnosticSeverity.Error)
                        ?.Message
                    ?? "The repetitions have no majority.",
                JudgeRun = result.RunId,
            },
            result.Cost?.UsDollars
        );
    }

    private async Task<EvaluationInput?> InputAsync(
        Caller caller,
        OpenedEvaluator judge,
        Guid runId,
        Guid projectId,
        CancellationToken cancellationToken
    ) =>
        await FindRunAsync(caller, runId, projectId, cancellationToken) is { } run
            ? await InputAsync(caller, judge, run, cancellationToken)
            : null;

    private async Task<EvaluationInput> InputAsync(
        Caller caller,
        OpenedEvaluator judge,
        Run run,
        CancellationToken cancellationToken
    )
    {
        var example = run.ReferenceExampleId is { } id
            ? await examples.FindAsync(caller, id, null, AsOf.Now, cancellationToken)
            : null;
        return await inputs.OfAsync(caller, run, example, judge.Needs, cancellationToken);
    }

    private Task<Run?> FindRunAsync(
        Caller caller,
        Guid runId,
        Guid? projectId,
        CancellationToken cancellationToken
    ) =>
        queries.FindAsync(
            caller,
            runId,
            projectId,
            RunParts.Inputs | RunParts.Outputs | RunParts.Details,
            cancellationToken
        );

    private async Task<JudgeCalibration> SaveAsync(
        Caller caller,
        OpenedEvaluator judge,
        string humanKey,
        List<CalibrationItem> items,
        decimal? dollars,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        var report = CalibrationReport.Of(items, judge.Judge!.Verdict);
        var saved = new JudgeCalibration
        {
            Id = Guid.CreateVersion7(now),
            WorkspaceId = caller.WorkspaceId,
            EvaluatorId = judge.Definition!.Id,
            Version = judge.Version!.Number,
            HumanKey = humanKey,
            ItemsJson = JsonSerializer.Serialize(items, JudgeSettings.Json),
            Compared = report.Compared,
            Unjudged = report.Unjudged,
            Kappa = report.Kappa?.Estimate,
            KappaLow = report.Kappa?.Lower,
            KappaHigh = report.Kappa?.Upper,
            Agreement = report.Agreement?.Estimate,
            PromptCommit = judge.Prompt!.Commit,
            UsDollars = dollars,
            Author = caller.Name,
            CreatedAt = now,
        };
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        db.JudgeCalibrations.Add(saved);
        await db.SaveChangesAsync(cancellationToken);
        return saved;
    }

    private sealed record Labelled(Guid Run, HumanLabel Label);
}
