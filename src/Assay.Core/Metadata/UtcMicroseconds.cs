using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Assay.Core.Metadata;

/// <summary>Stores times as microseconds since 1970-01-01 UTC. Finer ticks are cut, so that a time read back and sent out names the same instant.</summary>
public sealed class UtcMicroseconds()
    : ValueConverter<DateTimeOffset, long>(
        time => ToMicroseconds(time),
        micros => FromMicroseconds(micros)
    )
{
    /// <summary>Microseconds since 1970-01-01 UTC, cut towards minus infinity.</summary>
    public static long ToMicroseconds(DateTimeOffset time) =>
        (long)
            Math.Floor(
                (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks)
                    / (decimal)TimeSpan.TicksPerMicrosecond
            );

    /// <summary>The UTC time of microseconds since 1970-01-01.</summary>
    public static DateTimeOffset FromMicroseconds(long micros) =>
        new(
            DateTimeOffset.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond),
            TimeSpan.Zero
        );
}
