namespace Assay.Evaluation.Text;

/// <summary>Which ROUGE.</summary>
public enum RougeKind
{
    /// <summary>Single words.</summary>
    One,

    /// <summary>Runs of two words.</summary>
    Two,

    /// <summary>The longest common subsequence of words.</summary>
    L,
}

/// <summary>
/// ROUGE-1, ROUGE-2 or ROUGE-L as F1 (C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries", 2004, with β = 1),
/// over lower-case words without punctuation, no stemming. Against several references the best counts.
/// </summary>
public sealed class RougeEvaluator(RougeKind kind) : TextReferenceEvaluator
{
    /// <inheritdoc/>
    public override string Key { get; } =
        kind switch
        {
            RougeKind.One => "rouge_1",
            RougeKind.Two => "rouge_2",
            RougeKind.L => "rouge_l",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown ROUGE."),
        };

    /// <summary>The F1 of two texts; two texts without words agree.</summary>
    public static double F1(RougeKind kind, string output, string reference)
    {
        var said = Words(output);
        var expected = Words(reference);
        if (kind == RougeKind.L)
        {
            return Harmonic(LongestCommon(said, expected), said.Length, expected.Length);
        }

        var n = kind == RougeKind.One ? 1 : 2;
        return Harmonic(
            NGrams.Common(NGrams.Count(said, n), NGrams.Count(expected, n)),
            Math.Max(0, said.Length - n + 1),
            Math.Max(0, expected.Length - n + 1)
        );
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) =>
        F1(kind, output, reference);

    private static string[] Words(string text) =>
        [.. NGrams.Words(text.ToLowerInvariant()).Where(w => char.IsLetterOrDigit(w[0]))];

    private static double Harmonic(int common, int said, int expected) =>
        said + expected == 0 ? 1 : 2.0 * common / (said + expected);

    private static int LongestCommon(string[] left, string[] right)
    {
        var row = new int[right.Length + 1];
        foreach (var word in left)
        {
            var diagonal = 0;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = word == right[j - 1] ? diagonal + 1 : Math.Max(above, row[j - 1]);
                diagonal = above;
            }
        }

        return row[^1];
    }
}
