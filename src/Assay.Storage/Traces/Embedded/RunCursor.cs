using System.Globalization;
using System.Text;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Where a page of runs ended: the sort key of its last row and its place of arrival.</summary>
internal static class RunCursor
{
    /// <summary>The cursor of a row by its sort key and its place of arrival.</summary>
    public static string Of(object key, long pk)
    {
        var text = key switch
        {
            long number => string.Create(CultureInfo.InvariantCulture, $"{pk}|i|{number}"),
            double number => string.Create(CultureInfo.InvariantCulture, $"{pk}|d|{number:R}"),
            byte[] bytes => string.Create(
                CultureInfo.InvariantCulture,
                $"{pk}|b|{Convert.ToHexString(bytes)}"
            ),
            string words => string.Create(CultureInfo.InvariantCulture, $"{pk}|t|{words}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{pk}|n|"),
        };
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The condition, to be appended to others, that rows follow after a cursor.</summary>
    /// <exception cref="InvalidCursorException">It is none of ours.</exception>
    public static string After(SqliteCommand command, string cursor, string order, string direction)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(cursor));
            var parts = text.Split('|', 3);
            command.Parameters.AddWithValue(
                "$cpk",
                long.Parse(parts[0], CultureInfo.InvariantCulture)
            );
            if (string.Equals(parts[1], "n", StringComparison.Ordinal))
            {
                // NULL sorts lowest: going down nothing but NULLs follows, going up everything else does.
                return direction == "DESC"
                    ? $" AND {order} IS NULL AND r.pk < $cpk"
                    : $" AND ({order} IS NOT NULL OR r.pk > $cpk)";
            }

            object value = parts[1] switch
            {
                "i" => long.Parse(parts[2], CultureInfo.InvariantCulture),
                "b" => Convert.FromHexString(parts[2]),
                "d" => double.Parse(parts[2], CultureInfo.InvariantCulture),
                _ => parts[2],
            };
            command.Parameters.AddWithValue("$ckey", value);
            if (order.EndsWith(".start_us", StringComparison.Ordinal))
            {
                // Never null, and the only sort that has an index: a comparison of rows begins in its middle, an OR at its end.
                return $" AND ({order}, {order[0]}.pk) {(direction == "DESC" ? '<' : '>')} ($ckey, $cpk)";
            }

            return direction == "DESC"
                ? $" AND (({order} < $ckey OR {order} IS NULL) OR ({order} = $ckey AND r.pk < $cpk))"
                : $" AND ({order} > $ckey OR ({order} = $ckey AND r.pk > $cpk))";
        }
        catch (Exception e)
            when (e is FormatException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidCursorException();
        }
    }
}
