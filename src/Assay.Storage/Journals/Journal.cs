using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Threading.Channels;
using Assay.Core.Traces;
using Microsoft.Extensions.Logging;
using ZstdSharp;

namespace Assay.Storage.Journals;

/// <summary>
/// The append-only value log: write-ahead log of the index and permanent home of payloads. One writer task appends whatever is waiting and
/// syncs once for all of it (group commit). Thread-safe.
/// </summary>
internal sealed partial class Journal : IAsyncDisposable
{
    [ThreadStatic]
    private static Decompressor? t_decompressor;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _closing = new();
    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(
        new() { SingleReader = true }
    );
    private readonly Channel<JournaledBatch> _durable = Channel.CreateUnbounded<JournaledBatch>();
    private readonly SegmentFiles _segments;
    private readonly BlockCache _blocks = new();
    private readonly Task _writer;
    private readonly Lock _endLock = new();
    private JournalPosition _end;
    private bool _mustRoll;
    private long _pendingBytes;
    private long _unappliedBytes;
    private long _unappliedPieces;

    private Journal(
        JournalOptions options,
        TimeProvider time,
        ILogger logger,
        SegmentFiles segments
    )
    {
        _options = options;
        _time = time;
        _logger = logger;
        _segments = segments;
        End = segments.End;
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Opens or creates a journal; a torn tail of the last segment is cut.</summary>
    /// <param name="options">Sizes and limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told about damage.</param>
    /// <param name="sound">Up to here frames were read after a sync once: they are no torn tail and need no look. New frames come behind it in any case.</param>
    public static Journal Open(
        JournalOptions options,
        TimeProvider time,
        ILogger<Journal> logger,
        JournalPosition sound = default
    )
    {
        Directory.CreateDirectory(options.Directory);
        var segments = SegmentFiles.Open(options.Directory, sound);
        var end = segments.End;
        var length = segments.Length(end.Segment);
        if (length > end.Offset)
        {
            Log.TornTail(logger, end.Segment, end.Offset, length - end.Offset);
            segments.Truncate(end);
        }

        return new Journal(options, time, logger, segments);
    }

    /// <summary>Batches appended since the journal was opened, in order, each after its sync.</summary>
    public ChannelReader<JournaledBatch> Durable => _durable.Reader;

    /// <summary>The end of what is on disk.</summary>
    public JournalPosition End
    {
        get
        {
            lock (_endLock)
            {
                return _end;
            }
        }
        private set
        {
            lock (_endLock)
            {
                _end = value;
            }
        }
    }

    /// <summary>Damaged frames met by <see cref="Replay"/>.</summary>
    public long DamagedFrames { get; private set; }

    /// <summary>Why the last write failed; null when writing works.</summary>
    public string? Failure { get; private set; }

    public IReadOnlyList<JournalSegment> Segments => _segments.List();

    /// <summary>Makes a batch durable; on return it survives a power cut.</summary>
    /// <exception cref="StoreBusyException">Nothing was written.</exception>
    public async ValueTask AppendAsync(RunBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (
            Volatile.Read(ref _unappliedBytes) > _options.MaxUnappliedBytes
            || Volatile.Read(ref _unappliedPieces) > _options.MaxUnappliedPieces
            || Volatile.Read(ref _pendingBytes) > _options.MaxPendingBytes
        )
        {
            throw new StoreBusyException(
                "The store is behind; try again.",
                isFailing: false,
                TimeSpan.FromSeconds(1)
            );
        }

        var now = _time.GetUtcNow();
        var frame = Frame.Encode(batch, now, _options.BlockBytes, _segments.Salt);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Add(ref _pendingBytes, frame.Header.FrameBytes);
        if (!_pending.Writer.TryWrite(new Pending(frame, batch, now, done)))
        {
            Interlocked.Add(ref _pendingBytes, -frame.Header.FrameBytes);
            frame.Release();
            throw new StoreBusyException(
                "The server is shutting down.",
                isFailing: true,
                TimeSpan.FromSeconds(5)
            );
        }

        // Not cancellable from here on: the bytes may be on disk already, and payload memory must stay the caller's until they are.
        await done.Task;
    }

    /// <summary>Says that a batch is in the index, which makes room for others.</summary>
    public void Release(JournaledBatch batch)
    {
        Interlocked.Add(ref _unappliedBytes, -batch.Bytes);
        Interlocked.Add(ref _unappliedPieces, -batch.Runs.Count - batch.Feedback.Count);
    }

    /// <summary>The frames from a position to the end, skipping damaged ones.</summary>
    public IEnumerable<JournaledBatch> Replay(JournalPosition from)
    {
        var end = End;
        foreach (
            var segment in _segments
                .List()
                .Where(s => s.Number >= from.Segment && s.Number <= end.Segment)
        )
        {
            var offset = segment.Number == from.Segment ? from.Offset : 0;
            var limit = segment.Number == end.Segment ? end.Offset : segment.Bytes;
            while (offset + Frame.HeaderBytes <= limit)
            {
                var start = new JournalPosition(segment.Number, offset);
                if (_segments.ReadFrame(start, limit) is { } found)
                {
                    if (found.Batch is { } batch)
                    {
                        yield return batch;
                    }
                    else
                    {
                        Damaged(start);
                    }

                    offset += found.Bytes;
                }
                else
                {
                    Damaged(start);
                    offset = _segments.FindHeader(segment.Number, offset + 1, limit);
                }
            }
        }
    }

    /// <summary>The bytes of a payload.</summary>
    /// <exception cref="InvalidDataException">The block is damaged.</exception>
    public ReadOnlyMemory<byte> Read(PayloadAddress address)
    {
        var block = _blocks.GetOrAdd(
            (address.Segment, address.BlockOffset),
            () => ReadBlock(address)
        );
        if (address.ItemOffset + address.Length > block.Length)
        {
            throw new InvalidDataException("The payload lies outside its block.");
        }

        return block.AsMemory(address.ItemOffset, address.Length);
    }

    /// <summary>The sound frames of one segment.</summary>
    public IEnumerable<JournaledBatch> ReadSegment(int segment)
    {
        var limit = _segments.Length(segment);
        for (long offset = 0; offset + Frame.HeaderBytes <= limit; )
        {
            if (_segments.ReadFrame(new JournalPosition(segment, offset), limit) is { } found)
            {
                if (found.Batch is { } batch)
                {
                    yield return batch;
                }

                offset += found.Bytes;
            }
            else
            {
                offset = _segments.FindHeader(segment, offset + 1, limit);
            }
        }
    }

    /// <summary>Drops a closed segment and everything in it. Readers that have an address in it already can read for a moment yet.</summary>
    public void DeleteSegment(int segment)
    {
        if (segment < End.Segment)
        {
            _segments.Retire(segment);
            _ = ReleaseAsync(segment);
        }
    }

    /// <summary>Takes no more batches and writes those that wait; payloads can be read on.</summary>
    public async Task StopAsync()
    {
        _pending.Writer.TryComplete();
        await _closing.CancelAsync();
        await _writer;
        _durable.Writer.TryComplete();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _segments.Dispose();
        _closing.Dispose();
    }

    private async Task ReleaseAsync(int segment)
    {
        try
        {
            await Task.Delay(Grace, _time, _closing.Token);
            _segments.Release(segment);
        }
        catch (OperationCanceledException)
        {
            // The files are closed with the journal.
        }
    }

    private void Damaged(JournalPosition start)
    {
        DamagedFrames++;
        Log.DamagedFrame(_logger, start.Segment, start.Offset);
    }

    private byte[] ReadBlock(PayloadAddress address)
    {
        var block = Array.Empty<byte>();
        Unpack(address.Segment, address.BlockOffset, ref block);
        return block;
    }

    /// <summary>Unpacks a block into a buffer, which is replaced by a fitting one when it is too small, and tells its length.</summary>
    /// <exception cref="InvalidDataException">The block is damaged.</exception>
    internal int Unpack(int segment, long offset, ref byte[] buffer)
    {
        Span<byte> head = stackalloc byte[Frame.BlockHeaderBytes];
        _segments.Read(segment, offset, head);
        var packed = BinaryPrimitives.ReadInt32LittleEndian(head);
        var raw = BinaryPrimitives.ReadInt32LittleEndian(head[4..]);
        if (
            packed <= 0
            || raw <= 0
            || offset + Frame.BlockHeaderBytes + packed > _segments.Length(segment)
        )
        {
            throw new InvalidDataException("The block's header is damaged.");
        }

        var rented = ArrayPool<byte>.Shared.Rent(packed);
        try
        {
            var squeezed = rented.AsSpan(0, packed);
            _segments.Read(segment, offset + Frame.BlockHeaderBytes, squeezed);
            if (
                XxHash3.HashToUInt64(squeezed) != BinaryPrimitives.ReadUInt64LittleEndian(head[8..])
                || Decompressor.GetDecompressedSize(squeezed) != (ulong)raw
            )
            {
                throw new InvalidDataException("The block does not match its checksum.");
            }

            if (buffer.Length < raw)
            {
                buffer = GC.AllocateUninitializedArray<byte>(raw);
            }

            t_decompressor ??= new Decompressor();
            return t_decompressor.Unwrap(squeezed, buffer.AsSpan(0, raw));
        }
        catch (ZstdException e)
        {
            throw new InvalidDataException("The block is damaged.", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private async Task WriteAsync()
    {
        var group = new List<Pending>();
        while (await _pending.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < 256 && _pending.Reader.TryRead(out var next))
            {
                group.Add(next);
            }

            WriteGroup(group);
        }
    }

    private void WriteGroup(List<Pending> group)
    {
        var bytes = group.Sum(p => p.Frame.Header.FrameBytes);
        try
        {
            if (_segments.FreeBytes() < _options.MinFreeDiskBytes + bytes)
            {
                throw new IOException("The disk is nearly full.");
            }

            if (_mustRoll || (End.Offset > 0 && End.Offset + bytes > _options.SegmentBytes))
            {
                // After a failed cut the old tail may hold a batch that was refused; nothing may follow it.
                End = _segments.StartNext();
                _mustRoll = false;
            }

            var start = End;
            _segments.Append(start, [.. group.SelectMany(p => p.Frame.Parts)]);
            Failure = null;
            foreach (var item in group)
            {
                var batch = item.Frame.Place(item.Batch, start, item.AcceptedAt);
                start = batch.End;
                Interlocked.Add(ref _unappliedBytes, batch.Bytes);
                Interlocked.Add(ref _unappliedPieces, batch.Runs.Count + batch.Feedback.Count);
                _durable.Writer.TryWrite(batch);
            }

            End = start;
            group.ForEach(p => p.Done.TrySetResult());
        }
        catch (Exception e)
        {
            // Whatever it is, the writer must live on: the group is refused and every caller told.
            Failure = e.Message;
            Log.WriteFailed(_logger, e);
            _mustRoll |= !_segments.TryTruncate(End);
            group.ForEach(p =>
                p.Done.TrySetException(
                    new StoreBusyException(
                        $"The journal cannot be written: {e.Message}",
                        isFailing: true,
                        TimeSpan.FromSeconds(10),
                        e
                    )
                )
            );
        }
        finally
        {
            Interlocked.Add(ref _pendingBytes, -bytes);
            group.ForEach(p => p.Frame.Release());
        }
    }

    private sealed record Pending(
        Frame Frame,
        RunBatch Batch,
        DateTimeOffset AcceptedAt,
        TaskCompletionSource Done
    );

    private static partial class Log
    {
        [LoggerMessage(
            2001,
            LogLevel.Warning,
            "Segment {Segment} ends torn at {Offset}: {Bytes} bytes that were never acknowledged are cut"
        )]
        public static partial void TornTail(ILogger logger, int segment, long offset, long bytes);

        [LoggerMessage(
            2002,
            LogLevel.Error,
            "Damaged frame in segment {Segment} at {Offset}: skipped"
        )]
        public static partial void DamagedFrame(ILogger logger, int segment, long offset);

        [LoggerMessage(2003, LogLevel.Error, "The journal cannot be written")]
        public static partial void WriteFailed(ILogger logger, Exception error);
    }
}
