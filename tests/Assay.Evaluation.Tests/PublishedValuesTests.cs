using Assay.Evaluation.Statistics;
using Assay.Evaluation.Text;

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
}
