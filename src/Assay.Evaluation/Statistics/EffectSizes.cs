namespace Assay.Evaluation.Statistics;

/// <summary>Sizes of a difference that do not depend on its unit. Pure functions.</summary>
public static class EffectSizes
{
    /// <summary>
    /// Cohen's d of paired differences (mean over their standard deviation, J. Cohen 1988, §2.3) times Hedges' correction
    /// for small samples, 1 - 3 / (4 (n - 1) - 1) (L. Hedges 1981). Null when the differences do not vary.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than two values, or a value that is not finite.</exception>
    public static double? HedgesPaired(IReadOnlyList<double> differences)
    {
        Sample.Check(differences, atLeast: 2);
        var variance = Sample.Variance(differences);
        if (variance <= 0)
        {
            return null;
        }

        var degrees = differences.Count - 1;
        // With one degree of freedom the correction is zero over zero in spirit: two pairs say nothing about a size.
        return degrees == 1
            ? null
            : Sample.Mean(differences) / Math.Sqrt(variance) * (1 - (3.0 / ((4.0 * degrees) - 1)));
    }

    /// <summary>Cliff's delta: the share of pairs (one of each sample) where the first is larger minus where it is smaller (N. Cliff 1993), -1 to 1.</summary>
    /// <exception cref="ArgumentException">An empty sample, or a value that is not finite.</exception>
    public static double CliffsDelta(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        Sample.Check(first, atLeast: 1);
        Sample.Check(second, atLeast: 1);
        var sorted = second.Order().ToArray();
        long sum = 0;
        foreach (var value in first)
        {
            sum += Below(sorted, value) - (sorted.Length - NotAbove(sorted, value));
        }

        return (double)sum / ((long)first.Count * second.Count);
    }

    private static int Below(double[] sorted, double value)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle] < value ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static int NotAbove(double[] sorted, double value) =>
        Below(sorted, Math.BitIncrement(value));
}
