namespace Assay.Core.Filters;

/// <summary>
/// Binds <c>metadata_key</c>/<c>metadata_value</c>, <c>input_*</c>, <c>output_*</c> and <c>feedback_*</c> comparisons of one <c>and</c> to one pair.
/// Documented cases: equal key: present; unequal key: absent; equal key and unequal value: present with another value; both unequal: key absent
/// and value nowhere; unequal key and equal value: key absent and some key has the value.
/// </summary>
internal static class FilterPairs
{
    public static bool IsPair(FilterCall call) =>
        call.Arguments.Count == 2 && Part(call.Arguments[0].Word) is not null;

    public static Filter Bind(IReadOnlyList<FilterCall> calls, Func<FilterCall, Filter> build)
    {
        var items = new List<Filter>();
        foreach (
            var group in calls.Where(IsPair).GroupBy(c => Part(c.Arguments[0].Word)!.Value.Kind)
        )
        {
            items.AddRange(
                group.Key == "feedback" ? Feedback([.. group]) : Pairs(Kind(group.Key), [.. group])
            );
        }

        items.AddRange(calls.Where(c => !IsPair(c)).Select(build));
        return items.Count == 1 ? items[0] : new Filter.And(items);
    }

    public static ValueTest Test(Comparison comparison, FilterArgument argument) =>
        new(
            argument.List is null ? comparison : Comparison.OneOf,
            argument.List is { } list ? [.. list.Select(v => v.Value)] : [argument.Value]
        );

    private static IEnumerable<Filter> Pairs(PairKind kind, IReadOnlyList<FilterCall> calls)
    {
        var keys = calls
            .Where(c => Part(c.Arguments[0].Word)!.Value.Part == "key")
            .Select(Test)
            .ToList();
        var values = calls
            .Where(c => Part(c.Arguments[0].Word)!.Value.Part == "value")
            .Select(Test)
            .ToList();
        var wanted = keys.Where(k => k.Operator is not (Comparison.NotEqual or Comparison.NotLike))
            .ToList();
        if (wanted.Count == 0)
        {
            foreach (var key in keys)
            {
                yield return new Filter.Not(new Filter.PairExists(kind, Positive(key), null));
            }

            foreach (var value in values)
            {
                yield return value.Operator is Comparison.NotEqual or Comparison.NotLike
                    ? new Filter.Not(new Filter.PairExists(kind, null, Positive(value)))
                    : new Filter.PairExists(kind, null, value);
            }

            yield break;
        }

        for (var i = 0; i < wanted.Count; i++)
        {
            // Several pairs in one "and" go by their order: first key with first value.
            yield return new Filter.PairExists(
                kind,
                wanted[i],
                i < values.Count ? values[i] : null
            );
        }

        foreach (var value in values.Skip(wanted.Count))
        {
            yield return new Filter.PairExists(kind, wanted[^1], value);
        }

        foreach (var key in keys.Except(wanted))
        {
            yield return new Filter.Not(new Filter.PairExists(kind, Positive(key), null));
        }
    }

    private static IEnumerable<Filter> Feedback(IReadOnlyList<FilterCall> calls)
    {
        ValueTest? Find(string part) =>
            calls.FirstOrDefault(c => Part(c.Arguments[0].Word)!.Value.Part == part) is { } call
                ? Test(call)
                : null;
        var key = Find("key");
        if (key is { Operator: Comparison.NotEqual or Comparison.NotLike })
        {
            yield return new Filter.Not(
                new Filter.FeedbackExists(Positive(key), null, null, null, null)
            );
            key = null;
            if (calls.Count == 1)
            {
                yield break;
            }
        }

        yield return new Filter.FeedbackExists(
            key,
            Find("score"),
            Find("value"),
            Find("comment"),
            Find("source")
        );
    }

    private static ValueTest Test(FilterCall call) =>
        Test(call.Name == "in" ? Comparison.OneOf : FilterFields.Operator(call), call.Arguments[1]);

    private static ValueTest Positive(ValueTest test) =>
        test with
        {
            Operator = test.Operator switch
            {
                Comparison.NotEqual => Comparison.Equal,
                Comparison.NotLike => Comparison.Like,
                var other => other,
            },
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
