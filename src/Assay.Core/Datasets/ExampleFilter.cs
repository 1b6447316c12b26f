using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Assay.Core.Filters;

namespace Assay.Core.Datasets;

/// <summary>
/// LangSmith's filter language over examples: <c>exists(metadata, "k")</c>, <c>has(metadata, '{"k": "v"}')</c>, comparisons of
/// <c>metadata.k</c>, <c>inputs.a.b</c>, <c>outputs.a</c>, <c>id</c>, <c>name</c>, <c>created_at</c>, <c>modified_at</c> and <c>split</c>,
/// <c>search("text")</c>, joined by <c>and</c>, <c>or</c>, <c>not</c>. <c>eq(metadata_key, …)</c> with <c>eq(metadata_value, …)</c> in one
/// <c>and</c> binds to one pair. Immutable.
/// </summary>
public sealed class ExampleFilter
{
    // Unknown fields are found while parsing, not when the first example is looked at.
    private static readonly Example s_probe = new()
    {
        Id = Guid.Empty,
        DatasetId = Guid.Empty,
        Name = "",
        InputsJson = "{}",
    };

    private readonly Func<Example, bool> _test;

    private ExampleFilter(Func<Example, bool> test) => _test = test;

    /// <summary>Parses a filter.</summary>
    /// <exception cref="FilterException">The text is not a filter.</exception>
    public static ExampleFilter Parse(string text)
    {
        if (text.Length > LangSmithFilterParser.MaxLength)
        {
            throw new FilterException("The filter is too long", LangSmithFilterParser.MaxLength);
        }

        var reader = new FilterReader(text);
        var call = reader.ReadCall(0);
        reader.ExpectEnd();
        return new ExampleFilter(Build(call));
    }

    /// <summary>True when the example meets it.</summary>
    public bool Matches(Example example) => _test(example);

    /// <summary>True when <paramref name="have"/> contains <paramref name="wanted"/>: objects by subset, arrays by membership, scalars as text.</summary>
    public static bool Contains(JsonNode? have, JsonNode? wanted) =>
        (have, wanted) switch
        {
            (_, null) => have is null,
            (JsonObject h, JsonObject w) => w.All(p =>
                h.ContainsKey(p.Key) && Contains(h[p.Key], p.Value)
            ),
            (JsonArray h, JsonArray w) => w.All(i => h.Any(x => Contains(x, i))),
            (JsonArray h, JsonValue w) => h.Any(x => Contains(x, w)),
            (JsonValue h, JsonValue w) => Text(h) == Text(w),
            _ => false,
        };

    private static Func<Example, bool> Build(FilterCall call)
    {
        switch (call.Name)
        {
            case "and":
                var all = And(call);
                return e => all.All(t => t(e));
            case "or":
                var any = call.Arguments.Select(a => Build(Inner(call, a))).ToList();
                return e => any.Any(t => t(e));
            case "not":
                var one = Build(Inner(call, call.Argument(0)));
                return e => !one(e);
            case "exists":
                var root = call.Argument(0).Word;
                var key = call.Argument(1).Word;
                _ = Root(s_probe, root, call.Position);
                return e => Exists(Root(e, root, call.Position), key.Split('.'));
            case "has":
                return Has(call);
            case "search":
                var words = SearchTokens.Distinct(call.Arguments[^1].Word);
                return e =>
                    words.IsSubsetOf(
                        SearchTokens.Distinct(
                            $"{e.InputsJson} {e.OutputsJson} {e.MetadataJson} {e.Name}"
                        )
                    );
            case "in":
                var list =
                    call.Argument(1).List
                    ?? throw new FilterException("in takes a list", call.Argument(1).Position);
                var field = call.Argument(0);
                _ = Values(s_probe, field);
                return e => Values(e, field).Any(v => list.Any(i => Is(v, Comparison.Equal, i)));
            default:
                return Compare(call);
        }
    }

    private static List<Func<Example, bool>> And(FilterCall call)
    {
        var tests = new List<Func<Example, bool>>();
        var pairs = new List<FilterCall>();
        foreach (var argument in call.Arguments)
        {
            var inner = Inner(call, argument);
            if (
                inner.Arguments.Count > 0
                && inner.Arguments[0].Word is "metadata_key" or "metadata_value"
            )
            {
                pairs.Add(inner);
            }
            else
            {
                tests.Add(Build(inner));
            }
        }

        if (pairs.Count > 0)
        {
            tests.Add(Pair(pairs));
        }

        return tests;
    }

    private static Func<Example, bool> Pair(List<FilterCall> conditions)
    {
        var tests = conditions
            .Select(c =>
                (
                    IsKey: c.Argument(0).Word == "metadata_key",
                    Operator: FilterFields.Operator(c),
                    Value: c.Argument(1)
                )
            )
            .ToList();
        return e =>
            Metadata(e)
                .Any(p =>
                    tests.All(t =>
                        t.IsKey ? Is(JsonValue.Create(p.Key), t.Operator, t.Value)
                        : p.Value is JsonArray many
                            ? many.Any(v => Is(v as JsonValue, t.Operator, t.Value))
                        : Is(p.Value as JsonValue, t.Operator, t.Value)
                    )
                );
    }

    private static Func<Example, bool> Has(FilterCall call)
    {
        JsonNode? wanted;
        try
        {
            wanted = JsonNode.Parse(call.Argument(1).Word);
        }
        catch (JsonException)
        {
            throw new FilterException(
                "has takes a field and a JSON object as text",
                call.Argument(1).Position
            );
        }

        var root = call.Argument(0).Word;
        _ = Root(s_probe, root, call.Position);
        return e => Contains(Root(e, root, call.Position), wanted);
    }

    private static Func<Example, bool> Compare(FilterCall call)
    {
        var comparison = FilterFields.Operator(call);
        var field = call.Argument(0);
        var value = call.Argument(1);
        if (field.Word is "metadata_key" or "metadata_value")
        {
            return Pair([call]);
        }

        _ = Values(s_probe, field);
        if (value.Value.Type == FilterValueType.Null && value.List is null && value.Call is null)
        {
            return comparison switch
            {
                Comparison.Equal => e => !Values(e, field).Any(),
                Comparison.NotEqual => e => Values(e, field).Any(),
                _ => throw new FilterException("null goes with eq and neq only", value.Position),
            };
        }

        return comparison is Comparison.NotEqual or Comparison.NotLike
            ? e =>
                Values(e, field)
                    .All(v =>
                        !Is(
                            v,
                            comparison == Comparison.NotEqual ? Comparison.Equal : Comparison.Like,
                            value
                        )
                    )
            : e => Values(e, field).Any(v => Is(v, comparison, value));
    }

    private static IEnumerable<JsonValue> Values(Example e, FilterArgument field)
    {
        switch (field.Word)
        {
            case "id":
                return [JsonValue.Create(e.Id.ToString())];
            case "name":
                return [JsonValue.Create(e.Name)];
            case "created_at":
                return [Time(e.CreatedAt)];
            case "modified_at":
                return [Time(e.ModifiedAt)];
            case "source_run_id":
                return e.SourceRunId is { } run ? [JsonValue.Create(run.ToString())] : [];
            case "split" or "splits" or "dataset_split":
                return e.Splits.Select(s => JsonValue.Create(s));
            case "inputs":
                return [JsonValue.Create(e.InputsJson)];
            case "outputs":
                return e.OutputsJson is { } json ? [JsonValue.Create(json)] : [];
            default:
                var path = field.Word.Split('.');
                return path.Length > 1
                    ? Walk(Root(e, path[0], field.Position), path.AsMemory(1))
                    : throw new FilterException(
                        $"There is no field '{field.Word}'",
                        field.Position,
                        "metadata." + field.Word
                    );
        }
    }

    private static IEnumerable<JsonValue> Walk(JsonNode? at, ReadOnlyMemory<string> path) =>
        at switch
        {
            JsonArray many => many.SelectMany(i => Walk(i, path)),
            JsonValue value when path.IsEmpty => [value],
            JsonObject o when !path.IsEmpty && o.TryGetPropertyValue(path.Span[0], out var next) =>
                Walk(next, path[1..]),
            _ => [],
        };

    private static bool Exists(JsonNode? at, string[] path)
    {
        foreach (var step in path)
        {
            if (at is not JsonObject o || !o.TryGetPropertyValue(step, out at))
            {
                return false;
            }
        }

        return true;
    }

    private static JsonNode? Root(Example e, string name, int position) =>
        name switch
        {
            "metadata" => Metadata(e),
            "inputs" => JsonNode.Parse(e.InputsJson),
            "outputs" => e.OutputsJson is null ? null : JsonNode.Parse(e.OutputsJson),
            _ => throw new FilterException($"'{name}' has no keys", position, "metadata"),
        };

    private static JsonObject Metadata(Example e)
    {
        var metadata = e.MetadataJson is null
            ? []
            : JsonNode.Parse(e.MetadataJson) as JsonObject ?? [];
        metadata["dataset_split"] = new JsonArray([
            .. e.Splits.Select(s => (JsonNode)JsonValue.Create(s)),
        ]);
        return metadata;
    }

    private static bool Is(JsonValue? have, Comparison comparison, FilterArgument wanted)
    {
        if (have is null)
        {
            return false;
        }

        var text = Text(have);
        if (comparison == Comparison.Equal)
        {
            return text == wanted.Word;
        }

        if (comparison == Comparison.Like)
        {
            return Like(text, wanted.Word);
        }

        var order = Order(text, wanted.Word);
        return comparison switch
        {
            Comparison.Greater => order > 0,
            Comparison.GreaterOrEqual => order >= 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            _ => false,
        };
    }

    /// <summary>Numbers as numbers, times as times, everything else ordinally.</summary>
    private static int Order(string a, string b)
    {
        const NumberStyles style = NumberStyles.Float;
        var culture = CultureInfo.InvariantCulture;
        if (
            double.TryParse(a, style, culture, out var x)
            && double.TryParse(b, style, culture, out var y)
        )
        {
            return x.CompareTo(y);
        }

        const DateTimeStyles utc =
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return
            DateTimeOffset.TryParse(a, culture, utc, out var s)
            && DateTimeOffset.TryParse(b, culture, utc, out var t)
            ? s.CompareTo(t)
            : string.CompareOrdinal(a, b);
    }

    private static bool Like(string text, string pattern)
    {
        if (!pattern.Contains('%', StringComparison.Ordinal))
        {
            return text.Contains(pattern, StringComparison.OrdinalIgnoreCase);
        }

        var parts = pattern.Split('%');
        var at = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            if (i == parts.Length - 1 && parts[i].Length > 0)
            {
                return text.Length - parts[i].Length >= at
                    && text.EndsWith(parts[i], StringComparison.OrdinalIgnoreCase);
            }

            var found = text.IndexOf(parts[i], at, StringComparison.OrdinalIgnoreCase);
            if (found < 0 || (i == 0 && found != 0))
            {
                return false;
            }

            at = found + parts[i].Length;
        }

        return true;
    }

    private static string Text(JsonValue value) =>
        value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : value.ToJsonString();

    private static JsonValue Time(DateTimeOffset time) =>
        JsonValue.Create(time.ToString("O", CultureInfo.InvariantCulture));

    private static FilterCall Inner(FilterCall call, FilterArgument argument) =>
        argument.Call
        ?? throw new FilterException($"{call.Name} takes conditions", argument.Position);
}
