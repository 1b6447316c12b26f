using Assay.Core.Datasets;

namespace Assay.Server.LangSmith.Datasets;

/// <summary>Versions as clients name them, and times of datasets as they read them.</summary>
internal static class WireAsOf
{
    /// <summary>Nothing and <c>latest</c> mean now; what starts like an ISO date is a moment; everything else is a tag.</summary>
    public static AsOf Read(string? text)
    {
        if (text is not { Length: > 0 })
        {
            return AsOf.Now;
        }

        // A '+' that a client forgot to encode arrives as a space before the offset.
        if (text.Length > 20 && text[^6] == ' ' && text[^3] == ':')
        {
            text = $"{text[..^6]}+{text[^5..]}";
        }

        return
            text.Length >= 10
            && text[4] == '-'
            && char.IsAsciiDigit(text[0])
            && Wire.TryTime(text, out var time)
            ? new AsOf(Time: time)
            : new AsOf(Tag: text);
    }

    /// <summary>Exactly six digits and an offset: what a client reads it can ask for again.</summary>
    public static string Time(DateTimeOffset time) => Wire.Time(time) + "+00:00";
}
