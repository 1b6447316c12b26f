namespace Assay.Evaluation.Text;

/// <summary>
/// Jaro-Winkler similarity of two texts (M. A. Jaro 1989; W. E. Winkler 1990 with a prefix of up to four units and p = 0.1),
/// in UTF-16 units. Made for names; quadratic in the length.
/// </summary>
public sealed class JaroWinklerEvaluator : TextReferenceEvaluator
{
    /// <inheritdoc/>
    public override string Key => "jaro_winkler_similarity";

    /// <summary>Similarity from 0 to 1; two empty texts give 1.</summary>
    public static double Similarity(string left, string right)
    {
        var jaro = Jaro(left, right);
        var prefix = left.Zip(right).Take(4).TakeWhile(p => p.First == p.Second).Count();
        return jaro + (prefix * 0.1 * (1 - jaro));
    }

    /// <summary>Jaro's similarity without the prefix.</summary>
    public static double Jaro(string left, string right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        if (left.Length == 0 || right.Length == 0)
        {
            return left.Length == right.Length ? 1 : 0;
        }

        var window = Math.Max(0, (Math.Max(left.Length, right.Length) / 2) - 1);
        var taken = new bool[right.Length];
        var matched = new List<char>();
        for (var i = 0; i < left.Length; i++)
        {
            for (var j = Math.Max(0, i - window); j < Math.Min(right.Length, i + window + 1); j++)
            {
                if (!taken[j] && left[i] == right[j])
                {
                    taken[j] = true;
                    matched.Add(left[i]);
                    break;
                }
            }
        }

        if (matched.Count == 0)
        {
            return 0;
        }

        double m = matched.Count;
        var moved = matched.Zip(right.Where((_, j) => taken[j])).Count(p => p.First != p.Second);
        return ((m / left.Length) + (m / right.Length) + ((m - (moved / 2.0)) / m)) / 3;
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) =>
        Similarity(output, reference);
}
