using Assay.Evaluation;

namespace Assay.Core.Evaluators;

/// <summary>The form of one setting of a built-in evaluator.</summary>
public enum BuiltInFieldKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Yes or no.</summary>
    Flag,

    /// <summary>One of some choices.</summary>
    Choice,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>JSON, kept as its text.</summary>
    Json,

    /// <summary>Id of a model provider of the workspace that has embeddings.</summary>
    EmbeddingProvider,

    /// <summary>Name of an embedding model of that provider.</summary>
    EmbeddingModel,
}

/// <summary>One setting of a built-in evaluator.</summary>
/// <param name="Name">Its name in the settings.</param>
/// <param name="Title">Its name on screen.</param>
/// <param name="Kind">Its form.</param>
/// <param name="Help">What it does.</param>
/// <param name="Choices">What can be chosen; the first is the usual one.</param>
/// <param name="IsRequired">It has to be given.</param>
public sealed record BuiltInField(
    string Name,
    string Title,
    BuiltInFieldKind Kind,
    string? Help = null,
    IReadOnlyList<string>? Choices = null,
    bool IsRequired = false
);

/// <summary>What the library says about a built-in evaluator.</summary>
/// <param name="Id">Its name in the settings (<c>type</c>) and the usual feedback key.</param>
/// <param name="Title">Its name on screen.</param>
/// <param name="About">What it says, in a sentence.</param>
/// <param name="Fields">Its settings.</param>
public record BuiltInType(
    string Id,
    string Title,
    string About,
    IReadOnlyList<BuiltInField> Fields
);

/// <summary>A built-in evaluator, and how it is made of its settings.</summary>
internal sealed record BuiltIn(
    string Id,
    string Title,
    string About,
    IReadOnlyList<BuiltInField> Fields
) : BuiltInType(Id, Title, About, Fields)
{
    /// <summary>Makes it of its settings.</summary>
    public required Func<BuiltInSettings, IEvaluator> Make { get; init; }

    /// <summary>Which of the evaluator's keys is meant, where it has several; null for its first.</summary>
    public Func<BuiltInSettings, string>? KeyOf { get; init; }

    /// <summary>What it looks at beside inputs and outputs.</summary>
    public EvaluatorNeeds Needs { get; init; }
}
