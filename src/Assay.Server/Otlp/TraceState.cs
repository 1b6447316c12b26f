using Assay.Core.Traces;
using Assay.Server.Otlp.Mapping;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp;

/// <summary>One trace as far as it has come; everything under its lock.</summary>
internal sealed class TraceState
{
    private const int MaxOrphans = 512;
    private const int MaxValues = 100;
    private const int MaxLogBytes = 1 << 20;
    private const int MaxPayload = 64 << 10;
    private readonly Dictionary<ulong, Guid> _renamed = [];
    private readonly Dictionary<ulong, List<Guid>> _orphans = [];
    private readonly Dictionary<ulong, List<LogRecord>> _logs = [];
    private readonly Dictionary<ulong, SaidBefore> _before = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);
    private readonly List<string> _tags = [];
    private int _orphanCount;
    private int _logBytes;
    private bool _rootHasTags;
    private string? _name;
    private ReadOnlyMemory<byte>? _inputs;
    private ReadOnlyMemory<byte>? _outputs;

    public Lock Lock { get; } = new();

    /// <summary>True when spans of it came before.</summary>
    public bool IsKnown { get; set; }

    /// <summary>The project its runs go to unless they name another.</summary>
    public Guid? ProjectId { get; set; }

    /// <summary>The same by name, while the project's id is not known.</summary>
    public string? ProjectName { get; set; }

    /// <summary>The trace id that its producer gave it in place of OpenTelemetry's.</summary>
    public Guid? TraceId { get; set; }

    /// <summary>Files of the trace as a whole that wait for its root.</summary>
    public List<Attachment> Files { get; } = [];

    /// <summary>The root's run, once it came.</summary>
    public Guid? Root { get; private set; }

    /// <summary>The run of a span: its producer's own id or the derived one.</summary>
    public Guid? RenamedRun(ulong span) => _renamed.TryGetValue(span, out var id) ? id : null;

    /// <summary>A producer's own id for a span; returns the runs that hang below the derived id and have to move.</summary>
    public IReadOnlyList<Guid> Rename(ulong span, Guid run)
    {
        _renamed[span] = run;
        if (!_orphans.Remove(span, out var children))
        {
            return [];
        }

        _orphanCount -= children.Count;
        return children;
    }

    /// <summary>Remembers whose parent has not come, in case it comes under an id of its own.</summary>
    public void AddOrphan(ulong parentSpan, Guid run)
    {
        if (_orphanCount >= MaxOrphans)
        {
            return;
        }

        if (!_orphans.TryGetValue(parentSpan, out var children))
        {
            _orphans[parentSpan] = children = [];
        }

        children.Add(run);
        _orphanCount++;
    }

    /// <summary>The log records of a span that have come so far.</summary>
    public IReadOnlyList<LogRecord> Logs(ulong span) =>
        _logs.TryGetValue(span, out var logs) ? logs : [];

    /// <summary>What log records of a span said before they were remembered here; null when nobody looked.</summary>
    public SaidBefore? Before(ulong span) => _before.GetValueOrDefault(span);

    /// <summary>Remembers what log records of a span said before.</summary>
    public void SetBefore(ulong span, SaidBefore before)
    {
        var bytes = (before.Inputs?.Length + before.Outputs?.Length) ?? 0;
        if (_before.Count < MaxOrphans && _logBytes + bytes <= MaxLogBytes)
        {
            _before[span] = before;
            _logBytes += bytes;
        }
    }

    /// <summary>Adds a log record to those of its span, once, and returns them all.</summary>
    public IReadOnlyList<LogRecord> AddLog(ulong span, LogRecord record)
    {
        if (!_logs.TryGetValue(span, out var logs))
        {
            _logs[span] = logs = [];
        }

        var bytes = record.CalculateSize();
        if (_logBytes + bytes <= MaxLogBytes || logs.Count == 0)
        {
            if (!logs.Contains(record))
            {
                _logBytes += bytes;
                logs.Add(record);
            }

            return logs;
        }

        return [.. logs, record];
    }

    /// <summary>Forgets log records that said nothing about the run.</summary>
    public void DropLogs(ulong span)
    {
        if (_logs.Remove(span, out var logs))
        {
            _logBytes -= logs.Sum(l => l.CalculateSize());
        }
    }

    /// <summary>Gathers what a span says about its trace; the first to say something is heard.</summary>
    public void Gather(TraceValues values)
    {
        _name ??= values.Name;
        _inputs ??= values.Inputs is { Length: <= MaxPayload } ? values.Inputs : null;
        _outputs ??= values.Outputs is { Length: <= MaxPayload } ? values.Outputs : null;
        if (values.UserId is { Length: > 0 } user)
        {
            _metadata.TryAdd("user_id", user);
        }

        foreach (var (key, value) in values.Metadata)
        {
            if (_metadata.Count >= MaxValues)
            {
                break;
            }

            _metadata.TryAdd(key, value);
        }

        foreach (var tag in values.Tags)
        {
            if (_tags.Count < MaxValues && !_tags.Contains(tag, StringComparer.Ordinal))
            {
                _tags.Add(tag);
                if (!_rootHasTags)
                {
                    _given.Remove("tags");
                }
            }
        }
    }

    /// <summary>The root came: what it says of itself stays, except its name where the trace has one.</summary>
    public void SetRoot(Guid run, MappedSpan mapped, IEnumerable<string> ownMetadata)
    {
        if (Root != run)
        {
            _given.Clear();
        }

        Root = run;
        _given.UnionWith(ownMetadata.Select(k => "metadata." + k));
        AddGiven("tags", mapped.Tags.Count > 0);
        AddGiven("inputs", mapped.Inputs is not null);
        AddGiven("outputs", mapped.Outputs is not null);
        _rootHasTags = mapped.Tags.Count > 0;
    }

    /// <summary>What the root has to be given and was not yet; null when nothing.</summary>
    public Lifted? TakeLifted()
    {
        if (Root is not { } root)
        {
            return null;
        }

        var metadata = _metadata.Where(m => _given.Add("metadata." + m.Key)).ToList();
        var name = _name is not null && _given.Add("name") ? _name : null;
        var tags = _tags.Count > 0 && _given.Add("tags") ? _tags.ToList() : null;
        var inputs = _inputs is not null && _given.Add("inputs") ? _inputs : null;
        var outputs = _outputs is not null && _given.Add("outputs") ? _outputs : null;
        var files = Files.ToList();
        Files.Clear();
        return
            metadata.Count + files.Count == 0
            && name is null
            && tags is null
            && inputs is null
            && outputs is null
            ? null
            : new Lifted(root, name, tags, metadata, inputs, outputs, files);
    }

    private void AddGiven(string what, bool isOwn)
    {
        if (isOwn)
        {
            _given.Add(what);
        }
    }
}

/// <summary>What children said about the trace, for its root.</summary>
internal sealed record Lifted(
    Guid Root,
    string? Name,
    IReadOnlyList<string>? Tags,
    IReadOnlyList<KeyValuePair<string, string>> Metadata,
    ReadOnlyMemory<byte>? Inputs,
    ReadOnlyMemory<byte>? Outputs,
    IReadOnlyList<Attachment> Files
);
