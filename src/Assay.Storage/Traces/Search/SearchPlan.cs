using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Assay.Core.Filters;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Search;

/// <summary>Turns the searches of one question into SQL: candidates from the index, and a look at the text of each.</summary>
/// <param name="slots">Holds the candidates while the command lives.</param>
/// <param name="command">Takes the parameters.</param>
/// <param name="walk">How the rows would be met along the order of the page.</param>
internal sealed class SearchPlan(SearchSlots slots, SqliteCommand command, SearchWalk? walk = null)
{
    /// <summary>Up to so many candidates are always fetched and sorted.</summary>
    private const int Few = 200;

    /// <summary>More are never: their keys go into the statement as text.</summary>
    private const int Most = 50_000;

    /// <summary>Fetching a row wherever it lies costs as much as asking so many keys along an index whether they are candidates.</summary>
    private const int Fetch = 25;
    private int _count;

    /// <summary>The searches that every answer must pass, and what else is asked.</summary>
    public static (Filter? Others, IReadOnlyList<Filter.Search> Searches) Split(Filter? filter)
    {
        switch (filter)
        {
            case Filter.Search search:
                return (null, [search]);
            case Filter.And and:
                var rest = new List<Filter>();
                var searches = new List<Filter.Search>();
                foreach (var item in and.Items)
                {
                    var (other, found) = Split(item);
                    searches.AddRange(found);
                    if (other is not null)
                    {
                        rest.Add(other);
                    }
                }

                return searches.Count == 0
                    ? (filter, searches)
                    : (rest.Count == 0 ? null : new Filter.And(rest), searches);
            default:
                return (filter, []);
        }
    }

    /// <summary>The whole condition, for a search anywhere in a filter.</summary>
    public string Condition(Filter.Search search, string alias) =>
        Words(search) is [] ? "1" : $"({Member(search, alias)} AND {Check(search, alias)})";

    /// <summary>The candidates as a condition: their keys when they are few.</summary>
    public (string Sql, bool IsFew) Narrow(Filter.Search search, string alias)
    {
        if (Words(search) is not { Length: > 0 } words)
        {
            return ("1", false);
        }

        return Narrow(slots.Find(search.Scope, words), alias);
    }

    /// <summary>The candidates for whole values as a condition; null where it would not help.</summary>
    public (string Sql, bool IsFew)? Narrow(IEnumerable<long> values, string alias) =>
        slots.FindValues(values) is { } found ? Narrow(found, alias) : null;

    private (string Sql, bool IsFew) Narrow(PostingSet found, string alias)
    {
        if (
            found.IsEverything
            || found.Count > Most
            || (found.Count > Few && walk is not null && found.Count * Fetch > walk.Length(found))
        )
        {
            return (Member(found, alias), false);
        }

        var keys = Parameter(JsonSerializer.Serialize(found.Keys()));
        return ($"{alias}.pk IN (SELECT value FROM json_each({keys}))", true);
    }

    /// <summary>The look at the text.</summary>
    public string Check(Filter.Search search, string alias)
    {
        if (Words(search) is not { Length: > 0 } words)
        {
            return "1";
        }

        var hashes = Parameter(MemoryMarshal.AsBytes(words.AsSpan()).ToArray());
        return $"assay_search((SELECT d.refs FROM detail d WHERE d.pk = {alias}.pk), {alias}.name, "
            + $"(SELECT d.error FROM detail d WHERE d.pk = {alias}.pk), {(int)search.Scope}, {hashes})";
    }

    private string Member(Filter.Search search, string alias) =>
        Member(slots.Find(search.Scope, Words(search)), alias);

    private string Member(PostingSet found, string alias) =>
        found.IsEverything
            ? "1"
            : $"assay_candidate({Parameter(slots.Hold(found, command))}, {alias}.pk)";

    private static ulong[] Words(Filter.Search search) =>
        [.. SearchTokens.Distinct(search.Text).Select(w => SearchWords.Hash(w))];

    private string Parameter(object value)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"$s{_count++}");
        command.Parameters.AddWithValue(name, value);
        return name;
    }
}
