namespace Assay.Evaluation.Statistics;

/// <summary>Scores that belong together, such as repetitions of one example, are not independent: they are averaged before anything else is computed.</summary>
public static class Clusters
{
    /// <summary>One mean per cluster, in the order the clusters first appear.</summary>
    /// <exception cref="ArgumentException">A value is not finite.</exception>
    public static IReadOnlyList<double> Means<TKey>(
        IEnumerable<(TKey Cluster, double Value)> values
    )
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(values);
        return
        [
            .. values
                .GroupBy(v => v.Cluster, v => v.Value)
                .Select(g =>
                {
                    double[] members = [.. g];
                    Sample.Check(members, atLeast: 1);
                    return Sample.Mean(members);
                }),
        ];
    }

    /// <summary>The mean of clusters with its interval: Wilson when every cluster is a single yes or no, BCa from twenty clusters on, else Student's t; a point without interval for one.</summary>
    /// <exception cref="ArgumentException">No value, or one that is not finite.</exception>
    public static Interval Mean(
        IReadOnlyList<double> clusterMeans,
        double confidence = 0.95,
        ulong seed = 1
    )
    {
        Sample.Check(clusterMeans, atLeast: 1);
        if (clusterMeans.All(m => m is 0 or 1))
        {
            return Intervals.Wilson(
                clusterMeans.Count(m => m == 1),
                clusterMeans.Count,
                confidence
            );
        }

        return clusterMeans.Count switch
        {
            1 => new(
                clusterMeans[0],
                double.NegativeInfinity,
                double.PositiveInfinity,
                confidence,
                1,
                "one value has no interval"
            ),
            < PairedComparison.FewestForBootstrap => Intervals.StudentT(clusterMeans, confidence),
            _ => Bootstrap.Bca(clusterMeans, confidence, seed: seed),
        };
    }
}
