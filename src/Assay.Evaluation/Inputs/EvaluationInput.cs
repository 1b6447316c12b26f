using System.Text.Json;

namespace Assay.Evaluation;

/// <summary>
/// Everything an evaluator may look at: what was asked, what came back, what was expected, and the facts of the run.
/// All parts are optional; an evaluator that misses one says so in its score.
/// </summary>
/// <remarks>The elements must outlive the evaluation: clone them when their document is disposed earlier.</remarks>
public sealed record EvaluationInput
{
    /// <summary>The inputs of the run or example.</summary>
    public JsonElement? Inputs { get; init; }

    /// <summary>What the application produced.</summary>
    public JsonElement? Outputs { get; init; }

    /// <summary>What the example says the answer should be.</summary>
    public JsonElement? ReferenceOutputs { get; init; }

    /// <summary>What another application produced for the same inputs; pairwise evaluators compare <see cref="Outputs"/> with it.</summary>
    public JsonElement? OtherOutputs { get; init; }

    /// <summary>The run that is judged, when it is known by an id; evaluators note it, nothing depends on it.</summary>
    public Guid? RunId { get; init; }

    /// <summary>The example the run answered, when it is known by an id; evaluators note it, nothing depends on it.</summary>
    public Guid? ExampleId { get; init; }

    /// <summary>Latency, cost, tokens and error of the run.</summary>
    public RunFacts Facts { get; init; } = RunFacts.None;

    /// <summary>The tool calls of the run in the order they were made; null when not recorded.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>The tool calls expected; null when the example names none.</summary>
    public IReadOnlyList<ToolCall>? ReferenceToolCalls { get; init; }

    /// <summary>What the retriever returned, best first; null when not recorded.</summary>
    public IReadOnlyList<RetrievedDocument>? Documents { get; init; }

    /// <summary>The documents that should be found; null when the example names none.</summary>
    public IReadOnlyList<RelevantDocument>? RelevantDocuments { get; init; }

    /// <summary>An input made of plain texts, for tests and notebooks.</summary>
    public static EvaluationInput OfText(
        string? output,
        string? reference = null,
        string? input = null
    ) =>
        new()
        {
            Inputs = Element(input),
            Outputs = Element(output),
            ReferenceOutputs = Element(reference),
        };

    /// <summary>An input made of JSON texts, for tests and notebooks.</summary>
    /// <exception cref="JsonException">One of the texts is not JSON.</exception>
    public static EvaluationInput OfJson(
        string? outputs,
        string? referenceOutputs = null,
        string? inputs = null
    ) =>
        new()
        {
            Inputs = Parsed(inputs),
            Outputs = Parsed(outputs),
            ReferenceOutputs = Parsed(referenceOutputs),
        };

    private static JsonElement? Element(string? text) =>
        text is null ? null : JsonSerializer.SerializeToElement(text);

    private static JsonElement? Parsed(string? json) =>
        json is null ? null : JsonElement.Parse(json);
}
