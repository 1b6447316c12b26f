using System.Globalization;
using System.Text.Json;

namespace Assay.Evaluation.Json;

/// <summary>
/// A place, or with wildcards several places, in a JSON value. Reads JSON Pointer (RFC 6901, when the text is empty or
/// starts with <c>/</c>) and the part of JSONPath (RFC 9535) that names places without computing:
/// <c>$.a.b</c>, <c>a['b c'][0][-1]</c>, <c>items[*].id</c>, <c>$.*</c>. Immutable.
/// </summary>
public sealed class JsonPath
{
    private readonly IReadOnlyList<Segment> _segments;

    private JsonPath(string text, IReadOnlyList<Segment> segments)
    {
        Text = text;
        _segments = segments;
    }

    /// <summary>The path as written.</summary>
    public string Text { get; }

    /// <summary>True when a wildcard lets the path name several places.</summary>
    public bool HasWildcard => _segments.Any(s => s.IsWildcard);

    /// <summary>Reads a path.</summary>
    /// <exception cref="FormatException">The text is not a path; the message names the position.</exception>
    public static JsonPath Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(
            text,
            text.Length == 0 || text[0] == '/' ? ParsePointer(text) : new Parser(text).Parse()
        );
    }

    /// <summary>Every value the path names in <paramref name="root"/>, in document order; none when the place is missing.</summary>
    public IEnumerable<JsonElement> Select(JsonElement root)
    {
        IEnumerable<JsonElement> current = [root];
        foreach (var segment in _segments)
        {
            current = current.SelectMany(segment.Select);
        }

        return current;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static List<Segment> ParsePointer(string text)
    {
        var segments = new List<Segment>();
        foreach (var token in text.Split('/').Skip(1))
        {
            var name = token
                .Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            var isIndex =
                (name is "0" || !name.StartsWith('0'))
                && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _);
            segments.Add(
                new(
                    name,
                    isIndex
                        ? int.Parse(name, NumberStyles.None, CultureInfo.InvariantCulture)
                        : null
                )
            );
        }

        return segments;
    }

    /// <summary>One step: a name, an index, either (a JSON Pointer number is both), or everything (neither).</summary>
    private readonly record struct Segment(string? Name, int? Index)
    {
        public bool IsWildcard => Name is null && Index is null;

        public IEnumerable<JsonElement> Select(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object when IsWildcard:
                    return element.EnumerateObject().Select(p => p.Value);
                case JsonValueKind.Array when IsWildcard:
                    return element.EnumerateArray();
                case JsonValueKind.Object
                    when Name is not null && element.TryGetProperty(Name, out var value):
                    return [value];
                case JsonValueKind.Array when Index is { } index:
                    var length = element.GetArrayLength();
                    var at = index < 0 ? length + index : index;
                    return at >= 0 && at < length ? [element[at]] : [];
                default:
                    return [];
            }
        }
    }

    private ref struct Parser(string text)
    {
        private int _at;

        public List<Segment> Parse()
        {
            var segments = new List<Segment>();
            if (text[0] == '$')
            {
                _at = 1;
            }
            else if (text[0] != '[')
            {
                segments.Add(ParseName());
            }

            while (_at < text.Length)
            {
                if (text[_at] == '.')
                {
                    _at++;
                    segments.Add(ParseName());
                }
                else if (text[_at] == '[')
                {
                    segments.Add(ParseBracket());
                }
                else
                {
                    throw Error("expected '.' or '['");
                }
            }

            return segments;
        }

        private Segment ParseName()
        {
            if (_at < text.Length && text[_at] == '*')
            {
                _at++;
                return default;
            }

            var start = _at;
            while (_at < text.Length && text[_at] is not ('.' or '[' or ']' or '\'' or '"' or '*'))
            {
                _at++;
            }

            return _at > start ? new(text[start.._at], null) : throw Error("expected a name");
        }

        private Segment ParseBracket()
        {
            _at++;
            if (_at >= text.Length)
            {
                throw Error("expected an index, a quoted name or '*'");
            }

            Segment segment;
            if (text[_at] == '*')
            {
                _at++;
                segment = default;
            }
            else if (text[_at] is '\'' or '"')
            {
                segment = new(ParseQuoted(), null);
            }
            else
            {
                var start = _at;
                while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] == '-'))
                {
                    _at++;
                }

                segment = int.TryParse(
                    text.AsSpan(start, _at - start),
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out var index
                )
                    ? new(null, index)
                    : throw Error("expected an index, a quoted name or '*'");
            }

            if (_at >= text.Length || text[_at] != ']')
            {
                throw Error("expected ']'");
            }

            _at++;
            return segment;
        }

        private string ParseQuoted()
        {
            var quote = text[_at++];
            var name = new System.Text.StringBuilder();
            while (_at < text.Length && text[_at] != quote)
            {
                if (text[_at] == '\\' && _at + 1 < text.Length)
                {
                    _at++;
                }

                name.Append(text[_at++]);
            }

            if (_at >= text.Length)
            {
                throw Error($"expected {quote}");
            }

            _at++;
            return name.ToString();
        }

        private readonly FormatException Error(string expected) =>
            new($"'{text}' is not a path: {expected} at position {_at}.");
    }
}
