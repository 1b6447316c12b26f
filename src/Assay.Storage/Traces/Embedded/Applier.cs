using System.Globalization;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Folds journal batches into the index: one transaction for everything that is waiting, with the applied position inside it, so that a crash
/// repeats a batch or does not see it, and the merge makes the repetition harmless. Called by one thread at a time, under the write lock.
/// </summary>
internal sealed class Applier : IDisposable
{
    private readonly SqliteConnection _db;
    private readonly ProjectNumbers _projects;
    private readonly PriceLookup _price;
    private readonly RunTable _runs;
    private readonly HourlyAggregates _hourly = new();
    private readonly Facets _facets = new();
    private readonly Dictionary<(int Project, Guid Id), RunRow> _touched = [];
    private readonly Dictionary<Guid, List<RunRow>> _touchedById = [];
    private long _lastPk;

    public Applier(SqliteConnection db, ProjectNumbers projects, PriceLookup price)
    {
        _db = db;
        _projects = projects;
        _price = price;
        _runs = new RunTable(db);
        _lastPk = Scalar("SELECT coalesce(max(pk), 0) FROM run");
        RunCount = Scalar("SELECT count(*) FROM run");
    }

    public long RunCount { get; private set; }

    /// <summary>Up to where the journal is in the index.</summary>
    public JournalPosition Position()
    {
        using var command = _db.CreateCommand();
        command.CommandText = "SELECT value FROM state WHERE key = 'applied'";
        return
            command.ExecuteScalar() is string text && text.Split(':') is [var segment, var offset]
            ? new JournalPosition(
                int.Parse(segment, CultureInfo.InvariantCulture),
                long.Parse(offset, CultureInfo.InvariantCulture)
            )
            : new JournalPosition(1, 0);
    }

    /// <summary>Applies batches in journal order and returns what changed.</summary>
    public IReadOnlyList<RunsChanged> Apply(IReadOnlyList<JournaledBatch> batches)
    {
        if (batches.Count == 0)
        {
            return [];
        }

        _touched.Clear();
        _touchedById.Clear();
        _hourly.Clear();
        IndexDatabase.Execute(_db, "BEGIN IMMEDIATE");
        try
        {
            var changes = Fold(batches);
            IndexDatabase.Execute(_db, "COMMIT");
            return changes;
        }
        catch
        {
            IndexDatabase.Execute(_db, "ROLLBACK");
            throw;
        }
    }

    /// <summary>Passes over a batch that cannot be applied; it stays in the journal.</summary>
    public void Skip(JournaledBatch batch) => SavePosition(batch.End);

    private List<RunsChanged> Fold(IReadOnlyList<JournaledBatch> batches)
    {
        foreach (var batch in batches)
        {
            foreach (var piece in batch.Runs)
            {
                Fold(batch.WorkspaceId, piece);
            }
        }

        foreach (var row in _touched.Values)
        {
            Save(row);
        }

        var traces = _touched.Values.Select(r => (r.Project, r.State.TraceId)).Distinct().ToList();
        foreach (var (project, trace) in traces)
        {
            TraceSums.Refresh(_db, project, trace, _hourly);
        }

        var changes = traces
            .Select(t => new RunsChanged(
                _projects[t.Project].Workspace,
                _projects[t.Project].Project,
                t.TraceId
            ))
            .ToList();
        foreach (var batch in batches)
        {
            foreach (var item in batch.Feedback)
            {
                FeedbackTable.Put(_db, batch.WorkspaceId, item);
                changes.Add(
                    new RunsChanged(
                        batch.WorkspaceId,
                        item.ProjectId ?? Guid.Empty,
                        item.TraceId ?? Guid.Empty
                    )
                );
            }
        }

        _hourly.Flush(_db);
        SavePosition(batches[^1].End);
        return changes;
    }

    /// <summary>Takes runs out of the index and its aggregates; inside a transaction of the caller's.</summary>
    public long Remove(IEnumerable<RunRow> rows)
    {
        long removed = 0;
        foreach (var row in rows)
        {
            _hourly.Replace(row.Counted, null);
            _facets.Count(_db, row, row.Faceted, -1);
            Run("DELETE FROM run WHERE pk = $pk", ("$pk", row.Pk));
            Run("DELETE FROM detail WHERE pk = $pk", ("$pk", row.Pk));
            Run(
                "DELETE FROM feedback WHERE run = $id AND workspace = $w",
                ("$id", Columns.Id(row.State.RunId)),
                ("$w", Columns.Id(_projects[row.Project].Workspace))
            );
            removed++;
        }

        RunCount -= removed;
        return removed;
    }

    /// <summary>Rows of a run id in one workspace.</summary>
    public List<RunRow> Rows(Guid workspace, Guid runId) =>
        [.. _runs.ById(runId).Where(r => _projects[r.Project].Workspace == workspace)];

    /// <summary>Rows of a trace in one workspace.</summary>
    public List<RunRow> TraceRows(Guid workspace, Guid traceId) =>
        [.. _projects.Of(workspace, []).SelectMany(p => _runs.ByTrace(traceId, p))];

    /// <summary>Brings a trace up to date after a removal and writes the aggregates.</summary>
    public void Settle(IEnumerable<(int Project, Guid Trace)> traces)
    {
        foreach (var (project, trace) in traces)
        {
            TraceSums.Refresh(_db, project, trace, _hourly);
        }

        _hourly.Flush(_db);
    }

    public void Dispose() => _runs.Dispose();

    private void Fold(Guid workspace, JournaledWrite piece)
    {
        var row = Locate(workspace, piece.Write);
        row.Apply(piece);
        var state = row.State;
        if (state.TraceId == Guid.Empty)
        {
            state.TraceId = state.ParentRunId is { } parent
                ? TraceOf(workspace, parent) ?? Guid.Empty
                : state.RunId;
        }

        if (state.Usage is { } usage)
        {
            row.Cost =
                usage.KnownCost ?? _price(workspace, state.Model, state.Provider, usage, row.Start);
        }
    }

    /// <summary>The row a piece belongs to. A change without a project goes to the run it names, wherever that is; one that comes too early waits in the zero project and is adopted by the announcement.</summary>
    private RunRow Locate(Guid workspace, RunWrite write)
    {
        var id = write.RunId;
        var project = write.ProjectId is { } known
            ? _projects.GetOrAdd(_db, workspace, known)
            : (int?)null;
        var waiting = _projects.GetOrAdd(_db, workspace, Guid.Empty);
        if (project is { } p && _touched.TryGetValue((p, id), out var touched))
        {
            return touched;
        }

        var candidates = Rows(workspace, id)
            .Where(r => !_touched.ContainsKey((r.Project, id)))
            .Concat(project is null ? Touched(workspace, id) : [])
            .ToList();
        var row = project is null
            ? candidates
                .OrderBy(r => r.Project == waiting)
                .ThenByDescending(r => r.Start)
                .FirstOrDefault()
            : candidates.FirstOrDefault(r => r.Project == project)
                ?? (
                    _touched.TryGetValue((waiting, id), out var early)
                        ? early
                        : candidates.FirstOrDefault(r => r.Project == waiting)
                );
        if (row is null)
        {
            row = new RunRow
            {
                Project = project ?? waiting,
                State = new RunState { RunId = id },
            };
        }
        else if (project is { } target && row.Project != target)
        {
            _touched.Remove((row.Project, id));
            row.Project = target;
        }

        _touched[(row.Project, id)] = row;
        if (!_touchedById.TryGetValue(id, out var same))
        {
            _touchedById[id] = same = [];
        }

        if (!same.Contains(row))
        {
            same.Add(row);
        }

        return row;
    }

    private Guid? TraceOf(Guid workspace, Guid runId) =>
        Touched(workspace, runId).FirstOrDefault()?.State.TraceId
        ?? Rows(workspace, runId).FirstOrDefault()?.State.TraceId;

    /// <summary>Rows of a run id that this batch works on, found without walking the batch.</summary>
    private IEnumerable<RunRow> Touched(Guid workspace, Guid runId) =>
        _touchedById.TryGetValue(runId, out var rows)
            ? rows.Where(r => _projects[r.Project].Workspace == workspace)
            : [];

    private void Save(RunRow row)
    {
        if (row.State.TraceId == Guid.Empty)
        {
            // Nobody knows the trace yet: the run stands for itself until its parent comes.
            row.State.TraceId = row.State.ParentRunId ?? row.State.RunId;
        }

        if (row.Pk == 0)
        {
            row.Pk = ++_lastPk;
            RunCount++;
        }

        var after = row.Contribute();
        _hourly.Replace(row.Counted, after);
        row.Counted = after;
        var values = Facets.Of(row).ToHashSet();
        _facets.Count(_db, row, values.Except(row.Faceted), 1);
        _facets.Count(_db, row, row.Faceted.Except(values), -1);
        _runs.Put(row);
    }

    private void SavePosition(JournalPosition position) =>
        Run(
            "INSERT OR REPLACE INTO state(key, value) VALUES('applied', $v)",
            (
                "$v",
                string.Create(CultureInfo.InvariantCulture, $"{position.Segment}:{position.Offset}")
            )
        );

    private void Run(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var command = _db.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        command.ExecuteNonQuery();
    }

    private long Scalar(string sql)
    {
        using var command = _db.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
