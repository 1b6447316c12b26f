using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Maintained dictionaries of the values that fields take, per project and day, so that the filter bar never scans. A field keeps its first
/// <see cref="MaxValues"/> values; later ones (request ids and the like) are not counted and the facet says so.
/// </summary>
internal sealed class Facets
{
    public const int MaxValues = 500;
    public const string Truncated = "\u0001more";
    private const int MaxValueLength = 200;
    private readonly Dictionary<(int Project, string Field), HashSet<string>> _known = [];

    /// <summary>The facet values of a run; status comes from the hourly aggregates.</summary>
    public static IEnumerable<(string Field, string Value)> Of(RunRow row)
    {
        if (row.State.Name is { Length: > 0 } name)
        {
            yield return ("name", Cut(name));
        }

        yield return ("run_type", (row.State.Kind ?? RunKind.Chain).ToString().ToLowerInvariant());
        if (row.State.Model is { Length: > 0 } model)
        {
            yield return ("model", Cut(model));
        }

        foreach (var tag in row.State.Tags)
        {
            yield return ("tag", Cut(tag));
        }

        foreach (var (key, value) in row.State.Metadata)
        {
            yield return ("metadata." + Cut(key), Cut(value.Value));
        }
    }

    /// <summary>Adds (weight 1) or takes back (−1) values of one run.</summary>
    public void Count(
        SqliteConnection db,
        RunRow row,
        IEnumerable<(string Field, string Value)> values,
        int weight
    )
    {
        var day = row.Start.UtcTicks / TimeSpan.TicksPerDay;
        foreach (var (field, value) in values)
        {
            var known = Known(db, row.Project, field);
            var stored =
                known.Contains(value) ? value
                : known.Count < MaxValues ? value
                : Truncated;
            known.Add(stored);
            using var command = db.CreateCommand();
            command.CommandText =
                "INSERT INTO facet(project, field, value, day, runs) VALUES($p, $f, $v, $d, $n) ON CONFLICT DO UPDATE SET runs = max(0, runs + $n)";
            command.Parameters.AddWithValue("$p", row.Project);
            command.Parameters.AddWithValue("$f", field);
            command.Parameters.AddWithValue("$v", stored);
            command.Parameters.AddWithValue("$d", day);
            command.Parameters.AddWithValue("$n", weight);
            command.ExecuteNonQuery();
        }
    }

    private HashSet<string> Known(SqliteConnection db, int project, string field)
    {
        if (_known.TryGetValue((project, field), out var known))
        {
            return known;
        }

        known = [];
        using var command = db.CreateCommand();
        command.CommandText = "SELECT DISTINCT value FROM facet WHERE project = $p AND field = $f";
        command.Parameters.AddWithValue("$p", project);
        command.Parameters.AddWithValue("$f", field);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            known.Add(reader.GetString(0));
        }

        return _known[(project, field)] = known;
    }

    private static string Cut(string value) =>
        value.Length <= MaxValueLength ? value : value[..MaxValueLength];
}
