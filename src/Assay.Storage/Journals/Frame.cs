using System.Buffers.Binary;
using System.IO.Hashing;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using ZstdSharp;

namespace Assay.Storage.Journals;

/// <summary>
/// One frame of the journal: a 64-byte header (magic, lengths, workspace, time, checksum of the body, checksum of the header), the compressed
/// columns, then blocks of about 64 KiB of payloads, each compressed on its own so that one can be read without the others. Checksums are seeded with the journal's
/// random salt, so that no payload can contain bytes that would pass for a frame when a damaged stretch is searched for the next one.
/// </summary>
internal sealed class Frame
{
    public const int HeaderBytes = 64;

    /// <summary>Before each block: its compressed length, its length, and xxh3 of the compressed bytes.</summary>
    public const int BlockHeaderBytes = 16;
    public const uint Magic = 0x4A59_5341;
    private const int Level = 1;

    private const int MaxKeptBytes = 4 << 20;
    private static readonly Payload s_stored = Payload.FromUtf8(default);

    [ThreadStatic]
    private static Compressor? t_compressor;

    [ThreadStatic]
    private static BinaryWriter? t_columns;

    private readonly RentedBuffer _head;
    private readonly RentedBuffer _blocks;

    private Frame(RentedBuffer head, RentedBuffer blocks, ColumnCodec.RelativePayload[][] payloads)
    {
        _head = head;
        _blocks = blocks;
        Payloads = payloads;
        Header = new FrameHeader(head.Length - HeaderBytes, blocks.Length, default, default, 0);
    }

    /// <summary>Sizes; nothing else is set.</summary>
    public FrameHeader Header { get; }

    /// <summary>Header and columns, then the blocks; valid until <see cref="Release"/>.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Parts => [_head.Written, _blocks.Written];

    public ColumnCodec.RelativePayload[][] Payloads { get; }

    public static Frame Encode(RunBatch batch, DateTimeOffset acceptedAt, int blockBytes, long salt)
    {
        var payloads = new ColumnCodec.RelativePayload[batch.Runs.Count][];
        var blocks = new RentedBuffer(blockBytes);
        var head = new RentedBuffer(4 << 10);
        using var block = new RentedBuffer(blockBytes);
        try
        {
            var items = new List<ColumnCodec.RelativePayload>(6);
            for (var i = 0; i < batch.Runs.Count; i++)
            {
                var run = batch.Runs[i];
                items.Clear();
                Add(PayloadKind.Inputs, run.Inputs);
                Add(PayloadKind.Outputs, run.Outputs);
                Add(PayloadKind.Extra, run.Extra);
                Add(PayloadKind.Events, run.Events);
                Add(PayloadKind.Serialized, run.Serialized);
                Add(PayloadKind.Error, run.WholeError);
                payloads[i] = [.. items];
            }

            Close();
            var columns = Columns(batch, payloads);
            head.GetSpan(HeaderBytes)[..HeaderBytes].Clear();
            head.Advance(HeaderBytes);
            Compress(columns, head);
            WriteHeader(head, blocks.Written.Span, batch.WorkspaceId, acceptedAt, salt);
            return new Frame(head, blocks, payloads);

            void Add(PayloadKind kind, Payload? payload)
            {
                if (payload is null)
                {
                    return;
                }

                if (payload.BlobKey is { } key)
                {
                    items.Add(new ColumnCodec.RelativePayload(kind, payload.Length, 0, 0, 0, key));
                    return;
                }

                if (block.Length > 0 && block.Length + payload.Utf8.Length > blockBytes)
                {
                    Close();
                }

                var utf8 = payload.Utf8.Span;
                items.Add(
                    new ColumnCodec.RelativePayload(
                        kind,
                        utf8.Length,
                        XxHash3.HashToUInt64(utf8),
                        blocks.Length,
                        block.Length,
                        null
                    )
                );
                utf8.CopyTo(block.GetSpan(utf8.Length));
                block.Advance(utf8.Length);
            }

            void Close()
            {
                if (block.Length == 0)
                {
                    return;
                }

                var at = blocks.Length;
                blocks.GetSpan(BlockHeaderBytes);
                blocks.Advance(BlockHeaderBytes);
                var size = Compress(block.Written.Span, blocks);
                var header = blocks.At(at, BlockHeaderBytes);
                BinaryPrimitives.WriteInt32LittleEndian(header, size);
                BinaryPrimitives.WriteInt32LittleEndian(header[4..], block.Length);
                BinaryPrimitives.WriteUInt64LittleEndian(
                    header[8..],
                    XxHash3.HashToUInt64(blocks.At(at + BlockHeaderBytes, size))
                );
                block.Clear();
            }
        }
        catch
        {
            head.Dispose();
            blocks.Dispose();
            throw;
        }
    }

    /// <summary>Gives the memory of the bytes back, after they were written or refused.</summary>
    public void Release()
    {
        _head.Dispose();
        _blocks.Dispose();
    }

    /// <summary>Reads the header; null when it is none or damaged.</summary>
    public static FrameHeader? ReadHeader(ReadOnlySpan<byte> header, long salt)
    {
        if (
            header.Length < HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic
            || BinaryPrimitives.ReadUInt64LittleEndian(header[56..])
                != XxHash3.HashToUInt64(header[..56], salt)
        )
        {
            return null;
        }

        return new FrameHeader(
            BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[8..]),
            new Guid(header.Slice(16, 16)),
            UtcMicroseconds.FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(header[32..])),
            BinaryPrimitives.ReadUInt64LittleEndian(header[40..])
        );
    }

    /// <summary>Decodes the body of a frame that begins at <paramref name="start"/>.</summary>
    /// <exception cref="InvalidDataException">The body does not match its checksum.</exception>
    public static JournaledBatch Decode(
        FrameHeader header,
        ReadOnlySpan<byte> body,
        JournalPosition start,
        long salt
    )
    {
        if (XxHash3.HashToUInt64(body, salt) != header.BodyHash)
        {
            throw new InvalidDataException("The frame does not match its checksum.");
        }

        using var decompressor = new Decompressor();
        using var columns = new MemoryStream(
            decompressor.Unwrap(body[..header.ColumnBytes]).ToArray(),
            writable: false
        );
        using var reader = new BinaryReader(columns);
        var (runs, feedback) = ColumnCodec.Read(reader);
        return Place(
            header,
            start,
            [.. runs.Select(r => r.Write)],
            [.. runs.Select(r => r.Payloads)],
            feedback
        );
    }

    /// <summary>The batch of this frame once its place is known.</summary>
    public JournaledBatch Place(RunBatch batch, JournalPosition start, DateTimeOffset acceptedAt) =>
        Place(
            Header with
            {
                Workspace = batch.WorkspaceId,
                AcceptedAt = acceptedAt,
            },
            start,
            batch.Runs,
            Payloads,
            batch.Feedback
        );

    private static JournaledBatch Place(
        FrameHeader header,
        JournalPosition start,
        IReadOnlyList<RunWrite> runs,
        ColumnCodec.RelativePayload[][] payloads,
        IReadOnlyList<Core.Feedback.FeedbackRecord> feedback
    )
    {
        var firstBlock = start.Offset + HeaderBytes + header.ColumnBytes;
        var writes = new JournaledWrite[runs.Count];
        for (var i = 0; i < writes.Length; i++)
        {
            var items = payloads[i];
            Mark(runs[i], items);
            var placed = items.Length == 0 ? [] : new JournaledPayload[items.Length];
            for (var k = 0; k < items.Length; k++)
            {
                var p = items[k];
                placed[k] = new JournaledPayload(
                    p.Kind,
                    p.Length,
                    p.Hash,
                    p.BlobKey is null
                        ? new PayloadAddress(
                            start.Segment,
                            firstBlock + p.Block,
                            p.Item,
                            (int)p.Length
                        )
                        : default,
                    p.BlobKey
                );
            }

            writes[i] = new JournaledWrite(runs[i], placed);
        }

        return new JournaledBatch(
            header.Workspace,
            start,
            start with
            {
                Offset = start.Offset + header.FrameBytes,
            },
            writes,
            feedback,
            header.FrameBytes,
            header.AcceptedAt
        );
    }

    /// <summary>
    /// Says on a piece which payloads it has without holding them: their bytes are in the journal now, and a piece read back from there has to
    /// say the same, or it would be folded in as one without payloads.
    /// </summary>
    private static void Mark(RunWrite run, ColumnCodec.RelativePayload[] items)
    {
        foreach (var item in items)
        {
            switch (item.Kind)
            {
                case PayloadKind.Inputs:
                    run.Inputs = s_stored;
                    break;
                case PayloadKind.Outputs:
                    run.Outputs = s_stored;
                    break;
                case PayloadKind.Extra:
                    run.Extra = s_stored;
                    break;
                case PayloadKind.Events:
                    run.Events = s_stored;
                    break;
                case PayloadKind.Serialized:
                    run.Serialized = s_stored;
                    break;
                case PayloadKind.Error:
                    run.WholeError = s_stored;
                    break;
                default:
                    throw new InvalidDataException($"Unknown payload {item.Kind}.");
            }
        }
    }

    private static void WriteHeader(
        RentedBuffer head,
        ReadOnlySpan<byte> blocks,
        Guid workspace,
        DateTimeOffset acceptedAt,
        long salt
    )
    {
        var columns = head.Written.Span[HeaderBytes..];
        var body = new XxHash3(salt);
        body.Append(columns);
        body.Append(blocks);
        var header = head.At(0, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], columns.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], blocks.Length);
        workspace.TryWriteBytes(header.Slice(16, 16));
        BinaryPrimitives.WriteInt64LittleEndian(
            header[32..],
            UtcMicroseconds.ToMicroseconds(acceptedAt)
        );
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], body.GetCurrentHashAsUInt64());
        BinaryPrimitives.WriteUInt64LittleEndian(
            header[56..],
            XxHash3.HashToUInt64(header[..56], salt)
        );
    }

    private static ReadOnlySpan<byte> Columns(
        RunBatch batch,
        ColumnCodec.RelativePayload[][] payloads
    )
    {
        var writer = t_columns;
        if (writer is null || ((MemoryStream)writer.BaseStream).Capacity > MaxKeptBytes)
        {
            t_columns = writer = new BinaryWriter(new MemoryStream(), System.Text.Encoding.UTF8);
        }

        var stream = (MemoryStream)writer.BaseStream;
        stream.SetLength(0);
        ColumnCodec.Write(writer, batch, payloads);
        writer.Flush();
        return stream.GetBuffer().AsSpan(0, (int)stream.Length);
    }

    /// <summary>Appends the compressed bytes and tells how many they are.</summary>
    private static int Compress(ReadOnlySpan<byte> bytes, RentedBuffer to)
    {
        var compressor = t_compressor ??= new Compressor(Level);
        var size = compressor.Wrap(bytes, to.GetSpan(Compressor.GetCompressBound(bytes.Length)));
        to.Advance(size);
        return size;
    }
}

/// <summary>A frame's header.</summary>
internal readonly record struct FrameHeader(
    int ColumnBytes,
    int BlockBytes,
    Guid Workspace,
    DateTimeOffset AcceptedAt,
    ulong BodyHash
)
{
    public long FrameBytes => (long)Frame.HeaderBytes + ColumnBytes + BlockBytes;
}
