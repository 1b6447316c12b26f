using Assay.Core.Filters;
using Assay.Core.Threads;

namespace Assay.Core.Traces;

/// <summary>Names questions by what they ask for, without a value that anybody wrote, so that their times can be summed up and shown.</summary>
public static class QueryShape
{
    private const int MaxLength = 200;

    /// <summary>The shape of a question.</summary>
    /// <param name="what">What is asked of the runs: a list, figures.</param>
    /// <param name="query">Which runs.</param>
    public static string Of(string what, RunQuery query)
    {
        if (query.RunIds.Count > 0)
        {
            return $"{what} by id";
        }

        List<string?> parts =
        [
            query.IsRoot switch
            {
                true => "roots",
                false => "children",
                null => null,
            },
            query.ProjectIds.Count switch
            {
                0 => "every project",
                1 => null,
                _ => "several projects",
            },
            query.TraceId is null ? null : "trace",
            query.ParentRunId is null ? null : "parent",
            query.ThreadId is null ? null : "thread",
            query.ReferenceExampleIds.Count == 0 ? null : "examples",
            query.Kind is null ? null : "type",
            query.HasError is null ? null : "error",
            query.From is null && query.To is null ? null : "time",
            query.Filter is { } filter ? Of(filter) : null,
            query.TraceFilter is { } root ? $"root: {Of(root)}" : null,
            query.TreeFilter is { } tree ? $"tree: {Of(tree)}" : null,
            query.OrderBy == RunField.StartTime ? null : $"by {Words(query.OrderBy)}",
            query.Cursor is null ? null : "next page",
        ];
        var shape = $"{what}: {string.Join(", ", parts.OfType<string>())}".TrimEnd(' ', ':');
        return shape.Length <= MaxLength ? shape : shape[..MaxLength] + "…";
    }

    /// <summary>The shape of a question for threads.</summary>
    public static string Of(string what, ConversationQuery query) =>
        Of(
            query.ThreadFilter is null ? what : $"{what} with a condition on threads",
            new RunQuery
            {
                WorkspaceId = query.WorkspaceId,
                ProjectIds = [query.ProjectId],
                ThreadId = query.ThreadId,
                Filter = query.Filter,
                TreeFilter = query.TreeFilter,
                From = query.From,
                To = query.To,
            }
        );

    private static string Of(Filter filter) =>
        filter switch
        {
            Filter.And { Items: [var one] } => Of(one),
            Filter.And and => $"and({Of(and.Items)})",
            Filter.Or or => $"or({Of(or.Items)})",
            Filter.Not not => $"not({Of(not.Item)})",
            Filter.Compare compare => $"{Words(compare.Field)} {Sign(compare.Operator)}",
            Filter.In list => $"{Words(list.Field)} in a list",
            Filter.HasTag => "tag",
            Filter.Search { Scope: SearchScope.Everything } => "search",
            Filter.Search search => $"search in {Words(search.Scope)}",
            Filter.PairExists pair => $"{Words(pair.Kind)} pair",
            Filter.FeedbackExists => "feedback",
            Filter.MetadataContains => "metadata contains",
            _ => filter.GetType().Name,
        };

    /// <summary>A name of ours as words: <c>FirstTokenTime</c> is <c>first token time</c>.</summary>
    private static string Words<T>(T name)
        where T : struct, Enum =>
        string.Concat(
            name.ToString()
                .Select(
                    (c, i) =>
                        char.IsUpper(c)
                            ? (i > 0 ? " " : "") + char.ToLowerInvariant(c)
                            : c.ToString()
                )
        );

    private static string Sign(Comparison comparison) =>
        comparison switch
        {
            Comparison.Equal => "=",
            Comparison.NotEqual => "≠",
            Comparison.Greater => ">",
            Comparison.GreaterOrEqual => "≥",
            Comparison.Less => "<",
            Comparison.LessOrEqual => "≤",
            _ => Words(comparison),
        };

    private static string Of(IReadOnlyList<Filter> items) =>
        string.Join(", ", items.Select(Of).Distinct().Take(8));
}
