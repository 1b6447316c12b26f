namespace Assay.Evaluation.Statistics;

/// <summary>The chance that at least one of k attempts succeeds.</summary>
public static class PassAtK
{
    /// <summary>
    /// Unbiased estimate from n attempts with c successes, 1 - C(n-c, k) / C(n, k) (Chen et al., "Evaluating large language
    /// models trained on code", 2021, eq. 1), as a product that does not overflow.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 ≤ k ≤ n and 0 ≤ c ≤ n.</exception>
    public static double Estimate(int n, int c, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, n);
        ArgumentOutOfRangeException.ThrowIfNegative(c);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(c, n);
        if (n - c < k)
        {
            return 1;
        }

        var allFail = 1.0;
        for (var i = n - c + 1; i <= n; i++)
        {
            allFail *= 1 - ((double)k / i);
        }

        return 1 - allFail;
    }
}
