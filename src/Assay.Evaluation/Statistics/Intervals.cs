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

    /// <summary>
    /// The mean with the interval that fits its sample: Wilson's for zero-one values, BCa from
    /// <see cref="PairedComparison.FewestForBootstrap"/> values on, Student's t for fewer and for
    /// <see cref="PairedComparison.FewestForNormal"/> and more. Null without values; a single value has itself as bounds and says so.
    /// </summary>
    /// <exception cref="ArgumentException">A value is not finite.</exception>
    public static Interval? Mean(IReadOnlyList<double> values, double confidence = 0.95)
    {
        Sample.Check(values, atLeast: 0);
        return values.Count == 0 ? null
            : values.All(v => v is 0 or 1)
                ? Wilson(values.Count(v => v is 1), values.Count, confidence)
            : values.Count == 1
                ? new Interval(values[0], values[0], values[0], confidence, 1, "single value")
            : values.Count
                is >= PairedComparison.FewestForBootstrap
                    and < PairedComparison.FewestForNormal
                ? Bootstrap.Bca(values, confidence)
            : StudentT(values, confidence);
    }

    internal static double TQuantile(int degrees, double probability) =>
        MathNet.Numerics.Distributions.StudentT.InvCDF(0, 1, degrees, probability);
}
