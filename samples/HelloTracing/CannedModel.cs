using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace HelloTracing;

/// <summary>Stands in for a model so that the sample runs offline: asks for the tool once, then answers with what it said.</summary>
internal sealed class CannedModel : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var said = messages
            .SelectMany(m => m.Contents)
            .OfType<FunctionResultContent>()
            .LastOrDefault();
        AIContent content = said is null
            ? new FunctionCallContent(
                "call_1",
                "get_weather",
                new Dictionary<string, object?> { ["city"] = "Paris" }
            )
            : new TextContent($"It is {said.Result}.");
        return Task.FromResult(
            new ChatResponse(new ChatMessage(ChatRole.Assistant, [content]))
            {
                ModelId = options?.ModelId,
                FinishReason = said is null ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop,
                Usage = new UsageDetails
                {
                    InputTokenCount = said is null ? 42 : 61,
                    OutputTokenCount = said is null ? 15 : 9,
                },
            }
        );
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var answer = await GetResponseAsync(messages, options, cancellationToken);
        foreach (var update in answer.ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() { }
}
