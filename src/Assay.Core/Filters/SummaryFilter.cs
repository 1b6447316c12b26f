namespace Assay.Core.Filters;

/// <summary>A named scalar of a summary, as filters compare it.</summary>
/// <typeparam name="T">The summary.</typeparam>
public abstract record SummaryField<T>
{
    private SummaryField() { }

    /// <summary>A text.</summary>
    public sealed record Text(Func<T, string?> Read) : SummaryField<T>;

    /// <summary>A number.</summary>
    public sealed record Number(Func<T, double?> Read) : SummaryField<T>;

    /// <summary>A length of time in seconds; constants may be written as durations.</summary>
    public sealed record Seconds(Func<T, double?> Read) : SummaryField<T>;

    /// <summary>A moment.</summary>
    public sealed record Time(Func<T, DateTimeOffset?> Read) : SummaryField<T>;
}

/// <summary>What filters can ask of one kind of summary.</summary>
/// <typeparam name="T">The summary.</typeparam>
/// <param name="Scalars">Scalars by name, in lower case.</param>
/// <param name="Pairs">
/// A stand-in run with the summary's metadata and feedback, on which conditions on pairs are decided as they are on runs.
/// </param>
public sealed record SummaryFields<T>(
    IReadOnlyDictionary<string, SummaryField<T>> Scalars,
    Func<T, FilterSubject> Pairs
);

/// <summary>
/// A condition in the language of <see cref="LangSmithFilterParser"/> on what is no run: the summary of a thread, a project. Scalars are
/// looked up by name; metadata and feedback are decided as on a run. Immutable and thread-safe.
/// </summary>
/// <typeparam name="T">The summary.</typeparam>
public sealed class SummaryFilter<T>
{
    private readonly SummaryFields<T> _fields;
    private readonly HashSet<string> _names = [];
    private readonly Func<T, bool> _isMatch;

    /// <summary>Parses a text.</summary>
    /// <exception cref="FilterException">The text is not a filter, or names what the summary does not have.</exception>
    public SummaryFilter(string text, SummaryFields<T> fields)
    {
        if (text.Length > LangSmithFilterParser.MaxLength)
        {
            throw new FilterException(
                $"A filter has at most {LangSmithFilterParser.MaxLength} characters",
                LangSmithFilterParser.MaxLength
            );
        }

        _fields = fields;
        var reader = new FilterReader(text);
        var call = reader.ReadCall(0);
        reader.ExpectEnd();
        _isMatch = Build(call);
    }

    /// <summary>The names it looks at, in lower case, so that nothing else needs to be known of a summary.</summary>
    public IReadOnlySet<string> Names => _names;

    /// <summary>True when it looks at feedback.</summary>
    public bool ReadsFeedback =>
        _names.Any(n => n.StartsWith("feedback", StringComparison.Ordinal));

    /// <summary>True when the summary meets the condition.</summary>
    public bool IsMatch(T summary) => _isMatch(summary);

    private Func<T, bool> Build(FilterCall call)
    {
        switch (call.Name)
        {
            case "and":
                var calls = Conditions(call);
                List<Func<T, bool>> all =
                [
                    .. calls.Where(c => !FilterPairs.IsPair(c)).Select(Build),
                ];
                if (calls.Where(FilterPairs.IsPair).ToList() is { Count: > 0 } pairs)
                {
                    all.Add(OnPairs(pairs));
                }

                return item => all.TrueForAll(c => c(item));
            case "or":
                List<Func<T, bool>> any = [.. Conditions(call).Select(Build)];
                return item => any.Exists(c => c(item));
            case "not":
                if (Conditions(call) is not [var one])
                {
                    throw new FilterException(
                        "not takes one condition",
                        call.Arguments[1].Position
                    );
                }

                var inner = Build(one);
                return item => !inner(item);
            case "search":
                throw new FilterException(
                    "search looks into runs; here use contains",
                    call.Position
                );
            case "has" or "exists":
                return OnPairs([call]);
            default:
                return
                    FilterPairs.IsPair(call)
                    || call.Argument(0).Word.StartsWith("metadata.", StringComparison.Ordinal)
                    ? OnPairs([call])
                    : Compare(call);
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

    /// <summary>Conditions on metadata and feedback, bound to pairs as on a run.</summary>
    private Func<T, bool> OnPairs(IReadOnlyList<FilterCall> calls)
    {
        foreach (var name in calls.Select(c => c.Argument(0)))
        {
            if (
                !name.Word.StartsWith("metadata", StringComparison.Ordinal)
                && !name.Word.StartsWith("feedback", StringComparison.Ordinal)
            )
            {
                throw Unknown(name);
            }

            _names.Add(name.Word);
        }

        var filter = FilterPairs.Bind(calls, LangSmithFilterParser.Build);
        return item => FilterEvaluator.IsMatch(filter, _fields.Pairs(item));
    }

    private Func<T, bool> Compare(FilterCall call)
    {
        var (name, constant) = call.Two();
        var word = name.Word.ToLowerInvariant();
        if (!_fields.Scalars.TryGetValue(word, out var field))
        {
            throw Unknown(name);
        }

        _names.Add(word);
        if (call.Name != "in")
        {
            return Test(field, FilterFields.Operator(call), constant);
        }

        var list = constant.List ?? throw new FilterException("in takes a list", constant.Position);
        List<Func<T, bool>> any = [.. list.Select(v => Test(field, Comparison.Equal, v))];
        return item => any.Exists(t => t(item));
    }

    private static Func<T, bool> Test(
        SummaryField<T> field,
        Comparison comparison,
        FilterArgument constant
    )
    {
        if (constant.List is not null || constant.Call is not null)
        {
            throw new FilterException("Expected one value", constant.Position);
        }

        if (constant.Value.Type == FilterValueType.Null)
        {
            return comparison switch
            {
                Comparison.Equal => item => IsMissing(field, item),
                Comparison.NotEqual => item => !IsMissing(field, item),
                _ => throw new FilterException("null goes with eq and neq only", constant.Position),
            };
        }

        if (comparison is Comparison.Like or Comparison.NotLike)
        {
            var pattern = FilterFields.Pattern(constant);
            return field is SummaryField<T>.Text { Read: var read }
                ? item =>
                    (read(item) is { } text && FilterText.IsLike(text, pattern))
                    == (comparison == Comparison.Like)
                : throw new FilterException("Only texts have patterns", constant.Position);
        }

        switch (field)
        {
            case SummaryField<T>.Text { Read: var text }:
                return item =>
                    Holds(
                        comparison,
                        text(item) is { } have ? FilterText.Compare(have, constant.Word) : null
                    );
            case SummaryField<T>.Time { Read: var time }:
                var moment = FilterFields.Convert(RunField.StartTime, constant).Time;
                return item => Holds(comparison, time(item)?.CompareTo(moment));
            case SummaryField<T>.Seconds { Read: var seconds }:
                var length = FilterFields.Convert(RunField.Latency, constant).Number;
                return item => Holds(comparison, seconds(item)?.CompareTo(length));
            case SummaryField<T>.Number { Read: var number }:
                var amount = FilterFields.Convert(RunField.TotalTokens, constant).Number;
                return item => Holds(comparison, number(item)?.CompareTo(amount));
            default:
                throw new NotSupportedException(field.GetType().Name);
        }
    }

    private static bool IsMissing(SummaryField<T> field, T item) =>
        field switch
        {
            SummaryField<T>.Text text => text.Read(item) is null,
            SummaryField<T>.Time time => time.Read(item) is null,
            SummaryField<T>.Seconds seconds => seconds.Read(item) is null,
            SummaryField<T>.Number number => number.Read(item) is null,
            _ => throw new NotSupportedException(field.GetType().Name),
        };

    /// <summary>An order against an operator; a missing value is unequal to everything and in no order.</summary>
    private static bool Holds(Comparison comparison, int? order) =>
        (comparison, order) switch
        {
            (Comparison.NotEqual, _) => order is not 0,
            (_, null) => false,
            (Comparison.Equal, 0) => true,
            (Comparison.Greater, > 0) => true,
            (Comparison.GreaterOrEqual, >= 0) => true,
            (Comparison.Less, < 0) => true,
            (Comparison.LessOrEqual, <= 0) => true,
            _ => false,
        };

    private FilterException Unknown(FilterArgument name) =>
        new(
            $"There is no field '{name.Word}' here",
            name.Position,
            FilterFields.Nearest(
                name.Word,
                [.. _fields.Scalars.Keys, "metadata_key", "feedback_key", "feedback_score"]
            )
        );
}
