using System.Globalization;
using Assay.Core.Models;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Search;
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
    private readonly Journal _journal;
    private readonly RunTable _runs;
    private readonly TraceTrees _trees;
    private readonly HourlyAggregates _hourly;
    private readonly Facets _facets;
    private readonly RunPairs _pairs;
    private readonly SegmentUse _use;
    private readonly List<RunRow> _moved = [];
    private readonly List<RunRow> _touched = [];
    private readonly List<(RunRow Row, JournaledWrite Piece)> _pieces = [];
    private readonly Dictionary<Guid, List<RunRow>> _rowsById = [];
    private readonly Dictionary<RunRow, List<(string Field, string Value)>> _facetsBefore = [];
    private long _lastPk;

    public Applier(SqliteConnection db, ProjectNumbers projects, PriceLookup price, Journal journal)
    {
        _db = db;
        _journal = journal;
        _projects = projects;
        _price = price;
        _runs = new RunTable(db);
        _pairs = new RunPairs(db);
        _trees = new TraceTrees(db, _pairs);
        _hourly = new HourlyAggregates(db);
        _facets = new Facets(db);
        _use = new SegmentUse(db);
        _use.CountOnce();
        _lastPk = Scalar("SELECT coalesce(max(pk), 0) FROM run");
        RunCount = Scalar("SELECT count(*) FROM run");
        FillPairs();
        FillFeedbackPairs();
    }

    public long RunCount { get; private set; }

    /// <summary>The largest row key given out.</summary>
    public long LastPk => _lastPk;

    /// <summary>Up to where the journal is in the index.</summary>
    public static JournalPosition Position(SqliteConnection db)
    {
        using var command = db.CreateCommand();
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
        _pieces.Clear();
        _moved.Clear();
        _rowsById.Clear();
        _facetsBefore.Clear();
        var (pk, count) = (_lastPk, RunCount);
        // What is lost here in a power cut comes again from the journal: the position is in the same transaction.
        IndexDatabase.Execute(_db, "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
        try
        {
            var changes = Fold(batches);
            IndexDatabase.Execute(_db, "COMMIT");
            return changes;
        }
        catch
        {
            _lastPk = pk;
            RollBack(count);
            throw;
        }
    }

    /// <summary>What the batches applied last brought for the search index.</summary>
    public List<SearchDoc> SearchDocs() =>
        [.. _pieces.Select(p => SearchDoc.Of(p.Row, p.Piece)).Where(d => !d.IsEmpty)];

    /// <summary>Drops what is remembered of the index, after a transaction over it was rolled back.</summary>
    public void Forget()
    {
        _trees.Clear();
        _hourly.Clear();
        _facets.Clear();
        _use.Clear();
        _projects.Load(_db);
    }

    /// <summary>Ends a failed transaction and stands where it began.</summary>
    /// <param name="runs">How many runs there were.</param>
    public void RollBack(long runs)
    {
        RunCount = runs;
        try
        {
            IndexDatabase.RollBack(_db);
        }
        finally
        {
            Forget();
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
                Fold(batch.WorkspaceId, piece, batch.AcceptedAt);
            }
        }

        foreach (var row in _touched)
        {
            Complete(row);
            _trees.Put(row);
        }

        _trees.Settle(_hourly);
        foreach (var row in _touched)
        {
            Save(row);
        }

        foreach (var row in _moved.Where(r => !r.IsTouched).Distinct())
        {
            _use.Replace(row.Before?.Refs ?? [], row.Refs);
            _runs.PutRefs(row);
        }

        var changes = _touched
            .Select(r => (r.Project, r.State.TraceId))
            .Distinct()
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

        _hourly.Flush();
        _facets.Flush();
        _use.Flush();
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
            _facets.Replace(row.Project, row.Start, _facets.Of(row), []);
            _pairs.Remove(row);
            _use.Replace(row.Refs, []);
            BlobGarbage.Note(_db, BlobGarbage.Of(row), row.Pk);
            _runs.Delete(row);
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

    /// <summary>Rows of a trace in one project.</summary>
    public List<RunRow> TraceRows(int project, Guid traceId) => _runs.ByTrace(traceId, project);

    /// <summary>Brings a trace up to date after a removal and writes the aggregates.</summary>
    public void Settle(IEnumerable<(int Project, Guid Trace)> traces)
    {
        foreach (var (project, trace) in traces)
        {
            _trees.Refresh(project, trace, _hourly);
        }

        _hourly.Flush();
        _facets.Flush();
        _use.Flush();
    }

    public void Dispose()
    {
        _runs.Dispose();
        _trees.Dispose();
        _hourly.Dispose();
        _facets.Dispose();
        _pairs.Dispose();
        _use.Dispose();
    }

    private void Fold(Guid workspace, JournaledWrite piece, DateTimeOffset acceptedAt)
    {
        foreach (var payload in piece.Payloads)
        {
            _use.Arrive(payload);
        }

        if (piece.Write.Operation == MoveRecord.Operation)
        {
            Move(workspace, piece);
            return;
        }

        var row = Locate(workspace, piece.Write);
        row.ReceivedAt ??= row.Pk == 0 ? acceptedAt : null;
        if (
            row.Stored is { } stored
            && (stored.Project != row.Project || RunRow.ChangesFacets(piece.Write))
            && !_facetsBefore.ContainsKey(row)
        )
        {
            _facetsBefore[row] = _facets.Of(row);
        }

        row.Apply(piece);
        _pieces.Add((row, piece));
        var state = row.State;
        if (state.TraceId == Guid.Empty)
        {
            state.TraceId = state.ParentRunId is { } parent
                ? TraceOf(workspace, parent) ?? Guid.Empty
                : state.RunId;
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
        var rows = Of(id);
        var row = project is { } wanted
            ? rows.Find(r => r.Project == wanted) ?? rows.Find(r => r.Project == waiting)
            : rows.Where(r => _projects[r.Project].Workspace == workspace)
                .OrderBy(r => r.Project == waiting)
                .ThenByDescending(r => r.Start)
                .FirstOrDefault();
        if (row is null)
        {
            row = new RunRow
            {
                Project = project ?? waiting,
                State = new RunState { RunId = id },
            };
            rows.Add(row);
        }
        else if (project is { } target)
        {
            row.Project = target;
        }

        if (!row.IsTouched)
        {
            Note(row);
            row.IsTouched = true;
            _touched.Add(row);
        }

        return row;
    }

    private void Move(Guid workspace, JournaledWrite piece)
    {
        foreach (
            var row in Of(piece.Write.RunId).Where(r => _projects[r.Project].Workspace == workspace)
        )
        {
            Note(row);
            foreach (var payload in piece.Payloads)
            {
                if (row.Move(payload))
                {
                    _moved.Add(row);
                }
            }
        }
    }

    private static void Note(RunRow row) =>
        row.Before ??= row.Stored is null ? ([], []) : ([.. row.Refs], BlobGarbage.Of(row));

    private Guid? TraceOf(Guid workspace, Guid runId) =>
        Of(runId)
            .Find(r => _projects[r.Project].Workspace == workspace && r.State.TraceId != Guid.Empty)
            ?.State.TraceId;

    /// <summary>Every row of a run id, of this batch or stored, read once per batch.</summary>
    private List<RunRow> Of(Guid runId)
    {
        if (!_rowsById.TryGetValue(runId, out var rows))
        {
            _rowsById[runId] = rows = _runs.ById(runId);
        }

        return rows;
    }

    private void Complete(RunRow row)
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

        var state = row.State;
        if (row.WantsEstimate)
        {
            state.Usage = TokenEstimator.Estimate(
                Text(row, PayloadKind.Inputs),
                Text(row, PayloadKind.Outputs)
            );
        }

        if (state.Usage is { } usage)
        {
            row.Cost =
                usage.KnownCost
                ?? _price(
                    _projects[row.Project].Workspace,
                    state.Model,
                    state.Provider,
                    usage,
                    row.Start
                );
        }
    }

    /// <summary>A payload inside the journal; null when there is none, it is in the blob store, or its block is damaged.</summary>
    private ReadOnlyMemory<byte>? Text(RunRow row, PayloadKind kind)
    {
        foreach (var item in row.Refs)
        {
            if (item.Kind == kind && item.BlobKey is null)
            {
                try
                {
                    return _journal.Read(item.Address);
                }
                catch (InvalidDataException)
                {
                    return null;
                }
            }
        }

        return null;
    }

    private void Save(RunRow row)
    {
        var counted = row.Contribute();
        _hourly.Replace(row.Counted, counted);
        var changesPairs =
            row.Counted?.IsRoot != row.IsRoot
            || row.Stored != row.Key
            || _facetsBefore.ContainsKey(row);
        var isMoved = row.Stored != row.Key;
        row.Counted = counted;
        if (row.Stored is not { } stored)
        {
            _facets.Replace(row.Project, row.Start, [], _facets.Of(row));
        }
        else if (_facetsBefore.TryGetValue(row, out var before))
        {
            var after = _facets.Of(row);
            if (stored.Project == row.Project)
            {
                _facets.Replace(row.Project, row.Start, before, after);
            }
            else
            {
                _facets.Replace(stored.Project, stored.Start, before, []);
                _facets.Replace(row.Project, row.Start, [], after);
            }
        }

        if (row.Before is var (refs, blobs))
        {
            _use.Replace(refs, row.Refs);
            if (blobs.Count > 0)
            {
                BlobGarbage.Note(_db, blobs.Except(BlobGarbage.Of(row)), row.Pk);
            }
        }

        _runs.Put(row);
        if (changesPairs)
        {
            _pairs.Put(row);
        }

        if (isMoved)
        {
            _pairs.PutFeedback(row);
        }
    }

    /// <summary>Once for an index that was made before there was the table.</summary>
    private void FillPairs()
    {
        if (Scalar("SELECT count(*) FROM state WHERE key = 'pairs'") > 0)
        {
            return;
        }

        var roots = new List<(int Project, long Start, long Pk)>();
        using (
            var rows = new Statement(_db, "SELECT project, start_us, pk FROM run WHERE is_root = 1")
        )
        {
            while (rows.Step())
            {
                roots.Add((rows.Int(0), rows.Long(1), rows.Long(2)));
            }
        }

        IndexDatabase.Execute(_db, "BEGIN IMMEDIATE");
        foreach (var (project, start, pk) in roots)
        {
            _pairs.Put(project, start, pk);
        }

        Run("INSERT INTO state(key, value) VALUES('pairs', '1')");
        IndexDatabase.Execute(_db, "COMMIT");
    }

    /// <summary>Once for an index that was made before feedback was entered there.</summary>
    private void FillFeedbackPairs()
    {
        if (Scalar("SELECT count(*) FROM state WHERE key = 'feedback_pairs'") > 0)
        {
            return;
        }

        IndexDatabase.Execute(_db, "BEGIN IMMEDIATE");
        var keys = new List<string>();
        using (var rows = new Statement(_db, "SELECT DISTINCT key FROM feedback"))
        {
            while (rows.Step())
            {
                keys.Add(rows.Text(0) ?? "");
            }
        }

        foreach (var key in keys)
        {
            Run(
                "INSERT OR IGNORE INTO pair(project, hash, start_us, pk) SELECT r.project, $hash, r.start_us, r.pk FROM feedback f JOIN run r ON r.id = f.run WHERE f.key = $key",
                ("$hash", RunPairs.OfFeedback(key)),
                ("$key", key)
            );
        }

        Run("INSERT INTO state(key, value) VALUES('feedback_pairs', '1')");
        IndexDatabase.Execute(_db, "COMMIT");
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
