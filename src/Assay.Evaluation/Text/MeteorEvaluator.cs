namespace Assay.Evaluation.Text;

/// <summary>
/// METEOR's exact-word stage (Banerjee and Lavie, "METEOR: an automatic metric for MT evaluation", 2005): the mean
/// 10PR / (R + 9P) less half the cube of chunks over matches. Stems and synonyms, which need word lists of one language, are
/// left out. A word that occurs several times is matched in order, which crosses least.
/// </summary>
public sealed class MeteorEvaluator : TextReferenceEvaluator
{
    /// <inheritdoc/>
    public override string Key => "meteor_exact";

    /// <summary>The score of two texts; two texts without words agree.</summary>
    public static double Meteor(string output, string reference)
    {
        var said = Words(output);
        var expected = Words(reference);
        if (said.Length == 0 || expected.Length == 0)
        {
            return said.Length == expected.Length ? 1 : 0;
        }

        var places = expected
            .Select((word, at) => (word, at))
            .GroupBy(p => p.word, p => p.at, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => new Queue<int>(g), StringComparer.Ordinal);
        var partner = said.Select(word =>
                places.TryGetValue(word, out var free) && free.TryDequeue(out var at) ? at : -1
            )
            .ToArray();
        double matches = partner.Count(p => p >= 0);
        if (matches == 0)
        {
            return 0;
        }

        var chunks = partner
            .Where((p, i) => p >= 0 && (i == 0 || partner[i - 1] < 0 || partner[i - 1] != p - 1))
            .Count();
        var precision = matches / said.Length;
        var recall = matches / expected.Length;
        var mean = 10 * precision * recall / (recall + (9 * precision));
        return mean * (1 - (0.5 * Math.Pow(chunks / matches, 3)));
    }

    /// <inheritdoc/>
    protected override double Compare(string output, string reference) => Meteor(output, reference);

    private static string[] Words(string text) =>
        [.. NGrams.Words(text.ToLowerInvariant()).Where(w => char.IsLetterOrDigit(w[0]))];
}
