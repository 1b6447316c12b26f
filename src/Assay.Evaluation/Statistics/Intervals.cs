using MathNet.Numerics.Distributions;

namespace Assay.Evaluation.Statistics;

/// <summary>Intervals with a closed form. All functions are pure and safe for concurrent use.</summary>
public static class Intervals
{
    /// <summary>
    /// The score interval of a proportion (E. B. Wilson, "Probable inference, the law of succession, and statistical
    /// inference", JASA 22, 1927), without continuity correction.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">n below 1, or successes outside 0..n, or confidence outside (0, 1).</exception>
    public static Interval Wilson(int successes, int n, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, n);
        Sample.CheckConfidence(confidence);
        var z = Normal.InvCDF(0, 1, (1 + confidence) / 2);
        var p = (double)successes / n;
        var centre = p + (z * z / (2 * n));
        var half = z * Math.Sqrt((p * (1 - p) / n) + (z * z / (4.0 * n * n)));
        var scale = 1 + (z * z / n);
        // At the ends the bound is exact; the formula would leave rounding dust there.
        return new(
            p,
            successes == 0 ? 0 : (centre - half) / scale,
            successes == n ? 1 : (centre + half) / scale,
            confidence,
            n,
            "Wilson"
        );
    }

    /// <summary>
    /// The interval of a mean by Student's t (Student, "The probable error of a mean", Biometrika 6, 1908). For paired
    /// data pass the differences. Trust it when the sample is large or roughly normal.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than two values, or a value that is not finite.</exception>
    public static Interval StudentT(IReadOnlyList<double> values, double confidence = 0.95)
    {
        Sample.Check(values, atLeast: 2);
        Sample.CheckConfidence(confidence);
        var mean = Sample.Mean(values);
        var error = Math.Sqrt(Sample.Variance(values) / values.Count);
        var t = TQuantile(values.Count - 1, (1 + confidence) / 2);
        return new(
            mean,
            mean - (t * error),
            mean + (t * error),
            confidence,
            values.Count,
            "Student t"
        );
    }

    internal static double TQuantile(int degrees, double probability) =>
        MathNet.Numerics.Distributions.StudentT.InvCDF(0, 1, degrees, probability);
}
