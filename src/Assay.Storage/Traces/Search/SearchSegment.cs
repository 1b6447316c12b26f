using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using Assay.Storage.Journals;
using Microsoft.Win32.SafeHandles;

namespace Assay.Storage.Traces.Search;

/// <summary>
/// A written segment of the search index (<see cref="SearchSegmentWriter"/> says its form). In memory is every 128th token alone; a word costs
/// three small reads. Thread-safe.
/// </summary>
internal sealed class SearchSegment : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly uint[] _sparse;
    private readonly long _docsAt = SearchSegmentWriter.HeaderBytes;
    private readonly long _postingsAt;
    private readonly long _tokensAt;
    private readonly long _offsetsAt;
    private readonly ulong _hash;

    /// <summary>From this document on the keys follow each other without a gap.</summary>
    private readonly int _runStart;
    private readonly Lazy<uint[]> _loose;
    private long _runKey;

    private SearchSegment(string path, SafeFileHandle file, ReadOnlySpan<byte> header)
    {
        Path = path;
        _file = file;
        Docs = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        Tokens = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        First = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        _postingsAt = _docsAt + (4L * Docs);
        _tokensAt = _postingsAt + BinaryPrimitives.ReadInt64LittleEndian(header[24..]);
        _offsetsAt = _tokensAt + (4L * Tokens);
        Through = new JournalPosition(
            BinaryPrimitives.ReadInt32LittleEndian(header[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[40..])
        );
        _runStart = BinaryPrimitives.ReadInt32LittleEndian(header[48..]);
        _loose = new Lazy<uint[]>(() => ReadDocs(_runStart));
        _hash = BinaryPrimitives.ReadUInt64LittleEndian(header[80..]);
        _sparse = new uint[(Tokens + SearchSegmentWriter.Block - 1) / SearchSegmentWriter.Block];
        Bytes = _offsetsAt + (4L * Tokens) + (4L * _sparse.Length);
    }

    public string Path { get; }

    public int Docs { get; }

    public int Tokens { get; }

    public long Bytes { get; }

    /// <summary>The smallest row key.</summary>
    public long First { get; }

    public JournalPosition Through { get; }

    /// <exception cref="InvalidDataException">It is no segment of this version, or damaged.</exception>
    public static SearchSegment Open(string path)
    {
        var file = File.OpenHandle(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read | FileShare.Delete
        );
        try
        {
            Span<byte> header = stackalloc byte[SearchSegmentWriter.HeaderBytes];
            if (
                RandomAccess.Read(file, header, 0) != header.Length
                || BinaryPrimitives.ReadUInt32LittleEndian(header) != SearchSegmentWriter.Magic
                || BinaryPrimitives.ReadInt32LittleEndian(header[4..])
                    != SearchSegmentWriter.Version
                || BinaryPrimitives.ReadUInt64LittleEndian(header[88..])
                    != XxHash3.HashToUInt64(header[..88])
            )
            {
                throw new InvalidDataException("The header of a search segment is damaged.");
            }

            var segment = new SearchSegment(path, file, header);
            if (RandomAccess.GetLength(file) != segment.Bytes)
            {
                throw new InvalidDataException("A search segment is shorter than it should be.");
            }

            segment.Read(
                MemoryMarshal.AsBytes(segment._sparse.AsSpan()),
                segment._offsetsAt + (4L * segment.Tokens)
            );
            Span<uint> key = stackalloc uint[1];
            segment.Read(MemoryMarshal.AsBytes(key), segment._docsAt + (4L * segment._runStart));
            segment._runKey = segment.First + key[0];
            return segment;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>True when every byte is as it was written.</summary>
    public bool IsSound()
    {
        var hash = new XxHash3();
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            for (long at = SearchSegmentWriter.HeaderBytes; at < Bytes; )
            {
                var part = buffer.AsSpan(0, (int)Math.Min(1 << 20, Bytes - at));
                Read(part, at);
                hash.Append(part);
                at += part.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return hash.GetCurrentHashAsUInt64() == _hash;
    }

    public uint[] ReadDocs() => ReadDocs(Docs);

    private uint[] ReadDocs(int count)
    {
        var docs = new uint[count];
        Read(MemoryMarshal.AsBytes(docs.AsSpan()), _docsAt);
        return docs;
    }

    /// <summary>In how many documents a token occurs.</summary>
    public int CountOf(uint token) =>
        Offset(token) is not { } offset ? 0
        : (offset & SearchSegmentWriter.Inline) != 0 ? 1
        : (int)(Head(offset).Count >> 1);

    public void Find(uint token, PostingSet into)
    {
        if (Offset(token) is not { } offset)
        {
            return;
        }

        if ((offset & SearchSegmentWriter.Inline) != 0)
        {
            into.Add(Key(offset & ~SearchSegmentWriter.Inline));
            return;
        }

        var (head, size, headSize) = Head(offset);
        var buffer = ArrayPool<byte>.Shared.Rent(size + sizeof(ulong));
        try
        {
            var bytes = buffer.AsSpan(0, size);
            Read(bytes, _postingsAt + offset + headSize);
            if ((head & 1) != 0)
            {
                buffer.AsSpan(size, sizeof(ulong)).Clear();
                AddBits(buffer.AsSpan(0, size + sizeof(ulong)), into);
                return;
            }

            uint doc = 0;
            var at = 0;
            for (var i = head >> 1; i > 0; i--)
            {
                doc += Number(bytes, ref at);
                into.Add(Key(doc));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Every token with its documents, ascending; the list is valid until the next.</summary>
    public IEnumerable<(uint Token, List<uint> Docs)> All()
    {
        var docs = new List<uint>();
        var tokens = new uint[8_192];
        var offsets = new uint[8_192];
        for (var from = 0; from < Tokens; from += tokens.Length)
        {
            var count = Math.Min(tokens.Length, Tokens - from);
            Read(MemoryMarshal.AsBytes(tokens.AsSpan(0, count)), _tokensAt + (4L * from));
            Read(MemoryMarshal.AsBytes(offsets.AsSpan(0, count)), _offsetsAt + (4L * from));
            for (var i = 0; i < count; i++)
            {
                docs.Clear();
                docs.AddRange(Postings(offsets[i]));
                yield return (tokens[i], docs);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    private long Key(uint doc) =>
        doc >= _runStart ? _runKey + (doc - _runStart) : First + _loose.Value[doc];

    /// <summary>A bit per document: those whose keys follow each other are taken over 64 at a time.</summary>
    private void AddBits(ReadOnlySpan<byte> bits, PostingSet into)
    {
        var doc = 0;
        for (; doc < Docs && (doc < _runStart || (doc & 63) != 0); doc++)
        {
            if ((bits[doc >> 3] & (1 << (doc & 7))) != 0)
            {
                into.Add(Key((uint)doc));
            }
        }

        for (; doc < Docs; doc += 64)
        {
            into.AddWord(
                _runKey + (doc - _runStart),
                BinaryPrimitives.ReadUInt64LittleEndian(bits[(doc >> 3)..])
            );
        }
    }

    private uint? Offset(uint token)
    {
        var block = Array.BinarySearch(_sparse, token);
        block = block >= 0 ? block : ~block - 1;
        if (block < 0)
        {
            return null;
        }

        var from = block * SearchSegmentWriter.Block;
        Span<uint> tokens = stackalloc uint[SearchSegmentWriter.Block];
        tokens = tokens[..Math.Min(tokens.Length, Tokens - from)];
        Read(MemoryMarshal.AsBytes(tokens), _tokensAt + (4L * from));
        var found = tokens.IndexOf(token);
        if (found < 0)
        {
            return null;
        }

        Span<uint> offset = stackalloc uint[1];
        Read(MemoryMarshal.AsBytes(offset), _offsetsAt + (4L * (from + found)));
        return offset[0];
    }

    private (uint Count, int Size, int HeadSize) Head(uint offset)
    {
        Span<byte> bytes = stackalloc byte[10];
        bytes = bytes[..(int)Math.Min(bytes.Length, _tokensAt - _postingsAt - offset)];
        Read(bytes, _postingsAt + offset);
        var at = 0;
        var count = Number(bytes, ref at);
        var size = Number(bytes, ref at);
        return (count, (int)size, at);
    }

    private uint[] Postings(uint offset)
    {
        if ((offset & SearchSegmentWriter.Inline) != 0)
        {
            return [offset & ~SearchSegmentWriter.Inline];
        }

        var (head, size, headSize) = Head(offset);
        var docs = new uint[head >> 1];
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var bytes = buffer.AsSpan(0, size);
            Read(bytes, _postingsAt + offset + headSize);
            if ((head & 1) != 0)
            {
                Bits(bytes, docs);
            }
            else
            {
                uint doc = 0;
                var at = 0;
                for (var i = 0; i < docs.Length; i++)
                {
                    docs[i] = doc += Number(bytes, ref at);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return docs;
    }

    private static void Bits(ReadOnlySpan<byte> bytes, uint[] docs)
    {
        var at = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            for (uint rest = bytes[i]; rest != 0; rest &= rest - 1)
            {
                docs[at++] = (uint)((i << 3) + BitOperations.TrailingZeroCount(rest));
            }
        }
    }

    private static uint Number(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[at++];
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }

    private void Read(Span<byte> into, long at)
    {
        while (!into.IsEmpty)
        {
            var n = RandomAccess.Read(_file, into, at);
            if (n == 0)
            {
                throw new InvalidDataException("A search segment is shorter than it should be.");
            }

            into = into[n..];
            at += n;
        }
    }
}
