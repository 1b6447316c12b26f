using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using Assay.Storage.Journals;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace Assay.Storage.Maintenance;

/// <summary>Reads the files of a journal that may belong to a running server; changes nothing. Not thread-safe.</summary>
internal sealed class JournalInspector : IDisposable
{
    private readonly string _directory;
    private readonly long _salt;
    private readonly Dictionary<int, SafeFileHandle?> _files = [];
    private (int Segment, long Offset) _blockAt = (-1, 0);
    private byte[] _block = [];

    public JournalInspector(string directory)
    {
        _directory = directory;
        _salt = BitConverter.ToInt64(File.ReadAllBytes(Path.Combine(directory, "salt")));
    }

    public IReadOnlyList<int> Segments =>
        [
            .. Directory
                .EnumerateFiles(_directory, "*.log")
                .Select(f =>
                    int.Parse(Path.GetFileNameWithoutExtension(f), CultureInfo.InvariantCulture)
                )
                .Order(),
        ];

    /// <summary>Walks a segment: how many frames are sound, and where damage begins, each stretch once.</summary>
    public (long Frames, List<long> Damage) Walk(int segment, long until)
    {
        long frames = 0;
        var damage = new List<long>();
        if (Open(segment) is not { } file)
        {
            return (0, damage);
        }

        var limit = Math.Min(until, RandomAccess.GetLength(file));
        var isDamaged = false;
        for (long offset = 0; offset + Frame.HeaderBytes <= limit; )
        {
            var header = Frame.ReadHeader(Bytes(file, offset, Frame.HeaderBytes), _salt);
            if (
                header is { ColumnBytes: >= 0, BlockBytes: >= 0 } known
                && offset + known.FrameBytes <= limit
            )
            {
                var isSound = IsSound(file, offset, known);
                frames += isSound ? 1 : 0;
                if (!isSound)
                {
                    damage.Add(offset);
                }

                isDamaged = false;
                offset += known.FrameBytes;
            }
            else
            {
                if (!isDamaged)
                {
                    damage.Add(offset);
                }

                isDamaged = true;
                offset = Next(file, offset + 1, limit);
            }
        }

        return (frames, damage);
    }

    /// <summary>What is wrong with a payload; null when its bytes are those that were sent.</summary>
    public string? Problem(PayloadAddress address, ulong hash)
    {
        if (_blockAt != (address.Segment, address.BlockOffset))
        {
            if (Open(address.Segment) is not { } file)
            {
                return "its segment is gone";
            }

            var length = RandomAccess.GetLength(file);
            if (address.BlockOffset + Frame.BlockHeaderBytes > length)
            {
                return "it lies behind the end of its segment";
            }

            var head = Bytes(file, address.BlockOffset, Frame.BlockHeaderBytes);
            var packed = BinaryPrimitives.ReadInt32LittleEndian(head);
            if (packed <= 0 || address.BlockOffset + Frame.BlockHeaderBytes + packed > length)
            {
                return "its block is damaged";
            }

            var squeezed = Bytes(file, address.BlockOffset + Frame.BlockHeaderBytes, packed);
            if (
                XxHash3.HashToUInt64(squeezed)
                != BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(8))
            )
            {
                return "its block does not match its checksum";
            }

            using var decompressor = new Decompressor();
            try
            {
                _block = decompressor.Unwrap(squeezed).ToArray();
            }
            catch (ZstdException)
            {
                return "its block cannot be unpacked";
            }

            _blockAt = (address.Segment, address.BlockOffset);
        }

        return address.ItemOffset < 0 || address.ItemOffset + address.Length > _block.Length
                ? "it lies outside its block"
            : XxHash3.HashToUInt64(_block.AsSpan(address.ItemOffset, address.Length)) != hash
                ? "its bytes are not those that were sent"
            : null;
    }

    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file?.Dispose();
        }
    }

    /// <summary>The next place where a sound header stands; the limit when there is none.</summary>
    private long Next(SafeFileHandle file, long offset, long limit)
    {
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, Frame.Magic);
        while (offset + Frame.HeaderBytes <= limit)
        {
            var window = Bytes(file, offset, (int)Math.Min(1 << 20, limit - offset));
            for (var at = 0; window.AsSpan(at).IndexOf(magic) is >= 0 and var found; at++)
            {
                at += found;
                if (
                    offset + at + Frame.HeaderBytes <= limit
                    && Frame.ReadHeader(Bytes(file, offset + at, Frame.HeaderBytes), _salt)
                        is not null
                )
                {
                    return offset + at;
                }
            }

            offset += Math.Max(1, window.Length - 3);
        }

        return limit;
    }

    private bool IsSound(SafeFileHandle file, long offset, FrameHeader header)
    {
        var hash = new XxHash3(_salt);
        var left = (long)header.ColumnBytes + header.BlockBytes;
        for (var at = offset + Frame.HeaderBytes; left > 0; )
        {
            var bytes = Bytes(file, at, (int)Math.Min(left, 1 << 20));
            hash.Append(bytes);
            at += bytes.Length;
            left -= bytes.Length;
        }

        return hash.GetCurrentHashAsUInt64() == header.BodyHash;
    }

    private SafeFileHandle? Open(int segment)
    {
        if (!_files.TryGetValue(segment, out var file))
        {
            var path = Path.Combine(
                _directory,
                segment.ToString("D8", CultureInfo.InvariantCulture) + ".log"
            );
            _files[segment] = file = File.Exists(path)
                ? File.OpenHandle(
                    path,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.ReadWrite | FileShare.Delete
                )
                : null;
        }

        return file;
    }

    private static byte[] Bytes(SafeFileHandle file, long offset, int count)
    {
        var bytes = new byte[count];
        var read = 0;
        while (read < count)
        {
            var n = RandomAccess.Read(file, bytes.AsSpan(read), offset + read);
            if (n == 0)
            {
                break;
            }

            read += n;
        }

        return bytes;
    }
}
