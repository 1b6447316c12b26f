using Assay.Core.Metadata;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>How values look in the index's columns.</summary>
internal static class Columns
{
    private const decimal NanosPerDollar = 1_000_000_000m;

    public static object Id(Guid? id) =>
        id is { } value ? value.ToByteArray(bigEndian: true) : DBNull.Value;

    public static object Time(DateTimeOffset? time) =>
        time is { } value ? UtcMicroseconds.ToMicroseconds(value) : DBNull.Value;

    public static object Text(string? text) => text is null ? DBNull.Value : text;

    public static object Span(TimeSpan? span) =>
        span is { } value ? value.Ticks / TimeSpan.TicksPerMicrosecond : DBNull.Value;

    public static long Nanos(decimal dollars) =>
        (long)
            Math.Clamp(Math.Round(dollars * NanosPerDollar), long.MinValue / 2, long.MaxValue / 2);

    public static decimal Dollars(long nanos) => nanos == 0 ? 0 : nanos / NanosPerDollar;

    public static Guid ReadId(SqliteDataReader row, int column)
    {
        Span<byte> bytes = stackalloc byte[16];
        row.GetFieldValue<byte[]>(column).CopyTo(bytes);
        return new Guid(bytes, bigEndian: true);
    }

    public static Guid? ReadIdOrNull(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : ReadId(row, column);

    public static DateTimeOffset ReadTime(SqliteDataReader row, int column) =>
        UtcMicroseconds.FromMicroseconds(row.GetInt64(column));

    public static DateTimeOffset? ReadTimeOrNull(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : ReadTime(row, column);

    public static string? ReadText(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static long ReadLong(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? 0 : row.GetInt64(column);
}
