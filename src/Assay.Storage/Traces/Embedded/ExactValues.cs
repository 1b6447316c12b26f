using Assay.Core.Filters;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// What a filter demands exactly (a name, a model, a tag, a metadata pair), and what follows from it before the question is asked: that nothing
/// can be found, or that it can begin at <see cref="RunPairs"/>.
/// </summary>
internal static class ExactValues
{
    private const int Enough = 1_000;

    /// <summary>Runs that are so large a share of a project are met soon enough along the order of the page.</summary>
    private const double LargeShare = 0.05;

    /// <summary>A value that is demanded.</summary>
    /// <param name="Field">Its facet; null where there is none.</param>
    /// <param name="Value">It.</param>
    /// <param name="Pair">Its key in <see cref="RunPairs"/>; null where there is none.</param>
    /// <param name="IsOfRoots">True when only roots are entered there.</param>
    /// <param name="Token">Its hash among the whole values of the search index; null where it is not one.</param>
    private sealed record Demand(
        string? Field,
        string Value,
        long? Pair,
        long? Token,
        bool IsOfRoots = true
    );

    /// <summary>The hashes of the values that every answer has, as the search index knows them.</summary>
    public static IReadOnlyList<long> Hashes(Filter filter) =>
        [.. Of(filter).Select(d => d.Token).OfType<long>().Distinct()];

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
                demanded is { Field.Length: <= Facets.MaxValueLength }
                && demanded.Value.Length is > 0 and <= Facets.MaxValueLength
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
    /// Where in <see cref="RunPairs"/> a question for runs of one project by start can begin: at the rarest of the feedback keys and, for
    /// roots, of the tags and metadata pairs that it demands; null for another question, and where it is better met along the roots.
    /// </summary>
    public static long? RarestPair(SqliteConnection db, RunQuery query, int? project)
    {
        if (
            project is not { } number
            || query
                is not {
                    OrderBy: RunField.StartTime,
                    SortBy: null,
                    InExecutionOrder: false,
                    Filter: { } filter,
                    RunIds.Count: 0
                }
        )
        {
            return null;
        }

        var demands = Of(filter)
            .Where(d => d.Pair is not null && (query.IsRoot == true || !d.IsOfRoots))
            .DistinctBy(d => d.Pair)
            .ToList();
        if (demands.Count == 0)
        {
            return null;
        }

        using var command = db.CreateCommand();
        command.CommandText =
            $"SELECT count(*) FROM (SELECT 1 FROM pair WHERE project = $p AND hash = $h LIMIT {Enough})";
        command.Parameters.AddWithValue("$p", number);
        var hash = command.Parameters.AddWithValue("$h", 0L);
        var (rarest, entries) = demands
            .Select(d =>
            {
                hash.Value = d.Pair;
                return (Demand: d, Count: command.ExecuteScalar() is long count ? count : Enough);
            })
            .MinBy(d => d.Count);
        return
            entries >= Enough
            && (query.HasError is not null || NarrowsRoots(filter))
            && IsLarge(db, number, rarest)
            ? null
            : rarest.Pair;
    }

    /// <summary>Whether there is a condition that the index of roots answers by itself.</summary>
    private static bool NarrowsRoots(Filter filter) =>
        filter switch
        {
            Filter.And and => and.Items.Any(NarrowsRoots),
            Filter.Compare
            {
                Field: RunField.Status
                    or RunField.Latency
                    or RunField.TotalTokens
                    or RunField.TotalCost
            } => true,
            _ => false,
        };

    /// <summary>Whether a large share of the project's runs has the value.</summary>
    private static bool IsLarge(SqliteConnection db, int project, Demand demand)
    {
        using var command = db.CreateCommand();
        command.CommandText =
            "SELECT (SELECT coalesce(sum(runs), 0) FROM facet WHERE project = $p AND field = $f AND value = $v), "
            + "(SELECT coalesce(sum(runs), 0) FROM facet WHERE project = $p AND field = 'run_type')";
        command.Parameters.AddWithValue("$p", project);
        command.Parameters.AddWithValue("$f", demand.Field ?? "");
        command.Parameters.AddWithValue("$v", demand.Value);
        using var row = command.ExecuteReader();
        return row.Read() && row.GetInt64(0) > LargeShare * row.GetInt64(1);
    }

    private static IEnumerable<Demand> Of(Filter filter) =>
        filter switch
        {
            Filter.And and => and.Items.SelectMany(Of),
            Filter.Compare
            {
                Operator: Comparison.Equal,
                Field: RunField.Name or RunField.Model,
                Value: { Type: FilterValueType.Text, Text: { } text }
            } compare =>
            [
                compare.Field == RunField.Name
                    ? new Demand("name", text, null, RunPairs.OfName(text))
                    : new Demand("model", text, null, RunPairs.OfModel(text)),
            ],
            Filter.HasTag tag when Exact(tag.Test) is { } text =>
            [
                new Demand("tag", text, RunPairs.OfTag(text), RunPairs.OfTag(text)),
            ],
            Filter.PairExists { Kind: PairKind.Metadata } pair
                when Exact(pair.Key) is { } key && Exact(pair.Value) is { } value =>
            [
                new Demand(
                    "metadata." + key,
                    value,
                    RunPairs.OfPair(key, value),
                    RunPairs.OfPair(key, value)
                ),
            ],
            Filter.FeedbackExists feedback
                when Exact([
                    .. feedback.Tests.Where(t => t.Part == FeedbackPart.Key).Select(t => t.Test),
                ])
                    is { } key =>
            [
                new Demand(null, key, RunPairs.OfFeedback(key), null, IsOfRoots: false),
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
