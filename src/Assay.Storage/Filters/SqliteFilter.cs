using System.Globalization;
using System.Text.Json;
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
    private const int MaxListed = 200;
    private static readonly (int At, int Length)[] s_uuidGroups =
    [
        (1, 8),
        (9, 4),
        (13, 4),
        (17, 4),
        (21, 12),
    ];

    /// <summary>A condition on the row <paramref name="alias"/> of <c>run</c>.</summary>
    public string Compile(Filter filter, string alias)
    {
        switch (filter)
        {
            case Filter.And and:
                return Join(and.Items, " AND ", "1", alias);
            case Filter.Or or:
                return Join(or.Items, " OR ", "0", alias);
            case Filter.Not not:
                return $"NOT coalesce({Compile(not.Item, alias)}, 0)";
            case Filter.Compare { Field: RunField.Status, Operator: Comparison.Equal } compare
                when Value(RunField.Status, compare.Value) is int status:
                // As a literal, so that it is seen that the index of failed runs has them all.
                return string.Create(CultureInfo.InvariantCulture, $"{alias}.status = {status}");
            case Filter.Compare compare:
                return Compare(
                    Field(compare.Field, alias),
                    compare.Operator,
                    Value(compare.Field, compare.Value)
                );
            case Filter.In list:
                return In(
                    Field(list.Field, alias),
                    [.. list.Values.Select(v => Value(list.Field, v))]
                );
            case Filter.HasTag tag:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(d.tags) j WHERE d.pk = {alias}.pk AND {Test("j.value", tag.Test)})";
            case Filter.Search search:
                return searches.Condition(search, alias);
            case Filter.PairExists { Kind: PairKind.Metadata } pair:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(d.metadata) j WHERE d.pk = {alias}.pk{All("j.key", pair.Key)}{All("j.value", pair.Value)})";
            case Filter.PairExists pair:
                return $"EXISTS(SELECT 1 FROM detail d, json_each(assay_pairs(d.refs, {(int)pair.Kind})) j WHERE d.pk = {alias}.pk"
                    + $"{All("json_extract(j.value, '$[0]')", pair.Key)}{All("json_extract(j.value, '$[1]')", pair.Value)})";
            case Filter.FeedbackExists feedback:
                return $"EXISTS(SELECT 1 FROM feedback f WHERE f.run = {alias}.id AND +f.workspace = (SELECT workspace FROM project WHERE no = {alias}.project)"
                    + $"{string.Concat(feedback.Tests.Select(t => $" AND {Feedback(t)}"))})";
            case Filter.MetadataContains contains:
                return $"assay_contains((SELECT d.refs FROM detail d WHERE d.pk = {alias}.pk), {Parameter(contains.Json)})";
            default:
                throw new NotSupportedException(filter.GetType().Name);
        }
    }

    /// <summary>Joined pairwise, so that the expression grows as deep as the logarithm of its width: SQLite refuses depths over 1,000.</summary>
    private string Join(IReadOnlyList<Filter> items, string word, string empty, string alias)
    {
        return items.Count == 0 ? empty : Range(0, items.Count);

        string Range(int from, int count)
        {
            if (count == 1)
            {
                return Compile(items[from], alias);
            }

            var half = count / 2;
            return $"({Range(from, half)}{word}{Range(from + half, count - half)})";
        }
    }

    private string All(string column, IReadOnlyList<ValueTest> tests) =>
        string.Concat(tests.Select(t => $" AND {Test(column, t)}"));

    private string Feedback(FeedbackTest test) =>
        test.Part switch
        {
            FeedbackPart.Key => Test("f.key", test.Test),
            FeedbackPart.Value => Test("f.value", test.Test),
            FeedbackPart.Comment => Test("f.comment", test.Test),
            FeedbackPart.Source => Test("f.source", test.Test),
            FeedbackPart.Score => test.Test.Operator == Comparison.OneOf
                ? In("f.score", [.. test.Test.Values.Select(Score)])
                : Compare("f.score", test.Test.Operator, Score(test.Test.Values[0])),
            _ => throw new NotSupportedException(test.Part.ToString()),
        };

    private static object Score(FilterValue value) =>
        value.Type == FilterValueType.Null ? DBNull.Value : value.Number;

    /// <summary>A test of a text.</summary>
    private string Test(string column, ValueTest test) =>
        test.Operator == Comparison.OneOf ? In(column, [.. test.Values.Select(Text)])
        : test.OrderNumber is { } number ? Compare($"assay_number({column})", test.Operator, number)
        : Compare(column, test.Operator, Text(test.Values[0]));

    /// <summary>Equal to one of several; a missing value is equal to null among them.</summary>
    private string In(string column, IReadOnlyList<object> values)
    {
        var there = values.Where(v => v is not DBNull).ToList();
        var list = there switch
        {
            [] => "0",
            { Count: <= MaxListed } =>
                $"{column} IN ({string.Join(", ", there.Select(Parameter))})",
            // A statement takes some 32,000 parameters; a longer list is one.
            [byte[], ..] =>
                $"{column} IN (SELECT unhex(value) FROM json_each({Parameter(JsonSerializer.Serialize(there.Cast<byte[]>().Select(Convert.ToHexString)))}))",
            _ =>
                $"{column} IN (SELECT value FROM json_each({Parameter(JsonSerializer.Serialize(there))}))",
        };
        return there.Count == values.Count ? list : $"({list} OR {column} IS NULL)";
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
            RunField.ExecutionOrder =>
                $"(SELECT 1 + count(*) FROM run x WHERE x.trace = {alias}.trace AND x.project = {alias}.project AND {OrderKey("x")} < {OrderKey(alias)})",
            _ => throw new NotSupportedException(field.ToString()),
        };

    /// <summary>The column to sort by.</summary>
    public static string Order(RunField field, string alias) =>
        field == RunField.Error ? $"{alias}.status" : Field(field, alias);

    /// <summary>The execution order key as <see cref="RunReaderRows"/> reads it.</summary>
    private static string OrderKey(string alias) =>
        $"coalesce({alias}.dotted, strftime('%Y%m%dT%H%M%S', {alias}.start_us / 1000000, 'unixepoch') || printf('%06dZ', {alias}.start_us % 1000000) || "
        + string.Join(
            " || '-' || ",
            s_uuidGroups.Select(p => $"lower(substr(hex({alias}.id), {p.At}, {p.Length}))")
        )
        + ")";

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
            RunField.Latency or RunField.FirstTokenLatency => value.Scaled(1e6),
            RunField.TotalCost or RunField.PromptCost or RunField.CompletionCost => value.Scaled(
                1e9
            ),
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
        value.Type == FilterValueType.Null ? DBNull.Value : value.AsText();

    private string Parameter(object value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"$f{command.Parameters.Count}");
        command.Parameters.AddWithValue(name, value);
        return name;
    }
}
