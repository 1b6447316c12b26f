namespace Assay.Core.Filters;

/// <summary>
/// Binds <c>metadata_key</c>/<c>metadata_value</c>, <c>input_*</c>, <c>output_*</c> and <c>feedback_*</c> comparisons of one <c>and</c> to
/// pairs. Documented cases: equal key: present; unequal key: absent; equal key and unequal value: present with another value; both unequal:
/// key absent and value nowhere; unequal key and equal value: key absent and some key has the value. Several keys in one <c>and</c> make
/// several pairs: what follows a key belongs to it; when all keys come first, the first value goes with the first key, and so on, what is
/// over with the last. Several comparisons of one value (a range) test one pair.
/// </summary>
internal static class FilterPairs
{
    /// <summary>A comparison of a part of a pair, as read.</summary>
    private sealed record PairCall(string Part, ValueTest Test)
    {
        /// <summary>"Not this one"; unequal to null says that there is one.</summary>
        public bool IsNegative =>
            Test.Operator == Comparison.NotLike
            || (
                Test.Operator == Comparison.NotEqual && Test.Values[0].Type != FilterValueType.Null
            );

        public bool IsKey => Part == "key";

        public bool IsRange =>
            Test.Operator
                is Comparison.Greater
                    or Comparison.GreaterOrEqual
                    or Comparison.Less
                    or Comparison.LessOrEqual;
    }

    public static bool IsPair(FilterCall call) =>
        call.Arguments.Count > 0
        && call.Name is not ("has" or "exists" or "search")
        && Part(call.Arguments[0].Word) is not null;

    public static Filter Bind(IReadOnlyList<FilterCall> calls, Func<FilterCall, Filter> build)
    {
        var items = new List<Filter>();
        foreach (
            var family in calls.Where(IsPair).GroupBy(c => Part(c.Arguments[0].Word)!.Value.Kind)
        )
        {
            items.AddRange(Pairs(family.Key, [.. family.Select(Read)]));
        }

        items.AddRange(calls.Where(c => !IsPair(c)).Select(build));
        return items.Count == 1 ? items[0] : new Filter.And(items);
    }

    /// <summary>A test of a text by one constant, or by several for <see cref="Comparison.OneOf"/>.</summary>
    public static ValueTest Test(Comparison comparison, FilterArgument argument)
    {
        if (comparison == Comparison.OneOf)
        {
            var list =
                argument.List ?? throw new FilterException("in takes a list", argument.Position);
            return new ValueTest(comparison, [.. list.Select(One)]);
        }

        if (comparison is Comparison.Like or Comparison.NotLike)
        {
            return new ValueTest(comparison, [FilterValue.Of(FilterFields.Pattern(argument))]);
        }

        var value = One(argument);
        return
            value.Type == FilterValueType.Null
            && comparison is not (Comparison.Equal or Comparison.NotEqual)
            ? throw new FilterException("null goes with eq and neq only", argument.Position)
            : new ValueTest(comparison, [value]);
    }

    /// <summary>The test that a negative one negates.</summary>
    public static ValueTest Positive(ValueTest test) =>
        test with
        {
            Operator = test.Operator switch
            {
                Comparison.NotEqual => Comparison.Equal,
                Comparison.NotLike => Comparison.Like,
                var other => other,
            },
        };

    private static FilterValue One(FilterArgument argument) =>
        argument.List is not null || argument.Call is not null
            ? throw new FilterException("Expected one value", argument.Position)
            : argument.Value;

    private static PairCall Read(FilterCall call)
    {
        var (name, constant) = call.Two();
        var part = Part(name.Word)!.Value;
        var comparison = call.Name == "in" ? Comparison.OneOf : FilterFields.Operator(call);
        if (part is not ("feedback", "score"))
        {
            return new PairCall(part.Part, Test(comparison, constant));
        }

        return comparison is Comparison.Like or Comparison.NotLike
            ? throw new FilterException(
                $"{call.Name} compares texts; feedback_score is a number",
                call.Position
            )
            : new PairCall(
                part.Part,
                Test(
                    comparison,
                    constant.List is { } list
                        ? constant with
                        {
                            List = [.. list.Select(Score)],
                        }
                        : Score(constant)
                )
            );
    }

    private static FilterArgument Score(FilterArgument constant) =>
        constant.Value.Type is FilterValueType.Null or FilterValueType.Boolean
        || constant.List is not null
        || constant.Call is not null
            ? constant
        : FilterText.Number(constant.Word) is { } number
            ? constant with
            {
                Value = FilterValue.Of(number, constant.Word),
            }
        : throw new FilterException($"'{constant.Word}' is not a number", constant.Position);

    private static IEnumerable<Filter> Pairs(string family, IReadOnlyList<PairCall> calls)
    {
        foreach (var key in calls.Where(c => c.IsKey && c.IsNegative))
        {
            yield return new Filter.Not(Exists(family, [Negated(key)]));
        }

        var hasKey = calls.Any(c => c.IsKey && !c.IsNegative);
        if (!hasKey)
        {
            foreach (var value in calls.Where(c => !c.IsKey && c.IsNegative))
            {
                yield return new Filter.Not(Exists(family, [Negated(value)]));
            }
        }

        var rest = calls.Where(c => !c.IsNegative || (hasKey && !c.IsKey)).ToList();
        foreach (var group in hasKey ? ByKey(rest) : WithoutKey(rest))
        {
            yield return Exists(family, group);
        }
    }

    /// <summary>One group for each key.</summary>
    private static List<List<PairCall>> ByKey(IReadOnlyList<PairCall> calls)
    {
        var groups = calls.Where(c => c.IsKey).Select(c => new List<PairCall> { c }).ToList();
        var isInterleaved =
            calls[0].IsKey
            && calls.Zip(calls.Skip(1)).All(pair => !pair.First.IsKey || !pair.Second.IsKey);
        var current = -1;
        var seen = new Dictionary<string, int>();
        foreach (var call in calls)
        {
            if (call.IsKey)
            {
                current++;
                continue;
            }

            var place = seen[call.Part] = seen.GetValueOrDefault(call.Part, -1) + 1;
            groups[isInterleaved ? current : Math.Min(place, groups.Count - 1)].Add(call);
        }

        return groups;
    }

    /// <summary>Tests without a key go together as long as one pair can pass them: a second value to be equal to is another pair's.</summary>
    private static List<List<PairCall>> WithoutKey(IReadOnlyList<PairCall> calls)
    {
        var groups = new List<List<PairCall>>();
        foreach (var call in calls)
        {
            if (
                groups.Count == 0
                || (!call.IsRange && groups[^1].Any(c => c.Part == call.Part && !c.IsRange))
            )
            {
                groups.Add([]);
            }

            groups[^1].Add(call);
        }

        return groups;
    }

    private static PairCall Negated(PairCall call) => call with { Test = Positive(call.Test) };

    private static Filter Exists(string family, IReadOnlyList<PairCall> group) =>
        family == "feedback"
            ? new Filter.FeedbackExists([
                .. group.Select(c => new FeedbackTest(FeedbackPartOf(c.Part), c.Test)),
            ])
            : new Filter.PairExists(
                Kind(family),
                [.. group.Where(c => c.IsKey).Select(c => c.Test)],
                [.. group.Where(c => !c.IsKey).Select(c => c.Test)]
            );

    private static FeedbackPart FeedbackPartOf(string part) =>
        part switch
        {
            "key" => FeedbackPart.Key,
            "score" => FeedbackPart.Score,
            "value" => FeedbackPart.Value,
            "comment" => FeedbackPart.Comment,
            _ => FeedbackPart.Source,
        };

    private static PairKind Kind(string name) =>
        name switch
        {
            "input" => PairKind.Inputs,
            "output" => PairKind.Outputs,
            _ => PairKind.Metadata,
        };

    private static (string Kind, string Part)? Part(string word) =>
        word switch
        {
            "metadata_key" => ("metadata", "key"),
            "metadata_value" => ("metadata", "value"),
            "input_key" => ("input", "key"),
            "input_value" => ("input", "value"),
            "output_key" => ("output", "key"),
            "output_value" => ("output", "value"),
            "feedback_key" => ("feedback", "key"),
            "feedback_score" => ("feedback", "score"),
            "feedback_value" => ("feedback", "value"),
            "feedback_comment" => ("feedback", "comment"),
            "feedback_source" or "feedback_source_type" => ("feedback", "source"),
            _ => null,
        };
}
