using System.Runtime.InteropServices;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Maintained dictionaries of the values that fields take, per project and day, so that the filter bar never scans. A field keeps its first
/// <see cref="MaxValues"/> values; later ones (request ids and the like) are not counted and the facet says so. Counts are gathered per batch
/// and written once.
/// </summary>
internal sealed class Facets(SqliteConnection db) : IDisposable
{
    public const int MaxValues = 500;
    public const string Truncated = "\u0001more";
    public const int MaxValueLength = 200;
    private const int MaxFieldNames = 10_000;
    private readonly Dictionary<(int Project, string Field), HashSet<string>> _known = [];
    private readonly Dictionary<
        (int Project, string Field, string Value, long Day),
        long
    > _changes = [];
    private readonly Dictionary<string, string> _fieldNames = [];
    private readonly Statement _put = new(
        db,
        "INSERT INTO facet(project, field, value, day, runs) VALUES(?1, ?2, ?3, ?4, max(0, ?5)) ON CONFLICT DO UPDATE SET runs = max(0, runs + ?5)"
    );

    private readonly Statement _values = new(
        db,
        "SELECT DISTINCT value FROM facet WHERE project = ?1 AND field = ?2"
    );

    /// <summary>The facet values of a run, each once; status comes from the hourly aggregates.</summary>
    public List<(string Field, string Value)> Of(RunRow row)
    {
        var values = new List<(string, string)>(4 + row.State.Metadata.Count);
        if (row.State.Name is { Length: > 0 } name)
        {
            values.Add(("name", Cut(name)));
        }

        values.Add(("run_type", KindName(row.State.Kind ?? RunKind.Chain)));
        if (row.State.Model is { Length: > 0 } model)
        {
            values.Add(("model", Cut(model)));
        }

        var tags = row.State.Tags;
        for (var i = 0; i < tags.Count; i++)
        {
            var tag = ("tag", Cut(tags[i]));
            if (!values.Contains(tag))
            {
                values.Add(tag);
            }
        }

        foreach (var (key, value) in row.State.Metadata)
        {
            values.Add((FieldName(key), Cut(value.Value)));
        }

        return values;
    }

    /// <summary>Counts what a run brings, or what changed since it was counted.</summary>
    public void Replace(
        int project,
        DateTimeOffset start,
        List<(string Field, string Value)> before,
        List<(string Field, string Value)> after
    )
    {
        foreach (var value in after)
        {
            if (before.Count == 0 || !before.Contains(value))
            {
                Count(project, start, value, 1);
            }
        }

        foreach (var value in before)
        {
            if (after.Count == 0 || !after.Contains(value))
            {
                Count(project, start, value, -1);
            }
        }
    }

    /// <summary>Writes what was counted.</summary>
    public void Flush()
    {
        foreach (var ((project, field, value, day), runs) in _changes)
        {
            if (runs == 0)
            {
                continue;
            }

            _put.Bind(1, project);
            _put.Bind(2, field);
            _put.Bind(3, value);
            _put.Bind(4, day);
            _put.Bind(5, runs);
            _put.Run();
        }

        _changes.Clear();
    }

    /// <summary>Forgets what was counted, after a transaction was rolled back.</summary>
    public void Clear()
    {
        _changes.Clear();
        _known.Clear();
    }

    public void Dispose()
    {
        _put.Dispose();
        _values.Dispose();
    }

    private void Count(
        int project,
        DateTimeOffset start,
        (string Field, string Value) item,
        int weight
    )
    {
        var known = Known(project, item.Field);
        var value = item.Value;
        if (!known.Contains(value))
        {
            if (known.Count >= MaxValues)
            {
                value = Truncated;
            }

            known.Add(value);
        }

        var day = start.UtcTicks / TimeSpan.TicksPerDay;
        CollectionsMarshal.GetValueRefOrAddDefault(
            _changes,
            (project, item.Field, value, day),
            out _
        ) += weight;
    }

    private HashSet<string> Known(int project, string field)
    {
        if (_known.TryGetValue((project, field), out var known))
        {
            return known;
        }

        known = [];
        _values.Bind(1, project);
        _values.Bind(2, field);
        while (_values.Step())
        {
            known.Add(_values.Text(0) ?? "");
        }

        return _known[(project, field)] = known;
    }

    private string FieldName(string key)
    {
        if (_fieldNames.TryGetValue(key, out var name))
        {
            return name;
        }

        if (_fieldNames.Count >= MaxFieldNames)
        {
            _fieldNames.Clear();
        }

        return _fieldNames[key] = "metadata." + Cut(key);
    }

    private static string KindName(RunKind kind) =>
        kind switch
        {
            RunKind.Chain => "chain",
            RunKind.Llm => "llm",
            RunKind.Tool => "tool",
            _ => kind.ToString().ToLowerInvariant(),
        };

    private static string Cut(string value) =>
        value.Length <= MaxValueLength ? value : value[..MaxValueLength];
}
