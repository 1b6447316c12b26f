using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// A statement that is prepared once and run many times, without the driver's parameter objects: on the write path those cost more than the
/// statement. Parameters and columns are counted as SQLite does (parameters from 1, columns from 0). For the one writer; not thread-safe.
/// </summary>
internal sealed class Statement : IDisposable
{
    private const int MaxOnStack = 400;
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public Statement(SqliteConnection connection, string sql)
    {
        _database =
            connection.Handle ?? throw new InvalidOperationException("The connection is closed.");
        var code = raw.sqlite3_prepare_v3(
            _database,
            sql,
            raw.SQLITE_PREPARE_PERSISTENT,
            out _statement
        );
        if (code != raw.SQLITE_OK)
        {
            throw Error(code);
        }
    }

    public void Bind(int at, long value) => _ = raw.sqlite3_bind_int64(_statement, at, value);

    public void Bind(int at, long? value)
    {
        if (value is { } known)
        {
            Bind(at, known);
        }
        else
        {
            _ = raw.sqlite3_bind_null(_statement, at);
        }
    }

    public void Bind(int at, string? value)
    {
        if (value is null)
        {
            _ = raw.sqlite3_bind_null(_statement, at);
            return;
        }

        // The driver would make an array of each text.
        if (value.Length <= MaxOnStack)
        {
            Span<byte> utf8 = stackalloc byte[3 * MaxOnStack];
            Put(at, utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
            return;
        }

        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
        Put(at, rented.AsSpan(0, Encoding.UTF8.GetBytes(value, rented)));
        ArrayPool<byte>.Shared.Return(rented);
    }

    public void Bind(int at, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        _ = raw.sqlite3_bind_blob(_statement, at, bytes);
    }

    public void Bind(int at, Guid? value)
    {
        if (value is { } known)
        {
            Bind(at, known);
        }
        else
        {
            _ = raw.sqlite3_bind_null(_statement, at);
        }
    }

    /// <summary>Bytes; null when empty.</summary>
    public void BindBlob(int at, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            _ = raw.sqlite3_bind_null(_statement, at);
        }
        else
        {
            _ = raw.sqlite3_bind_blob(_statement, at, value);
        }
    }

    /// <summary>UTF-8 text; null when empty.</summary>
    public void BindUtf8(int at, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            _ = raw.sqlite3_bind_null(_statement, at);
        }
        else
        {
            _ = raw.sqlite3_bind_text(_statement, at, value);
        }
    }

    /// <summary>A text, which may be empty: bound with its length, so that an empty span is not taken for NULL.</summary>
    private void Put(int at, ReadOnlySpan<byte> utf8) =>
        _ = utf8.IsEmpty
            ? raw.sqlite3_bind_text(_statement, at, "")
            : raw.sqlite3_bind_text(_statement, at, utf8);

    /// <summary>Moves to the next row; false at the end, and then the statement is ready for its next run.</summary>
    /// <exception cref="SqliteException">The engine refused.</exception>
    public bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        _ = raw.sqlite3_reset(_statement);
        return code == raw.SQLITE_DONE ? false : throw Error(code);
    }

    /// <summary>Runs a statement that returns nothing, or of whose rows none is wanted.</summary>
    public void Run()
    {
        if (Step())
        {
            _ = raw.sqlite3_reset(_statement);
        }
    }

    public bool IsNull(int column) =>
        raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Long(int column) => raw.sqlite3_column_int64(_statement, column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public int Int(int column) => (int)raw.sqlite3_column_int64(_statement, column);

    public double Double(int column) => raw.sqlite3_column_double(_statement, column);

    public Guid Id(int column) => new(raw.sqlite3_column_blob(_statement, column), bigEndian: true);

    public Guid? IdOrNull(int column) => IsNull(column) ? null : Id(column);

    public string? Text(int column) =>
        IsNull(column) ? null : raw.sqlite3_column_text(_statement, column).utf8_to_string();

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();

    private SqliteException Error(int code) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SQLite Error {code}: '{raw.sqlite3_errmsg(_database).utf8_to_string()}'."
            ),
            code & 0xFF,
            code
        );
}
