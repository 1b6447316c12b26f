namespace Assay.Evaluation.Statistics;

/// <summary>What a sample of a size can show at all.</summary>
public static class Power
{
    /// <summary>
    /// The smallest true mean difference that n pairs find with the given power in a two-sided test: (t₁ + t₂) · s / √n with
    /// t quantiles of n - 1 degrees (H. S. Bloom, "Minimum detectable effects", Evaluation Review 19, 1995).
    /// </summary>
    /// <param name="standardDeviation">Standard deviation of the paired differences.</param>
    /// <param name="n">Pairs.</param>
    /// <param name="significance">The level of the test, for example 0.05.</param>
    /// <param name="power">The chance to find it, for example 0.8.</param>
    /// <exception cref="ArgumentOutOfRangeException">n below 2, or a probability outside (0, 1).</exception>
    public static double MinimumDetectableDifference(
        double standardDeviation,
        int n,
        double significance = 0.05,
        double power = 0.8
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(standardDeviation);
        Sample.CheckConfidence(significance);
        Sample.CheckConfidence(power);
        var factor =
            Intervals.TQuantile(n - 1, 1 - (significance / 2)) + Intervals.TQuantile(n - 1, power);
        return factor * standardDeviation / Math.Sqrt(n);
    }

    /// <summary>Pairs needed to find a true mean difference, by the same formula; null when it is above ten million.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A difference of zero, or a probability outside (0, 1).</exception>
    public static int? PairsNeeded(
        double standardDeviation,
        double difference,
        double significance = 0.05,
        double power = 0.8
    )
    {
        ArgumentOutOfRangeException.ThrowIfZero(difference);
        const int Most = 10_000_000;
        var (low, high) = (2, Most);
        if (
            MinimumDetectableDifference(standardDeviation, Most, significance, power)
            > Math.Abs(difference)
        )
        {
            return null;
        }

        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (
                MinimumDetectableDifference(standardDeviation, middle, significance, power)
                > Math.Abs(difference)
            )
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
