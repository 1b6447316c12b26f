using Microsoft.Extensions.AI;

namespace Assay.Core.Models.Providers;

/// <summary>A call to a model, with what its run should say.</summary>
public abstract record ProviderCall
{
    /// <summary>The provider.</summary>
    public required Guid ProviderId { get; init; }

    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>The project its run goes to; made on first use.</summary>
    public required string ProjectName { get; init; }

    /// <summary>The project by id, which wins over the name: a project that is renamed meanwhile stays the same one.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>Name of the run.</summary>
    public string RunName { get; init; } = "Model call";

    /// <summary>Id of the run; a new one when null.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The run this call is a step of: id, trace, and order key.</summary>
    public RunParent? Parent { get; init; }

    /// <summary>The dataset example it answers.</summary>
    public Guid? ReferenceExampleId { get; init; }

    /// <summary>Metadata of the run.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } =
        new Dictionary<string, string>();

    /// <summary>Tags of the run.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>One question to a chat model.</summary>
public sealed record ModelCall : ProviderCall
{
    /// <summary>The messages.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Temperature, limits, tools, the form of the answer. The model id in it is ignored.</summary>
    public ChatOptions Options { get; init; } = new();
}

/// <summary>Texts to an embedding model.</summary>
public sealed record EmbeddingCall : ProviderCall
{
    /// <summary>The texts, at least one.</summary>
    public required IReadOnlyList<string> Texts { get; init; }
}

/// <summary>Where a call hangs in a trace.</summary>
/// <param name="RunId">The parent.</param>
/// <param name="TraceId">Its trace.</param>
/// <param name="DottedOrder">Its order key.</param>
public sealed record RunParent(Guid RunId, Guid TraceId, string DottedOrder);

/// <summary>What a model answered, with its figures.</summary>
/// <param name="RunId">The run that was recorded.</param>
/// <param name="Response">The answer; empty when it failed before anything came.</param>
/// <param name="Usage">Tokens, reported or estimated; null when unknown.</param>
/// <param name="Cost">Cost by the prices in force; null when unknown.</param>
/// <param name="Latency">From sending to the end of the answer.</param>
/// <param name="FirstToken">From sending to the first piece of the answer; null when none came.</param>
/// <param name="Failure">Null when all went well.</param>
public sealed record ModelReply(
    Guid RunId,
    ChatResponse Response,
    TokenUsage? Usage,
    RunCost? Cost,
    TimeSpan Latency,
    TimeSpan? FirstToken,
    ModelCallException? Failure
)
{
    /// <summary>The text of the answer.</summary>
    public string Text => Response.Text;
}

/// <summary>Something that happened in a streamed call: a piece of the answer, or (last) the whole reply.</summary>
/// <param name="Piece">A piece; null in the last one.</param>
/// <param name="Reply">The whole reply; null before.</param>
public sealed record ModelCallEvent(ChatResponseUpdate? Piece, ModelReply? Reply);

/// <summary>What an embedding model answered, with its figures.</summary>
/// <param name="RunId">The run that was recorded.</param>
/// <param name="Vectors">One vector for each text, in their order; empty when it failed.</param>
/// <param name="Usage">Tokens, reported or estimated; null when unknown.</param>
/// <param name="Cost">Cost by the prices in force; null when unknown.</param>
/// <param name="Failure">Null when all went well.</param>
public sealed record EmbeddingReply(
    Guid RunId,
    IReadOnlyList<Embedding<float>> Vectors,
    TokenUsage? Usage,
    RunCost? Cost,
    ModelCallException? Failure
);
