using System.Globalization;
using Assay.Evaluation.Rag;
using Assay.Evaluation.Statistics;
using Assay.Evaluation.Text;
using MathNet.Numerics.Distributions;

namespace Assay.Evaluation.Tests;

public sealed class PublishedValuesTests
{
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0, 0.1611)]
    public void Wilson_gives_the_intervals_of_Newcombe_1998(int x, int n, double low, double high)
    {
        var interval = Intervals.Wilson(x, n);
        Assert.Equal(low, interval.Lower, 4);
        Assert.Equal(high, interval.Upper, 4);
    }

    [Fact]
    public void The_permutation_test_gives_Fishers_count_on_Darwins_maize()
    {
        double[] eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
        Assert.Equal(2 * 863 / 32768.0, PairedTests.Permutation(eighths), 12);
    }

    [Fact]
    public void McNemar_gives_the_airway_example_of_Fagerland_2013()
    {
        Assert.Equal(0.0703, PairedTests.McNemarExact(1, 7), 4);
        Assert.Equal(0.0391, PairedTests.McNemarMidP(1, 7), 4);
    }

    [Fact]
    public void Pass_at_k_and_false_discovery_follow_hand_computation()
    {
        Assert.Equal(1 - (6.0 / 10), PassAtK.Estimate(5, 1, 2), 12);
        var adjusted = MultipleTesting.BenjaminiHochberg([0.04, 0.01, 0.03]);
        Assert.Equal(0.04, adjusted[0], 12);
        Assert.Equal(0.03, adjusted[1], 12);
        Assert.Equal(0.04, adjusted[2], 12);
    }

    [Fact]
    public void The_paired_interval_of_Students_sleep_data_is_the_one_R_prints()
    {
        // R: t.test(extra ~ group, data = sleep, paired = TRUE), Student 1908.
        double[] differences = [-1.2, -2.4, -1.3, -1.3, 0, -1.0, -1.8, -0.8, -4.6, -1.4];
        var interval = Intervals.StudentT(differences);
        Assert.Equal(-1.58, interval.Estimate, 10);
        Assert.Equal(-2.4598858, interval.Lower, 6);
        Assert.Equal(-0.7001142, interval.Upper, 6);
    }

    [Fact]
    public void False_discovery_is_controlled_as_SciPy_documents_it()
    {
        // SciPy: stats.false_discovery_control(ps), the p-values of Benjamini and Hochberg 1995.
        double[] raw =
        [
            0.0001,
            0.0004,
            0.0019,
            0.0095,
            0.0201,
            0.0278,
            0.0298,
            0.0344,
            0.0459,
            0.3240,
            0.4262,
            0.5719,
            0.6528,
            0.7590,
            1.000,
        ];
        double[] adjusted =
        [
            0.0015,
            0.003,
            0.0095,
            0.035625,
            0.0603,
            0.06385714,
            0.06385714,
            0.0645,
            0.0765,
            0.486,
            0.58118182,
            0.714875,
            0.75323077,
            0.81321429,
            1,
        ];
        var found = MultipleTesting.BenjaminiHochberg(raw);
        for (var i = 0; i < raw.Length; i++)
        {
            Assert.Equal(adjusted[i], found[i], 8);
        }
    }

    [Fact]
    public void Rank_correlations_are_those_SciPy_documents()
    {
        Assert.Equal(
            0.82078268166812329,
            Correlation.Spearman([(1, 5), (2, 6), (3, 7), (4, 8), (5, 7)])!.Value,
            12
        );
        Assert.Equal(
            -0.47140452079103173,
            Correlation.KendallTauB([(12, 1), (2, 4), (1, 7), (12, 1), (2, 0)])!.Value,
            12
        );
    }

    [Theory]
    [InlineData(
        "It is a guide to action which ensures that the military always obeys the commands of the party",
        0.6349
    )]
    [InlineData(
        "It is to insure the troops forever hearing the activity guidebook that party direct",
        0.3330
    )]
    public void ChrF3_is_that_of_the_NLTK_documentation(string said, double printed) =>
        // nltk.translate.chrf_score.sentence_chrf, beta = 3; the documents print four digits and leave the others out.
        Assert.InRange(
            ChrfEvaluator.Chrf(
                said,
                "It is a guide to action that ensures that the military will forever heed Party commands",
                beta: 3
            ),
            printed,
            printed + 0.0001
        );

    [Theory]
    [InlineData(new[] { 0.1, 0.2, 0.3, 4, 70 }, 5, 0.6956940)]
    [InlineData(new[] { 0.05, 1.1, 1.0, 0.5, 0.0 }, 5, 0.4936802)]
    [InlineData(new[] { 0.05, 1.1, 1.0, 0.5, 0.0 }, 4, 0.3520241)]
    public void Ndcg_is_that_of_the_scikit_learn_documentation(
        double[] scores,
        int k,
        double expected
    )
    {
        // sklearn.metrics.ndcg_score; the documents' gains are 10, 0, 0, 1 and 5, what is found is ordered by the scores.
        double[] gains = [10, 0, 0, 1, 5];
        Assert.Equal(
            expected,
            Retrieved(
                k,
                [.. Enumerable.Range(0, 5).OrderByDescending(i => scores[i])],
                [.. gains.Select((gain, id) => (id, gain)).Where(d => d.gain > 0)],
                "ndcg"
            ),
            6
        );
    }

    [Fact]
    public void Ndcg_is_that_of_the_example_in_Wikipedia() =>
        // Gains 3, 2, 3, 0, 1, 2 in the order found; documents of gain 3 and 2 are missing from the result.
        Assert.Equal(
            0.785,
            Retrieved(
                6,
                [0, 1, 2, 3, 4, 5],
                [(0, 3), (1, 2), (2, 3), (4, 1), (5, 2), (6, 3), (7, 2)],
                "ndcg"
            ),
            3
        );

    [Fact]
    public void The_mean_reciprocal_rank_is_that_of_the_example_in_Wikipedia()
    {
        // Plurals of cat, torus and virus: the right one stands third, second and first.
        double[] ranks =
        [
            .. new[] { 2, 1, 0 }.Select(at => Retrieved(3, [0, 1, 2], [(at, 1)], "mrr")),
        ];
        Assert.Equal(11.0 / 18, ranks.Average(), 12);
    }

    [Fact]
    public void The_mean_average_precision_is_that_of_the_lecture_after_Manning_2008()
    {
        // Stanford CS276, "Evaluation": ten documents each; relevant at 1, 3, 6, 9, 10, and at 2, 5, 7.
        int[] all = [.. Enumerable.Range(1, 10)];
        var first = Retrieved(10, all, [(1, 1), (3, 1), (6, 1), (9, 1), (10, 1)], "map");
        var second = Retrieved(10, all, [(2, 1), (5, 1), (7, 1)], "map");
        Assert.Equal(0.62, first, 2);
        Assert.Equal(0.44, second, 2);
        Assert.Equal(0.53, (first + second) / 2, 2);
    }

    [Theory]
    [InlineData("The cat sat", "a cat sat down", 0.8)]
    [InlineData("Denver Broncos!", "the Denver Broncos", 1)]
    [InlineData("Santa Clara, California", "Levi's Stadium", 0)]
    public void Token_F1_counts_as_the_script_of_SQuAD_counts(
        string said,
        string expected,
        double f1
    ) =>
        // Case, punctuation and the articles are left out before words are counted: evaluate-v1.1 of Rajpurkar et al. 2016.
        Assert.Equal(f1, TokenF1Evaluator.F1(said, expected), 12);

    [Fact]
    public void The_share_of_the_examples_is_the_ICC_of_Shrout_and_Fleiss_1979() =>
        // Table 2: six targets, four judges; ICC(1,1) = .17.
        Assert.Equal(
            0.17,
            Repetitions
                .Of([
                    [9, 2, 5, 8],
                    [6, 1, 3, 2],
                    [8, 4, 6, 8],
                    [7, 1, 2, 6],
                    [10, 5, 6, 9],
                    [6, 2, 4, 7],
                ])
                .IntraclassCorrelation!.Value,
            2
        );

    [Fact]
    public void The_multiplier_of_the_minimum_detectable_effect_is_Blooms_280() =>
        // Bloom 1995, table 1: two-sided, five per cent, power of eighty per cent, many degrees of freedom.
        Assert.Equal(2.80, Power.MinimumDetectableDifference(100, 10_000), 2);

    [Fact]
    public void The_acceleration_of_the_air_conditioning_data_is_that_of_Davison_and_Hinkley_1997() =>
        // Example 5.8: a = 0.0938 for the mean of twelve times between failures.
        Assert.Equal(0.0938, Bootstrap.Acceleration(s_failures, s_failures.Average()), 4);

    [Fact]
    public void The_acceleration_of_the_spatial_data_is_that_of_Efron_and_Tibshirani_1993()
    {
        // Section 14.3: the variance of test A, 171.5, has a = 0.061. A variance is the mean of the squared distances.
        var mean = s_spatial.Average();
        double[] squares = [.. s_spatial.Select(v => (v - mean) * (v - mean))];
        Assert.Equal(171.5, squares.Average(), 1);
        Assert.Equal(0.061, Bootstrap.Acceleration(squares, squares.Average()), 3);
    }

    [Fact]
    public void The_BCa_interval_is_the_one_that_all_resamples_together_give()
    {
        // Seven to the seventh resamples of Efron's mice (treatment group, 1979) can be written down: no chance is left in what is expected.
        double[] mice = [94, 197, 16, 38, 99, 141, 23];
        var means = new double[823_543];
        for (var code = 0; code < means.Length; code++)
        {
            var (rest, sum) = (code, 0.0);
            for (var i = 0; i < mice.Length; i++)
            {
                sum += mice[rest % mice.Length];
                rest /= mice.Length;
            }

            means[code] = sum / mice.Length;
        }

        Array.Sort(means);
        var mean = mice.Average();
        var below =
            (
                means.Count(m => m < mean - 1e-9)
                + (0.5 * means.Count(m => Math.Abs(m - mean) <= 1e-9))
            ) / means.Length;
        var bias = Normal.InvCDF(0, 1, below);
        var cubes = mice.Sum(v => Math.Pow(v - mean, 3));
        var acceleration = cubes / (6 * Math.Pow(mice.Sum(v => Math.Pow(v - mean, 2)), 1.5));
        double Limit(double probability)
        {
            var z = bias + Normal.InvCDF(0, 1, probability);
            return means[
                (int)(Normal.CDF(0, 1, bias + (z / (1 - (acceleration * z)))) * (means.Length - 1))
            ];
        }

        var found = Bootstrap.Bca(mice, resamples: 200_000);
        Assert.Equal(86.857, found.Estimate, 3);
        Assert.InRange(found.Lower, Limit(0.025) - 0.75, Limit(0.025) + 0.75);
        Assert.InRange(found.Upper, Limit(0.975) - 0.75, Limit(0.975) + 0.75);
        // And it is not the symmetric one: the sample is skewed to the right, so the interval reaches further up.
        Assert.True(found.Upper - mean > mean - found.Lower);
    }

    [Fact]
    public void Kitten_is_three_edits_from_sitting() =>
        Assert.Equal(3, LevenshteinEvaluator.Distance("kitten", "sitting"));

    [Fact]
    public async Task Cancellation_leaves_a_composite_as_cancellation()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var composite = new CompositeEvaluator(new ExactMatchEvaluator());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await composite.EvaluateAsync(EvaluationInput.OfText("a", "a"), source.Token)
        );
    }

    private static double Retrieved(
        int k,
        int[] found,
        (int Id, double Gain)[] relevant,
        string measure
    ) =>
        new RetrievalEvaluator(k)
            .Evaluate(
                new EvaluationInput
                {
                    Documents = [.. found.Select(id => new RetrievedDocument(Name(id)))],
                    RelevantDocuments =
                    [
                        .. relevant.Select(d => new RelevantDocument(Name(d.Id), d.Gain)),
                    ],
                }
            )
            .Find($"{measure}@{k}")!
            .Number!.Value;

    private static string Name(int id) => id.ToString(CultureInfo.InvariantCulture);

    // Proschan's air-conditioning data (hours), as in Davison and Hinkley, "Bootstrap Methods and their Application", 1997.
    private static readonly double[] s_failures = [3, 5, 7, 18, 43, 85, 91, 98, 100, 130, 230, 487];

    // Test A of the spatial data, Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, table 14.1.
    private static readonly double[] s_spatial =
    [
        48,
        36,
        20,
        29,
        42,
        42,
        20,
        42,
        22,
        41,
        45,
        14,
        6,
        0,
        33,
        28,
        34,
        4,
        32,
        24,
        47,
        41,
        24,
        26,
        30,
        41,
    ];
}
