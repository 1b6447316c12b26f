namespace Assay.Evaluation.Text;

/// <summary>
/// Harmonic mean of precision and recall over the bag of normalized words, the F1 of SQuAD (Rajpurkar et al., 2016).
/// Two texts without words agree (1); one without words does not (0).
/// </summary>
public sealed class TokenF1Evaluator : TextReferenceEvaluator
{
    /// <inheritdoc/>
    public override string Key => "token_f1";

    /// <summary>The F1 of two texts.</summary>
    public static double F1(string output, string reference)
    {
        var said = TextNormalizer.Tokens(output);
        var expected = TextNormalizer.Tokens(reference);
        if (said.Count == 0 || expected.Count == 0)
        {
            return said.Count == expected.Count ? 1 : 0;
        }

        var left = expected.CountBy(w => w).ToDictionary(StringComparer.Ordinal);
        var common = said.CountBy(w => w)
            .Sum(w => Math.Min(w.Value, left.GetValueOrDefault(w.Key)));
        return 2.0 * common / (said.Count + expected.Count);
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) => F1(output, reference);
}
