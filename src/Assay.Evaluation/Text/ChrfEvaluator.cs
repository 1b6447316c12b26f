namespace Assay.Evaluation.Text;

/// <summary>
/// chrF, with β = 2 unless another is given: precision and recall of runs of 1 to 6 characters, white space left out, averaged over the orders that
/// both texts have (M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015). From 0 to 1.
/// </summary>
public sealed class ChrfEvaluator : TextReferenceEvaluator
{
    private const int MaxOrder = 6;
    private const double UsualBeta = 2;

    /// <inheritdoc/>
    public override string Key => "chrf";

    /// <summary>How many times as much recall counts as precision. Two is what SacreBLEU reports as chrF2; the paper also looks at 1 and 3.</summary>
    public double Beta { get; init; } = UsualBeta;

    /// <summary>chrF of two texts; two texts without characters agree.</summary>
    public static double Chrf(string output, string reference, double beta = UsualBeta)
    {
        var said = Characters(output);
        var expected = Characters(reference);
        var orders = Math.Min(MaxOrder, Math.Min(said.Length, expected.Length));
        if (orders == 0)
        {
            return said.Length == expected.Length ? 1 : 0;
        }

        var (precision, recall) = (0.0, 0.0);
        for (var n = 1; n <= orders; n++)
        {
            double common = NGrams.Common(NGrams.Count(said, n), NGrams.Count(expected, n));
            precision += common / (said.Length - n + 1) / orders;
            recall += common / (expected.Length - n + 1) / orders;
        }

        return precision + recall == 0
            ? 0
            : (1 + (beta * beta)) * precision * recall / ((beta * beta * precision) + recall);
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) =>
        Chrf(output, reference, Beta);

    private static string[] Characters(string text) =>
        [
            .. text.EnumerateRunes()
                .Where(r => !System.Text.Rune.IsWhiteSpace(r))
                .Select(r => r.ToString()),
        ];
}
