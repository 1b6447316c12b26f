using System.Globalization;
using Assay.Core.Traces;

namespace Assay.Core.Filters;

/// <summary>Names of fields and operators in LangSmith's language, and what constants mean for each.</summary>
internal static class FilterFields
{
    private static readonly Dictionary<string, RunField> s_fields = new()
    {
        ["id"] = RunField.Id,
        ["run_id"] = RunField.Id,
        ["trace_id"] = RunField.TraceId,
        ["trace"] = RunField.TraceId,
        ["parent_run_id"] = RunField.ParentRunId,
        ["session_id"] = RunField.ProjectId,
        ["session"] = RunField.ProjectId,
        ["reference_example_id"] = RunField.ReferenceExampleId,
        ["reference_example"] = RunField.ReferenceExampleId,
        ["name"] = RunField.Name,
        ["run_type"] = RunField.Kind,
        ["status"] = RunField.Status,
        ["error"] = RunField.Error,
        ["thread_id"] = RunField.ThreadId,
        ["model"] = RunField.Model,
        ["provider"] = RunField.Provider,
        ["start_time"] = RunField.StartTime,
        ["end_time"] = RunField.EndTime,
        ["first_token_time"] = RunField.FirstTokenTime,
        ["latency"] = RunField.Latency,
        ["first_token_latency"] = RunField.FirstTokenLatency,
        ["total_tokens"] = RunField.TotalTokens,
        ["prompt_tokens"] = RunField.PromptTokens,
        ["completion_tokens"] = RunField.CompletionTokens,
        ["total_cost"] = RunField.TotalCost,
        ["prompt_cost"] = RunField.PromptCost,
        ["completion_cost"] = RunField.CompletionCost,
        ["is_root"] = RunField.IsRoot,
        ["execution_order"] = RunField.ExecutionOrder,
    };

    /// <summary>Names beside the scalar fields, for suggestions.</summary>
    private static readonly string[] s_others =
    [
        "tags",
        "metadata",
        "inputs",
        "outputs",
        "metadata_key",
        "metadata_value",
        "input_key",
        "input_value",
        "output_key",
        "output_value",
        "feedback_key",
        "feedback_score",
        "feedback_value",
        "feedback_comment",
        "feedback_source",
    ];

    private static readonly Dictionary<string, Comparison> s_operators = new()
    {
        ["eq"] = Comparison.Equal,
        ["neq"] = Comparison.NotEqual,
        ["gt"] = Comparison.Greater,
        ["gte"] = Comparison.GreaterOrEqual,
        ["lt"] = Comparison.Less,
        ["lte"] = Comparison.LessOrEqual,
        ["like"] = Comparison.Like,
        ["contains"] = Comparison.Like,
        ["nlike"] = Comparison.NotLike,
    };

    public static RunField Find(FilterArgument name) =>
        s_fields.TryGetValue(name.Word.ToLowerInvariant(), out var field)
            ? field
            : throw new FilterException(
                $"There is no field '{name.Word}'",
                name.Position,
                Nearest(name.Word, [.. s_fields.Keys, .. s_others])
            );

    /// <summary>A condition on a scalar field: the operator must have a meaning for the field, the constant must be one of its values.</summary>
    public static Filter Compare(FilterCall call)
    {
        var comparison = Operator(call);
        var (name, constant) = call.Two();
        var field = Find(name);
        if (comparison is Comparison.Like or Comparison.NotLike)
        {
            return Like(call, field, comparison, constant);
        }

        var value = Convert(field, constant);
        var isOrder = comparison is not (Comparison.Equal or Comparison.NotEqual);
        if (isOrder && value.Type == FilterValueType.Null)
        {
            throw new FilterException("null goes with eq and neq only", constant.Position);
        }

        if (
            isOrder
            && field is RunField.Kind or RunField.Status or RunField.IsRoot or RunField.ProjectId
        )
        {
            throw new FilterException(
                $"{name.Word} has no order; use eq, neq or in",
                call.Position
            );
        }

        return new Filter.Compare(field, comparison, value);
    }

    private static Filter Like(
        FilterCall call,
        RunField field,
        Comparison comparison,
        FilterArgument constant
    )
    {
        var pattern = Pattern(constant);
        IReadOnlyList<string>? names = field switch
        {
            RunField.Kind => Names<RunKind>(),
            RunField.Status => Names<RunStatus>(),
            _ => null,
        };
        if (names is not null)
        {
            Filter any = new Filter.In(
                field,
                [.. names.Where(n => FilterText.IsLike(n, pattern)).Select(FilterValue.Of)]
            );
            return comparison == Comparison.Like ? any : new Filter.Not(any);
        }

        return IsText(field)
            ? new Filter.Compare(field, comparison, FilterValue.Of(pattern))
            : throw new FilterException(
                $"{call.Name} compares texts; {call.Arguments[0].Word} is none",
                call.Position
            );
    }

    /// <summary>A pattern of like.</summary>
    public static string Pattern(FilterArgument constant) =>
        constant.List is not null || constant.Call is not null
            ? throw new FilterException("Expected one value", constant.Position)
        : constant.Value.Type == FilterValueType.Null
            ? throw new FilterException("null goes with eq and neq only", constant.Position)
        : constant.Word.Length > FilterText.MaxPattern
            ? throw new FilterException(
                $"A pattern has at most {FilterText.MaxPattern} characters",
                constant.Position
            )
        : constant.Word;

    private static bool IsText(RunField field) =>
        field
            is RunField.Name
                or RunField.Error
                or RunField.ThreadId
                or RunField.Model
                or RunField.Provider;

    private static IReadOnlyList<string> Names<T>()
        where T : struct, Enum => [.. Enum.GetNames<T>().Select(n => n.ToLowerInvariant())];

    private static FilterValue OneOf<T>(FilterArgument argument)
        where T : struct, Enum
    {
        var names = Names<T>();
        var word = argument.Word.ToLowerInvariant();
        return names.Contains(word)
            ? FilterValue.Of(word)
            : throw new FilterException(
                $"'{argument.Word}' is not one of {string.Join(", ", names)}",
                argument.Position,
                Nearest(word, names)
            );
    }

    public static Comparison Operator(FilterCall call) =>
        s_operators.TryGetValue(call.Name, out var comparison)
            ? comparison
            : throw new FilterException(
                $"There is no operator '{call.Name}'",
                call.Position,
                Nearest(
                    call.Name,
                    [.. s_operators.Keys, "and", "or", "not", "in", "has", "search", "exists"]
                )
            );

    /// <summary>A constant as the field wants it.</summary>
    public static FilterValue Convert(RunField field, FilterArgument argument)
    {
        var value = argument.Value;
        if (argument.List is not null || argument.Call is not null)
        {
            throw new FilterException("Expected one value", argument.Position);
        }

        if (value.Type == FilterValueType.Null)
        {
            return value;
        }

        switch (field)
        {
            case RunField.Id
            or RunField.TraceId
            or RunField.ParentRunId
            or RunField.ProjectId
            or RunField.ReferenceExampleId:
                return Guid.TryParse(argument.Word, out var id)
                    ? FilterValue.Of(id)
                    : throw Bad("a UUID");
            case RunField.StartTime or RunField.EndTime or RunField.FirstTokenTime:
                return DateTimeOffset.TryParse(
                    argument.Word,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                    out var time
                )
                    ? FilterValue.Of(time)
                    : throw Bad("a time such as \"2026-01-31T12:00:00Z\"");
            case RunField.Latency or RunField.FirstTokenLatency:
                return Seconds(argument.Word) is { } seconds
                    ? FilterValue.Of(seconds, argument.Word)
                    : throw Bad("seconds, or a duration such as \"5s\"");
            case RunField.TotalTokens
            or RunField.PromptTokens
            or RunField.CompletionTokens
            or RunField.TotalCost
            or RunField.PromptCost
            or RunField.CompletionCost:
                return FilterText.Number(argument.Word) is { } number
                    ? FilterValue.Of(number, argument.Word)
                    : throw Bad("a number");
            case RunField.ExecutionOrder:
                return FilterText.Number(argument.Word) is { } place
                    ? FilterValue.Of(place, argument.Word)
                    : throw Bad("a number; 1 is the root");
            case RunField.Kind:
                return OneOf<RunKind>(argument);
            case RunField.Status:
                return OneOf<RunStatus>(argument);
            case RunField.IsRoot:
                return bool.TryParse(argument.Word, out var flag)
                    ? FilterValue.Of(flag)
                    : throw Bad("true or false");
            default:
                return FilterValue.Of(argument.Word);
        }

        FilterException Bad(string wanted) =>
            new($"'{argument.Word}' is not {wanted}", argument.Position);
    }

    private static double? Seconds(string text)
    {
        var (factor, digits) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (0.001, text[..^2]),
            _ when text.EndsWith('s') => (1, text[..^1]),
            _ when text.EndsWith('m') => (60, text[..^1]),
            _ when text.EndsWith('h') => (3_600, text[..^1]),
            _ when text.EndsWith('d') => (86_400, text[..^1]),
            _ => (1.0, text),
        };
        return FilterText.Number(digits) * factor is { } seconds && double.IsFinite(seconds)
            ? seconds
            : null;
    }

    public static string? Nearest(string word, IEnumerable<string> known) =>
        word.Length > 40
            ? null
            : known
                .Select(k => (k, Distance(word.ToLowerInvariant(), k)))
                .Where(k => k.Item2 <= 2)
                .OrderBy(k => k.Item2)
                .Select(k => k.k)
                .FirstOrDefault();

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
