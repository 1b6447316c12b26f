using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>
/// The port to models: the only way out to a provider. Implemented by Assay.Gateway, which guards addresses, retries and translates errors;
/// tests of the host put a provider's dialect behind it, not a second implementation. Callers use <see cref="ModelCalls"/>, which knows
/// workspaces, limits and traces. Thread-safe.
/// </summary>
public interface IModelClients
{
    /// <summary>A chat client for one model. Its calls throw <see cref="ModelCallException"/> for everything that goes wrong at the provider. The caller disposes it.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="key">Its key; null when it has none.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="ModelCallException">The provider's address is unusable.</exception>
    IChatClient Open(ModelProvider provider, string? key, string model);

    /// <summary>An embedding generator for one model, on the same terms. The caller disposes it.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="key">Its key; null when it has none.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="ModelCallException">The provider's address is unusable, or its dialect has no embeddings.</exception>
    IEmbeddingGenerator<string, Embedding<float>> OpenEmbeddings(
        ModelProvider provider,
        string? key,
        string model
    );

    /// <summary>The models a provider says it has, sorted.</summary>
    /// <exception cref="ModelCallException">It could not be asked.</exception>
    Task<IReadOnlyList<string>> ListModelsAsync(
        ModelProvider provider,
        string? key,
        CancellationToken cancellationToken
    );
}

/// <summary>Why a model call failed, in words that lead to a remedy.</summary>
public enum ModelCallFailure
{
    /// <summary>The provider refuses the key (401, 403), or there is none.</summary>
    Authentication,

    /// <summary>The provider refuses the request (400, 404, 413, 422).</summary>
    BadRequest,

    /// <summary>Too many calls (429), also after trying again.</summary>
    RateLimited,

    /// <summary>The provider failed (5xx) or could not be reached.</summary>
    Unavailable,

    /// <summary>Nothing came for longer than the provider's time limit.</summary>
    TimedOut,

    /// <summary>The answer broke off or was not readable.</summary>
    BrokenAnswer,

    /// <summary>The address is one this server does not call: private, or not allowed by configuration.</summary>
    AddressRefused,

    /// <summary>The workspace's monthly limit is reached.</summary>
    LimitReached,

    /// <summary>There is no such provider.</summary>
    UnknownProvider,
}

/// <summary>A model call that did not work; the message is for the user and holds no secret.</summary>
public sealed class ModelCallException(
    ModelCallFailure failure,
    string message,
    int? status = null,
    Exception? inner = null
) : Exception(message, inner)
{
    /// <summary>What went wrong.</summary>
    public ModelCallFailure Failure { get; } = failure;

    /// <summary>The provider's HTTP status, when it gave one.</summary>
    public int? Status { get; } = status;
}
