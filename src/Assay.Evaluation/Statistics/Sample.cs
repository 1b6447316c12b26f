namespace Assay.Evaluation.Statistics;

/// <summary>Moments of a sample and the checks every statistic makes on its arguments.</summary>
internal static class Sample
{
    public static double Mean(IReadOnlyList<double> values) => values.Sum() / values.Count;

    /// <summary>The unbiased variance, dividing by n - 1.</summary>
    public static double Variance(IReadOnlyList<double> values)
    {
        var mean = Mean(values);
        return values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
    }

    public static void Check(IReadOnlyList<double> values, int atLeast)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count < atLeast)
        {
            throw new ArgumentException($"At least {atLeast} values are needed.", nameof(values));
        }

        if (values.Any(v => !double.IsFinite(v)))
        {
            throw new ArgumentException("Every value must be finite.", nameof(values));
        }
    }

    public static void CheckConfidence(double confidence)
    {
        if (confidence is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(confidence),
                confidence,
                "Confidence lies between 0 and 1."
            );
        }
    }
}
