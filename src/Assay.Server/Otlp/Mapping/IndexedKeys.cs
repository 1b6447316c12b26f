using System.Globalization;
using System.Text.Json.Nodes;
using Assay.Server.Otlp.Protos;

namespace Assay.Server.Otlp.Mapping;

/// <summary>
/// Lists that were flattened into keys (<c>llm.input_messages.0.message.role</c>) put together again: sorted by index, gaps left out. A number in a
/// key is an index only directly after the prefix and after the names given; everything else is a name. Bounded, pure.
/// </summary>
internal static class IndexedKeys
{
    /// <summary>Larger indices are ignored: a key must not make a list that its values do not pay for.</summary>
    public const int MaxIndex = 9_999;

    private const int MaxDepth = 10;

    /// <summary>The list under a prefix (given with its dot); null when the span has no such key.</summary>
    public static JsonArray? Read(SpanView span, string prefix, params ReadOnlySpan<string> lists)
    {
        if (!span.HasPrefix(prefix))
        {
            return null;
        }

        Level? root = null;
        foreach (var (key, value) in span.Own)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            var path = key[prefix.Length..].Split('.');
            if (path.Length > MaxDepth || Index(path[0]) is null)
            {
                continue;
            }

            root ??= new Level();
            root.Put(path, 0, isIndex: true, value, lists);
        }

        return root?.ToJson() as JsonArray;
    }

    private static int? Index(string text) =>
        text.Length <= 4
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && index <= MaxIndex
            ? index
            : null;

    private sealed class Level
    {
        private SortedDictionary<int, Level>? _items;
        private SortedDictionary<string, Level>? _members;
        private AnyValue? _value;

        public void Put(
            string[] path,
            int at,
            bool isIndex,
            AnyValue value,
            ReadOnlySpan<string> lists
        )
        {
            if (at == path.Length)
            {
                _value = value;
                return;
            }

            Level? next;
            if (isIndex && Index(path[at]) is { } index)
            {
                _items ??= [];
                if (!_items.TryGetValue(index, out next))
                {
                    _items[index] = next = new Level();
                }
            }
            else
            {
                _members ??= new SortedDictionary<string, Level>(StringComparer.Ordinal);
                if (!_members.TryGetValue(path[at], out next))
                {
                    _members[path[at]] = next = new Level();
                }
            }

            next.Put(path, at + 1, lists.Contains(path[at]), value, lists);
        }

        /// <summary><c>a</c> and <c>a.b</c> may both exist: the structure wins over the plain value.</summary>
        public JsonNode? ToJson()
        {
            if (_items is not null)
            {
                return new JsonArray([.. _items.Values.Select(i => i.ToJson())]);
            }

            if (_members is null)
            {
                return AnyValues.Json(_value);
            }

            var json = new JsonObject();
            foreach (var (name, level) in _members)
            {
                json[name] = level.ToJson();
            }

            return json;
        }
    }
}
