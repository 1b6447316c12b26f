using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// The pre-aggregates that charts read: per project, hour, root or not, type and model. Kept by adding what a run contributes and taking
/// back what it contributed before, in the transaction that changes the run, so they always agree with the rows.
/// </summary>
internal sealed class HourlyAggregates(SqliteConnection db) : IDisposable
{
    private const int MaxCells = 4_000;
    private const string Key =
        "project = ?1 AND hour = ?2 AND is_root = ?3 AND kind = ?4 AND model = ?5";
    private readonly Statement _read = new(
        db,
        $"SELECT {HourlyCell.ColumnNames} FROM hourly WHERE {Key}"
    );

    private readonly Statement _write = new(
        db,
        $"INSERT OR REPLACE INTO hourly(project, hour, is_root, kind, model, {HourlyCell.ColumnNames}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );

    private readonly Statement _delete = new(db, $"DELETE FROM hourly WHERE {Key}");
    private readonly Dictionary<
        (int Project, long Hour, bool IsRoot, RunKind Kind, string Model),
        HourlyCell
    > _cells = [];
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
    public void Clear()
    {
        _changes.Clear();
        _cells.Clear();
    }

    /// <summary>Writes the noted changes.</summary>
    public void Flush()
    {
        if (_cells.Count > MaxCells)
        {
            _cells.Clear();
        }

        foreach (var (key, change) in _changes)
        {
            if (!_cells.TryGetValue(key, out var cell))
            {
                _cells[key] = cell = Read(key) ?? new HourlyCell();
            }

            cell.Merge(change);
            if (cell.Runs > 0)
            {
                Bind(_write, key);
                cell.Bind(_write, 6);
                _write.Run();
            }
            else
            {
                Bind(_delete, key);
                _delete.Run();
                _cells.Remove(key);
            }
        }

        _changes.Clear();
    }

    public void Dispose()
    {
        _read.Dispose();
        _write.Dispose();
        _delete.Dispose();
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

    private HourlyCell? Read((int Project, long Hour, bool IsRoot, RunKind Kind, string Model) key)
    {
        Bind(_read, key);
        if (!_read.Step())
        {
            return null;
        }

        var cell = HourlyCell.From(_read);
        _read.Step();
        return cell;
    }

    private static void Bind(
        Statement statement,
        (int Project, long Hour, bool IsRoot, RunKind Kind, string Model) key
    )
    {
        statement.Bind(1, key.Project);
        statement.Bind(2, key.Hour);
        statement.Bind(3, key.IsRoot ? 1 : 0);
        statement.Bind(4, (int)key.Kind);
        statement.Bind(5, key.Model);
    }
}
