using Assay.Core.Blobs;

namespace Assay.Storage.Blobs;

/// <summary>Blobs as files under one directory: written beside, synced, then renamed into place.</summary>
internal sealed class FileBlobStore(string directory) : IBlobStore
{
    public async Task<long> PutAsync(
        string key,
        Stream content,
        CancellationToken cancellationToken
    )
    {
        var path = PathOf(key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".part";
        try
        {
            await using (
                var file = new FileStream(
                    temporary,
                    FileMode.Create,
                    FileAccess.Write,
                    FileShare.None,
                    64 << 10
                )
            )
            {
                await content.CopyToAsync(file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            return new FileInfo(path).Length;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    public Task<Stream?> OpenAsync(string key, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        return Task.FromResult<Stream?>(
            File.Exists(path)
                ? new FileStream(
                    path,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.Read | FileShare.Delete
                )
                : null
        );
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        File.Delete(PathOf(key));
        return Task.CompletedTask;
    }

    public Task<long> UsedBytesAsync(CancellationToken cancellationToken) =>
        Task.FromResult(
            Directory.Exists(directory)
                ? new DirectoryInfo(directory)
                    .EnumerateFiles("*", SearchOption.AllDirectories)
                    .Sum(f => f.Length)
                : 0
        );

    /// <summary>Keys are made by us, but a damaged row must not become a path outside the directory.</summary>
    private string PathOf(string key)
    {
        var root = Path.GetFullPath(directory);
        var path = Path.GetFullPath(Path.Combine(root, key));
        return path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new ArgumentException("The key leaves the blob directory.", nameof(key));
    }
}
