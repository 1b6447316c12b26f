using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Models.Providers;
using Assay.Core.Traces;
using Assay.Evaluation;

namespace Assay.Core.Evaluators.Judges;

/// <summary>Who a judge is when it judges: for its runs and its kept verdicts.</summary>
/// <param name="EvaluatorId">The definition; null for one that is not saved.</param>
/// <param name="Version">Its version.</param>
/// <param name="Name">Its name.</param>
/// <param name="Key">Its feedback key.</param>
internal sealed record JudgeIdentity(Guid? EvaluatorId, int Version, string Name, string Key);

/// <summary>
/// A model as an evaluator. It asks as often as its settings say, in both orders when it compares two answers, repairs an unreadable reply once, keeps
/// every raw reply, and says why when there is no verdict. One run per judgement, with the calls below it. Thread-safe.
/// </summary>
internal sealed class Judge(
    JudgeSettings settings,
    JudgePrompt prompt,
    JudgeIdentity identity,
    ModelProvider provider,
    Caller caller,
    ModelCalls calls,
    TraceIngest ingest,
    VerdictCache cache,
    TimeProvider time
) : IEvaluator
{
    /// <summary>The project that judgements are recorded in; the name LangSmith's clients use.</summary>
    public const string Project = EvaluatorCatalog.Project;

    public IReadOnlyList<string> Keys { get; } = [identity.Key];

    public async ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        if (settings.Pairwise && input.OtherOutputs is null)
        {
            return EvaluationResult.Of(
                Score.Failed(identity.Key, "Not judged: there is no second answer to compare with.")
            );
        }

        var (values, missing) = prompt.Fill(input);
        if (missing.Count > 0)
        {
            return EvaluationResult.Of(
                Score.Failed(identity.Key, $"Not judged: {string.Join("; ", missing)}.")
            );
        }

        var run = new JudgeRun(identity, input, ingest, caller, time);
        try
        {
            var asked = await Task.WhenAll(
                Enumerable
                    .Range(0, settings.Repeats)
                    .SelectMany(repeat =>
                        settings.Pairwise
                            ? new[]
                            {
                                AskAsync(values, repeat, false, run, input, cancellationToken),
                                AskAsync(
                                    prompt
                                        .Fill(
                                            input with
                                            {
                                                Outputs = input.OtherOutputs,
                                                OtherOutputs = input.Outputs,
                                            }
                                        )
                                        .Values,
                                    repeat,
                                    true,
                                    run,
                                    input,
                                    cancellationToken
                                ),
                            }
                            : [AskAsync(values, repeat, false, run, input, cancellationToken)]
                    )
            );
            var score = JudgeOutcome.Score(identity.Key, settings, asked, prompt.Commit);
            await run.EndAsync(values, score, null);
            return new EvaluationResult
            {
                Scores = [score],
                Cost = Cost(asked),
                RunId = run.Id ?? asked.SelectMany(a => a.Runs).Cast<Guid?>().FirstOrDefault(),
            };
        }
        catch (InvalidEvaluatorException e)
        {
            var failed = Score.Failed(identity.Key, $"Not judged: {e.Message}.");
            await run.EndAsync(values, failed, null);
            return EvaluationResult.Of(failed) with { RunId = run.Id };
        }
        catch (OperationCanceledException)
        {
            await run.EndAsync(values, null, "Stopped.");
            throw;
        }
    }

    private static EvaluationCost? Cost(IReadOnlyList<JudgeReply> asked)
    {
        var paid = asked.Where(a => !a.IsCached).ToList();
        return new EvaluationCost
        {
            UsDollars =
                paid.Any(a => a.UsDollars is not null) ? paid.Sum(a => a.UsDollars ?? 0)
                : paid.Count == 0 ? 0
                : null,
            InputTokens = paid.Sum(a => a.InputTokens),
            OutputTokens = paid.Sum(a => a.OutputTokens),
            ModelCalls = paid.Sum(a => a.Runs.Count),
        };
    }

    private async Task<JudgeReply> AskAsync(
        IReadOnlyDictionary<string, JsonElement> values,
        int repeat,
        bool isSwapped,
        JudgeRun run,
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        var call = prompt.Render(values, input.RunId, Project) with { RunName = identity.Name };
        var key =
            identity.EvaluatorId is { } evaluator && settings.Cache
                ? VerdictCache.KeyOf(
                    evaluator,
                    identity.Version,
                    provider,
                    call,
                    settings.Verdict,
                    repeat
                )
                : null;
        if (key is not null && await cache.FindAsync(caller, key, cancellationToken) is { } known)
        {
            return Told(known, isSwapped);
        }

        var reply = await AskModelAsync(
            call with
            {
                Parent = await run.StartAsync(values, cancellationToken),
                ReferenceExampleId = null,
            },
            cancellationToken
        );
        if (key is not null && reply.Verdict is not null)
        {
            await cache.StoreAsync(
                caller,
                key,
                identity.EvaluatorId!.Value,
                reply,
                cancellationToken
            );
        }

        return Told(reply, isSwapped);
    }

    /// <summary>A verdict about swapped answers, told in the usual order.</summary>
    private static JudgeReply Told(JudgeReply reply, bool isSwapped)
    {
        if (!isSwapped)
        {
            return reply;
        }

        return reply with
        {
            IsSwapped = true,
            Verdict = reply.Verdict switch
            {
                { Label: "A" } said => said with { Label = "B", Number = 0 },
                { Label: "B" } said => said with { Label = "A", Number = 1 },
                var same => same,
            },
        };
    }

    private async Task<JudgeReply> AskModelAsync(
        ModelCall call,
        CancellationToken cancellationToken
    )
    {
        var asked = await new StructuredCalls(calls).AskAsync(
            caller,
            call,
            answer => VerdictReader.Read(answer, settings.Verdict),
            $"{settings.Verdict.Instruction()} Keep the reason short.",
            cancellationToken
        );
        return Reply(asked.Answers, asked.IsUnstructured) with
        {
            Verdict = asked.Value,
            IsRepaired = asked.IsRepaired,
            Fault =
                asked.Value is not null ? null
                : asked.Failure is null ? (asked.Problem as VerdictException)?.Fault
                : VerdictFault.CallFailed,
            Problem = asked.Words,
        };
    }

    private static JudgeReply Reply(IReadOnlyList<ModelReply> answers, bool isUnstructured) =>
        new()
        {
            Raw =
            [
                .. answers
                    .Where(a => a.Failure is null || a.Text.Length > 0)
                    .Select(a =>
                        a.Text.Length > JudgeReply.MaxRaw
                            ? a.Text[..JudgeReply.MaxRaw] + "…"
                            : a.Text
                    ),
            ],
            Runs = [.. answers.Select(a => a.RunId)],
            IsUnstructured = isUnstructured,
            UsDollars = answers.Any(a => a.Cost is not null)
                ? answers.Sum(a => a.Cost?.Total ?? 0)
                : null,
            InputTokens = answers.Sum(a => a.Usage?.PromptTokens ?? 0),
            OutputTokens = answers.Sum(a => a.Usage?.CompletionTokens ?? 0),
        };

    /// <summary>The run of one judgement; it begins with the first call, so that kept verdicts leave no empty runs.</summary>
    private sealed class JudgeRun(
        JudgeIdentity identity,
        EvaluationInput input,
        TraceIngest ingest,
        Caller caller,
        TimeProvider time
    )
    {
        private readonly Lock _lock = new();
        private Task<RunParent>? _start;

        public Guid? Id => _start is { IsCompletedSuccessfully: true } ? _id : null;

        private Guid _id;

        public Task<RunParent> StartAsync(
            IReadOnlyDictionary<string, JsonElement> values,
            CancellationToken cancellationToken
        )
        {
            lock (_lock)
            {
                return _start ??= RecordStartAsync(values, cancellationToken);
            }
        }

        public async Task EndAsync(
            IReadOnlyDictionary<string, JsonElement> values,
            Score? score,
            string? error
        )
        {
            if (Id is not { } id)
            {
                return;
            }

            // Not the caller's token: what was asked is recorded all the same.
            await AcceptAsync(
                new RunWrite
                {
                    Operation = RunOperation.Update,
                    RunId = id,
                    TraceId = id,
                    ProjectName = Project,
                    EndTime = time.GetUtcNow(),
                    Outputs = score is null
                        ? null
                        : Payload.FromUtf8(
                            JsonSerializer.SerializeToUtf8Bytes(
                                new JsonObject
                                {
                                    ["key"] = score.Key,
                                    ["score"] = score.Number,
                                    ["label"] = score.Label,
                                    ["reason"] = score.Reason,
                                }
                            )
                        ),
                    Error =
                        error
                        ?? score
                            ?.Diagnostics.FirstOrDefault(d =>
                                d.Severity == DiagnosticSeverity.Error
                            )
                            ?.Message,
                },
                CancellationToken.None
            );
        }

        private async Task<RunParent> RecordStartAsync(
            IReadOnlyDictionary<string, JsonElement> values,
            CancellationToken cancellationToken
        )
        {
            var start = time.GetUtcNow();
            _id = Guid.CreateVersion7(start);
            var order = RunNormalizer.OrderSegment(start, _id);
            var about = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["feedback_key"] = identity.Key,
                ["evaluator_version"] = identity.Version,
            };
            if (identity.EvaluatorId is { } evaluator)
            {
                about["evaluator_id"] = evaluator;
            }

            if (input.RunId is { } judged)
            {
                about["target_run_id"] = judged;
            }

            if (input.ExampleId is { } example)
            {
                about["target_example_id"] = example;
            }

            await AcceptAsync(
                new RunWrite
                {
                    Operation = RunOperation.Create,
                    RunId = _id,
                    TraceId = _id,
                    DottedOrder = order,
                    ProjectName = Project,
                    Name = identity.Name,
                    Kind = RunKind.Chain,
                    StartTime = start,
                    Inputs = Payload.FromUtf8(JsonSerializer.SerializeToUtf8Bytes(values)),
                    Extra = Payload.FromUtf8(
                        JsonSerializer.SerializeToUtf8Bytes(
                            new Dictionary<string, object> { ["metadata"] = about }
                        )
                    ),
                    Tags = ["evaluator"],
                },
                cancellationToken
            );
            return new RunParent(_id, _id, order);
        }

        private async Task AcceptAsync(RunWrite write, CancellationToken cancellationToken) =>
            await ingest.AcceptAsync(
                caller with
                {
                    Permissions = caller.Permissions | Permission.Ingest,
                },
                new IngestBatch([write], []),
                cancellationToken
            );
    }
}
