using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Traces;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>
/// Asks embedding models for the workspace of a caller, on the terms of <see cref="ModelCalls"/>: within the spend limit, recorded as a run with
/// tokens and cost, failures as part of the reply. The vectors themselves are not recorded. Thread-safe.
/// </summary>
public sealed class ModelEmbeddings(
    ModelProviders providers,
    IModelClients clients,
    CallLedger ledger,
    TimeProvider time
)
{
    /// <summary>Asks.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; the run says so.</exception>
    public async Task<EmbeddingReply> EmbedAsync(
        Caller caller,
        EmbeddingCall call,
        CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var provider = await providers.FindAsync(caller, call.ProviderId, cancellationToken);
        var run = new CallRun(
            call,
            RunKind.Embedding,
            JsonSerializer.SerializeToUtf8Bytes(new { input = call.Texts }),
            new { model = call.Model },
            provider,
            time.GetUtcNow()
        );
        await ledger.BeginAsync(caller, run, cancellationToken);
        var began = time.GetTimestamp();
        GeneratedEmbeddings<Embedding<float>> vectors = [];
        ModelCallException? failure = null;
        try
        {
            vectors = await AskAsync(caller, call, provider, cancellationToken);
        }
        catch (ModelCallException e)
        {
            failure = e;
        }
        catch (OperationCanceledException)
        {
            await EndAsync(new ModelCallException(ModelCallFailure.BrokenAnswer, "Stopped."));
            throw;
        }

        var (usage, cost) = await EndAsync(failure);
        return new EmbeddingReply(run.RunId, vectors, usage, cost, failure);

        async Task<(TokenUsage?, RunCost?)> EndAsync(ModelCallException? why)
        {
            var used =
                ChatJson.Usage(vectors.Usage)
                ?? (vectors.Count == 0 ? null : TokenEstimator.Estimate(run.Inputs, null));
            var paid = await ledger.EndAsync(
                caller,
                run,
                new CallEnd(
                    vectors.FirstOrDefault()?.ModelId,
                    JsonSerializer.SerializeToUtf8Bytes(
                        new
                        {
                            embeddings = vectors.Count,
                            dimensions = vectors.FirstOrDefault()?.Dimensions,
                        }
                    ),
                    used,
                    time.GetElapsedTime(began),
                    null,
                    why
                )
            );
            return (used, paid);
        }
    }

    private async Task<GeneratedEmbeddings<Embedding<float>>> AskAsync(
        Caller caller,
        EmbeddingCall call,
        ModelProvider? provider,
        CancellationToken cancellationToken
    )
    {
        if (provider is null)
        {
            throw new ModelCallException(
                ModelCallFailure.UnknownProvider,
                "This workspace has no such model provider."
            );
        }

        await providers.CheckLimitAsync(caller.WorkspaceId, cancellationToken);
        var key = await providers.KeyAsync(caller.WorkspaceId, provider, cancellationToken);
        using var generator = clients.OpenEmbeddings(provider, key, call.Model);
        var vectors = await generator.GenerateAsync(
            call.Texts,
            cancellationToken: cancellationToken
        );
        return vectors.Count == call.Texts.Count
            ? vectors
            : throw new ModelCallException(
                ModelCallFailure.BrokenAnswer,
                $"'{provider.Name}' answered {vectors.Count} embeddings to {call.Texts.Count} texts."
            );
    }
}
