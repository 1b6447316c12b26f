using Assay.Evaluation.Json;
using Microsoft.Extensions.AI;

namespace Assay.Evaluation.Text;

/// <summary>
/// Cosine similarity of the embeddings of answer and reference, -1 to 1; the best of several references. Says nothing about truth: a
/// sentence and its negation are near each other.
/// </summary>
public sealed class EmbeddingSimilarityEvaluator(
    IEmbeddingGenerator<string, Embedding<float>> generator
) : IEvaluator
{
    /// <summary>Where the answer is; by default <see cref="AnswerText"/> finds it.</summary>
    public JsonPath? OutputPath { get; init; }

    /// <summary>Where the references are; by default <see cref="AnswerText"/> finds them.</summary>
    public JsonPath? ReferencePath { get; init; }

    /// <summary>The bar; null sets none.</summary>
    public double? PassAt { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys { get; } = ["embedding_similarity"];

    /// <inheritdoc/>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        EvaluationInput input,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(input);
        var references = AnswerText.ReadAlternatives(input.ReferenceOutputs, ReferencePath);
        var output = AnswerText.Read(input.Outputs, OutputPath);
        if (references.Count == 0 || output is null)
        {
            return EvaluationResult.Of(
                Score.Failed(
                    Keys[0],
                    output is null
                        ? "The outputs hold no text to judge."
                        : "The reference outputs hold no text to compare with."
                )
            );
        }

        var vectors = await generator
            .GenerateAsync([output, .. references], cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        var best = vectors.Skip(1).Max(v => Cosine(vectors[0].Vector.Span, v.Vector.Span));
        return new()
        {
            Scores =
            [
                double.IsFinite(best)
                    ? Score.Numeric(Keys[0], best, passAt: PassAt)
                    : Score.Failed(Keys[0], "An embedding has no direction."),
            ],
            Cost = new() { InputTokens = vectors.Usage?.InputTokenCount, ModelCalls = 1 },
        };
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length)
        {
            return double.NaN;
        }

        var (dot, aa, bb) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }

        return dot / Math.Sqrt(aa * bb);
    }
}
