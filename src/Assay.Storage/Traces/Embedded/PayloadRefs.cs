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

        using var stream = new MemoryStream(refs.Count * 24);
        using var writer = new BinaryWriter(stream);
        foreach (var item in refs)
        {
            writer.Write(
                (byte)(
                    (byte)item.Kind
                    | (item.FromUpdate ? 0x40 : 0)
                    | (item.BlobKey is null ? 0 : 0x80)
                )
            );
            writer.Write7BitEncodedInt64(item.Length);
            writer.Write(item.Hash);
            if (item.BlobKey is { } key)
            {
                writer.Write(key);
            }
            else
            {
                writer.Write7BitEncodedInt(item.Address.Segment);
                writer.Write7BitEncodedInt64(item.Address.BlockOffset);
                writer.Write7BitEncodedInt(item.Address.ItemOffset);
            }
        }

        writer.Flush();
        return stream.ToArray();
    }

    public static List<PayloadRef> Decode(byte[]? bytes)
    {
        var refs = new List<PayloadRef>();
        if (bytes is null)
        {
            return refs;
        }

        using var stream = new MemoryStream(bytes, writable: false);
        using var reader = new BinaryReader(stream);
        while (stream.Position < stream.Length)
        {
            var head = reader.ReadByte();
            var length = reader.Read7BitEncodedInt64();
            var hash = reader.ReadUInt64();
            string? key = null;
            var address = default(PayloadAddress);
            if ((head & 0x80) != 0)
            {
                key = reader.ReadString();
            }
            else
            {
                address = new PayloadAddress(
                    reader.Read7BitEncodedInt(),
                    reader.Read7BitEncodedInt64(),
                    reader.Read7BitEncodedInt(),
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
}
