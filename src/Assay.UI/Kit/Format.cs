using System.Globalization;
using Assay.Core.Traces;

namespace Assay.UI.Kit;

/// <summary>How figures look on screen.</summary>
internal static class Format
{
    /// <summary>A duration in the unit that suits it; <c>duration</c> in kit.js says the same.</summary>
    public static string Duration(TimeSpan? time) =>
        time is not { } t || t < TimeSpan.Zero ? "–"
        : t < TimeSpan.FromMilliseconds(1) && t > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalMicroseconds:0}µs")
        : t < TimeSpan.FromSeconds(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds:0}ms")
        : t < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0.00}s")
        : t < TimeSpan.FromHours(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalMinutes}m {t.Seconds}s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalHours}h {t.Minutes}m");

    public static string Seconds(double? seconds) =>
        seconds is { } s ? Duration(TimeSpan.FromSeconds(s)) : "–";

    public static string Count(long n) =>
        n < 1_000 ? n.ToString(CultureInfo.InvariantCulture)
        : n < 1_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{n / 1e3:0.0}K")
        : string.Create(CultureInfo.InvariantCulture, $"{n / 1e6:0.0}M");

    public static string Money(TraceTotals totals) => Money(totals.TotalCost);

    /// <summary>US dollars with three figures that matter below one, two below a tenth of a cent.</summary>
    public static string Money(decimal dollars) =>
        dollars == 0 ? "–"
        : dollars >= 1 ? "$" + dollars.ToString("N2", CultureInfo.InvariantCulture)
        : dollars < 0.000001m ? "<$0.000001"
        : "$"
            + (
                (decimal)
                    double.Parse(
                        ((double)dollars).ToString(
                            dollars < 0.001m ? "G2" : "G3",
                            CultureInfo.InvariantCulture
                        ),
                        CultureInfo.InvariantCulture
                    )
            ).ToString("0.#########", CultureInfo.InvariantCulture);

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

    /// <summary>For machines: ISO 8601 with microseconds, UTC.</summary>
    public static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static string Bytes(long n) =>
        n < 1_024 ? string.Create(CultureInfo.InvariantCulture, $"{n} B")
        : n < 1 << 20 ? string.Create(CultureInfo.InvariantCulture, $"{n / 1024.0:0.#} KB")
        : n < 1 << 30 ? string.Create(CultureInfo.InvariantCulture, $"{n / (1024.0 * 1024):0.#} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{n / (1024.0 * 1024 * 1024):0.##} GB");

    public static string StatusIcon(RunStatus status) =>
        status switch
        {
            RunStatus.Error => "err",
            RunStatus.Pending => "run",
            _ => "ok",
        };

    public static string StatusClass(RunStatus status) => StatusIcon(status);

    public static string Kind(RunKind kind) => kind.ToString().ToLowerInvariant();

    public static string KindIcon(RunKind kind) => kind == RunKind.Agent ? "bot" : Kind(kind);

    public static string Percentage(double value) =>
        value.ToString("0.##", CultureInfo.InvariantCulture) + "%";
}
