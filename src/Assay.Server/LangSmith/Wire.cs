using System.Globalization;
using System.Text.Json;

namespace Assay.Server.LangSmith;

/// <summary>How values look on LangSmith's wire.</summary>
internal static class Wire
{
    /// <summary>Exactly six fraction digits and no offset (naive means UTC): clients compare the text with the order key.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    /// <summary>Money is a decimal string in v1.</summary>
    public static string Money(decimal dollars) =>
        dollars.ToString("0.############", CultureInfo.InvariantCulture);

    /// <summary>
    /// A time as clients send it: ISO with Z, offset or none (UTC), or a number of seconds or, above 2e10, milliseconds. False when it is none.
    /// </summary>
    public static bool TryTime(JsonElement value, out DateTimeOffset? time)
    {
        time = null;
        switch (value.ValueKind)
        {
            case JsonValueKind.Null or JsonValueKind.Undefined:
                return true;
            case JsonValueKind.String:
                if (value.GetString() is { Length: > 0 } text && TryTime(text, out var parsed))
                {
                    time = parsed;
                    return true;
                }

                return false;
            case JsonValueKind.Number:
                var number = value.GetDouble();
                var seconds = Math.Abs(number) > 2e10 ? number / 1_000 : number;
                if (seconds is not (> -6.2e10 and < 2.5e11))
                {
                    return false;
                }

                time = DateTimeOffset.UnixEpoch.AddTicks(
                    (long)Math.Round(seconds * 1e6) * TimeSpan.TicksPerMicrosecond
                );
                return true;
            default:
                return false;
        }
    }

    /// <summary>A time in text.</summary>
    public static bool TryTime(string text, out DateTimeOffset time)
    {
        if (
            !DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out time
            )
        )
        {
            return false;
        }

        time = new DateTimeOffset(
            time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond),
            TimeSpan.Zero
        );
        return true;
    }
}
