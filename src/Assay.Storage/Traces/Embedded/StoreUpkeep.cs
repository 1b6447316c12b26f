using System.Globalization;
using Assay.Core.Blobs;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Search;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Lets go of what is past its time and gives its disk back. Thread-safe; one cleaning runs at a time.</summary>
internal sealed class StoreUpkeep(
    IndexDatabase index,
    IndexWriter writer,
    Applier applier,
    ProjectNumbers projects,
    SearchIndex search,
    IBlobStore blobs,
    JournalCleaner cleaner
) : IDisposable
{
    /// <summary>Traces removed in one transaction when a project goes: readers and ingestion wait no longer than for these.</summary>
    private const int TracesPerStep = 100;
    private const int PagesPerStep = 2_000;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private long _removed;

    public async Task<long> RemoveAsync(
        Func<List<RunRow>> find,
        CancellationToken cancellationToken
    )
    {
        var removed = await writer.RemoveAsync(find, cancellationToken);
        Interlocked.Add(ref _removed, removed);
        return removed;
    }

    public Task<long> ExpireAsync(ExpireRequest request, CancellationToken cancellationToken) =>
        projects.Find(request.WorkspaceId, request.ProjectId) is { } project
            ? RemoveAsync(
                () => Rows(project, Expiry.Traces(index.Writer, project, request)),
                cancellationToken
            )
            : Task.FromResult(0L);

    /// <summary>Everything of a project: its runs by trace, whether a trace has a root or not, then what counts them and what was said of the project itself.</summary>
    public async Task<long> DeleteProjectAsync(
        Guid workspace,
        Guid projectId,
        CancellationToken cancellationToken
    )
    {
        if (projects.Find(workspace, projectId) is not { } project)
        {
            return 0;
        }

        long total = 0;
        while (true)
        {
            var step = await RemoveAsync(
                () => Rows(project, Expiry.AnyTraces(index.Writer, project, TracesPerStep)),
                cancellationToken
            );
            total += step;
            if (step == 0)
            {
                break;
            }
        }

        await writer.WriteAsync(
            () =>
            {
                Run("DELETE FROM facet WHERE project = $p", ("$p", project));
                Run("DELETE FROM hourly WHERE project = $p", ("$p", project));
                Run("DELETE FROM pair WHERE project = $p", ("$p", project));
                Run(
                    "DELETE FROM feedback WHERE project = $id AND workspace = $w",
                    ("$id", Columns.Id(projectId)),
                    ("$w", Columns.Id(workspace))
                );
                applier.Forget();
                return true;
            },
            cancellationToken
        );
        return total;
    }

    public async Task CompactAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await DeleteBlobsAsync(cancellationToken);
            await search.FlushAsync(cancellationToken);
            JournalPosition applied;
            using (var reader = index.Read())
            {
                applied = Applier.Position(reader.Connection);
            }

            await cleaner.CleanAsync(
                Math.Min(applied.Segment, Math.Max(1, search.Through.Segment)),
                cancellationToken
            );
            await CleanSearchAsync();
            await writer.WriteAsync(
                () =>
                {
                    Run("DELETE FROM facet WHERE runs = 0");
                    return true;
                },
                cancellationToken
            );
            await ShrinkAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private List<RunRow> Rows(int project, IEnumerable<Guid> traces) =>
        [.. traces.Distinct().SelectMany(t => applier.TraceRows(project, t))];

    private async Task DeleteBlobsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            List<(string Key, bool IsHeld)> found;
            using (var reader = index.Read())
            {
                found = BlobGarbage.Next(reader.Connection);
            }

            if (found.Count == 0)
            {
                return;
            }

            foreach (var (key, isHeld) in found)
            {
                if (!isHeld)
                {
                    await blobs.DeleteAsync(key, cancellationToken);
                }
            }

            await writer.WriteAsync(
                () => BlobGarbage.Forget(index.Writer, found.Select(f => f.Key)),
                cancellationToken
            );
        }
    }

    /// <summary>Worth a pass over all keys only when a good part of the runs went.</summary>
    private async Task CleanSearchAsync()
    {
        var removed = Interlocked.Read(ref _removed);
        if (removed * 50 < applier.RunCount || removed == 0)
        {
            return;
        }

        var alive = new PostingSet();
        using (var reader = index.Read())
        {
            using var command = reader.Connection.CreateCommand();
            command.CommandText = "SELECT pk FROM run";
            using var rows = command.ExecuteReader();
            while (rows.Read())
            {
                alive.Add(rows.GetInt64(0));
            }
        }

        await search.CompactAsync(alive);
        Interlocked.Add(ref _removed, -removed);
    }

    /// <summary>Gives free pages of the index back to the file system, a few at a time.</summary>
    private async Task ShrinkAsync(CancellationToken cancellationToken)
    {
        while (Free() is > 0 and var free)
        {
            await writer.WriteAsync(
                () =>
                {
                    Run($"PRAGMA incremental_vacuum({PagesPerStep})");
                    return true;
                },
                cancellationToken
            );
            if (Free() >= free)
            {
                break;
            }
        }

        await index.WriteLock.WaitAsync(cancellationToken);
        try
        {
            // Until then the file of the index keeps its size and the freed pages stand in its write-ahead log.
            IndexDatabase.Execute(index.Writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        finally
        {
            index.WriteLock.Release();
        }

        long Free()
        {
            using var reader = index.Read();
            using var command = reader.Connection.CreateCommand();
            command.CommandText = "PRAGMA freelist_count";
            return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }
    }

    private void Run(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var command = index.Writer.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            // The pragma frees one page a row; reading on is what makes it go on.
        }
    }
}
