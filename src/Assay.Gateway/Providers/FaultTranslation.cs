using System.Runtime.CompilerServices;
using System.Text.Json;
using Assay.Core.Models.Providers;
using Microsoft.Extensions.AI;
using Polly.Timeout;

namespace Assay.Gateway.Providers;

/// <summary>Lets nothing but <see cref="ModelCallException"/> and cancellation out of a provider's client library.</summary>
internal sealed class FaultTranslation(IChatClient inner, string provider, IDisposable owned)
    : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            return await base.GetResponseAsync(messages, options, cancellationToken);
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            throw Translate(e, provider);
        }
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await using var pieces = base.GetStreamingResponseAsync(
                messages,
                options,
                cancellationToken
            )
            .GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await pieces.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception e) when (IsFault(e, cancellationToken))
            {
                throw Translate(e, provider);
            }

            yield return pieces.Current;
        }
    }

    /// <summary>The one exception callers know, from whatever a library threw.</summary>
    public static ModelCallException Translate(Exception fault, string provider)
    {
        // Ours first, however deep: the socket's refusal of an address arrives wrapped as a failed connection.
        for (Exception? e = fault; e is not null; e = e.InnerException)
        {
            if (e is ModelCallException known)
            {
                return known;
            }
        }

        for (Exception? e = fault; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case TimeoutRejectedException or TimeoutException or OperationCanceledException:
                    return new(
                        ModelCallFailure.TimedOut,
                        $"'{provider}' did not answer in time.",
                        null,
                        fault
                    );
                case HttpRequestException
                {
                    HttpRequestError: HttpRequestError.NameResolutionError
                }:
                    return new(
                        ModelCallFailure.Unavailable,
                        $"'{provider}' could not be reached: its name does not resolve.",
                        null,
                        fault
                    );
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }:
                    return new(
                        ModelCallFailure.Unavailable,
                        $"'{provider}' could not be reached.",
                        null,
                        fault
                    );
                case IOException or HttpRequestException:
                    return new(
                        ModelCallFailure.BrokenAnswer,
                        $"The answer of '{provider}' broke off.",
                        null,
                        fault
                    );
                case JsonException:
                    return new(
                        ModelCallFailure.BrokenAnswer,
                        $"The answer of '{provider}' is not what its dialect promises.",
                        null,
                        fault
                    );
            }
        }

        return new(
            ModelCallFailure.BrokenAnswer,
            $"The answer of '{provider}' could not be read ({fault.GetType().Name}).",
            null,
            fault
        );
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            owned.Dispose();
        }
    }

    public static bool IsFault(Exception e, CancellationToken cancellationToken) =>
        e is not (OutOfMemoryException or StackOverflowException)
        && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested);
}
