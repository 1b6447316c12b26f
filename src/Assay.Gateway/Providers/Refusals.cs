using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using StreamingChatCompletionUpdate = OpenAI.Chat.StreamingChatCompletionUpdate;

namespace Assay.Gateway.Providers;

/// <summary>
/// OpenAI's chat API sends a refusal in a field of its own, which the library drops when it streams: without it a refusal would look like an empty answer.
/// It becomes <see cref="ErrorContent"/> with the code <c>Refusal</c>, as the library does for answers that are not streamed.
/// </summary>
internal sealed class Refusals(IChatClient inner) : DelegatingChatClient(inner)
{
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        StringBuilder? refusal = null;
        ChatResponseUpdate? last = null;
        await foreach (
            var update in base.GetStreamingResponseAsync(messages, options, cancellationToken)
        )
        {
            if (
                update.RawRepresentation is StreamingChatCompletionUpdate
                {
                    RefusalUpdate.Length: > 0
                } raw
            )
            {
                (refusal ??= new()).Append(raw.RefusalUpdate);
            }

            last = update;
            yield return update;
        }

        if (refusal is not null)
        {
            yield return new ChatResponseUpdate(
                ChatRole.Assistant,
                [new ErrorContent(refusal.ToString()) { ErrorCode = "Refusal" }]
            )
            {
                ResponseId = last?.ResponseId,
                MessageId = last?.MessageId,
                ModelId = last?.ModelId,
            };
        }
    }
}
