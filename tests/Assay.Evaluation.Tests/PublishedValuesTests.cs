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
