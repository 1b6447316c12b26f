namespace Assay.Core.Blobs;

/// <summary>
/// The port for large immutable values: attachments and very large payloads. Engines: files, later S3. Thread-safe.
/// Keys are made by <see cref="BlobKeys"/>, never by clients.
/// </summary>
public interface IBlobStore
{
    /// <summary>Streams a value in; durable when returned. Writing the same key again replaces it whole or not at all.</summary>
    /// <returns>The number of bytes written.</returns>
    Task<long> PutAsync(string key, Stream content, CancellationToken cancellationToken);

    /// <summary>Opens a value for reading (seekable); null when there is none.</summary>
    Task<Stream?> OpenAsync(string key, CancellationToken cancellationToken);

    /// <summary>Deletes a value; nothing happens when there is none.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Bytes in use.</summary>
    Task<long> UsedBytesAsync(CancellationToken cancellationToken);
}
