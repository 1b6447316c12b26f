using MathNet.Numerics.Distributions;

namespace Assay.Evaluation.Statistics;

/// <summary>Two-sided tests of paired data. Pure functions; Monte Carlo ones are deterministic for a seed.</summary>
public static class PairedTests
{
    private const int ExactLimit = 20;

    /// <summary>
    /// Sign-flip permutation test of a zero mean difference (R. A. Fisher, "The Design of Experiments", 1935, §21). Exact
    /// up to 20 non-zero differences; beyond, Monte Carlo with (b + 1) / (m + 1) (Phipson and Smyth 2010). No non-zero
    /// difference gives 1.
    /// </summary>
    /// <exception cref="ArgumentException">A difference is not finite.</exception>
    public static double Permutation(
        IReadOnlyList<double> differences,
        int resamples = 9999,
        ulong seed = 1
    )
    {
        Sample.Check(differences, atLeast: 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 99);
        // A zero has no sign to flip: it changes no sum.
        var values = differences.Where(d => d != 0).Select(Math.Abs).ToArray();
        var scale = values.Sum();
        // Sums of the same numbers in another order differ by rounding; they are ties all the same.
        var bar = Math.Abs(differences.Sum()) - (1e-9 * scale);
        return values.Length == 0 ? 1
            : values.Length <= ExactLimit ? Exact(values, scale, bar)
            : MonteCarlo(values, bar, resamples, seed);
    }

    /// <summary>
    /// The limit of <see cref="Permutation"/> for many differences: under sign flips their sum has mean zero and variance Σd², and is
    /// normal by the central limit theorem (E. Lehmann and J. Romano, "Testing Statistical Hypotheses", 2005, §15.2). No non-zero difference gives 1.
    /// </summary>
    /// <exception cref="ArgumentException">A difference is not finite.</exception>
    public static double PermutationLimit(IReadOnlyList<double> differences)
    {
        Sample.Check(differences, atLeast: 0);
        var squares = differences.Sum(d => d * d);
        return squares == 0
            ? 1
            : Math.Min(1, 2 * Normal.CDF(0, 1, -Math.Abs(differences.Sum()) / Math.Sqrt(squares)));
    }

    /// <summary>
    /// McNemar's exact test on the two counts of discordant pairs (Q. McNemar, Psychometrika 12, 1947): binomial with one
    /// half, doubled, at most 1.
    /// </summary>
    public static double McNemarExact(int onlyFirst, int onlySecond)
    {
        var n = CheckDiscordant(onlyFirst, onlySecond);
        return n == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, n, Math.Min(onlyFirst, onlySecond)));
    }

    /// <summary>
    /// McNemar's mid-p test (Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91, 2013): the exact value
    /// less the probability of what was observed. Less conservative, close to the nominal level.
    /// </summary>
    public static double McNemarMidP(int onlyFirst, int onlySecond)
    {
        var n = CheckDiscordant(onlyFirst, onlySecond);
        var smaller = Math.Min(onlyFirst, onlySecond);
        // With equal counts the doubled tail counts the centre twice; minus its probability that is exactly 1.
        return n == 0 ? 1 : (2 * Binomial.CDF(0.5, n, smaller)) - Binomial.PMF(0.5, n, smaller);
    }

    /// <summary>The exact sign test: two-sided binomial with one half over the pairs that differ (J. Arbuthnott 1710; Conover 1999, §3.4).</summary>
    public static double Sign(int wins, int losses) => McNemarExact(wins, losses);

    private static int CheckDiscordant(int onlyFirst, int onlySecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(onlyFirst);
        ArgumentOutOfRangeException.ThrowIfNegative(onlySecond);
        return checked(onlyFirst + onlySecond);
    }

    private static double Exact(double[] values, double scale, double bar)
    {
        var count = 0;
        var total = 1 << values.Length;
        for (var signs = 0; signs < total; signs++)
        {
            var sum = scale;
            for (var i = 0; i < values.Length; i++)
            {
                sum -= ((signs >> i) & 1) * 2 * values[i];
            }

            count += Math.Abs(sum) >= bar ? 1 : 0;
        }

        return (double)count / total;
    }

    private static double MonteCarlo(double[] values, double bar, int resamples, ulong seed)
    {
        var random = new SeededRandom(seed);
        var count = 0;
        for (var b = 0; b < resamples; b++)
        {
            var sum = 0.0;
            var bits = 0UL;
            for (var i = 0; i < values.Length; i++)
            {
                bits = i % 64 == 0 ? random.Next() : bits >> 1;
                sum += (bits & 1) == 0 ? values[i] : -values[i];
            }

            count += Math.Abs(sum) >= bar ? 1 : 0;
        }

        return (count + 1.0) / (resamples + 1);
    }
}
