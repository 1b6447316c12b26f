namespace Assay.Evaluation.Statistics;

/// <summary>
/// Bootstrap intervals of agreement statistics: items are drawn again with replacement, since ratings of one item belong together (A. F. Hayes and
/// K. Krippendorff, "Answering the call for a standard reliability measure for coding data", 2007). Percentiles; deterministic for a seed; pure.
/// </summary>
/// <remarks>Below about 20 items it covers less often than it says.</remarks>
public static class AgreementIntervals
{
    /// <summary>Krippendorff's alpha with its interval; null where <see cref="Agreement.KrippendorffsAlpha"/> is null, or with fewer than two items that several rated.</summary>
    public static Interval? Alpha(
        IReadOnlyList<IReadOnlyList<double>> items,
        Scale scale = Scale.Nominal,
        double confidence = 0.95,
        int resamples = 1_000,
        ulong seed = 1
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        return Of(
            [.. items.Where(i => i.Count >= 2)],
            sample => Agreement.KrippendorffsAlpha(sample, scale),
            "Krippendorff's alpha, bootstrap over items",
            confidence,
            resamples,
            seed
        );
    }

    /// <summary>Fleiss' kappa with its interval; null where <see cref="Agreement.FleissKappa"/> is null, or with fewer than two items.</summary>
    /// <exception cref="ArgumentException">Items with fewer than two ratings or with different numbers of ratings.</exception>
    public static Interval? Fleiss(
        IReadOnlyList<IReadOnlyList<int>> counts,
        double confidence = 0.95,
        int resamples = 1_000,
        ulong seed = 1
    ) =>
        Of(
            counts,
            Agreement.FleissKappa,
            "Fleiss' kappa, bootstrap over items",
            confidence,
            resamples,
            seed
        );

    /// <summary>
    /// Cohen's kappa with its bootstrap interval, which does not need the large sample that <see cref="Agreement.CohensKappa"/>'s does; null where kappa is null,
    /// or with fewer than two items.
    /// </summary>
    /// <remarks>Where all items agree every draw does too: the interval is a point and says less than it seems.</remarks>
    public static Interval? Cohen(
        IReadOnlyList<(string First, string Second)> items,
        double confidence = 0.95,
        int resamples = 1_000,
        ulong seed = 1
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        return Of(
            items,
            sample => Agreement.CohensKappa(sample)?.Estimate,
            "Cohen's kappa, bootstrap over items",
            confidence,
            resamples,
            seed
        );
    }

    private static Interval? Of<T>(
        IReadOnlyList<T> items,
        Func<IReadOnlyList<T>, double?> statistic,
        string method,
        double confidence,
        int resamples,
        ulong seed
    )
    {
        ArgumentNullException.ThrowIfNull(items);
        Sample.CheckConfidence(confidence);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 100);
        if (items.Count < 2 || statistic(items) is not { } estimate)
        {
            return null;
        }

        var random = new SeededRandom(seed);
        var drawn = new T[items.Count];
        var found = new List<double>(resamples);
        for (var b = 0; b < resamples; b++)
        {
            for (var i = 0; i < drawn.Length; i++)
            {
                drawn[i] = items[random.Below(items.Count)];
            }

            // A draw in which all ratings are the same has no chance to correct for.
            if (statistic(drawn) is { } value)
            {
                found.Add(value);
            }
        }

        if (found.Count == 0)
        {
            return null;
        }

        found.Sort();
        return new(
            estimate,
            At((1 - confidence) / 2),
            At((1 + confidence) / 2),
            confidence,
            items.Count,
            method
        );

        double At(double probability)
        {
            var place = probability * (found.Count - 1);
            var low = (int)Math.Floor(place);
            var high = Math.Min(low + 1, found.Count - 1);
            return found[low] + ((place - low) * (found[high] - found[low]));
        }
    }
}
