using Assay.Core.Models.Providers;
using Assay.Evaluation;
using Assay.Evaluation.Json;
using Assay.Evaluation.Text;
using Microsoft.Extensions.AI;

namespace Assay.Core.Evaluators;

/// <summary>Asks an embedding model of the workspace; what goes wrong at the provider is part of the reply.</summary>
/// <param name="provider">The provider.</param>
/// <param name="model">The model.</param>
/// <param name="texts">The texts, at least one.</param>
/// <param name="cancellationToken">Cancels.</param>
public delegate Task<EmbeddingReply> Embed(
    Guid provider,
    string model,
    IReadOnlyList<string> texts,
    CancellationToken cancellationToken
);

/// <summary>The library's embedding similarity with a model of the workspace: traced, priced, and saying why when the model did not answer.</summary>
internal sealed class EmbeddingEvaluator(Guid provider, string model, Embed embed) : IEvaluator
{
    public JsonPath? OutputPath { get; init; }

    public JsonPath? ReferencePath { get; init; }

    public double? PassAt { get; init; }

    public IReadOnlyList<string> Keys { get; } = ["embedding_similarity"];

    public async ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        using var call = new Call(provider, model, embed);
        EvaluationResult result;
        try
        {
            result = await new EmbeddingSimilarityEvaluator(call)
            {
                OutputPath = OutputPath,
                ReferencePath = ReferencePath,
                PassAt = PassAt,
            }.EvaluateAsync(input, cancellationToken);
        }
        catch (ModelCallException e)
        {
            result = EvaluationResult.Of(Score.Failed(Keys[0], e.Message));
        }

        return call.Reply is { } reply
            ? result with
            {
                RunId = reply.RunId,
                Cost = new EvaluationCost
                {
                    ModelCalls = 1,
                    InputTokens = reply.Usage?.PromptTokens,
                    UsDollars = reply.Cost?.Total,
                },
            }
            : result;
    }

    /// <summary>One evaluation's call, which remembers its reply.</summary>
    private sealed class Call(Guid provider, string model, Embed embed)
        : IEmbeddingGenerator<string, Embedding<float>>
    {
        public EmbeddingReply? Reply { get; private set; }

        public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values,
            EmbeddingGenerationOptions? options = null,
            CancellationToken cancellationToken = default
        )
        {
            Reply = await embed(provider, model, [.. values], cancellationToken);
            return Reply.Failure is null
                ? new(Reply.Vectors)
                : throw new ModelCallException(
                    Reply.Failure.Failure,
                    Reply.Failure.Message,
                    Reply.Failure.Status,
                    Reply.Failure
                );
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose() { }
    }
}
