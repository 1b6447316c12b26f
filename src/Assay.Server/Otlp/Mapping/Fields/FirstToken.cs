using System.Globalization;

namespace Assay.Server.Otlp.Mapping.Fields;

/// <summary>When the first token came: a time, a delay after the start, or an event's time, whichever the producer writes. Pure.</summary>
internal static class FirstToken
{
    public static DateTimeOffset? Read(SpanView span)
    {
        if (
            span.Unquoted("langfuse.observation.completion_start_time") is { } text
            && DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var time
            )
        )
        {
            return time;
        }

        var start = SpanJson.Instant(span.Span.StartTimeUnixNano);
        foreach (var (key, seconds) in Precedence.FirstTokenDelay)
        {
            // A delay of more than a day is no delay.
            if (span.Number(key) is { } delay and > 0 && delay * seconds < 86_400)
            {
                return start.AddTicks((long)(delay * seconds * TimeSpan.TicksPerSecond));
            }
        }

        foreach (var name in Precedence.FirstTokenEvents)
        {
            foreach (var item in span.Span.Events)
            {
                if (item.Name == name && item.TimeUnixNano > 0)
                {
                    return SpanJson.Instant(item.TimeUnixNano);
                }
            }
        }

        return null;
    }
}
