using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;
using Assay.Core.Models;
using Microsoft.Extensions.AI;

namespace Assay.Gateway.Simulation;

/// <summary>
/// An embedding model that is none: words and runs of three characters, hashed with a sign into 256 directions (Weinberger et al., "Feature
/// hashing for large scale multitask learning", ICML 2009). Texts with the same words are near each other, texts with the same meaning are not.
/// </summary>
internal sealed class SimulatedEmbeddings : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int Dimensions = 256;
    private const int RunLength = 3;

    private static readonly Regex s_words = new(@"[\p{L}\p{N}]+", RegexOptions.NonBacktracking);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values,
        EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        var texts = values.ToList();
        var tokens = texts.Sum(t => (long)TokenEstimator.Count(t));
        return Task.FromResult(
            new GeneratedEmbeddings<Embedding<float>>(
                texts.Select(t => new Embedding<float>(Vector(t)) { ModelId = "sim-embed" })
            )
            {
                Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
            }
        );
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(EmbeddingGeneratorMetadata)
            ? new EmbeddingGeneratorMetadata("simulated", null, "sim-embed", Dimensions)
            : null;

    public void Dispose() { }

    private static float[] Vector(string text)
    {
        var vector = new float[Dimensions];
        foreach (Match match in s_words.Matches(text.ToLowerInvariant()))
        {
            var word = match.Value;
            Add(vector, word, 1);
            for (var i = 0; word.Length > RunLength && i + RunLength <= word.Length; i++)
            {
                Add(vector, word.Substring(i, RunLength), 0.5f);
            }
        }

        var length = MathF.Sqrt(vector.Sum(v => v * v));
        return length > 0 ? [.. vector.Select(v => v / length)] : vector;
    }

    private static void Add(float[] vector, string feature, float weight)
    {
        var hash = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(feature));
        vector[hash % Dimensions] += (hash >> 63) == 0 ? weight : -weight;
    }
}
