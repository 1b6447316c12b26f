using MathNet.Numerics.Distributions;

namespace Assay.Evaluation.Statistics;

/// <summary>How far two values of one question are apart.</summary>
public enum Scale
{
    /// <summary>Labels: same or different.</summary>
    Nominal,

    /// <summary>Ordered grades: counts how many ratings lie between.</summary>
    Ordinal,

    /// <summary>Numbers: the squared difference.</summary>
    Interval,
}

/// <summary>Agreement of raters beyond chance. All functions are pure.</summary>
public static class Agreement
{
    /// <summary>
    /// Cohen's kappa of two raters (J. Cohen, 1960) with the large-sample interval of Fleiss, Cohen and Everitt (1969). Null
    /// when both use one and the same label only: then chance explains everything and kappa is 0 / 0.
    /// </summary>
    /// <exception cref="ArgumentException">No items.</exception>
    public static Interval? CohensKappa(
        IReadOnlyList<(string First, string Second)> items,
        double confidence = 0.95
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        Sample.CheckConfidence(confidence);
        var matrix = ConfusionMatrix.Of(items);
        double n = items.Count;
        var rows = matrix.Rows.Select(c => c / n).ToArray();
        var columns = matrix.Columns.Select(c => c / n).ToArray();
        var observed = matrix.Labels.Select((_, i) => matrix.Counts[i][i] / n).Sum();
        var expected = rows.Zip(columns, (r, c) => r * c).Sum();
        if (expected >= 1 - 1e-12)
        {
            return null;
        }

        var kappa = (observed - expected) / (1 - expected);
        var a = 0.0;
        var b = 0.0;
        for (var i = 0; i < rows.Length; i++)
        {
            for (var j = 0; j < rows.Length; j++)
            {
                var p = matrix.Counts[i][j] / n;
                if (i == j)
                {
                    var weight = 1 - ((rows[i] + columns[i]) * (1 - kappa));
                    a += p * weight * weight;
                }
                else
                {
                    b += p * (columns[i] + rows[j]) * (columns[i] + rows[j]);
                }
            }
        }

        b *= (1 - kappa) * (1 - kappa);
        var c = kappa - (expected * (1 - kappa));
        var error = Math.Sqrt(Math.Max(0, a + b - (c * c)) / n) / (1 - expected);
        var z = Normal.InvCDF(0, 1, (1 + confidence) / 2);
        return new(
            kappa,
            Math.Max(-1, kappa - (z * error)),
            Math.Min(1, kappa + (z * error)),
            confidence,
            items.Count,
            "Cohen's kappa, large-sample interval"
        );
    }

    /// <summary>
    /// Fleiss' kappa of several raters who may differ from item to item (J. L. Fleiss, 1971). Rows are items, columns
    /// categories, values how many raters chose it; every item has the same number of ratings. Null when one category took all.
    /// </summary>
    /// <exception cref="ArgumentException">No items, fewer than two ratings, or items with different numbers of ratings.</exception>
    public static double? FleissKappa(IReadOnlyList<IReadOnlyList<int>> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Count == 0 || counts[0].Sum() < 2 || counts.Any(c => c.Sum() != counts[0].Sum()))
        {
            throw new ArgumentException(
                "Every item needs the same number of ratings, at least two.",
                nameof(counts)
            );
        }

        double raters = counts[0].Sum();
        var observed = counts.Average(item =>
            (item.Sum(c => (double)c * c) - raters) / (raters * (raters - 1))
        );
        var expected = Enumerable
            .Range(0, counts[0].Count)
            .Select(j => counts.Sum(item => item[j]) / (counts.Count * raters))
            .Sum(p => p * p);
        return expected >= 1 - 1e-12 ? null : (observed - expected) / (1 - expected);
    }

    /// <summary>
    /// Krippendorff's alpha for any number of raters and missing ratings (K. Krippendorff, "Content Analysis", 2004, ch. 11).
    /// Each item lists the values it was given; items with fewer than two are left out. Null when all values are the same or none can be paired.
    /// </summary>
    public static double? KrippendorffsAlpha(
        IEnumerable<IReadOnlyList<double>> items,
        Scale scale = Scale.Nominal
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        var rated = items.Where(i => i.Count >= 2).ToList();
        if (scale == Scale.Interval)
        {
            return IntervalAlpha(rated);
        }

        var values = rated.SelectMany(i => i).Distinct().Order().ToArray();
        if (values.Length < 2)
        {
            return null;
        }

        var index = values.Select((v, i) => (v, i)).ToDictionary(p => p.v, p => p.i);
        var together = new double[values.Length, values.Length];
        foreach (var item in rated)
        {
            for (var a = 0; a < item.Count; a++)
            {
                for (var b = 0; b < item.Count; b++)
                {
                    if (a != b)
                    {
                        together[index[item[a]], index[item[b]]] += 1.0 / (item.Count - 1);
                    }
                }
            }
        }

        var marginal = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            for (var j = 0; j < values.Length; j++)
            {
                marginal[i] += together[i, j];
            }
        }

        var n = marginal.Sum();
        var (observed, expected) = (0.0, 0.0);
        for (var i = 0; i < values.Length; i++)
        {
            for (var j = i + 1; j < values.Length; j++)
            {
                var distance = Distance(marginal, i, j, scale);
                observed += together[i, j] * distance;
                expected += marginal[i] * marginal[j] * distance;
            }
        }

        return 1 - ((n - 1) * observed / expected);
    }

    // Squared differences add up in closed form, so that thousands of different scores need no table of all pairs of values.
    private static double? IntervalAlpha(List<IReadOnlyList<double>> rated)
    {
        var observed = 0.0;
        double n = rated.Sum(i => i.Count);
        if (n == 0)
        {
            return null;
        }

        var centre = rated.Sum(i => i.Sum()) / n;
        var spread = rated.Sum(i => i.Sum(v => (v - centre) * (v - centre)));
        foreach (var item in rated)
        {
            var mean = item.Average();
            var squares = item.Sum(v => (v - mean) * (v - mean));
            // Over ordered pairs of one item: 2 m Σ(v - mean)², each pair weighing 1 / (m - 1).
            observed += 2 * item.Count * squares / (item.Count - 1);
        }

        var expected = 2 * n * spread / (n - 1);
        return spread <= 1e-12 * Math.Max(1, centre * centre) ? null : 1 - (observed / expected);
    }

    private static double Distance(double[] marginal, int i, int j, Scale scale)
    {
        if (scale == Scale.Nominal)
        {
            return 1;
        }

        var between = marginal[i..(j + 1)].Sum() - ((marginal[i] + marginal[j]) / 2);
        return between * between;
    }
}
