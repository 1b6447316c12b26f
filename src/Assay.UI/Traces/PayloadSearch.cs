using System.Text;

namespace Assay.UI.Traces;

/// <summary>Finds a text in a stream of any length with a buffer of one mebibyte.</summary>
internal static class PayloadSearch
{
    private const int BufferSize = 1 << 20;
    private const int MaxHits = 200;

    /// <summary>Byte offsets of the hits; ASCII letters match in either case.</summary>
    public static async Task<IReadOnlyList<long>> FindAsync(
        Stream stream,
        byte[] wanted,
        long from,
        CancellationToken cancellationToken
    )
    {
        var hits = new List<long>();
        // Bytes as Latin-1 text, so that the vectorized text search does the work; UTF-8 keeps byte order.
        var needle = Encoding.Latin1.GetString(wanted);
        var bytes = new byte[BufferSize];
        var text = new char[BufferSize];
        stream.Position = Math.Min(from, stream.Length);
        var start = stream.Position;
        var kept = 0;
        while (hits.Count < MaxHits)
        {
            var read = await stream.ReadAtLeastAsync(
                bytes.AsMemory(kept),
                bytes.Length - kept,
                throwOnEndOfStream: false,
                cancellationToken
            );
            if (read == 0)
            {
                break;
            }

            var length = kept + read;
            Encoding.Latin1.GetChars(bytes.AsSpan(0, length), text);
            var at = 0;
            while (
                hits.Count < MaxHits
                && text.AsSpan(at, length - at).IndexOf(needle, StringComparison.OrdinalIgnoreCase)
                    is >= 0
                        and var found
            )
            {
                hits.Add(start + at + found);
                at += found + needle.Length;
            }

            // A hit may lie across the border: keep one byte less than the text, but nothing already counted.
            kept = Math.Min(Math.Min(wanted.Length - 1, length), length - at);
            bytes.AsSpan(length - kept, kept).CopyTo(bytes);
            start += length - kept;
        }

        return hits;
    }
}
