namespace Assay.Core.Models.Providers;

/// <summary>The dialect a provider speaks. The numbers are stored.</summary>
public enum ProviderKind : byte
{
    /// <summary>OpenAI's chat completions, and every server that copies them (vLLM, LM Studio, Azure's <c>/openai/v1</c>, …).</summary>
    OpenAI = 0,

    /// <summary>OpenAI's responses API.</summary>
    OpenAIResponses = 1,

    /// <summary>Anthropic's messages.</summary>
    Anthropic = 2,

    /// <summary>Ollama's own API.</summary>
    Ollama = 3,

    /// <summary>The built-in simulated model: deterministic, offline, never a real answer.</summary>
    Simulated = 4,
}

/// <summary>
/// A way to a model that a workspace configured. Its key is a workspace secret, written and never read back. Every workspace also has
/// <see cref="Simulated"/>, which needs no configuration.
/// </summary>
public sealed class ModelProvider
{
    /// <summary>The built-in simulated provider, the same for every workspace.</summary>
    public static ModelProvider Simulated { get; } =
        new()
        {
            Id = new Guid("5173a7ed-0000-4000-8000-000000000001"),
            Name = "Simulated",
            Kind = ProviderKind.Simulated,
            Models = ["sim-chat", "sim-echo", "sim-slow", "sim-flaky"],
            TimeoutSeconds = 60,
        };

    /// <summary>Id.</summary>
    public Guid Id { get; init; }

    /// <summary>The workspace; <see cref="Guid.Empty"/> for the built-in one.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>Name on screen, unique in the workspace.</summary>
    public required string Name { get; set; }

    /// <summary>The dialect.</summary>
    public ProviderKind Kind { get; set; }

    /// <summary>Where it is, without the path of a call (<c>https://api.openai.com/v1</c>); null for the maker's own address.</summary>
    public string? BaseUrl { get; set; }

    /// <summary>Name of the workspace secret that holds its key; null when it needs none.</summary>
    public string? SecretName { get; set; }

    /// <summary>Models to offer besides what the provider lists; the first is the default.</summary>
    public IReadOnlyList<string> Models { get; set; } = [];

    /// <summary>Longest silence of a call in seconds: until the first byte, and between two pieces of a stream.</summary>
    public int TimeoutSeconds { get; set; } = 60;

    /// <summary>How often a call is tried again after a rate limit, a server error or a lost connection, with growing, jittered pauses.</summary>
    public int MaxRetries { get; set; } = 2;

    /// <summary>Row creation.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public DateTimeOffset ModifiedAt { get; set; }

    /// <summary>Whether its dialect has embeddings.</summary>
    public bool CanEmbed => Kind != ProviderKind.Anthropic;

    /// <summary>Embedding models to offer, the usual one first; empty where nobody can know what the server has.</summary>
    public IReadOnlyList<string> EmbeddingModels =>
        this switch
        {
            { Kind: ProviderKind.Simulated } => ["sim-embed"],
            { Kind: ProviderKind.OpenAI or ProviderKind.OpenAIResponses, BaseUrl: null } =>
            [
                "text-embedding-3-small",
                "text-embedding-3-large",
            ],
            _ => [],
        };

    /// <summary>The provider's name as runs and prices know it (<c>openai</c>, <c>anthropic</c>, <c>ollama</c>, <c>simulated</c>).</summary>
    public string PricedAs =>
        Kind switch
        {
            ProviderKind.Anthropic => "anthropic",
            ProviderKind.Ollama => "ollama",
            ProviderKind.Simulated => "simulated",
            _ => "openai",
        };
}

/// <summary>What a workspace spent on models in one calendar month (UTC), for its limit and for people to see.</summary>
public sealed class ModelSpend
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>The month as year × 100 + month.</summary>
    public int Month { get; init; }

    /// <summary>US dollars of calls whose cost is known.</summary>
    public decimal Dollars { get; set; }

    /// <summary>All calls.</summary>
    public long Calls { get; set; }

    /// <summary>Calls that used tokens and had no price: their cost is unknown, not zero.</summary>
    public long UnpricedCalls { get; set; }
}

/// <summary>What a workspace may spend.</summary>
public sealed class SpendLimit
{
    /// <summary>The workspace.</summary>
    public Guid WorkspaceId { get; init; }

    /// <summary>US dollars per calendar month (UTC); calls are refused once this much is spent.</summary>
    public decimal MonthlyDollars { get; set; }
}
