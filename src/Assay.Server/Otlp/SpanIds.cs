using System.IO.Hashing;
using Google.Protobuf;

namespace Assay.Server.Otlp;

/// <summary>
/// Ids of OpenTelemetry as ids of runs. A trace id is a UUID as it is. A span id has eight bytes and is unique only within its trace, so a
/// run's id is a hash of both, as a UUID of version 8 (RFC 9562): the same span always becomes the same run, in whatever order, however often
/// and by whichever road it comes.
/// </summary>
internal static class SpanIds
{
    public static bool IsTraceId(ByteString id) => id.Length == 16 && HasBits(id.Span);

    public static bool IsSpanId(ByteString id) => id.Length == 8 && HasBits(id.Span);

    /// <summary>The trace's id; the bytes are in the order of the text, as everywhere outside .NET.</summary>
    public static Guid Trace(ReadOnlySpan<byte> traceId) => new(traceId, bigEndian: true);

    /// <summary>The run's id.</summary>
    public static Guid Run(ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId)
    {
        Span<byte> both = stackalloc byte[24];
        traceId.CopyTo(both);
        spanId.CopyTo(both[16..]);
        Span<byte> id = stackalloc byte[16];
        XxHash128.Hash(both, id);
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true);
    }

    private static bool HasBits(ReadOnlySpan<byte> bytes) => bytes.ContainsAnyExcept((byte)0);
}
