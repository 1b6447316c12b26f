using System.Globalization;

namespace Assay.Core.Filters;

/// <summary>How texts compare in filters, the same in memory and in every SQL dialect. Thread-safe.</summary>
public static class FilterText
{
    /// <summary>The longest pattern of <see cref="Comparison.Like"/>, in characters.</summary>
    public const int MaxPattern = 4_096;

    /// <summary>The number that a text spells, null when it is none: decimal point, optional exponent, finite.</summary>
    public static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number)
            ? number
            : null;

    /// <summary>Order by code point, which is also the order of the UTF-8 bytes.</summary>
    public static int Compare(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
        {
            if (a[i] != b[i])
            {
                return Rank(a[i]) - Rank(b[i]);
            }
        }

        return a.Length - b.Length;

        // UTF-16 puts the characters beyond the basic plane before U+E000; their code points come after it.
        static int Rank(char c) =>
            c >= '\uE000' ? c - 0x800
            : char.IsSurrogate(c) ? c + 0x2000
            : c;
    }

    /// <summary>True when the text matches: <c>%</c> stands for anything, a pattern without one is met anywhere, ASCII case does not matter.</summary>
    public static bool IsLike(string text, string pattern)
    {
        if (!pattern.Contains('%', StringComparison.Ordinal))
        {
            pattern = $"%{pattern}%";
        }

        // The usual two-pointer walk: on a mismatch go back to the last % and let it take one character more.
        var (t, p, star, mark) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '%')
            {
                star = p++;
                mark = t;
            }
            else if (p < pattern.Length && Same(text[t], pattern[p]))
            {
                t++;
                p++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '%')
        {
            p++;
        }

        return p == pattern.Length;
    }

    private static bool Same(char a, char b) =>
        a == b
        || (
            char.IsAscii(a)
            && char.ToLowerInvariant(a) == char.ToLowerInvariant(b)
            && char.IsAscii(b)
        );
}
