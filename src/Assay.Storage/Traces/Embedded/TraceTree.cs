using Assay.Core.Models;
using Assay.Core.Traces;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// One trace while the applier works on it: its tree and the totals of each subtree, kept by adding and taking back what a child gives, so
/// that a batch costs what it brings and the ancestors of that, however large the trace has become. The rule is that of <see cref="TraceRollup"/>.
/// </summary>
internal sealed class TraceTree
{
    private readonly Dictionary<Guid, TraceNode> _nodes = [];
    private readonly Dictionary<Guid, List<TraceNode>> _waiting = [];
    private readonly List<TraceNode> _unordered = [];
    private readonly List<TraceNode> _dirty = [];
    private readonly List<TraceNode> _marked = [];
    private readonly Stack<TraceNode> _ready = new();
    private string? _rootThread;
    private string? _anyThread;
    private bool _isLinked;
    private int _stamp;

    public int Count => _nodes.Count;

    /// <summary>The applier's batch that used it last.</summary>
    public long UsedAt { get; set; }

    /// <summary>A node as the index holds it.</summary>
    public void Load(TraceNode node)
    {
        _nodes[node.Id] = node;
        _dirty.Add(node);
    }

    /// <summary>After the last <see cref="Load"/>: links what was loaded and works out what children give. Changes nothing that is stored right.</summary>
    public void Loaded()
    {
        foreach (var node in _nodes.Values)
        {
            Link(node);
            SeeThread(node);
            if (node.Dotted is null)
            {
                _unordered.Add(node);
            }
        }
    }

    /// <summary>A row of this batch: new, or changed.</summary>
    public void Put(RunRow row)
    {
        var id = row.State.RunId;
        if (!_nodes.TryGetValue(id, out var node))
        {
            _nodes[id] = node = new TraceNode { Id = id, ParentId = row.State.ParentRunId };
            Link(node);
            if (_waiting.Remove(id, out var children))
            {
                foreach (var child in children)
                {
                    child.Parent = node;
                    _dirty.Add(child);
                }

                _isLinked = true;
            }
        }
        else if (node.ParentId != row.State.ParentRunId)
        {
            Unlink(node);
            node.ParentId = row.State.ParentRunId;
            Link(node);
            _isLinked = true;
        }

        // Those below it waited for its start.
        _isLinked |= IsAnnounced(row.Start) && node.Pk != 0 && !IsAnnounced(node.Start);
        node.Pk = row.Pk;
        node.Row = row;
        node.Own = row.Own;
        node.Start = row.Start;
        node.Thread = row.State.ThreadId;
        if (row.State.DottedOrder is { } order)
        {
            node.Dotted = order;
        }
        else if (node.Dotted is null)
        {
            _unordered.Add(node);
        }

        SeeThread(node);
        _dirty.Add(node);
    }

    /// <summary>
    /// Brings everything up to date. Rows of this batch get their totals, order key and thread; other nodes whose stored row is no longer right
    /// are returned.
    /// </summary>
    public List<TraceNode> Settle()
    {
        var changed = new List<TraceNode>();
        Roll(changed);
        Order(changed);
        Spread(changed);
        foreach (var node in _dirty)
        {
            if (node.Row is { } row)
            {
                row.IsRoot = node.Parent is null;
                row.Totals = node.Sum;
                row.State.DottedOrder = node.Dotted;
                row.State.ThreadId = node.Thread;
                node.IsRoot = row.IsRoot;
                node.Counted = row.Contribute();
                node.Row = null;
            }
            else if (node.IsRoot != node.Parent is null)
            {
                Change(node, changed);
            }
        }

        _dirty.Clear();
        _isLinked = false;
        return changed;
    }

    private void Roll(List<TraceNode> changed)
    {
        _stamp++;
        _marked.Clear();
        foreach (var node in _dirty)
        {
            for (var at = node; at is not null && at.Stamp != _stamp; at = at.Parent)
            {
                at.Stamp = _stamp;
                at.Open = 0;
                _marked.Add(at);
            }
        }

        foreach (var node in _marked)
        {
            if (node.Parent is { } parent)
            {
                parent.Open++;
            }
        }

        foreach (var node in _marked)
        {
            if (node.Open == 0)
            {
                _ready.Push(node);
            }
        }

        var done = 0;
        while (_ready.TryPop(out var node))
        {
            done++;
            var gives = node.Below.Count > 0 ? node.Below.Total() : node.Own;
            SetSum(node, gives ?? TraceTotals.None, changed);
            if (node.Parent is not { } parent)
            {
                continue;
            }

            if (gives != node.Given)
            {
                parent.Below.Add(node.Given, -1);
                parent.Below.Add(gives, 1);
                node.Given = gives;
            }

            if (--parent.Open == 0)
            {
                _ready.Push(parent);
            }
        }

        if (done < _marked.Count)
        {
            // Members of a parent cycle never become ready and keep their own figures.
            foreach (var node in _marked.Where(n => n.Open > 0))
            {
                SetSum(node, node.Own ?? TraceTotals.None, changed);
            }
        }
    }

    private static void SetSum(TraceNode node, TraceTotals sum, List<TraceNode> changed)
    {
        if (node.Sum != sum)
        {
            node.Sum = sum;
            Change(node, changed);
        }
    }

    /// <summary>Order keys of runs whose client sent none: that of the parent, then its own segment; not while a parent is missing.</summary>
    private void Order(List<TraceNode> changed)
    {
        if (_unordered.Count == 0)
        {
            return;
        }

        _unordered.RemoveAll(node =>
        {
            if (node.Dotted is not null)
            {
                return true;
            }

            if (node.Row is null && !_isLinked)
            {
                return false;
            }

            node.Dotted = OrderOf(node);
            if (node.Dotted is null)
            {
                return false;
            }

            Change(node, changed);
            return true;
        });
    }

    /// <summary>A run that is known by changes alone so far has no start, and no parent that it told.</summary>
    private static bool IsAnnounced(DateTimeOffset start) => start > DateTimeOffset.UnixEpoch;

    private string? OrderOf(TraceNode node)
    {
        var segments = new List<string>();
        var seen = new HashSet<TraceNode>();
        for (var at = node; seen.Add(at); )
        {
            if (at != node && at.Dotted is { } known)
            {
                segments.Add(known);
                break;
            }

            if (!IsAnnounced(at.Start))
            {
                return null;
            }

            segments.Add(RunNormalizer.OrderSegment(at.Start, at.Id));
            if (at.ParentId is not { } parent)
            {
                break;
            }

            if (!_nodes.TryGetValue(parent, out at!))
            {
                return null;
            }
        }

        segments.Reverse();
        return string.Join('.', segments);
    }

    /// <summary>The thread of a trace is its root's, else the first that any run names; runs without one take it over.</summary>
    private void Spread(List<TraceNode> changed)
    {
        if ((_rootThread ?? _anyThread) is not { } thread)
        {
            return;
        }

        if (!IsThreaded)
        {
            IsThreaded = true;
            foreach (var node in _nodes.Values.Where(n => n.Thread is null))
            {
                node.Thread = thread;
                Change(node, changed);
            }
        }

        foreach (var node in _dirty)
        {
            if (node.Thread is null)
            {
                node.Thread = thread;
                Change(node, changed);
            }
        }
    }

    private bool IsThreaded { get; set; }

    private static void Change(TraceNode node, List<TraceNode> changed)
    {
        if (node.Row is null && !node.IsChanged)
        {
            node.IsChanged = true;
            changed.Add(node);
        }
    }

    private void SeeThread(TraceNode node)
    {
        if (node.Thread is { } thread)
        {
            _anyThread ??= thread;
            _rootThread ??= node.ParentId is null ? thread : null;
        }
    }

    private void Link(TraceNode node)
    {
        if (node.ParentId is not { } parentId || parentId == node.Id)
        {
            return;
        }

        if (_nodes.TryGetValue(parentId, out var parent))
        {
            node.Parent = parent;
        }
        else if (_waiting.TryGetValue(parentId, out var children))
        {
            children.Add(node);
        }
        else
        {
            _waiting[parentId] = [node];
        }
    }

    private void Unlink(TraceNode node)
    {
        if (node.Parent is { } parent)
        {
            parent.Below.Add(node.Given, -1);
            node.Given = null;
            node.Parent = null;
            _dirty.Add(parent);
        }
        else if (node.ParentId is { } missing && _waiting.TryGetValue(missing, out var children))
        {
            children.Remove(node);
        }
    }
}

/// <summary>A run in a <see cref="TraceTree"/>.</summary>
internal sealed class TraceNode
{
    public required Guid Id { get; init; }

    public long Pk { get; set; }

    public Guid? ParentId { get; set; }

    public TraceNode? Parent { get; set; }

    public bool IsRoot { get; set; } = true;

    public DateTimeOffset Start { get; set; }

    public string? Dotted { get; set; }

    public string? Thread { get; set; }

    public TraceTotals? Own { get; set; }

    public TraceTotals Sum { get; set; } = TraceTotals.None;

    /// <summary>What its parent's sum has from it.</summary>
    public TraceTotals? Given { get; set; }

    public Gathered Below { get; } = new();

    /// <summary>What the aggregates hold for it.</summary>
    public Contribution? Counted { get; set; }

    /// <summary>Its row while it is in the batch at hand.</summary>
    public RunRow? Row { get; set; }

    public bool IsChanged { get; set; }

    public int Stamp { get; set; }

    public int Open { get; set; }
}

/// <summary>A sum of totals from which one can be taken back; it counts the sources, since the weakest of them is the sum's.</summary>
internal sealed class Gathered
{
    private static readonly FigureSource[] s_weakestFirst =
    [
        FigureSource.Unknown,
        FigureSource.Estimated,
        FigureSource.Computed,
        FigureSource.Reported,
    ];
    private long _prompt;
    private long _completion;
    private long _total;
    private decimal _promptCost;
    private decimal _completionCost;
    private decimal _totalCost;
    private int _unknown;
    private int _estimated;
    private int _computed;
    private int _reported;

    public int Count => _unknown + _estimated + _computed + _reported;

    public void Add(TraceTotals? totals, int weight)
    {
        if (totals is null)
        {
            return;
        }

        _prompt += totals.PromptTokens * weight;
        _completion += totals.CompletionTokens * weight;
        _total += totals.TotalTokens * weight;
        _promptCost += totals.PromptCost * weight;
        _completionCost += totals.CompletionCost * weight;
        _totalCost += totals.TotalCost * weight;
        CountOf(totals.Source) += weight;
    }

    public TraceTotals Total() =>
        new(
            _prompt,
            _completion,
            _total,
            _promptCost,
            _completionCost,
            _totalCost,
            Array.Find(s_weakestFirst, s => CountOf(s) > 0)
        );

    private ref int CountOf(FigureSource source)
    {
        switch (source)
        {
            case FigureSource.Unknown:
                return ref _unknown;
            case FigureSource.Estimated:
                return ref _estimated;
            case FigureSource.Computed:
                return ref _computed;
            default:
                return ref _reported;
        }
    }
}
