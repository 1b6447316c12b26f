using System.Runtime.CompilerServices;
using Assay.Core.Access;
using Assay.Core.Traces;
using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>
/// Asks models for the workspace of a caller: finds the provider and its key, keeps to the spend limit, and records every call as a run with
/// tokens, cost and first-token time. What goes wrong at the provider is part of the reply, not an exception. Thread-safe.
/// </summary>
public sealed class ModelCalls(
    ModelProviders providers,
    IModelClients clients,
    CallLedger ledger,
    TimeProvider time
)
{
    /// <summary>The longest a call may take, however steadily its answer drips.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(15);

    /// <summary>Asks and waits for the whole answer.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; the run says so.</exception>
    public async Task<ModelReply> CompleteAsync(
        Caller caller,
        ModelCall call,
        CancellationToken cancellationToken
    )
    {
        ModelReply? reply = null;
        await foreach (var step in StreamAsync(caller, call, cancellationToken))
        {
            reply = step.Reply ?? reply;
        }

        return reply ?? throw new InvalidOperationException("A call ended without a reply.");
    }

    /// <summary>Asks and hands on each piece as it comes; the last event carries the reply.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; the run says so.</exception>
    public async IAsyncEnumerable<ModelCallEvent> StreamAsync(
        Caller caller,
        ModelCall call,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        caller.Demand(Permission.Write);
        var provider = await providers.FindAsync(caller, call.ProviderId, cancellationToken);
        var run = new CallRun(
            call,
            RunKind.Llm,
            ChatJson.Inputs(call.Messages, call.Options),
            ChatJson.Parameters(call.Model, call.Options),
            provider,
            time.GetUtcNow()
        );
        await ledger.BeginAsync(caller, run, cancellationToken);
        var began = time.GetTimestamp();
        TimeSpan? first = null;
        var pieces = new List<ChatResponseUpdate>();
        ModelCallException? failure = null;
        var isWhole = false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IAsyncEnumerator<ChatResponseUpdate>? stream = null;
        try
        {
            while (failure is null)
            {
                ChatResponseUpdate piece;
                try
                {
                    if (provider is null)
                    {
                        throw new ModelCallException(
                            ModelCallFailure.UnknownProvider,
                            "This workspace has no such model provider."
                        );
                    }

                    stream ??= await OpenAsync(caller, call, provider, patience.Token);
                    var silence = TimeSpan.FromSeconds(provider.TimeoutSeconds);
                    var left = MaxDuration - time.GetElapsedTime(began);
                    // Each piece renews the patience: a slow answer is fine, a silent one is not.
                    patience.CancelAfter(
                        left < silence ? Max(left) : Tries(provider, first) * silence
                    );
                    if (!await stream.MoveNextAsync())
                    {
                        isWhole = true;
                        break;
                    }

                    piece = stream.Current;
                }
                catch (OperationCanceledException e)
                    when (!cancellationToken.IsCancellationRequested)
                {
                    failure = new ModelCallException(
                        ModelCallFailure.TimedOut,
                        $"'{provider!.Name}' said nothing for {provider.TimeoutSeconds} seconds.",
                        null,
                        e
                    );
                    break;
                }
                catch (ModelCallException e)
                {
                    failure = e;
                    break;
                }

                if (first is null && HasContent(piece))
                {
                    first = time.GetElapsedTime(began);
                }

                pieces.Add(piece);
                yield return new ModelCallEvent(piece, null);
            }
        }
        finally
        {
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }

            if (!isWhole && failure is null)
            {
                // The reader went away: what came so far is kept, and its tokens were paid for.
                failure = new ModelCallException(ModelCallFailure.BrokenAnswer, "Stopped.");
                await FinishAsync(caller, run, pieces, time.GetElapsedTime(began), first, failure);
            }
        }

        yield return new ModelCallEvent(
            null,
            await FinishAsync(caller, run, pieces, time.GetElapsedTime(began), first, failure)
        );
    }

    private async Task<IAsyncEnumerator<ChatResponseUpdate>> OpenAsync(
        Caller caller,
        ModelCall call,
        ModelProvider provider,
        CancellationToken cancellationToken
    )
    {
        await providers.CheckLimitAsync(caller.WorkspaceId, cancellationToken);
        var key = await providers.KeyAsync(caller.WorkspaceId, provider, cancellationToken);
        return Pieces(clients.Open(provider, key, call.Model), call, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> Pieces(
        IChatClient client,
        ModelCall call,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using (client)
        {
            var options = call.Options.Clone();
            options.ModelId = call.Model;
            await foreach (
                var piece in client.GetStreamingResponseAsync(
                    call.Messages,
                    options,
                    cancellationToken
                )
            )
            {
                yield return piece;
            }
        }
    }

    /// <summary>Before the first piece the client may try several times, each with its own silence and a pause.</summary>
    private static int Tries(ModelProvider provider, TimeSpan? first) =>
        first is null ? provider.MaxRetries + 1 : 1;

    private static TimeSpan Max(TimeSpan left) =>
        left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);

    private static bool HasContent(ChatResponseUpdate piece) =>
        piece.Contents.Any(c =>
            c
                is TextContent { Text.Length: > 0 }
                    or TextReasoningContent { Text.Length: > 0 }
                    or FunctionCallContent
                    or DataContent
        );

    private async Task<ModelReply> FinishAsync(
        Caller caller,
        CallRun run,
        List<ChatResponseUpdate> pieces,
        TimeSpan latency,
        TimeSpan? first,
        ModelCallException? failure
    )
    {
        var response = pieces.ToChatResponse();
        var outputs = ChatJson.Outputs(response);
        var usage =
            ChatJson.Usage(response.Usage)
            ?? (pieces.Count == 0 ? null : TokenEstimator.Estimate(run.Inputs, outputs));
        var cost = await ledger.EndAsync(
            caller,
            run,
            new CallEnd(response.ModelId, outputs, usage, latency, first, failure)
        );
        return new ModelReply(run.RunId, response, usage, cost, latency, first, failure);
    }
}
