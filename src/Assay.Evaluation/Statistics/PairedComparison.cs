namespace Assay.Evaluation.Statistics;

/// <summary>What a comparison of two experiments on the same examples allows to say.</summary>
public enum Verdict
{
    /// <summary>Too few pairs to say anything.</summary>
    TooFew,

    /// <summary>The data are compatible with no difference. That is not evidence of equality: see the minimum detectable difference.</summary>
    NoEvidence,

    /// <summary>The candidate is better.</summary>
    Better,

    /// <summary>The candidate is worse.</summary>
    Worse,
}

/// <summary>
/// A candidate against a baseline under one metric, example by example. The interval and the test look at the same
/// differences; the verdict follows the test alone, so that a correction for several metrics can be applied to it.
/// </summary>
public sealed record PairedComparison
{
    /// <summary>Below this many pairs there is no verdict: an exact sign-flip test of five pairs cannot reach 0.05.</summary>
    public const int FewestPairs = 6;

    /// <summary>Below this many pairs the bootstrap covers too rarely and Student's t is used.</summary>
    public const int FewestForBootstrap = 20;

    /// <summary>From this many pairs on the sums are normal enough: Student's t and the normal limit of the sign-flip test say the same as resampling, at once.</summary>
    public const int FewestForNormal = 500;

    /// <summary>Examples scored in both.</summary>
    public required int N { get; init; }

    /// <summary>Mean of the baseline over these examples; null without any.</summary>
    public double? BaselineMean { get; init; }

    /// <summary>Mean of the candidate over these examples.</summary>
    public double? CandidateMean { get; init; }

    /// <summary>Candidate minus baseline with its interval; null below two pairs.</summary>
    public Interval? Difference { get; init; }

    /// <summary>Two-sided p-value; null below two pairs.</summary>
    public double? PValue { get; init; }

    /// <summary>Which test gave it.</summary>
    public string? Test { get; init; }

    /// <summary>Examples where the candidate is better.</summary>
    public int Wins { get; init; }

    /// <summary>Examples without a difference.</summary>
    public int Ties { get; init; }

    /// <summary>Examples where the candidate is worse.</summary>
    public int Losses { get; init; }

    /// <summary>Hedges' g of the paired differences; null when they do not vary or are too few.</summary>
    public double? EffectSize { get; init; }

    /// <summary>The difference this many pairs would find with a chance of 80 %; null when the differences do not vary.</summary>
    public double? MinimumDetectableDifference { get; init; }

    /// <summary>Larger values are better.</summary>
    public bool HigherIsBetter { get; init; } = true;

    /// <summary>The level the verdict was given at.</summary>
    public double Significance { get; init; } = 0.05;

    /// <summary>What may be said.</summary>
    public Verdict Verdict => VerdictAt(PValue);

    /// <summary>The verdict for a p-value that was corrected for several metrics.</summary>
    public Verdict VerdictAt(double? adjustedPValue)
    {
        if (N < FewestPairs || adjustedPValue is not { } p || Difference is null)
        {
            return Verdict.TooFew;
        }

        return p > Significance || Difference.Estimate == 0 ? Verdict.NoEvidence
            : Difference.Estimate > 0 == HigherIsBetter ? Verdict.Better
            : Verdict.Worse;
    }

    /// <summary>
    /// Compares pairs (one per example; average repetitions of an example first, they are not independent). Zero-one data
    /// use McNemar's mid-p test, other data the sign-flip permutation test. The interval is BCa from twenty pairs on, else
    /// Student's t; from <see cref="FewestForNormal"/> pairs on both take their normal limits. Deterministic for a seed.
    /// </summary>
    /// <exception cref="ArgumentException">A value is not finite.</exception>
    public static PairedComparison Of(
        IReadOnlyList<(double Baseline, double Candidate)> pairs,
        bool higherIsBetter = true,
        double confidence = 0.95,
        ulong seed = 1
    )
    {
        ArgumentNullException.ThrowIfNull(pairs);
        Sample.CheckConfidence(confidence);
        var differences = pairs.Select(p => p.Candidate - p.Baseline).ToArray();
        Sample.Check(differences, atLeast: 0);
        var up = differences.Count(d => d > 0);
        var down = differences.Count(d => d < 0);
        var result = new PairedComparison
        {
            N = pairs.Count,
            BaselineMean = pairs.Count == 0 ? null : pairs.Average(p => p.Baseline),
            CandidateMean = pairs.Count == 0 ? null : pairs.Average(p => p.Candidate),
            Wins = higherIsBetter ? up : down,
            Losses = higherIsBetter ? down : up,
            Ties = differences.Length - up - down,
            HigherIsBetter = higherIsBetter,
            Significance = 1 - confidence,
        };
        if (differences.Length < 2)
        {
            return result;
        }

        var isBinary = pairs.All(p => p is { Baseline: 0 or 1, Candidate: 0 or 1 });
        var deviation = Math.Sqrt(Sample.Variance(differences));
        return result with
        {
            Difference = differences.Length is >= FewestForBootstrap and < FewestForNormal
                ? Bootstrap.Bca(differences, confidence, seed: seed)
                : Intervals.StudentT(differences, confidence),
            PValue =
                isBinary ? PairedTests.McNemarMidP(up, down)
                : differences.Length < FewestForNormal
                    ? PairedTests.Permutation(differences, seed: seed)
                : PairedTests.PermutationLimit(differences),
            Test =
                isBinary ? "McNemar mid-p"
                : differences.Length < FewestForNormal ? "sign-flip permutation"
                : "sign-flip permutation, normal limit",
            EffectSize = EffectSizes.HedgesPaired(differences),
            MinimumDetectableDifference =
                deviation > 0
                    ? Power.MinimumDetectableDifference(
                        deviation,
                        differences.Length,
                        1 - confidence
                    )
                    : null,
        };
    }

    /// <summary>Verdicts of several metrics of one comparison, corrected for their number (Benjamini and Hochberg).</summary>
    public static IReadOnlyList<(double? AdjustedPValue, Verdict Verdict)> Together(
        IReadOnlyList<PairedComparison> comparisons
    )
    {
        ArgumentNullException.ThrowIfNull(comparisons);
        var tested = comparisons.Where(c => c.PValue is not null).ToList();
        var adjusted = MultipleTesting.BenjaminiHochberg([.. tested.Select(c => c.PValue ?? 1)]);
        return
        [
            .. comparisons.Select(c =>
            {
                double? p = c.PValue is null ? null : adjusted[tested.IndexOf(c)];
                return (p, c.VerdictAt(p));
            }),
        ];
    }
}
