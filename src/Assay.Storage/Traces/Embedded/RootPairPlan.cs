using Assay.Core.Filters;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Whether a question can begin at <see cref="RootPairs"/>: root runs of one project, by start, with a metadata pair or a tag given exactly.
/// </summary>
internal static class RootPairPlan
{
    private const int Enough = 1_000;

    /// <summary>The hash of the rarest of the exact pairs and tags that the question demands; null when the question is of another kind.</summary>
    public static long? Choose(SqliteConnection db, RunQuery query, int? project)
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

        var hashes = Demanded(filter).Distinct().ToList();
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

    private static IEnumerable<long> Demanded(Filter filter) =>
        filter switch
        {
            Filter.And and => and.Items.SelectMany(Demanded),
            Filter.HasTag tag when Exact(tag.Test) is { } text => [RootPairs.OfTag(text)],
            Filter.PairExists { Kind: PairKind.Metadata } pair
                when Exact(pair.Key) is { } key && Exact(pair.Value) is { } value =>
            [
                RootPairs.OfPair(key, value),
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
