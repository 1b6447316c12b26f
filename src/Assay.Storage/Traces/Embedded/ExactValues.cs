using Assay.Core.Filters;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// What a filter demands exactly (a name, a model, a tag, a metadata pair), and what follows from it before the question is asked: that nothing
/// can be found, or that it can begin at <see cref="RootPairs"/>.
/// </summary>
internal static class ExactValues
{
    private const int Enough = 1_000;

    /// <summary>Whether a value is demanded that no run of the project ever had; the facets know the values of each field, unless there are too many.</summary>
    public static bool AreNowhere(SqliteConnection db, RunQuery query, int? project)
    {
        if (project is not { } number || query is not { Filter: { } filter, RunIds.Count: 0 })
        {
            return false;
        }

        using var command = db.CreateCommand();
        command.CommandText =
            "SELECT EXISTS(SELECT 1 FROM facet WHERE project = $p AND field = $f AND value IN ($v, $more))";
        command.Parameters.AddWithValue("$p", number);
        command.Parameters.AddWithValue("$more", Facets.Truncated);
        var field = command.Parameters.AddWithValue("$f", "");
        var value = command.Parameters.AddWithValue("$v", "");
        foreach (var demanded in Of(filter))
        {
            if (
                demanded.Value.Length is > 0 and <= Facets.MaxValueLength
                && demanded.Field.Length <= Facets.MaxValueLength
            )
            {
                (field.Value, value.Value) = (demanded.Field, demanded.Value);
                if (command.ExecuteScalar() is 0L)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Where in <see cref="RootPairs"/> a question for root runs of one project by start can begin: at the rarest of the tags and metadata
    /// pairs that it demands; null for another question.
    /// </summary>
    public static long? RarestPair(SqliteConnection db, RunQuery query, int? project)
    {
        if (
            project is not { } number
            || query
                is not {
                    IsRoot: true,
                    OrderBy: RunField.StartTime,
                    InExecutionOrder: false,
                    Filter: { } filter,
                    RunIds.Count: 0
                }
        )
        {
            return null;
        }

        var hashes = Of(filter).Select(v => v.Pair).OfType<long>().Distinct().ToList();
        if (hashes.Count <= 1)
        {
            return hashes.Count == 0 ? null : hashes[0];
        }

        using var command = db.CreateCommand();
        command.CommandText =
            $"SELECT count(*) FROM (SELECT 1 FROM pair WHERE project = $p AND hash = $h LIMIT {Enough})";
        command.Parameters.AddWithValue("$p", number);
        var hash = command.Parameters.AddWithValue("$h", 0L);
        return hashes.MinBy(h =>
        {
            hash.Value = h;
            return command.ExecuteScalar() is long count ? count : Enough;
        });
    }

    private static IEnumerable<(string Field, string Value, long? Pair)> Of(Filter filter) =>
        filter switch
        {
            Filter.And and => and.Items.SelectMany(Of),
            Filter.Compare
            {
                Operator: Comparison.Equal,
                Field: RunField.Name or RunField.Model,
                Value: { Type: FilterValueType.Text, Text: { } text }
            } compare => [(compare.Field == RunField.Name ? "name" : "model", text, null)],
            Filter.HasTag tag when Exact(tag.Test) is { } text =>
            [
                ("tag", text, RootPairs.OfTag(text)),
            ],
            Filter.PairExists { Kind: PairKind.Metadata } pair
                when Exact(pair.Key) is { } key && Exact(pair.Value) is { } value =>
            [
                ("metadata." + key, value, RootPairs.OfPair(key, value)),
            ],
            _ => [],
        };

    /// <summary>Of tests that all have to hold, the text that one of them gives exactly.</summary>
    private static string? Exact(IReadOnlyList<ValueTest> tests) =>
        tests.Select(Exact).FirstOrDefault(t => t is not null);

    private static string? Exact(ValueTest test) =>
        test is { Operator: Comparison.Equal, Values: [{ Type: FilterValueType.Text } value] }
            ? value.Text
            : null;
}
