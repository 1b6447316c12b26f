using System.Text.Json;

namespace Assay.Core.Filters;

/// <summary>
/// LangSmith's filter language: <c>and(eq(run_type, "llm"), gt(latency, "5s"), has(tags, "x"))</c>. Inside one <c>and</c> the key and value
/// comparisons of metadata, inputs, outputs and feedback bind to the same pair; <c>metadata.k</c>, <c>inputs.a.b</c> and <c>outputs.a</c>
/// name one pair directly. Bounded in length and depth, so that no text can hurt.
/// </summary>
public static class LangSmithFilterParser
{
    /// <summary>The longest text.</summary>
    public const int MaxLength = 64 << 10;

    /// <summary>Parses a text.</summary>
    /// <exception cref="FilterException">The text is not a filter.</exception>
    public static Filter Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new FilterException($"A filter has at most {MaxLength} characters", MaxLength);
        }

        var reader = new FilterReader(text);
        var call = reader.ReadCall(0);
        reader.ExpectEnd();
        return Build(call);
    }

    internal static Filter Build(FilterCall call)
    {
        switch (call.Name)
        {
            case "and":
                return FilterPairs.Bind(Conditions(call), Build);
            case "or":
                return new Filter.Or([.. Conditions(call).Select(Build)]);
            case "not":
                return Conditions(call) is [var one]
                    ? new Filter.Not(Build(one))
                    : throw new FilterException(
                        "not takes one condition",
                        call.Arguments[1].Position
                    );
            case "search":
                return Search(call);
            case "has":
                return Has(call);
            case "exists":
                return Exists(call);
            default:
                return FilterPairs.IsPair(call) ? FilterPairs.Bind([call], Build) : Compare(call);
        }
    }

    private static List<FilterCall> Conditions(FilterCall call) =>
        call.Arguments.Count == 0
            ? throw new FilterException($"{call.Name} needs a condition", call.Position)
            :
            [
                .. call.Arguments.Select(a =>
                    a.Call ?? throw new FilterException($"{call.Name} takes conditions", a.Position)
                ),
            ];

    private static Filter.Search Search(FilterCall call) =>
        call.Arguments switch
        {
            [var text] => new Filter.Search(SearchScope.Everything, Text(text)),
            [var field, var text] => new Filter.Search(Scope(field), Text(text)),
            _ => throw new FilterException(
                "search takes a text, or a field and a text",
                call.Arguments.Count > 2 ? call.Arguments[2].Position : call.Position
            ),
        };

    private static Filter Exists(FilterCall call)
    {
        var (name, key) = call.Two();
        var kind = Pairs(name.Word);
        return kind is { } pairs
                ? new Filter.PairExists(pairs, [FilterPairs.Test(Comparison.Equal, key)], [])
            : name.Word == "feedback"
                ? new Filter.FeedbackExists([
                    new(FeedbackPart.Key, FilterPairs.Test(Comparison.Equal, key)),
                ])
            : throw new FilterException(
                $"'{name.Word}' has no keys",
                name.Position,
                FilterFields.Nearest(name.Word, ["metadata", "inputs", "outputs", "feedback"])
                    ?? "metadata"
            );
    }

    private static Filter Has(FilterCall call)
    {
        var (name, value) = call.Two();
        if (IsTag(name))
        {
            return new Filter.HasTag(FilterPairs.Test(Comparison.Equal, value));
        }

        if (name.Word != "metadata")
        {
            throw new FilterException("has takes tags or metadata", name.Position, "tags");
        }

        try
        {
            using var document = JsonDocument.Parse(value.Word);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return new Filter.MetadataContains(value.Word);
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // Told below, like JSON of another type.
        }

        throw new FilterException("has(metadata, …) takes a JSON object", value.Position);
    }

    private static Filter Compare(FilterCall call)
    {
        var comparison = call.Name == "in" ? Comparison.OneOf : FilterFields.Operator(call);
        var (name, constant) = call.Two();
        if (IsTag(name))
        {
            return Any(FilterPairs.Test(comparison, constant), test => new Filter.HasTag(test));
        }

        if (name.Word is "inputs" or "outputs")
        {
            var kind = name.Word == "inputs" ? PairKind.Inputs : PairKind.Outputs;
            return Any(
                FilterPairs.Test(comparison, constant),
                test => new Filter.PairExists(kind, [], [test])
            );
        }

        if (name.Word.Split('.', 2) is [var root, { Length: > 0 } path] && Pairs(root) is { } pairs)
        {
            return OfPath(pairs, path, FilterPairs.Test(comparison, constant));
        }

        if (comparison != Comparison.OneOf)
        {
            return FilterFields.Compare(call);
        }

        var field = FilterFields.Find(name);
        var list = constant.List ?? throw new FilterException("in takes a list", constant.Position);
        return new Filter.In(field, [.. list.Select(v => FilterFields.Convert(field, v))]);
    }

    /// <summary>The pair of one key: equality to null is absence, unequal holds for a missing one too.</summary>
    private static Filter OfPath(PairKind kind, string path, ValueTest test)
    {
        ValueTest[] key = [new(Comparison.Equal, [FilterValue.Of(path)])];
        return test.Values is [{ Type: FilterValueType.Null }]
            ? test.Operator == Comparison.Equal
                ? new Filter.Not(new Filter.PairExists(kind, key, []))
                : new Filter.PairExists(kind, key, [])
            : Any(test, positive => new Filter.PairExists(kind, key, [positive]));
    }

    /// <summary>Some member passes; for a negative test, none passes its opposite.</summary>
    private static Filter Any(ValueTest test, Func<ValueTest, Filter> exists) =>
        test.Operator is Comparison.NotEqual or Comparison.NotLike
            ? new Filter.Not(exists(FilterPairs.Positive(test)))
            : exists(test);

    private static PairKind? Pairs(string name) =>
        name switch
        {
            "metadata" => PairKind.Metadata,
            "inputs" => PairKind.Inputs,
            "outputs" => PairKind.Outputs,
            _ => null,
        };

    private static bool IsTag(FilterArgument argument) => argument.Word is "tags" or "tag";

    private static string Text(FilterArgument argument) =>
        argument.List is null
        && argument.Call is null
        && argument.Value.Type != FilterValueType.Null
            ? argument.Word
            : throw new FilterException("search takes a text", argument.Position);

    private static SearchScope Scope(FilterArgument argument) =>
        argument.Word switch
        {
            "inputs" => SearchScope.Inputs,
            "outputs" => SearchScope.Outputs,
            "name" => SearchScope.Name,
            "error" => SearchScope.Error,
            "everything" => SearchScope.Everything,
            var other => throw new FilterException(
                $"'{other}' cannot be searched",
                argument.Position,
                FilterFields.Nearest(other, ["inputs", "outputs", "name", "error"]) ?? "inputs"
            ),
        };
}
