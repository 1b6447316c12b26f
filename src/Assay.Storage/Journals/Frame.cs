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

    [ThreadStatic]
    private static Compressor? t_compressor;

    private Frame(
        byte[] bytes,
        int columnBytes,
        IReadOnlyList<IReadOnlyList<ColumnCodec.RelativePayload>> payloads
    )
    {
        Bytes = bytes;
        ColumnBytes = columnBytes;
        Payloads = payloads;
    }

    public byte[] Bytes { get; }

    public int ColumnBytes { get; }

    public IReadOnlyList<IReadOnlyList<ColumnCodec.RelativePayload>> Payloads { get; }

    public static Frame Encode(RunBatch batch, DateTimeOffset acceptedAt, int blockBytes, long salt)
    {
        var compressor = t_compressor ??= new Compressor(Level);
        using var blocks = new MemoryStream();
        using var block = new MemoryStream(blockBytes);
        var payloads = new List<IReadOnlyList<ColumnCodec.RelativePayload>>(batch.Runs.Count);
        foreach (var run in batch.Runs)
        {
            var items = new List<ColumnCodec.RelativePayload>(3);
            Add(items, PayloadKind.Inputs, run.Inputs);
            Add(items, PayloadKind.Outputs, run.Outputs);
            Add(items, PayloadKind.Extra, run.Extra);
            Add(items, PayloadKind.Events, run.Events);
            Add(items, PayloadKind.Serialized, run.Serialized);
            Add(items, PayloadKind.Error, run.WholeError);
            payloads.Add(items);
        }

        Close();
        using var columns = new MemoryStream();
        using (var writer = new BinaryWriter(columns, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            ColumnCodec.Write(writer, batch, payloads);
        }

        var packed = compressor.Wrap(columns.GetBuffer().AsSpan(0, (int)columns.Length));
        var bytes = new byte[HeaderBytes + packed.Length + blocks.Length];
        packed.CopyTo(bytes.AsSpan(HeaderBytes));
        blocks
            .GetBuffer()
            .AsSpan(0, (int)blocks.Length)
            .CopyTo(bytes.AsSpan(HeaderBytes + packed.Length));
        WriteHeader(bytes, packed.Length, (int)blocks.Length, batch.WorkspaceId, acceptedAt, salt);
        return new Frame(bytes, packed.Length, payloads);

        void Add(List<ColumnCodec.RelativePayload> items, PayloadKind kind, Payload? payload)
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
                    (int)blocks.Length,
                    (int)block.Length,
                    null
                )
            );
            block.Write(utf8);
        }

        void Close()
        {
            if (block.Length == 0)
            {
                return;
            }

            var squeezed = compressor.Wrap(block.GetBuffer().AsSpan(0, (int)block.Length));
            Span<byte> head = stackalloc byte[BlockHeaderBytes];
            BinaryPrimitives.WriteInt32LittleEndian(head, squeezed.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], (int)block.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(head[8..], XxHash3.HashToUInt64(squeezed));
            blocks.Write(head);
            blocks.Write(squeezed);
            block.SetLength(0);
        }
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
            header.Workspace,
            [
                .. runs.Select(r =>
                    (r.Write, (IReadOnlyList<ColumnCodec.RelativePayload>)r.Payloads)
                ),
            ],
            feedback,
            header,
            start
        );
    }

    /// <summary>The batch of this frame once its place is known.</summary>
    public JournaledBatch Place(RunBatch batch, JournalPosition start, DateTimeOffset acceptedAt) =>
        Place(
            batch.WorkspaceId,
            [.. batch.Runs.Select((r, i) => (r, Payloads[i]))],
            batch.Feedback,
            new FrameHeader(
                ColumnBytes,
                Bytes.Length - HeaderBytes - ColumnBytes,
                batch.WorkspaceId,
                acceptedAt,
                0
            ),
            start
        );

    private static JournaledBatch Place(
        Guid workspace,
        IReadOnlyList<(RunWrite Write, IReadOnlyList<ColumnCodec.RelativePayload> Payloads)> runs,
        IReadOnlyList<Core.Feedback.FeedbackRecord> feedback,
        FrameHeader header,
        JournalPosition start
    )
    {
        var firstBlock = start.Offset + HeaderBytes + header.ColumnBytes;
        return new JournaledBatch(
            workspace,
            start,
            start with
            {
                Offset = start.Offset + header.FrameBytes,
            },
            [
                .. runs.Select(r => new JournaledWrite(
                    r.Write,
                    [
                        .. r.Payloads.Select(p => new JournaledPayload(
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
                        )),
                    ]
                )),
            ],
            feedback,
            header.FrameBytes,
            header.AcceptedAt
        );
    }

    private static void WriteHeader(
        byte[] bytes,
        int columns,
        int blocks,
        Guid workspace,
        DateTimeOffset acceptedAt,
        long salt
    )
    {
        var header = bytes.AsSpan(0, HeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], columns);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], blocks);
        workspace.TryWriteBytes(header.Slice(16, 16));
        BinaryPrimitives.WriteInt64LittleEndian(
            header[32..],
            UtcMicroseconds.ToMicroseconds(acceptedAt)
        );
        BinaryPrimitives.WriteUInt64LittleEndian(
            header[40..],
            XxHash3.HashToUInt64(bytes.AsSpan(HeaderBytes), salt)
        );
        BinaryPrimitives.WriteUInt64LittleEndian(
            header[56..],
            XxHash3.HashToUInt64(header[..56], salt)
        );
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
