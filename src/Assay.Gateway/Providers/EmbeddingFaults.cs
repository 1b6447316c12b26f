using Microsoft.Extensions.AI;

namespace Assay.Gateway.Providers;

/// <summary>What <see cref="FaultTranslation"/> is for chats, for embeddings.</summary>
internal sealed class EmbeddingFaults(
    IEmbeddingGenerator<string, Embedding<float>> inner,
    string provider,
    IDisposable owned
) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
{
    public override async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values,
        EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            return await base.GenerateAsync(values, options, cancellationToken);
        }
        catch (Exception e) when (FaultTranslation.IsFault(e, cancellationToken))
        {
            throw FaultTranslation.Translate(e, provider);
        }
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            owned.Dispose();
        }
    }
}
