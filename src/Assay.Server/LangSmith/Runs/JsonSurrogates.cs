using System.Globalization;
using System.Runtime.InteropServices;

namespace Assay.Server.LangSmith.Runs;

/// <summary>
/// Halves of characters in JSON text (<c>\ud83d</c> alone), which JavaScript and Python clients write for texts they cut: no reader can
/// decode them, so they become U+FFFD where they stand, which has the same length.
/// </summary>
internal static class JsonSurrogates
{
    /// <summary>Mends in place; the memory must be the caller's own.</summary>
    public static void Mend(ReadOnlyMemory<byte> json) => Mend(MemoryMarshal.AsMemory(json).Span);

    /// <summary>Mends in place.</summary>
    public static void Mend(Span<byte> json)
    {
        var at = 0;
        while (json[at..].IndexOf("\\u"u8) is var found and >= 0)
        {
            at += found;
            if (IsEscaped(json, at))
            {
                at += 2;
                continue;
            }

            var unit = Unit(json, at);
            if (unit is >= 0xD800 and <= 0xDBFF && Unit(json, at + 6) is >= 0xDC00 and <= 0xDFFF)
            {
                at += 12;
                continue;
            }

            if (unit is >= 0xD800 and <= 0xDFFF)
            {
                "fffd"u8.CopyTo(json[(at + 2)..]);
            }

            at += 2;
        }
    }

    /// <summary>True when the backslash is itself the second of a pair.</summary>
    private static bool IsEscaped(ReadOnlySpan<byte> json, int at)
    {
        var before = 0;
        while (at - before > 0 && json[at - before - 1] == '\\')
        {
            before++;
        }

        return before % 2 == 1;
    }

    private static int Unit(ReadOnlySpan<byte> json, int at) =>
        at + 6 <= json.Length
        && json[at] == '\\'
        && json[at + 1] == 'u'
        && ushort.TryParse(
            json.Slice(at + 2, 4),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out var unit
        )
            ? unit
            : -1;
}
