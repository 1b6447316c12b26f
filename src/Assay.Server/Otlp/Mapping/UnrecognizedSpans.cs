using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Assay.Server.Observability;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// Spans in which nothing was recognized as work of a language model application, counted by scope since the process started: where a mapper is
/// missing. For whoever runs the server, as the counter <c>assay.otlp.unrecognized_spans</c> by scope: scopes of one workspace are no other's
/// business, so no screen shows them. Bounded; thread-safe.
/// </summary>
public sealed class UnrecognizedSpans
{
    /// <summary>Scopes beyond this number are counted together under <c>(others)</c>.</summary>
    public const int MaxScopes = 200;

    private const string Others = "(others)";
    private const int MaxKeys = 20;
    private readonly ConcurrentDictionary<string, Entry> _scopes = new(StringComparer.Ordinal);

    /// <summary>Counts, and tells the meter when there is one.</summary>
    public UnrecognizedSpans(IMeterFactory? meters = null) =>
        meters
            ?.Create(StoreMetrics.MeterName)
            .CreateObservableCounter(
                "assay.otlp.unrecognized_spans",
                () =>
                    Read()
                        .Select(s => new Measurement<long>(
                            s.Spans,
                            new KeyValuePair<string, object?>("otel.scope.name", s.Scope)
                        )),
                description: "Spans in which nothing was recognized as work of a language model application."
            );

    /// <summary>Counts a span.</summary>
    /// <param name="scope">Name of its instrumentation scope.</param>
    /// <param name="keys">Keys of its attributes; the first span of a scope lends them as a sample.</param>
    public void Count(string scope, IEnumerable<string> keys)
    {
        var name =
            scope.Length is > 0 and <= 200 ? scope
            : scope.Length == 0 ? "(no scope)"
            : Others;
        if (!_scopes.TryGetValue(name, out var entry))
        {
            if (_scopes.Count >= MaxScopes)
            {
                name = Others;
            }

            entry = _scopes.GetOrAdd(
                name,
                static (_, sample) =>
                    new Entry([.. sample.Where(k => k.Length <= 120).Take(MaxKeys)]),
                keys
            );
        }

        Interlocked.Increment(ref entry.Seen);
    }

    /// <summary>The counts, most frequent first.</summary>
    public IReadOnlyList<UnrecognizedScope> Read() =>
        [
            .. _scopes
                .Select(s => new UnrecognizedScope(
                    s.Key,
                    Interlocked.Read(ref s.Value.Seen),
                    s.Value.Keys
                ))
                .OrderByDescending(s => s.Spans)
                .ThenBy(s => s.Scope, StringComparer.Ordinal),
        ];

    private sealed class Entry(IReadOnlyList<string> keys)
    {
        public long Seen;

        public IReadOnlyList<string> Keys { get; } = keys;
    }
}

/// <summary>How often a scope's spans were not recognized.</summary>
/// <param name="Scope">Name of the instrumentation scope.</param>
/// <param name="Spans">Number of spans.</param>
/// <param name="SampleKeys">Attribute keys of the first of them.</param>
public sealed record UnrecognizedScope(string Scope, long Spans, IReadOnlyList<string> SampleKeys);
