using System.Text.Encodings.Web;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Core.Views;
using Assay.UI.Kit;
using Assay.UI.Traces;
using Microsoft.AspNetCore.Http;

namespace Assay.UI.Projects;

/// <summary>What the project page shows, all of it from the address, so that a link shows the same.</summary>
public sealed record ListState
{
    private const string ScorePrefix = "feedback.";

    /// <summary>The project.</summary>
    public required Guid ProjectId { get; init; }

    /// <summary><c>traces</c>, <c>runs</c>, <c>llm</c> or <c>threads</c>.</summary>
    public required string Tab { get; init; }

    /// <summary>The time range.</summary>
    public required TimeRange Range { get; init; }

    /// <summary>What stands in the query bar.</summary>
    public required string Query { get; init; }

    /// <summary>Sorted by.</summary>
    public required RunColumn Sort { get; init; }

    /// <summary>The feedback key whose average is sorted by; null unless sorted by feedback.</summary>
    public string? ScoreKey { get; init; }

    /// <summary>Smallest first.</summary>
    public required bool IsAscending { get; init; }

    /// <summary>What the chart shows.</summary>
    public required string Chart { get; init; }

    /// <summary>The columns.</summary>
    public required IReadOnlyList<RunColumn> Columns { get; init; }

    /// <summary>Whether the address says which columns, as that of a saved view does; else it is the reader's own choice.</summary>
    public bool HasOwnColumns { get; init; }

    /// <summary>What is sorted by, as addresses have it.</summary>
    public string SortKey => ScoreKey is null ? Sort.Key : ScorePrefix + ScoreKey;

    /// <summary>Reads the state of a request.</summary>
    public static ListState Read(Guid projectId, HttpRequest request, DateTimeOffset now)
    {
        var q = request.Query;
        var (sort, scoreKey) = ReadSort(q["sort"].ToString());
        return new ListState
        {
            ProjectId = projectId,
            Tab =
                q["tab"].ToString() is "runs" or "all" ? "runs"
                : q["tab"].ToString() is "llm" or "threads" ? q["tab"].ToString()
                : "traces",
            Range = TimeRange.Read(q["range"], now),
            Query = q["q"].ToString().Trim(),
            Sort = sort,
            ScoreKey = scoreKey,
            IsAscending = q["dir"] == "asc",
            Chart = q["chart"].ToString() is "latency" or "tokens" or "cost" or "scores"
                ? q["chart"].ToString()
                : "volume",
            Columns = RunColumn.Read(
                q["cols"].ToString() is { Length: > 0 } columns ? columns : request.Cookies["cols"]
            ),
            HasOwnColumns = q["cols"].Count > 0,
        };
    }

    /// <summary>The question for the store.</summary>
    /// <exception cref="FilterException">The query cannot be understood.</exception>
    public RunQuery ToQuery(Guid workspaceId) =>
        new()
        {
            WorkspaceId = workspaceId,
            ProjectIds = [ProjectId],
            IsRoot = Tab is "traces" or "threads" ? true : null,
            Kind = Tab == "llm" ? RunKind.Llm : null,
            From = Range.From,
            To = Range.To,
            Filter = Condition(),
            OrderBy = Sort.Field ?? RunField.StartTime,
            SortBy = Sort.Order(ScoreKey),
            Ascending = IsAscending,
            Limit = 50,
        };

    /// <summary>The condition in the query bar: its own language, or LangSmith's.</summary>
    /// <exception cref="FilterException">The query cannot be understood.</exception>
    public Filter? Condition() =>
        Query.Length == 0 ? null
        : IsCall(Query) ? LangSmithFilterParser.Parse(Query)
        : QueryText.Parse(Query);

    /// <summary>The address of this state with changes; null takes a part out.</summary>
    public string Address(params (string Key, string? Value)[] changes)
    {
        var parts = new Dictionary<string, string?>
        {
            ["tab"] = Tab == "traces" ? null : Tab,
            ["range"] = Range.Key == "7d" ? null : Range.Key,
            ["q"] = Query.Length == 0 ? null : Query,
            ["sort"] = SortKey == "start" ? null : SortKey,
            ["dir"] = IsAscending ? "asc" : null,
            ["cols"] = HasOwnColumns ? RunColumn.Write(Columns) : null,
            ["chart"] = Chart == "volume" ? null : Chart,
        };
        foreach (var (key, value) in changes)
        {
            parts[key] = value;
        }

        var query = string.Join(
            '&',
            parts
                .Where(p => p.Value is not null)
                .Select(p => $"{p.Key}={UrlEncoder.Default.Encode(p.Value!)}")
        );
        return query.Length == 0 ? $"/projects/{ProjectId}" : $"/projects/{ProjectId}?{query}";
    }

    /// <summary>What a view of this list keeps: everything but the project and the time.</summary>
    public ViewContent ToView() =>
        new(Tab, Query, RunColumn.Write(Columns), SortKey == "start" ? null : SortKey, IsAscending);

    /// <summary>The address of a saved view of this project, at the same time range.</summary>
    public string Address(SavedView view) =>
        Address(
            ("tab", view.List == "traces" ? null : view.List),
            ("q", view.Query.Length == 0 ? null : view.Query),
            ("sort", view.Sort),
            ("dir", view.IsAscending ? "asc" : null),
            ("cols", view.Columns)
        );

    /// <summary>The same state for the page's endpoints.</summary>
    public string Endpoint(string name)
    {
        var address = Address();
        var at = address.IndexOf('?', StringComparison.Ordinal);
        return $"/ui/projects/{ProjectId}/{name}{(at < 0 ? "" : address[at..])}";
    }

    /// <summary>The query with one more term.</summary>
    public string With(string term) =>
        Query.Length == 0 ? term
        : Query.Contains(term, StringComparison.Ordinal) ? Query
        : $"{Query} {term}";

    /// <summary>The query bar's field of a facet.</summary>
    public static string Term(string facet, string value) =>
        $"{(facet == "run_type" ? "type" : facet)}:{QueryText.Quote(value)}";

    /// <summary>The sort key of a feedback key.</summary>
    public static string ByScore(string key) => ScorePrefix + key;

    private static (RunColumn Column, string? ScoreKey) ReadSort(string key)
    {
        var isScore =
            key.StartsWith(ScorePrefix, StringComparison.Ordinal)
            && key.Length > ScorePrefix.Length;
        var column = RunColumn.All.FirstOrDefault(c =>
            isScore ? c.Key == "feedback" : c.Key == key && c.Key != "feedback"
        );
        return (column ?? RunColumn.All[^1], isScore ? key[ScorePrefix.Length..] : null);
    }

    private static bool IsCall(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        return open > 0 && text[..open].All(char.IsAsciiLetter) && text.EndsWith(')');
    }
}
