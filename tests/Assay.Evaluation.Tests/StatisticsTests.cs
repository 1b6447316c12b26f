using Assay.Evaluation.Statistics;

namespace Assay.Evaluation.Tests;

/// <summary>Against published examples and closed forms.</summary>
public sealed class StatisticsTests
{
    [Fact]
    public void Students_interval_of_Darwins_maize_is_the_one_Fisher_gives()
    {
        // Fisher, Design of Experiments §16: mean 20.93 eighths, t = 2.148 on 14 degrees, standard error 9.746.
        double[] eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
        var interval = Intervals.StudentT(eighths);
        Assert.Equal(20.933, interval.Estimate, 3);
        // t(0.975; 14) = 2.1448.
        Assert.Equal(2.1448 * 9.746, interval.Upper - interval.Estimate, 0.01);
        Assert.Equal(interval.Estimate - interval.Lower, interval.Upper - interval.Estimate, 10);
    }

    [Theory]
    [InlineData(1, 0.975, 12.7062)]
    [InlineData(4, 0.975, 2.7764)]
    [InlineData(10, 0.95, 1.8125)]
    [InlineData(30, 0.995, 2.7500)]
    public void Quantiles_of_t_are_those_of_the_tables(
        int degrees,
        double probability,
        double value
    ) => Assert.Equal(value, Intervals.TQuantile(degrees, probability), 4);

    [Fact]
    public void The_bootstrap_interval_of_a_symmetric_sample_is_near_the_normal_one()
    {
        double[] values = [.. Enumerable.Range(0, 101).Select(i => (i - 50) / 10.0)];
        var interval = Bootstrap.Bca(values);
        var half = 1.96 * Math.Sqrt(Sample.Variance(values) / values.Length);
        Assert.Equal(-half, interval.Lower, 0.03);
        Assert.Equal(half, interval.Upper, 0.03);
        Assert.Equal(interval, Bootstrap.Bca(values));
    }

    [Fact]
    public void The_bootstrap_interval_of_a_skewed_sample_leans_to_the_long_side()
    {
        double[] values = [.. Enumerable.Range(1, 60).Select(i => Math.Exp(i / 12.0))];
        var interval = Bootstrap.Bca(values);
        Assert.True(
            interval.Upper - interval.Estimate > interval.Estimate - interval.Lower,
            interval.ToString()
        );
    }

    [Fact]
    public void The_Monte_Carlo_permutation_test_agrees_with_the_normal_approximation()
    {
        // 64 differences of one half with 40 up and 24 down: z = 16 / 8 = 2, two-sided 0.0455; the tie counts make it a little larger.
        double[] differences = [.. Enumerable.Repeat(0.5, 40), .. Enumerable.Repeat(-0.5, 24)];
        Assert.InRange(PairedTests.Permutation(differences, 99_999), 0.045, 0.072);
        Assert.Equal(PairedTests.Sign(40, 24), PairedTests.Permutation(differences, 99_999), 0.004);
    }

    [Fact]
    public void Cohens_kappa_gives_the_textbook_tables()
    {
        Assert.Equal(0.4, Kappa(20, 5, 10, 15)!.Estimate, 4);
        Assert.Equal(0.1304, Kappa(45, 15, 25, 15)!.Estimate, 4);
        Assert.Equal(0.2593, Kappa(25, 35, 5, 35)!.Estimate, 4);
        Assert.Null(Kappa(10, 0, 0, 0));
    }

    [Fact]
    public void Fleiss_kappa_gives_the_example_of_fourteen_raters()
    {
        int[][] counts =
        [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ];
        Assert.Equal(0.210, Agreement.FleissKappa(counts)!.Value, 3);
    }

    [Theory]
    [InlineData(Scale.Nominal, 0.743)]
    [InlineData(Scale.Ordinal, 0.815)]
    [InlineData(Scale.Interval, 0.849)]
    public void Krippendorffs_alpha_gives_his_example_of_four_observers(Scale scale, double alpha)
    {
        double[][] units =
        [
            [1, 1, 1],
            [2, 2, 3, 2],
            [3, 3, 3, 3],
            [3, 3, 3, 3],
            [2, 2, 2, 2],
            [1, 2, 3, 4],
            [4, 4, 4, 4],
            [1, 1, 2, 1],
            [2, 2, 2, 2],
            [5, 5, 5],
            [1, 1],
            [3],
        ];
        Assert.Equal(alpha, Agreement.KrippendorffsAlpha(units, scale)!.Value, 3);
    }

    [Fact]
    public void Rank_correlations_give_hand_computed_values()
    {
        (double, double)[] pairs =
        [
            (106, 7),
            (86, 0),
            (100, 27),
            (101, 50),
            (99, 28),
            (103, 29),
            (97, 20),
            (113, 12),
            (112, 6),
            (110, 17),
        ];
        Assert.Equal(-29.0 / 165, Correlation.Spearman(pairs)!.Value, 10);
        Assert.Equal(1, Correlation.KendallTauB([(1, 2), (2, 4), (3, 9)])!.Value, 10);
        // One of three pairs tied on the right: (2 - 0) / sqrt(3 · 2).
        Assert.Equal(
            2 / Math.Sqrt(6),
            Correlation.KendallTauB([(1, 1), (2, 1), (3, 2)])!.Value,
            10
        );
        Assert.Null(Correlation.Pearson([(1, 1), (1, 2)]));
    }

    [Fact]
    public void The_minimum_detectable_difference_is_the_sum_of_two_quantiles()
    {
        // 31 pairs: t(0.975; 30) = 2.0423, t(0.8; 30) = 0.8538.
        var difference = Power.MinimumDetectableDifference(1, 31);
        Assert.Equal((2.0423 + 0.8538) / Math.Sqrt(31), difference, 3);
        Assert.Equal(31, Power.PairsNeeded(1, difference));
        Assert.Null(Power.PairsNeeded(1, 1e-9));
    }

    [Fact]
    public void Variance_between_repetitions_and_between_examples_are_told_apart()
    {
        // Groups (1, 3) and (5, 7): within 2, between mean square 16, so examples 7 and ICC 7 / 9.
        var split = Repetitions.Of([
            [1, 3],
            [5, 7],
        ]);
        Assert.Equal(Math.Sqrt(2), split.WithinDeviation!.Value, 10);
        Assert.Equal(Math.Sqrt(7), split.BetweenDeviation!.Value, 10);
        Assert.Equal(7.0 / 9, split.IntraclassCorrelation!.Value, 10);
        Assert.Null(
            Repetitions
                .Of([
                    [1],
                    [5],
                ])
                .WithinDeviation
        );
    }

    [Fact]
    public void Effect_sizes_follow_their_definitions()
    {
        // Differences 1, 2, 3: d = 2, two degrees of freedom, correction 1 - 3 / 7.
        Assert.Equal(2 * (1 - (3.0 / 7)), EffectSizes.HedgesPaired([1, 2, 3])!.Value, 10);
        Assert.Null(EffectSizes.HedgesPaired([1, 1, 1]));
        Assert.Equal(-1, EffectSizes.CliffsDelta([1, 2], [3, 4]), 10);
        Assert.Equal(0.25, EffectSizes.CliffsDelta([1, 3], [2, 1]), 10);
    }

    [Fact]
    public void A_clear_improvement_is_better_and_five_pairs_are_too_few()
    {
        var pairs = Enumerable
            .Range(0, 12)
            .Select(i => (0.4 + (i / 100.0), 0.6 + (i / 90.0)))
            .ToList();
        var comparison = PairedComparison.Of(pairs);
        Assert.Equal(Verdict.Better, comparison.Verdict);
        Assert.Equal((12, 0, 0), (comparison.Wins, comparison.Ties, comparison.Losses));
        Assert.Equal(Verdict.Worse, PairedComparison.Of(pairs, higherIsBetter: false).Verdict);
        Assert.Equal(Verdict.TooFew, PairedComparison.Of(pairs[..5]).Verdict);
        Assert.Equal(0, PairedComparison.Of([]).N);
    }

    [Fact]
    public void No_difference_is_no_evidence_with_what_could_have_been_found()
    {
        var pairs = Enumerable
            .Range(0, 40)
            .Select(i => (i % 3 == 0 ? 1.0 : 0, i % 3 == 1 ? 1.0 : 0))
            .ToList();
        var comparison = PairedComparison.Of(pairs);
        Assert.Equal(Verdict.NoEvidence, comparison.Verdict);
        Assert.Equal("McNemar mid-p", comparison.Test);
        Assert.InRange(comparison.MinimumDetectableDifference!.Value, 0.3, 0.45);
    }

    [Fact]
    public void Several_metrics_are_corrected_for_their_number()
    {
        // Six ups and no down: mid-p 0.0156. Among ten metrics of which nine show nothing, that is no evidence.
        var one = PairedComparison.Of([.. Enumerable.Repeat((0.0, 1.0), 6)]);
        var nothing = PairedComparison.Of([
            .. Enumerable.Repeat((0.0, 1.0), 4),
            .. Enumerable.Repeat((1.0, 0.0), 4),
        ]);
        Assert.Equal(Verdict.Better, one.Verdict);
        var together = PairedComparison.Together([one, .. Enumerable.Repeat(nothing, 9)]);
        Assert.Equal(Verdict.NoEvidence, together[0].Verdict);
        Assert.Equal(0.15625, together[0].AdjustedPValue!.Value, 5);
    }

    [Fact]
    public void Nothing_but_finite_numbers_is_taken()
    {
        Assert.Throws<ArgumentException>(() => Bootstrap.Bca([1, double.NaN]));
        Assert.Throws<ArgumentException>(() => PairedComparison.Of([(1, double.PositiveInfinity)]));
        Assert.Throws<ArgumentException>(() => Intervals.StudentT([1]));
    }

    private static Interval? Kappa(int bothYes, int yesNo, int noYes, int bothNo) =>
        Agreement.CohensKappa([
            .. Enumerable.Repeat(("yes", "yes"), bothYes),
            .. Enumerable.Repeat(("yes", "no"), yesNo),
            .. Enumerable.Repeat(("no", "yes"), noYes),
            .. Enumerable.Repeat(("no", "no"), bothNo),
        ]);
}
