using System.Globalization;
using System.Text.Json;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Embedded;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Maintenance;

/// <summary>
/// Copies of a whole data directory, made while a server works on it or not. Parts that never change (closed journal segments, blobs) are
/// hard links where the file system can, so that a backup on the same disk costs little; put it on another for safety against losing the
/// disk. Not thread-safe: one backup at a time.
/// </summary>
public static class StoreBackup
{
    private const string ManifestName = "backup.json";
    private const int Version = 1;
    private const int Attempts = 5;

    /// <summary>Makes a backup in a directory that does not exist or is empty; it appears there when it is whole.</summary>
    /// <exception cref="IOException">It cannot be written, or the place is taken.</exception>
    public static async Task<BackupManifest> BackupAsync(
        string data,
        string target,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (!File.Exists(Path.Combine(data, "runs.db")))
        {
            throw new IOException($"{data} is no data directory of a server.");
        }

        Empty(target);
        var part = target.TrimEnd(Path.DirectorySeparatorChar) + ".part";
        if (Directory.Exists(part))
        {
            Directory.Delete(part, recursive: true);
        }

        Directory.CreateDirectory(Path.Combine(part, "journal"));
        for (var attempt = 1; ; attempt++)
        {
            // What the index points to is linked before the index is copied, and what came meanwhile after: nothing it names can be missing,
            // but for a segment that was made, emptied and deleted in between.
            LinkJournal(data, part);
            LinkBlobs(data, part, cancellationToken);
            CopyDatabase(data, part, "runs.db");
            CopyDatabase(data, part, "metadata.db");
            LinkJournal(data, part);
            LinkBlobs(data, part, cancellationToken);
            if (Missing(part).Count == 0)
            {
                break;
            }

            if (attempt == Attempts)
            {
                throw new IOException(
                    "The journal changes faster than it can be copied; try again later."
                );
            }
        }

        var manifest = new BackupManifest(
            Version,
            now,
            Directory.GetFiles(part, "*", SearchOption.AllDirectories).Length,
            Directory
                .GetFiles(part, "*", SearchOption.AllDirectories)
                .Sum(f => new FileInfo(f).Length)
        );
        await File.WriteAllBytesAsync(
            Path.Combine(part, ManifestName),
            JsonSerializer.SerializeToUtf8Bytes(manifest),
            cancellationToken
        );
        DurableDirectory.Sync(part);
        if (Directory.Exists(target))
        {
            Directory.Delete(target);
        }

        Directory.Move(part, target);
        return manifest;
    }

    /// <summary>Copies a backup into a data directory that does not exist or is empty. The search index is built again when a server starts on it.</summary>
    /// <exception cref="IOException">It is no backup, cannot be read, or the place is taken.</exception>
    public static async Task<BackupManifest> RestoreAsync(
        string backup,
        string data,
        CancellationToken cancellationToken
    )
    {
        var path = Path.Combine(backup, ManifestName);
        if (!File.Exists(path))
        {
            throw new IOException($"{backup} is no backup: it has no {ManifestName}.");
        }

        var manifest =
            JsonSerializer.Deserialize<BackupManifest>(
                await File.ReadAllBytesAsync(path, cancellationToken)
            ) ?? throw new IOException($"{path} is empty.");
        if (manifest.Version != Version)
        {
            throw new IOException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The backup has version {manifest.Version}; this server reads {Version}."
                )
            );
        }

        Empty(data);
        Directory.CreateDirectory(data);
        foreach (
            var file in Directory.EnumerateFiles(backup, "*", SearchOption.AllDirectories).Order()
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = Path.GetRelativePath(backup, file);
            if (name != ManifestName)
            {
                Copy(file, Path.Combine(data, name));
            }
        }

        DurableDirectory.Sync(data);
        return manifest;
    }

    private static void Empty(string directory)
    {
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new IOException($"{directory} is not empty.");
        }
    }

    private static void LinkJournal(string data, string target)
    {
        var journal = Path.Combine(data, "journal");
        var salt = Path.Combine(target, "journal", "salt");
        if (!File.Exists(salt))
        {
            Copy(Path.Combine(journal, "salt"), salt);
        }

        var segments = Directory.GetFiles(journal, "*.log").Order(StringComparer.Ordinal).ToList();
        for (var i = 0; i < segments.Count; i++)
        {
            var to = Path.Combine(target, "journal", Path.GetFileName(segments[i]));
            if (i == segments.Count - 1)
            {
                // The last one grows: a link would go on growing with it.
                TryCopy(segments[i], to);
            }
            else if (
                !File.Exists(to)
                || new FileInfo(to).Length != new FileInfo(segments[i]).Length
            )
            {
                File.Delete(to);
                TryLink(segments[i], to);
            }
        }
    }

    private static void LinkBlobs(string data, string target, CancellationToken cancellationToken)
    {
        var blobs = Path.Combine(data, "blobs");
        if (!Directory.Exists(blobs))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(blobs, "*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var to = Path.Combine(target, "blobs", Path.GetRelativePath(blobs, file));
            if (!file.EndsWith(".part", StringComparison.Ordinal) && !File.Exists(to))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(to) ?? target);
                TryLink(file, to);
            }
        }
    }

    /// <summary>A snapshot by SQLite itself, whoever else reads and writes.</summary>
    private static void CopyDatabase(string data, string target, string name)
    {
        var to = Path.Combine(target, name);
        File.Delete(to);
        using (var source = Connect(Path.Combine(data, name), SqliteOpenMode.ReadWrite))
        using (var copy = Connect(to, SqliteOpenMode.ReadWriteCreate))
        {
            source.BackupDatabase(copy);
        }

        using var file = new FileStream(to, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Segments that hold payloads of runs and are not in a copy.</summary>
    private static List<int> Missing(string copy)
    {
        using var db = Connect(Path.Combine(copy, "runs.db"), SqliteOpenMode.ReadWrite);
        return
        [
            .. SegmentUse
                .Read(db)
                .Where(u => u.Value.Live > 0 && !File.Exists(SegmentPath(copy, u.Key)))
                .Select(u => u.Key),
        ];
    }

    internal static string SegmentPath(string data, int segment) =>
        Path.Combine(
            data,
            "journal",
            segment.ToString("D8", CultureInfo.InvariantCulture) + ".log"
        );

    internal static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = mode,
                Pooling = false,
            }.ToString()
        );
        connection.Open();
        IndexDatabase.Execute(connection, "PRAGMA busy_timeout = 10000");
        return connection;
    }

    private static void TryLink(string from, string to)
    {
        if (!HardLink.TryCreate(from, to))
        {
            TryCopy(from, to);
        }
    }

    /// <summary>A file that goes away meanwhile belonged to nobody.</summary>
    private static void TryCopy(string from, string to)
    {
        try
        {
            Copy(from, to);
        }
        catch (FileNotFoundException)
        {
            File.Delete(to);
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to) ?? ".");
        using var source = new FileStream(
            from,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete
        );
        using var target = new FileStream(to, FileMode.Create, FileAccess.Write);
        source.CopyTo(target, 1 << 20);
        target.Flush(flushToDisk: true);
    }
}

/// <summary>What a backup says of itself.</summary>
/// <param name="Version">Form of the backup.</param>
/// <param name="MadeAt">When it was made.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Bytes">Bytes in it, linked ones included.</param>
public sealed record BackupManifest(int Version, DateTimeOffset MadeAt, int Files, long Bytes);
