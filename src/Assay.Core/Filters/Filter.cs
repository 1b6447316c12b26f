using System.Globalization;

namespace Assay.Core.Filters;

/// <summary>
/// A condition on a run: the one tree that every filter front end (LangSmith's language, the query bar, rules) parses into, and that the
/// in-memory evaluator and every SQL compiler read. Immutable. Missing values: <c>Equal</c> to null tests absence; every other comparison
/// with a missing value is false, except <c>NotEqual</c>, which is true.
/// </summary>
public abstract record Filter
{
    private Filter() { }

    /// <summary>All of them; true when empty.</summary>
    public sealed record And(IReadOnlyList<Filter> Items) : Filter;

    /// <summary>Any of them; false when empty.</summary>
    public sealed record Or(IReadOnlyList<Filter> Items) : Filter;

    /// <summary>The opposite.</summary>
    public sealed record Not(Filter Item) : Filter;

    /// <summary>A field against one value.</summary>
    public sealed record Compare(RunField Field, Comparison Operator, FilterValue Value) : Filter;

    /// <summary>A field equal to one of several values.</summary>
    public sealed record In(RunField Field, IReadOnlyList<FilterValue> Values) : Filter;

    /// <summary>The run carries the tag.</summary>
    public sealed record HasTag(ValueTest Test) : Filter;

    /// <summary>
    /// Token search: lower-cased, every word of <paramref name="Text"/> occurs as a word of the searched text, in any order
    /// (<see cref="SearchTokens"/> defines words).
    /// </summary>
    public sealed record Search(SearchScope Scope, string Text) : Filter;

    /// <summary>
    /// Some one pair of the run passes all tests. Keys of inputs and outputs are flattened paths joined by dots, arrays transparent
    /// (<see cref="FlatPairs"/>). Values are texts, see <see cref="ValueTest"/>.
    /// </summary>
    public sealed record PairExists(
        PairKind Kind,
        IReadOnlyList<ValueTest> Key,
        IReadOnlyList<ValueTest> Value
    ) : Filter;

    /// <summary>Some one feedback of the run passes all tests.</summary>
    public sealed record FeedbackExists(IReadOnlyList<FeedbackTest> Tests) : Filter;

    /// <summary>Metadata, as a JSON object, contains this JSON object (objects by subset, everything else by equality as text).</summary>
    public sealed record MetadataContains(string Json) : Filter;

    /// <summary>Always true.</summary>
    public static Filter Everything { get; } = new And([]);
}

/// <summary>A test of one part of a feedback.</summary>
/// <param name="Part">Which part.</param>
/// <param name="Test">The test; of a score by number, of every other part by text.</param>
public sealed record FeedbackTest(FeedbackPart Part, ValueTest Test);

/// <summary>The parts of a feedback that filters look at.</summary>
public enum FeedbackPart
{
    /// <summary>Key.</summary>
    Key,

    /// <summary>Numeric score.</summary>
    Score,

    /// <summary>Value; a label as it is, anything else as its JSON text.</summary>
    Value,

    /// <summary>Comment.</summary>
    Comment,

    /// <summary>Kind of source: <c>api</c>, <c>app</c>, <c>model</c>, <c>auto_eval</c>.</summary>
    Source,
}

/// <summary>
/// A comparison of one text with constants. Equality and patterns compare text, whatever the constant's type (<c>1</c> is <c>"1"</c>).
/// Order compares numbers when the constant is one, and then a text that is no number is never greater or less; otherwise it compares text
/// by code point (which puts ISO dates in order).
/// </summary>
/// <param name="Operator">How.</param>
/// <param name="Values">One value, or several for <see cref="Comparison.OneOf"/>.</param>
public sealed record ValueTest(Comparison Operator, IReadOnlyList<FilterValue> Values)
{
    /// <summary>The constant of an order comparison when it is a number; null when texts are to be compared.</summary>
    public double? OrderNumber =>
        Operator
            is Comparison.Greater
                or Comparison.GreaterOrEqual
                or Comparison.Less
                or Comparison.LessOrEqual
        && Values[0].Type is FilterValueType.Number or FilterValueType.Text
            ? FilterText.Number(Values[0].Text)
            : null;
}

/// <summary>How two values are compared. Text is compared ordinally; <see cref="Like"/> ignores ASCII case and takes <c>%</c> as wild card, a pattern without one means "contains".</summary>
public enum Comparison
{
    /// <summary>Equal.</summary>
    Equal,

    /// <summary>Not equal; true for a missing value.</summary>
    NotEqual,

    /// <summary>Greater.</summary>
    Greater,

    /// <summary>Greater or equal.</summary>
    GreaterOrEqual,

    /// <summary>Less.</summary>
    Less,

    /// <summary>Less or equal.</summary>
    LessOrEqual,

    /// <summary>Matches the pattern.</summary>
    Like,

    /// <summary>Does not match the pattern; true for a missing value.</summary>
    NotLike,

    /// <summary>Equal to one of several.</summary>
    OneOf,
}

/// <summary>Which pairs <see cref="Filter.PairExists"/> looks at.</summary>
public enum PairKind
{
    /// <summary>Metadata.</summary>
    Metadata,

    /// <summary>Flattened inputs.</summary>
    Inputs,

    /// <summary>Flattened outputs.</summary>
    Outputs,
}

/// <summary>Which texts a search covers.</summary>
public enum SearchScope
{
    /// <summary>Inputs, outputs, name and error together.</summary>
    Everything,

    /// <summary>Inputs.</summary>
    Inputs,

    /// <summary>Outputs.</summary>
    Outputs,

    /// <summary>Name.</summary>
    Name,

    /// <summary>Error.</summary>
    Error,
}

/// <summary>The scalar fields of a run that filters and sorting know.</summary>
public enum RunField
{
    /// <summary>Run id.</summary>
    Id,

    /// <summary>Trace id.</summary>
    TraceId,

    /// <summary>Parent run id.</summary>
    ParentRunId,

    /// <summary>Project id.</summary>
    ProjectId,

    /// <summary>Reference example id.</summary>
    ReferenceExampleId,

    /// <summary>Name.</summary>
    Name,

    /// <summary>Run type as lower-case text.</summary>
    Kind,

    /// <summary>Status as lower-case text.</summary>
    Status,

    /// <summary>Error text.</summary>
    Error,

    /// <summary>Thread id.</summary>
    ThreadId,

    /// <summary>Model.</summary>
    Model,

    /// <summary>Provider.</summary>
    Provider,

    /// <summary>Start time.</summary>
    StartTime,

    /// <summary>End time.</summary>
    EndTime,

    /// <summary>First token time.</summary>
    FirstTokenTime,

    /// <summary>Latency in seconds.</summary>
    Latency,

    /// <summary>First token latency in seconds.</summary>
    FirstTokenLatency,

    /// <summary>Total tokens, descendants included.</summary>
    TotalTokens,

    /// <summary>Prompt tokens, descendants included.</summary>
    PromptTokens,

    /// <summary>Completion tokens, descendants included.</summary>
    CompletionTokens,

    /// <summary>Total cost in US dollars, descendants included.</summary>
    TotalCost,

    /// <summary>Prompt cost, descendants included.</summary>
    PromptCost,

    /// <summary>Completion cost, descendants included.</summary>
    CompletionCost,

    /// <summary>True for roots.</summary>
    IsRoot,

    /// <summary>Place in its trace by execution order key, 1 for the first, which is the root. Counted when asked: costs a pass over the trace.</summary>
    ExecutionOrder,
}

/// <summary>A constant in a filter. Exactly one of the typed properties is meaningful, told by <see cref="Type"/>.</summary>
public readonly record struct FilterValue
{
    private FilterValue(
        FilterValueType type,
        string? text,
        double number,
        DateTimeOffset time,
        Guid id
    )
    {
        Type = type;
        Text = text;
        Number = number;
        Time = time;
        Id = id;
    }

    /// <summary>Which kind of constant.</summary>
    public FilterValueType Type { get; }

    /// <summary>The text; also the original spelling of numbers, so that pair values compare as text.</summary>
    public string? Text { get; }

    /// <summary>The number; seconds for a duration; 1 and 0 for a boolean.</summary>
    public double Number { get; }

    /// <summary>The time, UTC.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>The id.</summary>
    public Guid Id { get; }

    /// <summary>The number in a unit <paramref name="factor"/> times smaller, free of what floating point adds (0.0011 s are 1,100 µs).</summary>
    public double Scaled(double factor) => Math.Round(Number * factor, 3);

    /// <summary>The constant as text, as texts are compared with it.</summary>
    public string AsText() =>
        Type switch
        {
            FilterValueType.Id => Id.ToString(),
            FilterValueType.Time => Time.ToString("O", CultureInfo.InvariantCulture),
            _ => Text ?? "",
        };

    /// <summary>The missing value.</summary>
    public static FilterValue Null { get; } = new(FilterValueType.Null, null, 0, default, default);

    /// <summary>A text.</summary>
    public static FilterValue Of(string text) =>
        new(FilterValueType.Text, text, 0, default, default);

    /// <summary>A number, with its spelling.</summary>
    public static FilterValue Of(double number, string spelling) =>
        new(FilterValueType.Number, spelling, number, default, default);

    /// <summary>A boolean.</summary>
    public static FilterValue Of(bool value) =>
        new(FilterValueType.Boolean, value ? "true" : "false", value ? 1 : 0, default, default);

    /// <summary>A time.</summary>
    public static FilterValue Of(DateTimeOffset time) =>
        new(FilterValueType.Time, null, 0, time, default);

    /// <summary>An id.</summary>
    public static FilterValue Of(Guid id) => new(FilterValueType.Id, null, 0, default, id);
}

/// <summary>The kinds of constants.</summary>
public enum FilterValueType : byte
{
    /// <summary>Missing.</summary>
    Null,

    /// <summary>Text.</summary>
    Text,

    /// <summary>Number, or seconds.</summary>
    Number,

    /// <summary>Boolean.</summary>
    Boolean,

    /// <summary>Time.</summary>
    Time,

    /// <summary>Id.</summary>
    Id,
}
