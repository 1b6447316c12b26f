using System.IO.Hashing;
using System.Runtime.InteropServices;
using Assay.Core.Metadata;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Which root runs carry a metadata pair or a tag, and which runs have feedback of a key, newest first: the table <c>pair</c>, keyed by a
/// 64-bit hash. Pairs and tags of roots only, because lists ask for roots and an index over every run would cost more than the run itself.
/// Entries may be stale (a value that was replaced, a root that became a child, feedback that was deleted); a reader therefore asks the row
/// again, and takes from here only where to look. Used by the one writer.
/// </summary>
internal sealed class RunPairs(SqliteConnection db) : IDisposable
{
    private readonly Statement _put = new(
        db,
        "INSERT OR IGNORE INTO pair(project, hash, start_us, pk) VALUES(?1, ?2, ?3, ?4)"
    );

    private readonly Statement _delete = new(
        db,
        "DELETE FROM pair WHERE project = ?1 AND hash = ?2 AND start_us = ?3 AND pk = ?4"
    );

    private readonly Statement _keys = new(db, "SELECT DISTINCT key FROM feedback WHERE run = ?1");

    private readonly Statement _detail = new(db, "SELECT tags, metadata FROM detail WHERE pk = ?1");

    /// <summary>Enters a root of the batch; a run that is none is passed over.</summary>
    public void Put(RunRow row)
    {
        if (row.IsRoot)
        {
            Each(_put, row);
        }
    }

    /// <summary>Enters a row that became a root although its batch did not touch it.</summary>
    public void Put(int project, long start, long pk)
    {
        _detail.Bind(1, pk);
        if (!_detail.Step())
        {
            return;
        }

        var tags = RunTable.Json<List<string>>(_detail, 0) ?? [];
        var metadata = RunTable.Json<Dictionary<string, string>>(_detail, 1) ?? [];
        _detail.Step();
        foreach (var tag in tags)
        {
            Run(_put, project, OfTag(tag), start, pk);
        }

        foreach (var (key, value) in metadata)
        {
            Run(_put, project, OfPair(key, value), start, pk);
        }
    }

    /// <summary>Enters the feedback that waited for a run, or that a run takes along to another start or project.</summary>
    public void PutFeedback(RunRow row)
    {
        _keys.Bind(1, row.State.RunId);
        var keys = new List<string>();
        while (_keys.Step())
        {
            keys.Add(_keys.Text(0) ?? "");
        }

        foreach (var key in keys)
        {
            Run(
                _put,
                row.Project,
                OfFeedback(key),
                UtcMicroseconds.ToMicroseconds(row.Start),
                row.Pk
            );
        }
    }

    /// <summary>Takes a run's entries out.</summary>
    public void Remove(RunRow row) => Each(_delete, row);

    public static long OfPair(string key, string value) => Hash(key, '\u0001', value);

    public static long OfTag(string tag) => Hash("", '\u0002', tag);

    public static long OfFeedback(string key) => Hash(key, '\u0003', "");

    /// <summary>A whole name.</summary>
    public static long OfName(string name) => Hash("", '\u0004', name);

    /// <summary>A whole model.</summary>
    public static long OfModel(string model) => Hash("", '\u0005', model);

    public void Dispose()
    {
        _keys.Dispose();
        _put.Dispose();
        _delete.Dispose();
        _detail.Dispose();
    }

    private static void Each(Statement statement, RunRow row)
    {
        var start = UtcMicroseconds.ToMicroseconds(row.Start);
        for (var i = 0; i < row.State.Tags.Count; i++)
        {
            Run(statement, row.Project, OfTag(row.State.Tags[i]), start, row.Pk);
        }

        foreach (var (key, value) in row.State.Metadata)
        {
            Run(statement, row.Project, OfPair(key, value.Value), start, row.Pk);
        }
    }

    private static void Run(Statement statement, int project, long hash, long start, long pk)
    {
        statement.Bind(1, project);
        statement.Bind(2, hash);
        statement.Bind(3, start);
        statement.Bind(4, pk);
        statement.Run();
    }

    private static long Hash(string key, char kind, string value)
    {
        Span<char> text =
            key.Length + value.Length < 500
                ? stackalloc char[key.Length + 1 + value.Length]
                : new char[key.Length + 1 + value.Length];
        key.CopyTo(text);
        text[key.Length] = kind;
        value.CopyTo(text[(key.Length + 1)..]);
        return (long)XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text));
    }
}
