using System.Globalization;

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
    };

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
                Nearest(name.Word, s_fields.Keys)
            );

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
                return
                    double.TryParse(
                        argument.Word,
                        NumberStyles.Float,
                        CultureInfo.InvariantCulture,
                        out var number
                    ) && double.IsFinite(number)
                    ? FilterValue.Of(number, argument.Word)
                    : throw Bad("a number");
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
            _ => (1.0, text),
        };
        return
            double.TryParse(
                digits,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var number
            ) && double.IsFinite(number)
            ? number * factor
            : null;
    }

    private static string? Nearest(string word, IEnumerable<string> known) =>
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
