namespace Assay.Evaluation.Text;

/// <summary>1 when the answer is one of the references, else 0; optionally after normalizing both.</summary>
public sealed class ExactMatchEvaluator : TextReferenceEvaluator
{
    /// <summary>Passes at 1.</summary>
    public ExactMatchEvaluator() => PassAt = 1;

    /// <summary>Compare after <see cref="TextNormalizer.Normalize"/>; otherwise code unit by code unit.</summary>
    public bool Normalize { get; init; }

    /// <inheritdoc/>
    public override string Key => Normalize ? "normalized_match" : "exact_match";

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) =>
        string.Equals(
            Normalize ? TextNormalizer.Normalize(output) : output,
            Normalize ? TextNormalizer.Normalize(reference) : reference,
            StringComparison.Ordinal
        )
            ? 1
            : 0;
}
