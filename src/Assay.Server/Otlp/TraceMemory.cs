namespace Assay.Server.Otlp;

/// <summary>
/// What is remembered of traces whose spans are still coming: one trace spreads over requests, processes and routes. Holds a bounded number of
/// them, longest unused out first; what is forgotten costs convenience (a copy of the user on the root), never data. Thread-safe.
/// </summary>
internal sealed class TraceMemory
{
    private const int MaxYoung = 20_000;
    private readonly Lock _lock = new();
    private Dictionary<(Guid Workspace, Guid Trace), TraceState> _young = [];
    private Dictionary<(Guid Workspace, Guid Trace), TraceState> _old = [];

    /// <summary>The state of a trace, made when it is not known.</summary>
    public TraceState Of(Guid workspace, Guid trace)
    {
        lock (_lock)
        {
            var key = (workspace, trace);
            if (_young.TryGetValue(key, out var state))
            {
                return state;
            }

            if (_young.Count >= MaxYoung)
            {
                _old = _young;
                _young = [];
            }

            return _young[key] = _old.TryGetValue(key, out state) ? state : new TraceState();
        }
    }
}
