using Assay.Core.Threads;

namespace Assay.Storage.Traces.Embedded;

/// <summary>The figures of one thread while its roots are read.</summary>
internal sealed class ThreadFigures
{
    private readonly HourlyCell _cell = new();
    private DateTimeOffset? _first;
    private DateTimeOffset? _last;
    private DateTimeOffset? _end;

    public void Add(Contribution root, DateTimeOffset start)
    {
        _cell.Add(root, 1);
        _first = _first < start ? _first : start;
        _last = _last > start ? _last : start;
        var end = start + root.Latency;
        _end = _end > end ? _end : end ?? _end;
    }

    public Conversation Of(string thread, Guid project)
    {
        var stats = _cell.ToStats();
        return new Conversation
        {
            ThreadId = thread,
            ProjectId = project,
            TraceCount = stats.RunCount,
            ErrorCount = stats.ErrorCount,
            FirstStart = _first ?? default,
            LastStart = _last ?? default,
            LastEnd = _end,
            Totals = stats.Totals,
            Latency = stats.Latency,
        };
    }
}
