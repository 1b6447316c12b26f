using System.Globalization;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Traces.Embedded;
using Assay.Storage.Traces.Search;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Filters;

/// <summary>Compiles a <see cref="Filter"/> to SQL over the tables of the run index; every constant becomes a parameter.</summary>
/// <param name="command">Takes the parameters.</param>
/// <param name="projectIds">Finds project numbers for <see cref="RunField.ProjectId"/>.</param>
/// <param name="searches">Answers <see cref="Filter.Search"/>.</param>
internal sealed class SqliteFilter(
    SqliteCommand command,
    Func<Guid, int?> projectIds,
    SearchPlan searches
)
{
    /// <summary>A condition on the row <paramref name="alias"/> of <c>run</c>.</summary>
    public string Compile(Filter filter, string alias)
    {
        switch (filter)
        {
            case Filter.And and:
                return and.Items.Count == 0
                    ? "1"
                    : $"({string.Join(" AND ", and.Items.Select(i => Compile(i, alias)))})";
            case Filter.Or or:
                return or.Items.Count == 0
                    ? "0"
                    : $"({string.Join(" OR ", or.Items.Select(i => Compile(i, alias)))})";
            case Filter.Not not:
                return $"NOT coalesce({Compile(not.Item, alias)}, 0)";
            case Filter.Compare compare:
                return Compare(
                    Field(compare.Field, alias),
                    compare.Operator,
                    Value(compare.Field, compare.Value)
                );
            case Filter.In list:
                return list.Values.Count == 0
                    ? "0"
                    : $"{Field(list.Field, alias)} IN ({string.Join(", ", list.Values.Select(v => Parameter(Value(list.Field, v))))})";
            case Filter.HasTag tag:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(d.tags) j WHERE d.pk = {alias}.pk AND {Test("j.value", tag.Test)})";
            case Filter.Search search:
                return searches.Condition(search, alias);
            case Filter.PairExists { Kind: PairKind.Metadata } pair:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(d.metadata) j WHERE d.pk = {alias}.pk{And("j.key", pair.Key)}{And("j.value", pair.Value)})";
            case Filter.PairExists pair:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(assay_pairs(d.refs, {(int)pair.Kind})) j WHERE d.pk = {alias}.pk"
                    + $"{And("json_extract(j.value, '$[0]')", pair.Key)}{And("json_extract(j.value, '$[1]')", pair.Value)})";
            case Filter.FeedbackExists feedback:
                return $"EXISTS(SELECT 1 FROM feedback f WHERE f.run = {alias}.id AND f.workspace = (SELECT workspace FROM project WHERE no = {alias}.project)"
                    + $"{And("f.key", feedback.Key)}{And("f.score", feedback.Score)}{And("f.value", feedback.Value)}"
                    + $"{And("f.comment", feedback.Comment)}{And("f.source", feedback.Source)})";
            case Filter.MetadataContains contains:
                return $"assay_contains((SELECT d.refs FROM detail d WHERE d.pk = {alias}.pk), {Parameter(contains.Json)})";
            default:
                throw new NotSupportedException(filter.GetType().Name);
        }
    }

    private string And(string column, ValueTest? test) =>
        test is null ? "" : $" AND {Test(column, test)}";

    private string Test(string column, ValueTest test)
    {
        if (test.Operator == Comparison.OneOf)
        {
            return test.Values.Count == 0
                ? "0"
                : $"{column} IN ({string.Join(", ", test.Values.Select(v => Parameter(Text(v))))})";
        }

        var value = test.Values[0];
        var isOrder =
            test.Operator
            is Comparison.Greater
                or Comparison.GreaterOrEqual
                or Comparison.Less
                or Comparison.LessOrEqual;
        if (
            column.EndsWith("score", StringComparison.Ordinal)
            && value.Type is FilterValueType.Number or FilterValueType.Boolean
        )
        {
            return Compare(column, test.Operator, value.Number);
        }

        return isOrder && value.Type == FilterValueType.Number
            ? Compare($"CAST({column} AS REAL)", test.Operator, value.Number)
            : Compare(column, test.Operator, Text(value));
    }

    private string Compare(string column, Comparison comparison, object value) =>
        comparison switch
        {
            Comparison.Equal => $"{column} IS {Parameter(value)}",
            Comparison.NotEqual => $"{column} IS NOT {Parameter(value)}",
            Comparison.Greater => $"{column} > {Parameter(value)}",
            Comparison.GreaterOrEqual => $"{column} >= {Parameter(value)}",
            Comparison.Less => $"{column} < {Parameter(value)}",
            Comparison.LessOrEqual => $"{column} <= {Parameter(value)}",
            Comparison.Like =>
                $"coalesce({column} LIKE {Parameter(Pattern(value))} ESCAPE '\\', 0)",
            Comparison.NotLike =>
                $"NOT coalesce({column} LIKE {Parameter(Pattern(value))} ESCAPE '\\', 0)",
            _ => $"{column} IS {Parameter(value)}",
        };

    /// <summary>A pattern's only wild card is %; one without it means "contains".</summary>
    private static string Pattern(object value)
    {
        var text = (value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal);
        return text.Contains('%', StringComparison.Ordinal) ? text : $"%{text}%";
    }

    private static string Field(RunField field, string alias) =>
        field switch
        {
            RunField.Id => $"{alias}.id",
            RunField.TraceId => $"{alias}.trace",
            RunField.ParentRunId => $"{alias}.parent",
            RunField.ProjectId => $"{alias}.project",
            RunField.ReferenceExampleId => $"{alias}.example",
            RunField.Name => $"{alias}.name",
            RunField.Kind => $"{alias}.kind",
            RunField.Status => $"{alias}.status",
            RunField.Error => $"(SELECT d.error FROM detail d WHERE d.pk = {alias}.pk)",
            RunField.ThreadId => $"{alias}.thread",
            RunField.Model => $"{alias}.model",
            RunField.Provider => $"{alias}.provider",
            RunField.StartTime => $"{alias}.start_us",
            RunField.EndTime => $"{alias}.end_us",
            RunField.FirstTokenTime => $"{alias}.first_us",
            RunField.Latency => $"{alias}.latency_us",
            RunField.FirstTokenLatency => $"{alias}.ttft_us",
            RunField.TotalTokens => $"{alias}.sum_t",
            RunField.PromptTokens => $"{alias}.sum_p",
            RunField.CompletionTokens => $"{alias}.sum_c",
            RunField.TotalCost => $"{alias}.sum_tc",
            RunField.PromptCost => $"{alias}.sum_pc",
            RunField.CompletionCost => $"{alias}.sum_cc",
            RunField.IsRoot => $"{alias}.is_root",
            _ => throw new NotSupportedException(field.ToString()),
        };

    /// <summary>The column to sort by.</summary>
    public static string Order(RunField field, string alias) =>
        field == RunField.Error ? $"{alias}.status" : Field(field, alias);

    private object Value(RunField field, FilterValue value)
    {
        if (value.Type == FilterValueType.Null)
        {
            return DBNull.Value;
        }

        return field switch
        {
            RunField.ProjectId => value.Type == FilterValueType.Id
                ? projectIds(value.Id) ?? -1
                : -1,
            RunField.Kind => Enum.TryParse<RunKind>(value.Text, ignoreCase: true, out var kind)
                ? (int)kind
                : -1,
            RunField.Status => Enum.TryParse<RunStatus>(
                value.Text,
                ignoreCase: true,
                out var status
            )
                ? (int)status
                : -1,
            RunField.Latency or RunField.FirstTokenLatency => value.Number * 1e6,
            RunField.TotalCost or RunField.PromptCost or RunField.CompletionCost => value.Number
                * 1e9,
            _ => value.Type switch
            {
                FilterValueType.Id => value.Id.ToByteArray(bigEndian: true),
                FilterValueType.Time => Columns.Time(value.Time),
                FilterValueType.Number or FilterValueType.Boolean when IsText(field) => value.Text
                    ?? "",
                FilterValueType.Number or FilterValueType.Boolean => value.Number,
                _ => value.Text ?? "",
            },
        };
    }

    private static bool IsText(RunField field) =>
        field
            is RunField.Name
                or RunField.Error
                or RunField.ThreadId
                or RunField.Model
                or RunField.Provider;

    private static object Text(FilterValue value) =>
        value.Type switch
        {
            FilterValueType.Null => DBNull.Value,
            FilterValueType.Id => value.Id.ToString(),
            FilterValueType.Time => value.Time.ToString("O", CultureInfo.InvariantCulture),
            _ => value.Text ?? value.Number.ToString(CultureInfo.InvariantCulture),
        };

    private string Parameter(object value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"$f{command.Parameters.Count}");
        command.Parameters.AddWithValue(name, value);
        return name;
    }
}
