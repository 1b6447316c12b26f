using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using Assay.Storage.Journals;

namespace Assay.Storage.Traces.Search;

/// <summary>
/// Writes a segment of the search index: a header, the row keys of its documents, the postings, and a dictionary of sorted tokens. Little-endian.
/// A posting list is one document inside the dictionary itself, or differences of document numbers, or a bit per document, whichever is
/// smallest. The file appears under its name only when it is whole and synced.
/// </summary>
internal sealed class SearchSegmentWriter : IDisposable
{
    public const uint Magic = 0x5253_5341;
    public const int Version = 2;
    public const int HeaderBytes = 96;
    public const int Block = 128;
    public const uint Inline = 0x8000_0000;
    private readonly string _path;
    private readonly FileStream _file;
    private readonly XxHash3 _hash = new();
    private readonly uint[] _docs;
    private readonly long _first;
    private readonly List<uint> _tokens = [];
    private readonly List<uint> _offsets = [];
    private readonly byte[] _bits;
    private byte[] _buffer = new byte[4_096];
    private long _postings;

    public SearchSegmentWriter(string path, uint[] docs, long first)
    {
        _path = path;
        _docs = docs;
        _first = first;
        _bits = new byte[(docs.Length + 7) / 8];
        _file = new FileStream(
            path + ".part",
            FileMode.Create,
            FileAccess.Write,
            FileShare.None,
            1 << 16
        );
        _file.Write(new byte[HeaderBytes]);
        Write(MemoryMarshal.AsBytes(docs.AsSpan()));
    }

    /// <summary>Tokens come in ascending order, their documents too, each once.</summary>
    public void Add(uint token, ReadOnlySpan<uint> docs)
    {
        _tokens.Add(token);
        if (docs.Length == 1)
        {
            _offsets.Add(docs[0] | Inline);
            return;
        }

        _offsets.Add(checked((uint)_postings));
        if (_offsets[^1] >= Inline)
        {
            throw new InvalidDataException("The segment grows past 2 GiB.");
        }

        var size = 0;
        uint before = 0;
        foreach (var doc in docs)
        {
            size += Size(doc - before);
            before = doc;
        }

        var isBits = size > _bits.Length;
        if (isBits)
        {
            size = _bits.Length;
        }

        if (_buffer.Length < size + 10)
        {
            _buffer = new byte[(size + 10) * 2];
        }

        var at = Number(_buffer, ((uint)docs.Length << 1) | (isBits ? 1u : 0));
        at += Number(_buffer.AsSpan(at), (uint)size);
        if (isBits)
        {
            Array.Clear(_bits);
            foreach (var doc in docs)
            {
                _bits[doc >> 3] |= (byte)(1 << (int)(doc & 7));
            }

            _bits.CopyTo(_buffer.AsSpan(at));
            at += size;
        }
        else
        {
            before = 0;
            foreach (var doc in docs)
            {
                at += Number(_buffer.AsSpan(at), doc - before);
                before = doc;
            }
        }

        Write(_buffer.AsSpan(0, at));
        _postings += at;
    }

    /// <summary>Makes the file durable and gives it its name.</summary>
    /// <param name="through">Everything of the journal up to here is in this segment or in earlier ones.</param>
    public void Finish(JournalPosition through)
    {
        Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_tokens)));
        Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_offsets)));
        var sparse = new List<uint>(_tokens.Count / Block + 1);
        for (var i = 0; i < _tokens.Count; i += Block)
        {
            sparse.Add(_tokens[i]);
        }

        Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(sparse)));
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], _docs.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], _tokens.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], _first);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], _postings);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], through.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], through.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(header[48..], RunStart());
        BinaryPrimitives.WriteUInt64LittleEndian(header[80..], _hash.GetCurrentHashAsUInt64());
        BinaryPrimitives.WriteUInt64LittleEndian(header[88..], XxHash3.HashToUInt64(header[..88]));
        _file.Position = 0;
        _file.Write(header);
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        File.Move(_path + ".part", _path, overwrite: true);
        DurableDirectory.Sync(Path.GetDirectoryName(_path) ?? ".");
    }

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_path + ".part");
    }

    /// <summary>From which document on the keys follow each other without a gap: as a rule from the first, or nearly.</summary>
    private int RunStart()
    {
        var at = _docs.Length - 1;
        while (at > 0 && _docs[at - 1] == _docs[at] - 1)
        {
            at--;
        }

        return at;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        _file.Write(bytes);
    }

    private static int Size(uint value) => 1 + (BitOperations.Log2(value | 1) / 7);

    private static int Number(Span<byte> bytes, uint value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }
}
