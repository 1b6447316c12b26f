using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Access;
using Assay.Core.Datasets;
using Assay.Core.Evaluators;
using Assay.Core.Models.Providers;
using Assay.Core.Playground;
using Assay.Core.Traces;
using Assay.Evaluation;
using Microsoft.Extensions.AI;

namespace Assay.Core.Experiments.Jobs;

/// <summary>
/// Asks the model for a row and has the answer scored. A row is a trace: its root has the example's inputs and the answer, the model call hangs
/// below it. The root's end is what makes a row answered; a trace without it is removed before the row is asked again.
/// </summary>
internal sealed class PromptRows(
    Caller caller,
    ExperimentJob job,
    JobPlan plan,
    RunScorer scorer,
    ModelCalls calls,
    TraceIngest ingest,
    TraceQueries queries,
    EvaluationInputs inputs,
    JobRows rows,
    TimeProvider time
) : IRowTask
{
    private const int Chunk = 500;
    private const int MaxTries = 5;
    private readonly JobPace _pace = new(plan.RequestsPerMinute, time);
    private readonly HashSet<Guid> _answered = [];
    private readonly string _runName =
        plan.Variant!.Metadata.GetValueOrDefault("lc_hub_repo") ?? "playground";

    public async Task ReconcileAsync(bool isFirst, CancellationToken cancellationToken)
    {
        await RemoveStaleAsync(await rows.StaleAsync(cancellationToken), cancellationToken);
        if (isFirst)
        {
            return;
        }

        var after = -1;
        while (true)
        {
            var page = await rows.WaitingAsync(after, Chunk, cancellationToken);
            if (page.Count == 0)
            {
                return;
            }

            var found = (
                await queries.QueryAsync(
                    caller,
                    new RunQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        RunIds = [.. page.Select(r => r.RunId)],
                        Limit = page.Count,
                        Parts = RunParts.None,
                    },
                    cancellationToken
                )
            ).Runs.ToDictionary(r => r.Id);
            var broken = new List<ExperimentJobRow>();
            foreach (var row in page)
            {
                if (!found.TryGetValue(row.RunId, out var run))
                {
                    continue;
                }

                if (run.Status == RunStatus.Success && run.EndTime is not null)
                {
                    _answered.Add(row.RunId);
                }
                else
                {
                    broken.Add(row);
                }
            }

            if (broken.Count > 0)
            {
                await rows.RenewAsync(broken, cancellationToken);
                await RemoveStaleAsync(broken, cancellationToken);
            }

            after = page[^1].Number;
        }
    }

    public async Task<RowOutcome?> DoAsync(ExperimentJobRow row, Example? example, JobStop stop)
    {
        if (example is null)
        {
            return new RowOutcome(
                row.Number,
                JobRowState.Failed,
                "The example is not in this version of the dataset any more."
            );
        }

        return _answered.Contains(row.RunId)
            ? await ScoreAgainAsync(row, example, stop)
            : await AskAsync(row, example, stop);
    }

    private async Task<RowOutcome?> ScoreAgainAsync(
        ExperimentJobRow row,
        Example example,
        JobStop stop
    )
    {
        var run = await queries.FindAsync(
            caller,
            row.RunId,
            job.ExperimentId,
            RunParts.Details | RunParts.Inputs | RunParts.Outputs,
            stop.AtOnce
        );
        return run is null
            ? new RowOutcome(row.Number, JobRowState.Failed, "The run is gone.")
            : await scorer.ScoreAsync(
                row,
                await inputs.OfAsync(caller, run, example, scorer.Needs, stop.AtOnce),
                stop.AtOnce
            );
    }

    private async Task<RowOutcome?> AskAsync(ExperimentJobRow row, Example example, JobStop stop)
    {
        using var exampleInputs = JsonDocument.Parse(example.InputsJson);
        for (var attempt = 1; ; attempt++)
        {
            ModelCall? call = null;
            string? unusable = null;
            try
            {
                call = plan.Variant!.Render(plan.Values(exampleInputs.RootElement), job.Name);
            }
            catch (InvalidVariantException e)
            {
                unusable = e.Message;
            }

            await _pace.WaitAsync(stop.NoMore);
            var start = time.GetUtcNow();
            if (call is null)
            {
                await RecordAsync(Start(row, example, start), stop.AtOnce);
                await RecordAsync(End(row, time.GetUtcNow(), null, null, unusable), stop.AtOnce);
                return new RowOutcome(row.Number, JobRowState.Failed, unusable);
            }

            ModelReply reply;
            try
            {
                await RecordAsync(Start(row, example, start), stop.AtOnce);
                reply = await calls.CompleteAsync(
                    caller,
                    call with
                    {
                        ProjectId = job.ExperimentId,
                        RunName = call.Model,
                        Parent = new RunParent(
                            row.RunId,
                            row.RunId,
                            RunNormalizer.OrderSegment(start, row.RunId)
                        ),
                    },
                    stop.AtOnce
                );
            }
            catch (OperationCanceledException) when (stop.AtOnce.IsCancellationRequested)
            {
                // Given up: half an answer is no result.
                await RenewAsync(row, CancellationToken.None);
                throw;
            }

            switch (reply.Failure)
            {
                case null:
                    _pace.Went();
                    var outputs = Outputs(reply);
                    await RecordAsync(
                        End(row, start + reply.Latency, start + reply.FirstToken, outputs, null),
                        CancellationToken.None
                    );
                    return await scorer.ScoreAsync(
                        row,
                        Input(row, example, reply, outputs),
                        stop.AtOnce
                    );
                case {
                    Failure: ModelCallFailure.Authentication
                        or ModelCallFailure.LimitReached
                        or ModelCallFailure.UnknownProvider
                        or ModelCallFailure.AddressRefused
                } everybodys:
                    await RenewAsync(row, CancellationToken.None);
                    throw new JobHaltException(everybodys.Message);
                case { Failure: ModelCallFailure.RateLimited } when attempt < MaxTries:
                    _pace.Rest();
                    await RenewAsync(row, CancellationToken.None);
                    continue;
                case var failure:
                    await RecordAsync(
                        End(row, start + reply.Latency, null, null, failure.Message),
                        CancellationToken.None
                    );
                    return new RowOutcome(row.Number, JobRowState.Failed, failure.Message);
            }
        }
    }

    private EvaluationInput Input(
        ExperimentJobRow row,
        Example example,
        ModelReply reply,
        byte[] outputs
    ) =>
        EvaluationInputs.OfAnswer(
            row.RunId,
            example,
            JsonElement.Parse(outputs),
            new RunFacts
            {
                Latency = reply.Latency,
                TimeToFirstToken = reply.FirstToken,
                UsDollars = reply.Cost?.Total,
                InputTokens = reply.Usage?.PromptTokens,
                OutputTokens = reply.Usage?.CompletionTokens,
            },
            scorer.Needs
        );

    private static List<ToolCall> Calls(ModelReply reply) =>
        [
            .. reply
                .Response.Messages.SelectMany(m => m.Contents)
                .OfType<FunctionCallContent>()
                .Select(c => new ToolCall(
                    c.Name,
                    JsonSerializer.SerializeToElement(
                        c.Arguments ?? new Dictionary<string, object?>()
                    )
                )),
        ];

    /// <summary>An answer that was asked for as an object is that object; any other is <c>output</c>, with the tools it wants called.</summary>
    private byte[] Outputs(ModelReply reply)
    {
        var text = reply.Text;
        if (plan.Variant!.HasSchema)
        {
            try
            {
                if (JsonNode.Parse(text) is JsonObject structured)
                {
                    return JsonSerializer.SerializeToUtf8Bytes(structured);
                }
            }
            catch (JsonException)
            {
                // Not what was asked for: the evaluators get to see what came instead.
            }
        }

        var outputs = new JsonObject { ["output"] = text };
        if (Calls(reply) is { Count: > 0 } tools)
        {
            outputs["tool_calls"] = new JsonArray([
                .. tools.Select(t => new JsonObject
                {
                    ["name"] = t.Name,
                    ["args"] = t.Arguments is { } arguments
                        ? JsonNode.Parse(arguments.GetRawText())
                        : null,
                }),
            ]);
        }

        return JsonSerializer.SerializeToUtf8Bytes(outputs);
    }

    private RunWrite Start(ExperimentJobRow row, Example example, DateTimeOffset start)
    {
        var said = new JsonObject { ["example_id"] = example.Id.ToString() };
        foreach (var (key, value) in plan.Variant!.Metadata)
        {
            said[key] = value;
        }

        if (plan.Repetitions > 1)
        {
            said["repetition"] = row.Repetition;
        }

        return new RunWrite
        {
            Operation = RunOperation.Create,
            RunId = row.RunId,
            TraceId = row.RunId,
            ProjectId = job.ExperimentId,
            Name = _runName,
            Kind = RunKind.Chain,
            StartTime = start,
            Inputs = Payload.FromUtf8(Encoding.UTF8.GetBytes(example.InputsJson)),
            Extra = Payload.FromUtf8(
                JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["metadata"] = said })
            ),
            ReferenceExampleId = example.Id,
        };
    }

    private RunWrite End(
        ExperimentJobRow row,
        DateTimeOffset end,
        DateTimeOffset? first,
        byte[]? outputs,
        string? error
    ) =>
        new()
        {
            Operation = RunOperation.Update,
            RunId = row.RunId,
            TraceId = row.RunId,
            ProjectId = job.ExperimentId,
            EndTime = end,
            FirstTokenTime = first,
            Outputs = outputs is null ? null : Payload.FromUtf8(outputs),
            Error = error,
        };

    private async Task RecordAsync(RunWrite write, CancellationToken cancellationToken)
    {
        var receipt = await ingest.AcceptAsync(
            caller,
            new IngestBatch([write], []),
            cancellationToken
        );
        if (receipt.Rejections is [var refused, ..])
        {
            throw new JobHaltException($"The experiment takes no more runs: {refused.Reason}");
        }
    }

    /// <summary>The row gets a new run, and what there is of the old one goes.</summary>
    private async Task RenewAsync(ExperimentJobRow row, CancellationToken cancellationToken)
    {
        await rows.RenewAsync([row], cancellationToken);
        await RemoveStaleAsync([row], cancellationToken);
    }

    private async Task RemoveStaleAsync(
        IReadOnlyList<ExperimentJobRow> stale,
        CancellationToken cancellationToken
    )
    {
        foreach (var chunk in stale.Chunk(Chunk))
        {
            await queries.DeleteTracesAsync(
                caller,
                [.. chunk.Select(r => r.StaleRunId).OfType<Guid>()],
                job.ExperimentId,
                cancellationToken
            );
            await rows.CleanAsync(chunk, cancellationToken);
        }
    }
}
