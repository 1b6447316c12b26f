using System.Globalization;
using Assay.Core.Traces;

namespace Assay.Server.LangSmith;

/// <summary>The cursor of lists that page by how many items came before: that number, in digits. Clients only hand it back.</summary>
internal static class OffsetCursor
{
    /// <summary>How many items came before; none without a cursor.</summary>
    /// <exception cref="InvalidCursorException">It is none of ours.</exception>
    public static int Read(string? cursor) =>
        string.IsNullOrEmpty(cursor) ? 0
        : int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
        : throw new InvalidCursorException();

    /// <summary>The cursor of the page after the one that began at an offset; null when that was the last.</summary>
    public static string? Next(int offset, int size, bool hasMore) =>
        hasMore ? (offset + size).ToString(CultureInfo.InvariantCulture) : null;
}
