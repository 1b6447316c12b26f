using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.Storage.Journals;

/// <summary>A place between two frames: segment (from 1) and byte offset in its file.</summary>
internal readonly record struct JournalPosition(int Segment, long Offset)
    : IComparable<JournalPosition>
{
    public int CompareTo(JournalPosition other) =>
        Segment != other.Segment
            ? Segment.CompareTo(other.Segment)
            : Offset.CompareTo(other.Offset);

    public static bool operator <(JournalPosition a, JournalPosition b) => a.CompareTo(b) < 0;

    public static bool operator >(JournalPosition a, JournalPosition b) => a.CompareTo(b) > 0;

    public static bool operator <=(JournalPosition a, JournalPosition b) => a.CompareTo(b) <= 0;

    public static bool operator >=(JournalPosition a, JournalPosition b) => a.CompareTo(b) >= 0;
}

/// <summary>Where a payload lies: an item inside a compressed block. Never changes while the payload lives.</summary>
internal readonly record struct PayloadAddress(
    int Segment,
    long BlockOffset,
    int ItemOffset,
    int Length
);

/// <summary>A payload of a durable piece; <paramref name="BlobKey"/> is set when the value is in the blob store, and the address is empty then.</summary>
internal readonly record struct JournaledPayload(
    PayloadKind Kind,
    long Length,
    ulong Hash,
    PayloadAddress Address,
    string? BlobKey
);

/// <summary>A durable piece of a run. The payload bytes inside <paramref name="Write"/> belong to somebody else by now and must not be read.</summary>
internal sealed record JournaledWrite(RunWrite Write, JournaledPayload[] Payloads);

/// <summary>A durable batch.</summary>
internal sealed record JournaledBatch(
    Guid WorkspaceId,
    JournalPosition Start,
    JournalPosition End,
    IReadOnlyList<JournaledWrite> Runs,
    IReadOnlyList<FeedbackRecord> Feedback,
    long Bytes,
    DateTimeOffset AcceptedAt
);

/// <summary>Sizes and limits of a journal.</summary>
/// <param name="Directory">Where its segments lie; created when missing.</param>
internal sealed record JournalOptions(string Directory)
{
    public const long DefaultSegmentBytes = 256L << 20;

    /// <summary>A segment is closed when it reaches this.</summary>
    public long SegmentBytes { get; init; } = DefaultSegmentBytes;

    /// <summary>Bytes waiting for the disk before callers are told to come back.</summary>
    public long MaxPendingBytes { get; init; } = 64L << 20;

    /// <summary>Bytes durable and not yet in the index before callers are told to come back.</summary>
    public long MaxUnappliedBytes { get; init; } = 256L << 20;

    /// <summary>Pieces durable and not yet in the index before callers are told to come back: each costs a few kilobytes of memory until then.</summary>
    public int MaxUnappliedPieces { get; init; } = 40_000;

    /// <summary>Free disk below this refuses writes.</summary>
    public long MinFreeDiskBytes { get; init; } = 64L << 20;

    /// <summary>Payload bytes compressed together.</summary>
    public int BlockBytes { get; init; } = 64 << 10;
}

/// <summary>A segment file.</summary>
internal sealed record JournalSegment(int Number, long Bytes);
