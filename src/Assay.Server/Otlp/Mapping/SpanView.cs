using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// A span as the mappers look at it: attributes by key (the span's own, then its scope's, then its resource's), decoded on demand, with the
/// account of which content keys were taken. Of equal keys the last wins. Not thread-safe: it lives for one mapping.
/// </summary>
internal sealed class SpanView
{
    private static readonly Dictionary<string, string> s_nothingMoved = [];
    private readonly Dictionary<string, AnyValue> _own;
    private readonly KeyFilter _keys;
    private Dictionary<string, string>? _moved;
    private Dictionary<string, JsonNode?>? _decoded;
    private List<string>? _warnings;

    public SpanView(
        Resource resource,
        InstrumentationScope scope,
        Span span,
        IReadOnlyList<LogRecord> logs
    )
    {
        Resource = resource;
        Scope = scope;
        Span = span;
        Logs = logs;
        _own = new Dictionary<string, AnyValue>(span.Attributes.Count, StringComparer.Ordinal);
        foreach (var pair in span.Attributes)
        {
            _own[pair.Key] = pair.Value ?? new AnyValue();
            _keys.Add(pair.Key);
        }
    }

    public Resource Resource { get; }

    public InstrumentationScope Scope { get; }

    public Span Span { get; }

    public IReadOnlyList<LogRecord> Logs { get; }

    /// <summary>The span's own attributes.</summary>
    public Dictionary<string, AnyValue> Own => _own;

    /// <summary>Content keys (or prefixes ending in <c>.*</c>) that were taken, and the field that has them now.</summary>
    public Dictionary<string, string> Moved => _moved ?? s_nothingMoved;

    /// <summary>Sentences for the person who reads the run.</summary>
    public IReadOnlyList<string> Warnings => _warnings ?? [];

    /// <summary>The span itself has the attribute.</summary>
    public bool Has(string key) => _keys.MayHave(key) && _own.ContainsKey(key);

    /// <summary>The span itself has an attribute whose key starts so.</summary>
    public bool HasPrefix(ReadOnlySpan<char> prefix)
    {
        if (!_keys.MayHaveBeginning(prefix))
        {
            return false;
        }

        foreach (var key in _own.Keys)
        {
            if (key.AsSpan().StartsWith(prefix))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The attribute of the span, else of its scope, else of its resource.</summary>
    public AnyValue? Find(string key) =>
        TryGet(key, out var value)
            ? value
            : Last(Scope.Attributes, key) ?? Last(Resource.Attributes, key);

    /// <summary>The span's own scalar as text; null when it is absent, empty or no scalar.</summary>
    public string? Text(string key) =>
        TryGet(key, out var value) && AnyValues.Text(value) is { Length: > 0 } text ? text : null;

    /// <summary>The first of the keys that the span has as a text.</summary>
    public string? Text(ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Text(key) is { } text)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>As <see cref="Text(string)"/>, with the quotes of a value that was encoded as JSON taken off.</summary>
    public string? Unquoted(string key) => Text(key) is { } text ? Decoding.Unquote(text) : null;

    /// <summary>The span's own number, also written as a text.</summary>
    public double? Number(string key) =>
        TryGet(key, out var value) ? AnyValues.Number(value) : null;

    /// <summary>A count of something: whole, not negative, below 10^15.</summary>
    public long? Count(string key) =>
        Number(key) is { } number and >= 0 and <= 1e15 ? (long)number : null;

    /// <summary>The span's own truth value.</summary>
    public bool? Flag(string key) => TryGet(key, out var value) ? AnyValues.Flag(value) : null;

    /// <summary>
    /// The span's own value with JSON in texts decoded; what is cut is mended and warned about. Decoded once: do not change it, copy from it.
    /// </summary>
    public JsonNode? Json(string key)
    {
        if (!TryGet(key, out var value))
        {
            return null;
        }

        _decoded ??= new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        if (!_decoded.TryGetValue(key, out var json))
        {
            _decoded[key] = json = Decode(value, key);
        }

        return json;
    }

    /// <summary>Decodes a value of the span, its events or its logs.</summary>
    public JsonNode? Decode(AnyValue? value, string name)
    {
        var json = Decoding.Decode(value, out var isCut);
        if (isCut)
        {
            Warn($"{name} was cut by the SDK inside its JSON; what came before the cut is shown.");
        }

        return json;
    }

    /// <summary>Notes that a content key, or all keys of a prefix (<c>prefix.*</c>), are kept elsewhere and need not be kept raw.</summary>
    public void Take(string key, string field)
    {
        if (
            key.EndsWith(".*", StringComparison.Ordinal)
                ? HasPrefix(key.AsSpan(0, key.Length - 1))
                : Has(key)
        )
        {
            _moved ??= new Dictionary<string, string>(StringComparer.Ordinal);
            _moved.TryAdd(key, field);
        }
    }

    /// <summary>Notes that the events that carry content were taken.</summary>
    public void TakeEvents() => AreEventsTaken = true;

    /// <summary>Whether events that carry content were taken.</summary>
    public bool AreEventsTaken { get; private set; }

    public void Warn(string sentence)
    {
        _warnings ??= [];
        if (_warnings.Count < 8 && !_warnings.Contains(sentence))
        {
            _warnings.Add(sentence);
        }
    }

    /// <summary>Whether the attribute was taken, by its key or a prefix of it.</summary>
    public bool IsMoved(string key)
    {
        if (_moved is null)
        {
            return false;
        }

        if (_moved.ContainsKey(key))
        {
            return true;
        }

        foreach (var taken in _moved.Keys)
        {
            if (
                taken.EndsWith(".*", StringComparison.Ordinal)
                && key.AsSpan().StartsWith(taken.AsSpan(0, taken.Length - 1))
            )
            {
                return true;
            }
        }

        return false;
    }

    private bool TryGet(string key, [NotNullWhen(true)] out AnyValue? value)
    {
        value = null;
        return _keys.MayHave(key) && _own.TryGetValue(key, out value);
    }

    private static AnyValue? Last(
        Google.Protobuf.Collections.RepeatedField<KeyValue> pairs,
        string key
    )
    {
        for (var i = pairs.Count - 1; i >= 0; i--)
        {
            if (pairs[i].Key == key)
            {
                return pairs[i].Value;
            }
        }

        return null;
    }

    /// <summary>
    /// Nearly all of some hundred keys that a mapping asks for are not there; two bits per key answer that without hashing them. A wrong yes
    /// costs a look, a wrong no does not happen.
    /// </summary>
    private struct KeyFilter
    {
        private UInt128 _keys;
        private ulong _first;

        public void Add(string key)
        {
            _keys |= Bit(key);
            _first |= key.Length == 0 ? 0 : 1UL << (key[0] & 63);
        }

        public readonly bool MayHave(string key) => (_keys & Bit(key)) != 0;

        public readonly bool MayHaveBeginning(ReadOnlySpan<char> beginning) =>
            beginning.IsEmpty || (_first & (1UL << (beginning[0] & 63))) != 0;

        private static UInt128 Bit(string key) =>
            UInt128.One
            << (key.Length == 0 ? 0 : ((key.Length * 31) + (key[0] * 7) + key[^1]) & 127);
    }
}
