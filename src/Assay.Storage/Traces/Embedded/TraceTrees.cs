using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// The traces that runs arrive for, kept in memory between batches (at most about <see cref="MaxNodes"/> runs, longest unused out first) and
/// read from the index when they are not there. Used by the one writer only.
/// </summary>
internal sealed class TraceTrees : IDisposable
{
    private const int MaxNodes = 60_000;
    private readonly Dictionary<(int Project, Guid Trace), TraceTree> _trees = [];
    private readonly Dictionary<(int Project, Guid Trace), TraceTree> _used = [];
    private readonly Statement _load;
    private readonly Statement _update;
    private readonly RunPairs _pairs;
    private long _batch;

    public TraceTrees(SqliteConnection db, RunPairs pairs)
    {
        _pairs = pairs;
        _load = new Statement(
            db,
            """
            SELECT pk, id, parent, is_root, kind, status, model, start_us, end_us, first_us, dotted, thread,
                   own_p, own_c, own_t, own_pc, own_cc, own_tc, own_src, sum_p, sum_c, sum_t, sum_pc, sum_cc, sum_tc, sum_src
            FROM run WHERE trace = ?1 AND project = ?2
            """
        );
        _update = new Statement(
            db,
            """
            UPDATE run SET is_root = ?2, dotted = ?3, thread = ?4, sum_p = ?5, sum_c = ?6, sum_t = ?7, sum_pc = ?8, sum_cc = ?9, sum_tc = ?10, sum_src = ?11
            WHERE pk = ?1
            """
        );
    }

    /// <summary>Puts a row into its trace.</summary>
    public void Put(RunRow row)
    {
        if (row.Stored is { } was && (was.Project, was.Trace) != (row.Project, row.State.TraceId))
        {
            _trees.Remove((was.Project, was.Trace));
            _used.Remove((was.Project, was.Trace));
        }

        Use(row.Project, row.State.TraceId).Put(row);
    }

    /// <summary>Brings the traces of this batch up to date: rows of the batch in memory, others in the index.</summary>
    public void Settle(HourlyAggregates hourly)
    {
        foreach (var tree in _used.Values)
        {
            foreach (var node in tree.Settle())
            {
                Update(node, hourly);
            }
        }

        _used.Clear();
        Trim();
    }

    /// <summary>Reads a trace again and writes what is no longer right, after runs were removed.</summary>
    public void Refresh(int project, Guid trace, HourlyAggregates hourly)
    {
        _trees.Remove((project, trace));
        foreach (var node in Use(project, trace).Settle())
        {
            Update(node, hourly);
        }

        _used.Remove((project, trace));
        _trees.Remove((project, trace));
    }

    /// <summary>Forgets everything, after a transaction was rolled back.</summary>
    public void Clear()
    {
        _trees.Clear();
        _used.Clear();
    }

    public void Dispose()
    {
        _load.Dispose();
        _update.Dispose();
    }

    private TraceTree Use(int project, Guid trace)
    {
        if (_used.TryGetValue((project, trace), out var tree))
        {
            return tree;
        }

        if (!_trees.TryGetValue((project, trace), out tree))
        {
            _trees[(project, trace)] = tree = Load(project, trace);
        }

        tree.UsedAt = _batch;
        return _used[(project, trace)] = tree;
    }

    private TraceTree Load(int project, Guid trace)
    {
        var tree = new TraceTree();
        _load.Bind(1, trace);
        _load.Bind(2, project);
        while (_load.Step())
        {
            tree.Load(Node(project, _load));
        }

        tree.Loaded();
        return tree;
    }

    private static TraceNode Node(int project, Statement r)
    {
        var isRoot = r.Int(3) != 0;
        var start = UtcMicroseconds.FromMicroseconds(r.Long(7));
        var own = r.IsNull(12) ? null : RunTable.ReadTotals(r, 12);
        var sum = RunTable.ReadTotals(r, 19);
        return new TraceNode
        {
            Pk = r.Long(0),
            Id = r.Id(1),
            ParentId = r.IdOrNull(2),
            IsRoot = isRoot,
            Start = start,
            Dotted = r.Text(10),
            Thread = r.Text(11),
            Own = own,
            Sum = sum,
            Counted = new Contribution(
                project,
                start.UtcTicks / TimeSpan.TicksPerHour,
                isRoot,
                (RunKind)r.Int(4),
                r.Text(6) ?? "",
                (RunStatus)r.Int(5),
                Span(r.LongOrNull(8), r.Long(7)),
                Span(r.LongOrNull(9), r.Long(7)),
                isRoot ? sum : own ?? TraceTotals.None
            ),
        };
    }

    private static TimeSpan? Span(long? end, long start) =>
        end is { } micros ? TimeSpan.FromMicroseconds(micros - start) : null;

    private void Update(TraceNode node, HourlyAggregates hourly)
    {
        node.IsChanged = false;
        node.IsRoot = node.Parent is null;
        var counted = node.Counted is { } was
            ? was with
            {
                IsRoot = node.IsRoot,
                Totals = node.IsRoot ? node.Sum : node.Own ?? TraceTotals.None,
            }
            : null;
        hourly.Replace(node.Counted, counted);
        if (counted is { IsRoot: true } && node.Counted is { IsRoot: false })
        {
            _pairs.Put(counted.Project, UtcMicroseconds.ToMicroseconds(node.Start), node.Pk);
        }

        node.Counted = counted;
        _update.Bind(1, node.Pk);
        _update.Bind(2, node.IsRoot ? 1 : 0);
        _update.Bind(3, node.Dotted);
        _update.Bind(4, node.Thread);
        RunTable.BindTotals(_update, 5, node.Sum);
        _update.Run();
    }

    private void Trim()
    {
        _batch++;
        // A tree has one node at least, and counting them all after every small batch would cost more than the batch.
        if (_trees.Count <= MaxNodes && _batch % 16 != 0)
        {
            return;
        }

        var nodes = _trees.Values.Sum(t => t.Count);
        if (nodes <= MaxNodes)
        {
            return;
        }

        foreach (var (key, tree) in _trees.OrderBy(t => t.Value.UsedAt).ToList())
        {
            // The traces of the last batch stay, however large: the next one most likely goes on with them.
            if (nodes <= MaxNodes / 2 || tree.UsedAt == _batch - 1)
            {
                return;
            }

            nodes -= tree.Count;
            _trees.Remove(key);
        }
    }
}
