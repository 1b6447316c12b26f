using Assay.Core.Traces;

namespace Assay.Core.Experiments;

/// <summary>The figures of every root run that an experiment made of an example, without payloads: what statistics need, in one narrow read.</summary>
/// <param name="Keys">Feedback keys with a score on any of the runs, sorted.</param>
/// <param name="Runs">The runs, oldest first.</param>
public sealed record ExperimentFigures(
    IReadOnlyList<string> Keys,
    IReadOnlyList<ExperimentRunFigures> Runs
)
{
    /// <summary>Feedback keys with a label on any of the runs, sorted; one may have scores too.</summary>
    public IReadOnlyList<string> LabelKeys { get; init; } = [];

    /// <summary>Feedback keys that both people and evaluators gave scores under: their means are of two kinds of judgement.</summary>
    public IReadOnlySet<string> MixedKeys { get; init; } = new HashSet<string>();
}

/// <summary>One run of an experiment in figures.</summary>
/// <param name="RunId">The run.</param>
/// <param name="ExampleId">The example it was made of.</param>
/// <param name="Status">Its state.</param>
/// <param name="StartTime">When it began, UTC.</param>
/// <param name="Latency">Seconds; null while pending.</param>
/// <param name="Tokens">Tokens of it and its descendants.</param>
/// <param name="Cost">US dollars of it and its descendants.</param>
/// <param name="Scores">By <see cref="ExperimentFigures.Keys"/>: the mean of its scores under the key, NaN for none. Feedback of comparative experiments does not count.</param>
public sealed record ExperimentRunFigures(
    Guid RunId,
    Guid ExampleId,
    RunStatus Status,
    DateTimeOffset StartTime,
    double? Latency,
    long Tokens,
    decimal Cost,
    double[] Scores
)
{
    /// <summary>By <see cref="ExperimentFigures.LabelKeys"/>: its label under the key, null for none; empty when it has none at all. Of several the newest counts.</summary>
    public IReadOnlyList<string?> Labels { get; init; } = [];
}
