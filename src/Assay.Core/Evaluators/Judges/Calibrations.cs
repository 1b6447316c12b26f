using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Assay.Evaluation;
using Microsoft.EntityFrameworkCore;

namespace Assay.Core.Evaluators.Judges;

/// <summary>
/// Comparisons of judges with people: stored with the version of the judge that was compared, read, and learned from. <see cref="HumanJudgements"/> says what
/// people said; a background job has the judge judge the same (<see cref="Experiments.Jobs.CalibrationStarts"/>). Thread-safe.
/// </summary>
public sealed class Calibrations(
    IDbContextFactory<MetadataContext> metadata,
    EvaluatorCatalog catalog,
    EvaluatorFactory factory,
    EvaluationInputs inputs,
    TraceQueries queries,
    ExampleReader examples,
    TimeProvider time
)
{
    /// <summary>The longest example that is shown to a judge, in characters of JSON.</summary>
    public const int MaxExample = 20_000;

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
        if (item is null || opened?.Judge is not { } settings)
        {
            throw new InvalidEvaluatorException("run", "is not part of this comparison");
        }

        if (settings.Examples.Any(e => e.Run == runId))
        {
            throw new InvalidEvaluatorException("run", "is an example already");
        }

        return await TeachAsync(
            caller,
            opened,
            item.Run,
            item.OtherRun,
            VerdictOf(settings.Verdict, item),
            item.Comment,
            $"Example from people's judgement of run {runId}",
            cancellationToken
        );
    }

    /// <summary>
    /// Shows the judge a run with the verdict it should have given, from now on: a new version with one more example, or with another verdict in the example
    /// that is about this run already.
    /// </summary>
    /// <param name="caller">Who corrects.</param>
    /// <param name="evaluatorId">The judge; of pairs it is no question of one run.</param>
    /// <param name="runId">The run it judged.</param>
    /// <param name="verdict">What was right: a number, true or false, or a label.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidEvaluatorException">The run or the verdict cannot be an example.</exception>
    /// <exception cref="EvaluatorConflictException">Somebody changed the judge meanwhile.</exception>
    public async Task<EvaluatorDefinition> AddCorrectionAsync(
        Caller caller,
        Guid evaluatorId,
        Guid runId,
        JsonElement verdict,
        string? reason,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var opened = await factory.OpenAsync(caller, evaluatorId, null, cancellationToken);
        return opened?.Judge is { Pairwise: false }
            ? await TeachAsync(
                caller,
                opened,
                runId,
                null,
                verdict,
                reason,
                $"Example from a correction of run {runId}",
                cancellationToken
            )
            : throw new InvalidEvaluatorException("evaluator", "is no judge of single answers");
    }

    private async Task<EvaluatorDefinition> TeachAsync(
        Caller caller,
        OpenedEvaluator opened,
        Guid runId,
        Guid? otherRun,
        JsonElement verdict,
        string? reason,
        string note,
        CancellationToken cancellationToken
    )
    {
        var (settings, judge) = (opened.Judge!, opened.Definition!);
        var input =
            (
                await FindRunAsync(caller, runId, null, cancellationToken) is { } run
                    ? await InputAsync(caller, opened, run, otherRun, cancellationToken)
                    : null
            ) ?? throw new InvalidEvaluatorException("run", "is gone");
        var (values, missing) = opened.Prompt!.Fill(input);
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

        var example = new JudgeExample(values, verdict, reason, runId);
        return await catalog.SaveAsync(
                caller,
                judge.Id,
                new EvaluatorDraft
                {
                    Name = judge.Name,
                    FeedbackKey = judge.FeedbackKey,
                    Kind = judge.Kind,
                    Description = judge.Description,
                    Note = note,
                    SettingsJson = (
                        settings with
                        {
                            Examples = [.. settings.Examples.Where(e => e.Run != runId), example],
                        }
                    ).ToJson(),
                },
                opened.Version!.Number,
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

    /// <summary>Has a judge judge what people judged; null when the run is gone.</summary>
    /// <exception cref="OperationCanceledException">It was broken off.</exception>
    internal async Task<CalibrationItem?> JudgeAsync(
        Caller caller,
        OpenedEvaluator judge,
        CalibrationItem item,
        CancellationToken cancellationToken
    )
    {
        var run = await FindRunAsync(caller, item.Run, null, cancellationToken);
        if (
            run is null
            || await InputAsync(caller, judge, run, item.OtherRun, cancellationToken)
                is not { } input
        )
        {
            return null;
        }

        var result = await judge.EvaluateAsync(input, cancellationToken);
        var score = result.Scores[0];
        var (first, second) = PositionBias.Count(score.Evidence);
        return item with
        {
            Trace = run.TraceId,
            Project = run.ProjectId,
            Title = run.InputsPreview ?? run.Name,
            Judge = score.IsFailed
                ? null
                : HumanLabels.Category(judge.Judge!.Verdict, score.Number, score.Label),
            JudgeNumber = score.Number,
            FirstWins = first,
            SecondWins = second,
            Reason =
                score.Reason
                ?? score
                    .Diagnostics.FirstOrDefault(d => d.Severity == DiagnosticSeverity.Error)
                    ?.Message
                ?? "The repetitions have no majority.",
            JudgeRun = result.RunId,
            UsDollars = result.Cost?.UsDollars,
        };
    }

    /// <summary>What a judge looks at; null when the second answer of a pair is gone.</summary>
    private async Task<EvaluationInput?> InputAsync(
        Caller caller,
        OpenedEvaluator judge,
        Run run,
        Guid? otherRun,
        CancellationToken cancellationToken
    )
    {
        var example = run.ReferenceExampleId is { } id
            ? await examples.FindAsync(caller, id, null, AsOf.Now, cancellationToken)
            : null;
        var input = await inputs.OfAsync(caller, run, example, judge.Needs, cancellationToken);
        if (otherRun is not { } second)
        {
            return input;
        }

        return await FindRunAsync(caller, second, null, cancellationToken) is { } other
            ? input with
            {
                OtherOutputs = (
                    await inputs.OfAsync(
                        caller,
                        other,
                        null,
                        EvaluatorNeeds.None,
                        cancellationToken
                    )
                ).Outputs,
            }
            : null;
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

    /// <summary>Keeps what came out under an id of the caller's making; what was kept under it before is replaced.</summary>
    internal async Task SaveAsync(
        Caller caller,
        Guid id,
        OpenedEvaluator judge,
        string humanKey,
        IReadOnlyList<CalibrationItem> items,
        CancellationToken cancellationToken
    )
    {
        var report = CalibrationReport.Of(items, judge.Judge!.Verdict);
        var costs = items.Select(i => i.UsDollars).OfType<decimal>().ToList();
        await using var db = await metadata.CreateDbContextAsync(cancellationToken);
        await db
            .JudgeCalibrations.Where(c => c.WorkspaceId == caller.WorkspaceId && c.Id == id)
            .ExecuteDeleteAsync(cancellationToken);
        db.JudgeCalibrations.Add(
            new JudgeCalibration
            {
                Id = id,
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
                UsDollars = costs.Count > 0 ? costs.Sum() : null,
                Author = caller.Name,
                CreatedAt = time.GetUtcNow(),
            }
        );
        await db.SaveChangesAsync(cancellationToken);
    }
}
