using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Evaluators;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Assay.Evaluation;

namespace Assay.Core.Experiments.Jobs;

/// <summary>
/// Has a run judged by every evaluator of a job and keeps the scores as feedback. The id of a score follows from run, evaluator and key, so
/// that scoring again replaces and never doubles.
/// </summary>
internal sealed class RunScorer(
    Caller caller,
    ExperimentJob job,
    IReadOnlyList<OpenedEvaluator> evaluators,
    TraceIngest ingest,
    TimeProvider time
)
{
    private const int MaxComment = 10_000;

    /// <summary>What the evaluators want to know of a run.</summary>
    public EvaluatorNeeds Needs { get; } =
        evaluators.Aggregate(EvaluatorNeeds.None, (all, e) => all | e.Needs);

    /// <summary>Scores one run.</summary>
    public async Task<RowOutcome> ScoreAsync(
        ExperimentJobRow row,
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        var feedback = new List<FeedbackRecord>();
        var problems = new List<string>();
        foreach (var evaluator in evaluators)
        {
            var result = await JudgeAsync(evaluator, input, cancellationToken);
            foreach (var score in result.Scores)
            {
                feedback.Add(Feedback(row, evaluator, score, result.RunId));
                if (score.IsFailed)
                {
                    problems.Add($"{score.Key}: {Words(score)}");
                }
            }
        }

        if (feedback.Count > 0)
        {
            await ingest.AcceptAsync(caller, new IngestBatch([], feedback), cancellationToken);
        }

        return problems.Count == 0
            ? new RowOutcome(row.Number, JobRowState.Done, null)
            : new RowOutcome(row.Number, JobRowState.Unscored, string.Join('\n', problems));
    }

    private static async Task<EvaluationResult> JudgeAsync(
        OpenedEvaluator evaluator,
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await evaluator.EvaluateAsync(input, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // One broken evaluator is a failed score, not a broken job.
            return EvaluationResult.Of([
                .. evaluator.Keys.Select(k => Score.Failed(k, $"{e.GetType().Name}: {e.Message}")),
            ]);
        }
    }

    private FeedbackRecord Feedback(
        ExperimentJobRow row,
        OpenedEvaluator evaluator,
        Score score,
        Guid? evaluatorRun
    )
    {
        var now = time.GetUtcNow();
        var source = new JsonObject
        {
            ["evaluator_id"] = evaluator.Definition!.Id.ToString(),
            ["evaluator_version"] = evaluator.Version!.Number,
            ["evaluator_name"] = evaluator.Definition!.Name,
        };
        if (evaluatorRun is { } own)
        {
            source["__run"] = new JsonObject { ["run_id"] = own.ToString() };
        }

        var words = Words(score);
        return new FeedbackRecord
        {
            Id = IdOf(row.RunId, evaluator.Definition!.Id, score.Key),
            RunId = row.RunId,
            TraceId = row.RunId,
            ProjectId = job.ExperimentId,
            Key = score.Key,
            Score = score.Number,
            ValueJson = score.Label is { } label
                ? JsonSerializer.Serialize(label)
                : score.Value?.GetRawText(),
            Comment = words.Length == 0 ? null : words,
            SourceType = "auto_eval",
            SourceMetadataJson = source.ToJsonString(),
            ExtraJson = score.Evidence is { } evidence
                ? new JsonObject
                {
                    ["evidence"] = JsonNode.Parse(evidence.GetRawText()),
                }.ToJsonString()
                : null,
            UserId = null,
            IsError = score.IsFailed,
            CreatedAt = now,
            ModifiedAt = now,
        };
    }

    private static string Words(Score score)
    {
        var words = string.Join(
            '\n',
            score.Diagnostics.Select(d => d.Message).Prepend(score.Reason).OfType<string>()
        );
        return words.Length > MaxComment ? words[..MaxComment] : words;
    }

    private static Guid IdOf(Guid run, Guid evaluator, string key) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{run:N}{evaluator:N}{key}")).AsSpan(0, 16));
}
