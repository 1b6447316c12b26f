namespace Assay.Evaluation.Statistics;

/// <summary>An estimate and the interval that goes with it.</summary>
/// <param name="Estimate">The point estimate, in the unit of the sample.</param>
/// <param name="Lower">The lower bound.</param>
/// <param name="Upper">The upper bound.</param>
/// <param name="Confidence">The nominal coverage, for example 0.95.</param>
/// <param name="N">The number of independent observations behind it.</param>
/// <param name="Method">How it was computed, for people.</param>
public sealed record Interval(
    double Estimate,
    double Lower,
    double Upper,
    double Confidence,
    int N,
    string Method
)
{
    /// <summary>True when <paramref name="value"/> lies inside, bounds included.</summary>
    public bool Contains(double value) => value >= Lower && value <= Upper;
}
