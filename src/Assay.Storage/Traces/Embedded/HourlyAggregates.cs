using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// The pre-aggregates that charts read: per project, hour, root or not, type and model. Kept by adding what a run contributes and taking
/// back what it contributed before, in the transaction that changes the run, so they always agree with the rows.
/// </summary>
internal sealed class HourlyAggregates
{
    private readonly Dictionary<
        (int Project, long Hour, bool IsRoot, RunKind Kind, string Model),
        HourlyCell
    > _changes = [];

    /// <summary>Notes a change of one run; written by <see cref="Flush"/>.</summary>
    public void Replace(Contribution? before, Contribution? after)
    {
        if (Equals(before, after))
        {
            return;
        }

        Add(before, -1);
        Add(after, 1);
    }

    /// <summary>Forgets what was noted, after a transaction was rolled back.</summary>
    public void Clear() => _changes.Clear();

    /// <summary>Writes the noted changes.</summary>
    public void Flush(SqliteConnection db)
    {
        foreach (var (key, change) in _changes)
        {
            var cell =
                Read(db, key.Project, key.Hour, key.IsRoot, key.Kind, key.Model)
                ?? new HourlyCell();
            cell.Merge(change);
            Write(db, key.Project, key.Hour, key.IsRoot, key.Kind, key.Model, cell);
        }

        _changes.Clear();
    }

    private void Add(Contribution? run, int weight)
    {
        if (run is null)
        {
            return;
        }

        var key = (run.Project, run.Hour, run.IsRoot, run.Kind, run.Model);
        if (!_changes.TryGetValue(key, out var cell))
        {
            _changes[key] = cell = new HourlyCell();
        }

        cell.Add(run, weight);
    }

    private static HourlyCell? Read(
        SqliteConnection db,
        int project,
        long hour,
        bool isRoot,
        RunKind kind,
        string model
    )
    {
        using var command = Key(
            db,
            $"SELECT {HourlyCell.ColumnNames} FROM hourly WHERE project = $p AND hour = $h AND is_root = $r AND kind = $k AND model = $m",
            project,
            hour,
            isRoot,
            kind,
            model
        );
        using var reader = command.ExecuteReader();
        return reader.Read() ? HourlyCell.From(reader, 0) : null;
    }

    private static void Write(
        SqliteConnection db,
        int project,
        long hour,
        bool isRoot,
        RunKind kind,
        string model,
        HourlyCell cell
    )
    {
        if (cell.Runs <= 0)
        {
            using var delete = Key(
                db,
                "DELETE FROM hourly WHERE project = $p AND hour = $h AND is_root = $r AND kind = $k AND model = $m",
                project,
                hour,
                isRoot,
                kind,
                model
            );
            delete.ExecuteNonQuery();
            return;
        }

        using var command = Key(
            db,
            $"INSERT OR REPLACE INTO hourly(project, hour, is_root, kind, model, {HourlyCell.ColumnNames}) VALUES($p, $h, $r, $k, $m, $c0, $c1, $c2, $c3, $c4, $c5, $c6, $c7, $c8, $c9, $c10, $c11, $c12)",
            project,
            hour,
            isRoot,
            kind,
            model
        );
        var values = cell.Values();
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"$c{i}", values[i]);
        }

        command.ExecuteNonQuery();
    }

    private static SqliteCommand Key(
        SqliteConnection db,
        string sql,
        int project,
        long hour,
        bool isRoot,
        RunKind kind,
        string model
    )
    {
        var command = db.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$p", project);
        command.Parameters.AddWithValue("$h", hour);
        command.Parameters.AddWithValue("$r", isRoot ? 1 : 0);
        command.Parameters.AddWithValue("$k", (int)kind);
        command.Parameters.AddWithValue("$m", model);
        return command;
    }
}
