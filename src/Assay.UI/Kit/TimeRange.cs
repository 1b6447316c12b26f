using System.Globalization;

namespace Assay.UI.Kit;

/// <summary>A time range as it stands in an address: <c>1h</c>, <c>24h</c>, <c>7d</c>, <c>30d</c>, <c>90d</c>, <c>all</c>, or two ISO times with two dots between.</summary>
/// <param name="Key">As in the address.</param>
/// <param name="Title">For people.</param>
/// <param name="From">Where it begins; null for all time.</param>
/// <param name="To">Where it ends; null means the present.</param>
public sealed record TimeRange(string Key, string Title, DateTimeOffset? From, DateTimeOffset? To)
{
    /// <summary>What is offered.</summary>
    public static readonly IReadOnlyList<(string Key, string Title)> Presets =
    [
        ("1h", "Last hour"),
        ("24h", "Last 24 hours"),
        ("7d", "Last 7 days"),
        ("30d", "Last 30 days"),
        ("90d", "Last 90 days"),
        ("all", "All time"),
    ];

    /// <summary>Reads a range; what cannot be read is the last seven days.</summary>
    public static TimeRange Read(string? key, DateTimeOffset now)
    {
        if (
            key is not null
            && key.Split("..") is [var a, var b]
            && Time(a) is { } from
            && Time(b) is { } to
            && from < to
        )
        {
            return new TimeRange(key, $"{Show(from)} – {Show(to)}", from, to);
        }

        var (known, title) = Presets.FirstOrDefault(p => p.Key == key, Presets[2]);
        return known switch
        {
            "all" => new TimeRange(known, title, null, null),
            [.. var n, 'h'] => new TimeRange(
                known,
                title,
                now - TimeSpan.FromHours(int.Parse(n, CultureInfo.InvariantCulture)),
                null
            ),
            [.. var n, _] => new TimeRange(
                known,
                title,
                now - TimeSpan.FromDays(int.Parse(n, CultureInfo.InvariantCulture)),
                null
            ),
            _ => new TimeRange("all", "All time", null, null),
        };
    }

    /// <summary>A range between two moments, as it stands in an address.</summary>
    public static string Between(DateTimeOffset from, DateTimeOffset to) =>
        $"{Iso(from)}..{Iso(to)}";

    /// <summary>A bucket width that gives about 24 to 70 bars; whole hours where the range allows, since those are summed up beforehand.</summary>
    public static TimeSpan Bucket(TimeSpan span)
    {
        foreach (
            var minutes in (ReadOnlySpan<int>)
                [1, 2, 5, 10, 60, 180, 360, 720, 1_440, 2_880, 10_080, 43_200]
        )
        {
            if (span.TotalMinutes / minutes <= 72)
            {
                return TimeSpan.FromMinutes(minutes);
            }
        }

        return TimeSpan.FromDays(90);
    }

    private static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Show(DateTimeOffset time) =>
        time.ToString("d MMM HH:mm", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time
        )
            ? time
            : null;
}
