namespace Assay.Core.Traces;

/// <summary>
/// One opaque JSON value of a run on its way in. Small ones are carried as bytes; one that is larger than an adapter wants to
/// hold is streamed into the blob store first and carried as its key. Never parsed on the way in, returned verbatim.
/// </summary>
public sealed class Payload
{
    private Payload(ReadOnlyMemory<byte> utf8, string? blobKey, long length)
    {
        Utf8 = utf8;
        BlobKey = blobKey;
        Length = length;
    }

    /// <summary>The JSON text as UTF-8; for a blob its first bytes (at most 64 KiB), enough for a preview. May be pooled: valid until the accepting call returns.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>The key in the blob store, null when <see cref="Utf8"/> is the whole value.</summary>
    public string? BlobKey { get; }

    /// <summary>Length of the whole value in bytes.</summary>
    public long Length { get; }

    /// <summary>A value held in memory.</summary>
    public static Payload FromUtf8(ReadOnlyMemory<byte> utf8) => new(utf8, null, utf8.Length);

    /// <summary>A value that was streamed into the blob store.</summary>
    public static Payload FromBlob(string key, long length, ReadOnlyMemory<byte> head) =>
        new(head, key, length);
}

/// <summary>A file that came with a run and was already streamed into the blob store.</summary>
/// <param name="Name">Its name, unique within the run.</param>
/// <param name="ContentType">Its media type as the client sent it.</param>
/// <param name="BlobKey">Its key in the blob store.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record Attachment(string Name, string ContentType, string BlobKey, long Length);
