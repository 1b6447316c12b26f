namespace Assay.Evaluation.Statistics;

/// <summary>Corrections for looking at several metrics at once.</summary>
public static class MultipleTesting
{
    /// <summary>
    /// Adjusted p-values that control the false discovery rate (Benjamini and Hochberg, JRSS B 57, 1995), in the order
    /// given. Assumes independent or positively dependent tests.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside 0..1.</exception>
    public static IReadOnlyList<double> BenjaminiHochberg(IReadOnlyList<double> pValues)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        if (pValues.Any(p => p is not (>= 0 and <= 1)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(pValues),
                "A p-value lies between 0 and 1."
            );
        }

        var adjusted = new double[pValues.Count];
        var smallest = 1.0;
        var rank = pValues.Count;
        foreach (var i in Enumerable.Range(0, pValues.Count).OrderByDescending(i => pValues[i]))
        {
            smallest = Math.Min(smallest, pValues[i] * pValues.Count / rank--);
            adjusted[i] = smallest;
        }

        return adjusted;
    }
}
