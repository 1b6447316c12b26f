namespace Assay.Core.Blobs;

/// <summary>
/// The blobs that one request wrote while its body is still being read. What nobody took over when it ends, because the item was refused, the
/// body broke or the client went away, is deleted. Not thread-safe.
/// </summary>
public sealed class NewBlobs(IBlobStore blobs) : IAsyncDisposable
{
    private readonly HashSet<string> _open = [];

    /// <summary>Writes a value under a fresh key.</summary>
    /// <returns>The number of bytes written.</returns>
    public async Task<long> PutAsync(
        string key,
        Stream content,
        CancellationToken cancellationToken
    )
    {
        var length = await blobs.PutAsync(key, content, cancellationToken);
        _open.Add(key);
        return length;
    }

    /// <summary>From here on somebody else answers for these.</summary>
    public void HandOver(IEnumerable<string> keys) => _open.ExceptWith(keys);

    /// <summary>Deletes what was not handed over.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var key in _open)
        {
            await blobs.DeleteAsync(key, CancellationToken.None);
        }

        _open.Clear();
    }
}
