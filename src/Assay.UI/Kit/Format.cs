using System.Globalization;
using Assay.Core.Traces;

namespace Assay.UI.Kit;

/// <summary>How figures look on screen.</summary>
internal static class Format
{
    public static string Duration(TimeSpan? time) =>
        time is not { } t ? "–"
        : t < TimeSpan.FromSeconds(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds:0}ms")
        : t < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0.00}s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalMinutes}m {t.Seconds}s");

    public static string Seconds(double? seconds) =>
        seconds is { } s ? Duration(TimeSpan.FromSeconds(s)) : "–";

    public static string Count(long n) =>
        n < 1_000 ? n.ToString(CultureInfo.InvariantCulture)
        : n < 1_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{n / 1e3:0.0}K")
        : string.Create(CultureInfo.InvariantCulture, $"{n / 1e6:0.0}M");

    public static string Money(TraceTotals totals) =>
        totals.TotalCost == 0 ? "–"
        : totals.TotalCost < 0.01m
            ? string.Create(CultureInfo.InvariantCulture, $"${totals.TotalCost:0.####}")
        : string.Create(CultureInfo.InvariantCulture, $"${totals.TotalCost:0.00}");

    public static string Percent(long part, long whole) =>
        whole == 0
            ? "–"
            : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0.#}%");

    public static string When(DateTimeOffset? time, DateTimeOffset now) =>
        time is not { } t ? "–"
        : now - t < TimeSpan.FromMinutes(1) ? "just now"
        : now - t < TimeSpan.FromHours(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)(now - t).TotalMinutes}m ago")
        : now - t < TimeSpan.FromDays(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)(now - t).TotalHours}h ago")
        : t.ToString("d MMM yyyy", CultureInfo.InvariantCulture);

    public static string Kind(RunKind kind) => kind.ToString().ToLowerInvariant();

    public static string KindIcon(RunKind kind) => kind == RunKind.Agent ? "bot" : Kind(kind);

    public static string Percentage(double value) =>
        value.ToString("0.##", CultureInfo.InvariantCulture) + "%";
}
