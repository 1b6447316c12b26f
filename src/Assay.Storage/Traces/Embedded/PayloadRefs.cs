using System.Buffers.Binary;
using System.Text;
using Assay.Core.Traces;
using Assay.Storage.Journals;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Where one payload of a run lies.</summary>
/// <param name="Kind">Which payload.</param>
/// <param name="FromUpdate">It came with an update; decides the order in which pieces of extra are merged.</param>
/// <param name="Length">Bytes of JSON.</param>
/// <param name="Hash">xxh3 of the bytes, to know a repetition.</param>
/// <param name="Address">Place in the journal.</param>
/// <param name="BlobKey">Key in the blob store instead.</param>
internal readonly record struct PayloadRef(
    PayloadKind Kind,
    bool FromUpdate,
    long Length,
    ulong Hash,
    PayloadAddress Address,
    string? BlobKey
);

/// <summary>The column <c>detail.refs</c>: a run's payload references in a few dozen bytes.</summary>
internal static class PayloadRefs
{
    public static byte[]? Encode(IReadOnlyList<PayloadRef> refs)
    {
        if (refs.Count == 0)
        {
            return null;
        }

        var size = 0;
        for (var i = 0; i < refs.Count; i++)
        {
            size += 48 + (refs[i].BlobKey is { } blob ? Encoding.UTF8.GetByteCount(blob) : 0);
        }

        var bytes = size <= 1_024 ? stackalloc byte[1_024] : new byte[size];
        var at = 0;
        for (var i = 0; i < refs.Count; i++)
        {
            var item = refs[i];
            bytes[at++] = (byte)(
                (byte)item.Kind | (item.FromUpdate ? 0x40 : 0) | (item.BlobKey is null ? 0 : 0x80)
            );
            at += Number(bytes[at..], item.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[at..], item.Hash);
            at += 8;
            if (item.BlobKey is { } key)
            {
                at += Number(bytes[at..], Encoding.UTF8.GetByteCount(key));
                at += Encoding.UTF8.GetBytes(key, bytes[at..]);
            }
            else
            {
                at += Number(bytes[at..], item.Address.Segment);
                at += Number(bytes[at..], item.Address.BlockOffset);
                at += Number(bytes[at..], item.Address.ItemOffset);
            }
        }

        return bytes[..at].ToArray();
    }

    public static List<PayloadRef> Decode(byte[]? bytes) => Decode(bytes.AsSpan());

    public static List<PayloadRef> Decode(ReadOnlySpan<byte> bytes)
    {
        var refs = new List<PayloadRef>(4);
        while (!bytes.IsEmpty)
        {
            var head = bytes[0];
            bytes = bytes[1..];
            var length = Number(ref bytes);
            var hash = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            bytes = bytes[8..];
            string? key = null;
            var address = default(PayloadAddress);
            if ((head & 0x80) != 0)
            {
                var size = (int)Number(ref bytes);
                key = Encoding.UTF8.GetString(bytes[..size]);
                bytes = bytes[size..];
            }
            else
            {
                address = new PayloadAddress(
                    (int)Number(ref bytes),
                    Number(ref bytes),
                    (int)Number(ref bytes),
                    (int)length
                );
            }

            refs.Add(
                new PayloadRef(
                    (PayloadKind)(head & 0x3F),
                    (head & 0x40) != 0,
                    length,
                    hash,
                    address,
                    key
                )
            );
        }

        return refs;
    }

    private static long Number(ref ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[0];
            bytes = bytes[1..];
            value |= (long)(part & 0x7F) << shift;
            if ((part & 0x80) == 0)
            {
                return value;
            }
        }
    }

    private static int Number(Span<byte> bytes, long value)
    {
        var at = 0;
        for (; value >= 0x80; value >>>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }
}
