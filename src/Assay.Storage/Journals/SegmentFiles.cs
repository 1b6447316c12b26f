using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Assay.Storage.Journals;

/// <summary>The files of a journal: <c>00000001.log</c> and so on.</summary>
internal sealed class SegmentFiles : IDisposable
{
    private readonly string _directory;
    private readonly ConcurrentDictionary<int, SafeFileHandle> _handles = new();
    private readonly ConcurrentDictionary<int, SafeFileHandle> _retired = new();

    private SegmentFiles(string directory)
    {
        _directory = directory;
        Salt = ReadSalt(directory);
    }

    /// <summary>Seed of every checksum of this journal.</summary>
    public long Salt { get; }

    /// <summary>Where the next frame goes.</summary>
    public JournalPosition End { get; private set; }

    public static SegmentFiles Open(string directory, JournalPosition sound)
    {
        var files = new SegmentFiles(directory);
        foreach (
            var path in Directory.EnumerateFiles(directory, "*.log").Order(StringComparer.Ordinal)
        )
        {
            if (
                int.TryParse(
                    Path.GetFileNameWithoutExtension(path),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var number
                )
            )
            {
                files._handles[number] = Handle(path, FileMode.Open);
            }
        }

        if (files._handles.IsEmpty)
        {
            var first = Math.Max(1, sound.Segment);
            files.Create(first);
            files.End = new JournalPosition(first, 0);
        }
        else
        {
            var last = files._handles.Keys.Max();
            files.End = files.FindEnd(last, sound.Segment == last ? sound.Offset : 0);
        }

        if (files.End < sound)
        {
            // Files were lost or cut: what comes now must not take places that count as read.
            files.Create(sound.Segment + 1);
            files.End = new JournalPosition(sound.Segment + 1, 0);
        }

        return files;
    }

    public IReadOnlyList<JournalSegment> List() =>
        [
            .. _handles
                .OrderBy(h => h.Key)
                .Select(h => new JournalSegment(h.Key, RandomAccess.GetLength(h.Value))),
        ];

    public long Length(int segment) => RandomAccess.GetLength(Get(segment));

    public byte[] Read(int segment, long offset, int count)
    {
        var bytes = new byte[count];
        Read(segment, offset, bytes.AsSpan());
        return bytes;
    }

    public void Read(int segment, long offset, Span<byte> bytes)
    {
        var handle = Get(segment);
        while (!bytes.IsEmpty)
        {
            var n = RandomAccess.Read(handle, bytes, offset);
            if (n == 0)
            {
                throw new InvalidDataException("The segment is shorter than it should be.");
            }

            bytes = bytes[n..];
            offset += n;
        }
    }

    /// <summary>The frame at a position: its size and, when sound, its batch; null when there is no header.</summary>
    public (long Bytes, JournaledBatch? Batch)? ReadFrame(JournalPosition start, long limit)
    {
        var header = Frame.ReadHeader(Read(start.Segment, start.Offset, Frame.HeaderBytes), Salt);
        if (
            header is not { } known
            || known.ColumnBytes < 0
            || known.BlockBytes < 0
            || start.Offset + known.FrameBytes > limit
        )
        {
            return null;
        }

        var body = Read(
            start.Segment,
            start.Offset + Frame.HeaderBytes,
            known.ColumnBytes + known.BlockBytes
        );
        try
        {
            return (known.FrameBytes, Frame.Decode(known, body, start, Salt));
        }
        catch (Exception e)
            when (e
                    is InvalidDataException
                        or EndOfStreamException
                        or ZstdSharp.ZstdException
                        or FormatException
            )
        {
            return (known.FrameBytes, null);
        }
    }

    /// <summary>The next place from an offset where a sound header stands; the limit when there is none.</summary>
    public long FindHeader(int segment, long offset, long limit)
    {
        const int window = 1 << 20;
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, Frame.Magic);
        while (offset + Frame.HeaderBytes <= limit)
        {
            var bytes = Read(segment, offset, (int)Math.Min(window, limit - offset));
            var at = 0;
            while (bytes.AsSpan(at).IndexOf(magic) is var found && found >= 0)
            {
                at += found;
                if (offset + at + Frame.HeaderBytes > limit)
                {
                    break;
                }

                if (
                    Frame.ReadHeader(Read(segment, offset + at, Frame.HeaderBytes), Salt)
                    is not null
                )
                {
                    return offset + at;
                }

                at++;
            }

            offset += Math.Max(1, bytes.Length - 3);
        }

        return limit;
    }

    /// <summary>Writes frames one after the other and syncs.</summary>
    public void Append(JournalPosition start, IReadOnlyList<ReadOnlyMemory<byte>> frames)
    {
        var handle = Get(start.Segment);
        RandomAccess.Write(handle, frames, start.Offset);
        RandomAccess.FlushToDisk(handle);
    }

    public JournalPosition StartNext()
    {
        var next = _handles.Keys.Max() + 1;
        Create(next);
        return new JournalPosition(next, 0);
    }

    public void Truncate(JournalPosition end)
    {
        RandomAccess.SetLength(Get(end.Segment), end.Offset);
        RandomAccess.FlushToDisk(Get(end.Segment));
    }

    /// <summary>Cuts what a failed write may have left; false when the disk refuses that too.</summary>
    public bool TryTruncate(JournalPosition end)
    {
        try
        {
            Truncate(end);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Deletes a segment's file; its bytes can be read until <see cref="Release"/>.</summary>
    public void Retire(int segment)
    {
        if (_handles.TryGetValue(segment, out var handle))
        {
            _retired[segment] = handle;
            _handles.TryRemove(segment, out _);
            File.Delete(PathOf(segment));
            DurableDirectory.Sync(_directory);
        }
    }

    /// <summary>Closes a retired segment, which gives its disk back.</summary>
    public void Release(int segment)
    {
        if (_retired.TryRemove(segment, out var handle))
        {
            handle.Dispose();
        }
    }

    public long FreeBytes() => new DriveInfo(Path.GetFullPath(_directory)).AvailableFreeSpace;

    public void Dispose()
    {
        foreach (var handle in _handles.Values.Concat(_retired.Values))
        {
            handle.Dispose();
        }
    }

    /// <summary>The end of the last sound frame of the last segment; what follows was torn by a crash.</summary>
    private JournalPosition FindEnd(int segment, long sound)
    {
        var length = Length(segment);
        var offset = sound;
        var end = Math.Min(sound, length);
        while (offset + Frame.HeaderBytes <= length)
        {
            var frame = ReadFrame(new JournalPosition(segment, offset), length);
            if (frame is { } found)
            {
                offset += found.Bytes;
                end = found.Batch is null ? end : offset;
            }
            else
            {
                // A damaged frame with sound ones behind it is rot, not a torn tail.
                offset = FindHeader(segment, offset + 1, length);
            }
        }

        return new JournalPosition(segment, end);
    }

    private static long ReadSalt(string directory)
    {
        var path = Path.Combine(directory, "salt");
        if (!File.Exists(path))
        {
            var part = path + ".part";
            using (var file = new FileStream(part, FileMode.Create, FileAccess.Write))
            {
                file.Write(
                    System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(long))
                );
                file.Flush(flushToDisk: true);
            }

            File.Move(part, path);
            DurableDirectory.Sync(directory);
        }

        return BitConverter.ToInt64(File.ReadAllBytes(path));
    }

    private void Create(int number)
    {
        _handles[number] = Handle(PathOf(number), FileMode.CreateNew);
        DurableDirectory.Sync(_directory);
    }

    private SafeFileHandle Get(int segment) =>
        _handles.TryGetValue(segment, out var handle) || _retired.TryGetValue(segment, out handle)
            ? handle
            : throw new InvalidDataException($"Segment {segment} is gone.");

    private string PathOf(int number) =>
        Path.Combine(_directory, number.ToString("D8", CultureInfo.InvariantCulture) + ".log");

    private static SafeFileHandle Handle(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite);
}
