namespace Assay.Core.Filters;

/// <summary>
/// LangSmith's filter language: <c>and(eq(run_type, "llm"), gt(latency, "5s"), has(tags, "x"))</c>. Inside one <c>and</c> the key and value
/// comparisons of metadata, inputs, outputs and feedback bind to the same pair. Bounded in length and depth, so that no text can hurt.
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

    private static Filter Build(FilterCall call)
    {
        switch (call.Name)
        {
            case "and":
                return FilterPairs.Bind([.. Calls(call)], Build);
            case "or":
                return new Filter.Or([.. Calls(call).Select(Build)]);
            case "not":
                return Calls(call) is [var one]
                    ? new Filter.Not(Build(one))
                    : throw new FilterException("not takes one condition", call.Position);
            default:
                return FilterPairs.IsPair(call) ? FilterPairs.Bind([call], Build) : Condition(call);
        }
    }

    private static List<FilterCall> Calls(FilterCall call) =>
        [
            .. call.Arguments.Select(a =>
                a.Call ?? throw new FilterException($"{call.Name} takes conditions", a.Position)
            ),
        ];

    private static Filter Condition(FilterCall call)
    {
        switch (call.Name)
        {
            case "search":
                return call.Arguments switch
                {
                    [var text] => new Filter.Search(SearchScope.Everything, text.Word),
                    [var field, var text] => new Filter.Search(Scope(field), text.Word),
                    _ => throw new FilterException(
                        "search takes a text, or a field and a text",
                        call.Position
                    ),
                };
            case "has":
                return Has(call);
            case "exists":
                return new Filter.PairExists(
                    call.Argument(0).Word switch
                    {
                        "metadata" => PairKind.Metadata,
                        "inputs" => PairKind.Inputs,
                        "outputs" => PairKind.Outputs,
                        var other => throw new FilterException(
                            $"'{other}' has no keys",
                            call.Argument(0).Position,
                            "metadata"
                        ),
                    },
                    FilterPairs.Test(Comparison.Equal, call.Argument(1)),
                    null
                );
            case "in":
                var list =
                    call.Argument(1).List
                    ?? throw new FilterException("in takes a list", call.Argument(1).Position);
                return IsTag(call.Argument(0))
                    ? new Filter.HasTag(
                        new ValueTest(Comparison.OneOf, [.. list.Select(v => v.Value)])
                    )
                    : new Filter.In(
                        Field(call.Argument(0)),
                        [.. list.Select(v => FilterFields.Convert(Field(call.Argument(0)), v))]
                    );
            default:
                return Compare(call);
        }
    }

    private static Filter Compare(FilterCall call)
    {
        var comparison = FilterFields.Operator(call);
        var name = call.Argument(0);
        if (IsTag(name))
        {
            return comparison is Comparison.NotEqual or Comparison.NotLike
                ? new Filter.Not(
                    new Filter.HasTag(FilterPairs.Test(Positive(comparison), call.Argument(1)))
                )
                : new Filter.HasTag(FilterPairs.Test(comparison, call.Argument(1)));
        }

        if (name.Word is "inputs" or "outputs")
        {
            var kind = name.Word == "inputs" ? PairKind.Inputs : PairKind.Outputs;
            return comparison is Comparison.NotEqual or Comparison.NotLike
                ? new Filter.Not(
                    new Filter.PairExists(
                        kind,
                        null,
                        FilterPairs.Test(Positive(comparison), call.Argument(1))
                    )
                )
                : new Filter.PairExists(kind, null, FilterPairs.Test(comparison, call.Argument(1)));
        }

        if (name.Word == "execution_order")
        {
            // Only "1, the root" is stored of it; other comparisons have no meaning here.
            return
                call.Argument(1).Value is { Type: FilterValueType.Number, Number: 1 }
                && comparison is Comparison.Equal or Comparison.NotEqual
                ? new Filter.Compare(
                    RunField.IsRoot,
                    Comparison.Equal,
                    FilterValue.Of(comparison == Comparison.Equal)
                )
                : throw new FilterException(
                    "execution_order can only be compared with 1, the root",
                    call.Position
                );
        }

        var field = Field(name);
        return new Filter.Compare(field, comparison, FilterFields.Convert(field, call.Argument(1)));
    }

    private static Filter Has(FilterCall call)
    {
        var name = call.Argument(0);
        if (IsTag(name))
        {
            return new Filter.HasTag(FilterPairs.Test(Comparison.Equal, call.Argument(1)));
        }

        if (name.Word != "metadata")
        {
            throw new FilterException("has takes tags or metadata", name.Position, "tags");
        }

        var json = call.Argument(1).Word;
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(json);
            return document.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object
                ? new Filter.MetadataContains(json)
                : throw new FilterException(
                    "has(metadata, …) takes a JSON object",
                    call.Argument(1).Position
                );
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException)
        {
            throw new FilterException(
                "has(metadata, …) takes a JSON object",
                call.Argument(1).Position
            );
        }
    }

    private static bool IsTag(FilterArgument argument) => argument.Word is "tags" or "tag";

    private static Comparison Positive(Comparison comparison) =>
        comparison == Comparison.NotLike ? Comparison.Like : Comparison.Equal;

    private static RunField Field(FilterArgument argument) => FilterFields.Find(argument);

    private static SearchScope Scope(FilterArgument argument) =>
        Enum.TryParse<SearchScope>(argument.Word, ignoreCase: true, out var scope)
        && !char.IsAsciiDigit(argument.Word[0])
            ? scope
            : throw new FilterException(
                $"'{argument.Word}' cannot be searched",
                argument.Position,
                "inputs"
            );
}

/// <summary>A call as read: name and arguments.</summary>
internal sealed record FilterCall(
    string Name,
    IReadOnlyList<FilterArgument> Arguments,
    int Position
)
{
    public FilterArgument Argument(int index) =>
        index < Arguments.Count
            ? Arguments[index]
            : throw new FilterException($"{Name} needs {index + 1} arguments", Position);
}

/// <summary>An argument as read: a call, a list, or a constant; <see cref="Word"/> is the text of a name or a string.</summary>
internal sealed record FilterArgument(
    FilterCall? Call,
    IReadOnlyList<FilterArgument>? List,
    FilterValue Value,
    string Word,
    int Position
);
