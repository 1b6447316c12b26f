namespace Assay.Evaluation.Statistics;

/// <summary>Whether two numbers move together, for judges that grade. Null when one side does not vary. Pure functions.</summary>
public static class Correlation
{
    /// <summary>Pearson's correlation.</summary>
    /// <exception cref="ArgumentException">Fewer than two pairs, or a value that is not finite.</exception>
    public static double? Pearson(IReadOnlyList<(double X, double Y)> pairs)
    {
        Check(pairs);
        var mx = pairs.Average(p => p.X);
        var my = pairs.Average(p => p.Y);
        var xx = pairs.Sum(p => (p.X - mx) * (p.X - mx));
        var yy = pairs.Sum(p => (p.Y - my) * (p.Y - my));
        return xx * yy > 0 ? pairs.Sum(p => (p.X - mx) * (p.Y - my)) / Math.Sqrt(xx * yy) : null;
    }

    /// <summary>Spearman's rank correlation, ties at their mean rank.</summary>
    /// <exception cref="ArgumentException">Fewer than two pairs, or a value that is not finite.</exception>
    public static double? Spearman(IReadOnlyList<(double X, double Y)> pairs)
    {
        Check(pairs);
        return Pearson([
            .. Ranks([.. pairs.Select(p => p.X)]).Zip(Ranks([.. pairs.Select(p => p.Y)])),
        ]);
    }

    /// <summary>Kendall's tau-b, which corrects for ties (M. G. Kendall, 1945). Quadratic in the number of pairs.</summary>
    /// <exception cref="ArgumentException">Fewer than two pairs, or a value that is not finite.</exception>
    public static double? KendallTauB(IReadOnlyList<(double X, double Y)> pairs)
    {
        Check(pairs);
        long sum = 0;
        long notTiedX = 0;
        long notTiedY = 0;
        for (var i = 0; i < pairs.Count; i++)
        {
            for (var j = i + 1; j < pairs.Count; j++)
            {
                var dx = Math.Sign(pairs[i].X - pairs[j].X);
                var dy = Math.Sign(pairs[i].Y - pairs[j].Y);
                sum += dx * dy;
                notTiedX += Math.Abs(dx);
                notTiedY += Math.Abs(dy);
            }
        }

        return notTiedX > 0 && notTiedY > 0 ? sum / Math.Sqrt((double)notTiedX * notTiedY) : null;
    }

    private static double[] Ranks(double[] values)
    {
        var order = Enumerable.Range(0, values.Length).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Length];
        for (var start = 0; start < order.Length; )
        {
            var end = start;
            while (end < order.Length && values[order[end]].Equals(values[order[start]]))
            {
                end++;
            }

            for (var i = start; i < end; i++)
            {
                ranks[order[i]] = ((start + end - 1) / 2.0) + 1;
            }

            start = end;
        }

        return ranks;
    }

    private static void Check(IReadOnlyList<(double X, double Y)> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        Sample.Check([.. pairs.SelectMany(p => new[] { p.X, p.Y })], atLeast: 4);
    }
}
