using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Connections to the run index: one writer, guarded by <see cref="WriteLock"/>, and a pool of readers that are given back after every
/// question (a forgotten reader keeps the WAL from shrinking).
/// </summary>
internal sealed class IndexDatabase : IDisposable
{
    private readonly string _connectionString;
    private readonly Action<SqliteConnection> _register;
    private readonly ConcurrentBag<SqliteConnection> _readers = [];
    private bool _isDisposed;

    public IndexDatabase(string path, Action<SqliteConnection> register)
    {
        _register = register;
        Path = path;
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
        }.ToString();
        Writer = Open();
        Execute(
            Writer,
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536"
        );
        Execute(Writer, IndexSchema.Create);
        AddColumn("detail", "received_us INTEGER");
    }

    public string Path { get; }

    /// <summary>Bytes on disk, the write-ahead log included.</summary>
    public long Bytes =>
        new[] { Path, Path + "-wal" }
            .Select(p => new FileInfo(p))
            .Where(f => f.Exists)
            .Sum(f => f.Length);

    public SqliteConnection Writer { get; }

    /// <summary>Held by whoever writes.</summary>
    public SemaphoreSlim WriteLock { get; } = new(1, 1);

    public IndexReader Read() => new(this, _readers.TryTake(out var reader) ? reader : Open());

    public void Return(SqliteConnection reader)
    {
        if (_isDisposed || _readers.Count >= 8)
        {
            reader.Dispose();
        }
        else
        {
            _readers.Add(reader);
        }
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Ends a transaction that failed; SQLite may have ended it already, as it does when the disk is full.</summary>
    public static void RollBack(SqliteConnection connection)
    {
        if (raw.sqlite3_get_autocommit(connection.Handle) == 0)
        {
            Execute(connection, "ROLLBACK");
        }
    }

    /// <summary>An index of an earlier version gets the column; its old rows have nothing in it.</summary>
    private void AddColumn(string table, string column)
    {
        using var command = Writer.CreateCommand();
        command.CommandText = "SELECT count(*) FROM pragma_table_info($t) WHERE name = $c";
        command.Parameters.AddWithValue("$t", table);
        command.Parameters.AddWithValue("$c", column.Split(' ')[0]);
        if (command.ExecuteScalar() is 0L)
        {
            Execute(Writer, $"ALTER TABLE {table} ADD COLUMN {column}");
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        Writer.Dispose();
        WriteLock.Dispose();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        Execute(
            connection,
            "PRAGMA page_size = 8192; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA mmap_size = 1073741824; PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY"
        );
        _register(connection);
        return connection;
    }
}

/// <summary>A reader on loan.</summary>
internal readonly struct IndexReader(IndexDatabase database, SqliteConnection connection)
    : IDisposable
{
    public SqliteConnection Connection { get; } = connection;

    public void Dispose() => database.Return(Connection);
}
