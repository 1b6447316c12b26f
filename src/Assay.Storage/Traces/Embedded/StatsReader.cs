using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Figures: from the hourly aggregates where the question allows, else by one pass over narrow rows. Thread-safe.</summary>
internal sealed class StatsReader(IndexDatabase index, ProjectNumbers projects, RunReader runs)
{
    private const int ScanColumns = 8;
    private const string Scan =
        "r.is_root, r.kind, r.status, r.start_us, r.latency_us, r.ttft_us, r.model, r.trace";

    public RunStats Stats(RunQuery query, CancellationToken cancellationToken)
    {
        var cell = new HourlyCell();
        DateTimeOffset? last = null;
        using var reader = index.Read();
        foreach (var (run, _) in Rows(reader.Connection, query, "''", cancellationToken))
        {
            cell.Add(run.Contribution, 1);
            last = last is null || run.Start > last ? run.Start : last;
        }

        return cell.ToStats() with
        {
            LastRunStart = last,
            Feedback = Feedback(reader.Connection, query),
        };
    }

    public IReadOnlyDictionary<string, FeedbackStats> Feedback(RunQuery query)
    {
        using var reader = index.Read();
        return Feedback(reader.Connection, query);
    }

    public IReadOnlyDictionary<Guid, RunStats> Projects(
        Guid workspace,
        IReadOnlyList<Guid> ids,
        DateTimeOffset? since,
        DateTimeOffset? until,
        bool rootsOnly
    )
    {
        using var reader = index.Read();
        var stats = new Dictionary<Guid, RunStats>();
        foreach (var id in ids)
        {
            if (projects.Find(workspace, id) is not { } number)
            {
                continue;
            }

            using var command = reader.Connection.CreateCommand();
            command.CommandText =
                $"SELECT {HourlyCell.ColumnNames} FROM hourly WHERE project = $p AND hour >= $a AND hour <= $b{(rootsOnly ? " AND is_root = 1" : "")}";
            command.Parameters.AddWithValue("$p", number);
            command.Parameters.AddWithValue(
                "$a",
                since is { } a ? a.UtcTicks / TimeSpan.TicksPerHour : 0
            );
            command.Parameters.AddWithValue(
                "$b",
                until is { } b ? b.UtcTicks / TimeSpan.TicksPerHour : long.MaxValue
            );
            var cell = new HourlyCell();
            using (var rows = command.ExecuteReader())
            {
                while (rows.Read())
                {
                    cell.Merge(rows, 0);
                }
            }

            using var last = reader.Connection.CreateCommand();
            last.CommandText = "SELECT max(start_us) FROM run WHERE project = $p";
            last.Parameters.AddWithValue("$p", number);
            stats[id] = cell.ToStats() with
            {
                LastRunStart = last.ExecuteScalar() is long micros
                    ? UtcMicroseconds.FromMicroseconds(micros)
                    : null,
            };
        }

        return stats;
    }

    public IReadOnlyList<RunBucket> Series(
        RunSeriesQuery query,
        CancellationToken cancellationToken
    )
    {
        var width = Math.Max(query.Bucket.Ticks, TimeSpan.TicksPerMinute);
        using var reader = index.Read();
        var cells = CanUseHours(query)
            ? FromHours(reader.Connection, query, width)
            : FromRows(reader.Connection, query, width, cancellationToken);
        var largest = cells
            .GroupBy(c => c.Key.Group)
            .OrderByDescending(g => g.Sum(c => c.Value.Runs))
            .Take(query.MaxGroups)
            .Select(g => g.Key)
            .ToHashSet();
        var merged = new SortedDictionary<(long Bucket, string Group), HourlyCell>();
        foreach (var ((bucket, group), cell) in cells)
        {
            var key = (bucket, largest.Contains(group) ? group : "other");
            if (!merged.TryGetValue(key, out var sum))
            {
                merged[key] = sum = new HourlyCell();
            }

            sum.Merge(cell);
        }

        return
        [
            .. merged.Select(m => new RunBucket(
                new DateTimeOffset(m.Key.Bucket * width, TimeSpan.Zero),
                m.Key.Group,
                m.Value.ToStats()
            )),
        ];
    }

    public IReadOnlyList<Facet> FacetsOf(
        Guid workspace,
        Guid projectId,
        DateTimeOffset? since,
        DateTimeOffset? until,
        int maxValues
    )
    {
        if (projects.Find(workspace, projectId) is not { } number)
        {
            return [];
        }

        using var reader = index.Read();
        using var command = reader.Connection.CreateCommand();
        command.CommandText =
            "SELECT field, value, sum(runs) FROM facet WHERE project = $p AND day >= $a AND day <= $b GROUP BY field, value HAVING sum(runs) > 0 ORDER BY field, sum(runs) DESC, value";
        command.Parameters.AddWithValue("$p", number);
        command.Parameters.AddWithValue(
            "$a",
            since is { } a ? a.UtcTicks / TimeSpan.TicksPerDay : 0
        );
        command.Parameters.AddWithValue(
            "$b",
            until is { } b ? b.UtcTicks / TimeSpan.TicksPerDay : long.MaxValue
        );
        var found = new List<(string Field, FacetValue Value)>();
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            found.Add((rows.GetString(0), new FacetValue(rows.GetString(1), rows.GetInt64(2))));
        }

        return
        [
            .. found
                .GroupBy(f => f.Field)
                .Select(g =>
                {
                    var values = g.Select(f => f.Value)
                        .Where(v => v.Value != Facets.Truncated)
                        .ToList();
                    return new Facet(
                        g.Key,
                        [.. values.Take(maxValues)],
                        values.Count > maxValues || g.Any(f => f.Value.Value == Facets.Truncated)
                    );
                }),
        ];
    }

    /// <summary>Only conditions that the cells know: projects, whole hours, root or not, type.</summary>
    private static bool CanUseHours(RunSeriesQuery query) =>
        query.Bucket.Ticks % TimeSpan.TicksPerHour == 0
        && query.GroupByMetadataKey is null
        && !query.GroupByTag
        && query.GroupBy is null or RunField.Kind or RunField.Model
        && query.Runs
            is {
                Filter: null,
                TraceFilter: null,
                TreeFilter: null,
                TraceId: null,
                ParentRunId: null,
                HasError: null,
                ThreadId: null,
                RunIds.Count: 0,
                ReferenceExampleIds.Count: 0
            };

    private Dictionary<(long Bucket, string Group), HourlyCell> FromHours(
        SqliteConnection db,
        RunSeriesQuery query,
        long width
    )
    {
        using var command = db.CreateCommand();
        var numbers = projects.Of(query.Runs.WorkspaceId, query.Runs.ProjectIds);
        var sql = new StringBuilder(
            $"SELECT {HourlyCell.ColumnNames}, hour, kind, model FROM hourly WHERE project IN ({string.Join(',', numbers)}) AND hour >= $a AND hour <= $b"
        );
        if (query.Runs.IsRoot is { } isRoot)
        {
            sql.Append(isRoot ? " AND is_root = 1" : " AND is_root = 0");
        }

        if (query.Runs.Kind is { } kind)
        {
            sql.Append(CultureInfo.InvariantCulture, $" AND kind = {(int)kind}");
        }

        command.CommandText = sql.ToString();
        command.Parameters.AddWithValue(
            "$a",
            query.Runs.From is { } a ? a.UtcTicks / TimeSpan.TicksPerHour : 0
        );
        command.Parameters.AddWithValue(
            "$b",
            query.Runs.To is { } b ? b.UtcTicks / TimeSpan.TicksPerHour : long.MaxValue
        );
        var cells = new Dictionary<(long, string), HourlyCell>();
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var group = query.GroupBy switch
            {
                RunField.Kind => ((RunKind)rows.GetInt32(14)).ToString().ToLowerInvariant(),
                RunField.Model => rows.GetString(15),
                _ => "",
            };
            var key = (rows.GetInt64(13) * TimeSpan.TicksPerHour / width, group);
            if (!cells.TryGetValue(key, out var cell))
            {
                cells[key] = cell = new HourlyCell();
            }

            cell.Merge(rows, 0);
        }

        return cells;
    }

    private Dictionary<(long Bucket, string Group), HourlyCell> FromRows(
        SqliteConnection db,
        RunSeriesQuery query,
        long width,
        CancellationToken cancellationToken
    )
    {
        var group =
            query.GroupByMetadataKey is not null || query.GroupByTag ? ""
            : query.GroupBy is { } field ? Assay.Storage.Filters.SqliteFilter.Order(field, "r")
            : "''";
        var cells = new Dictionary<(long, string), HourlyCell>();
        foreach (
            var (run, value) in Rows(
                db,
                query.Runs,
                group,
                cancellationToken,
                query.GroupByMetadataKey,
                query.GroupByTag
            )
        )
        {
            var name = query.GroupBy switch
            {
                RunField.Kind => run.Contribution.Kind.ToString().ToLowerInvariant(),
                RunField.Status => run.Contribution.Status.ToString().ToLowerInvariant(),
                _ => value,
            };
            var key = (run.Start.UtcTicks / width, name);
            if (!cells.TryGetValue(key, out var cell))
            {
                cells[key] = cell = new HourlyCell();
            }

            cell.Add(run.Contribution, 1);
        }

        return cells;
    }

    /// <summary>
    /// The rows of a set. Roots stand for their whole trace, others for themselves, and a run whose root is in the set too counts no tokens of
    /// its own, so that each usage counts once.
    /// </summary>
    public IEnumerable<((Contribution Contribution, DateTimeOffset Start) Run, string Group)> Rows(
        SqliteConnection db,
        RunQuery query,
        string group,
        CancellationToken cancellationToken,
        string? metadataKey = null,
        bool byTag = false
    )
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, query);
        var from = "run r";
        if (byTag)
        {
            from = "run r JOIN detail d ON d.pk = r.pk, json_each(d.tags) j";
            group = "j.value";
            // A tag that a run bears twice counts once.
            where.Append(
                " AND j.key = (SELECT min(k.key) FROM json_each(d.tags) k WHERE k.value = j.value)"
            );
        }

        if (metadataKey is not null)
        {
            group =
                "(SELECT j.value FROM detail d, json_each(d.metadata) j WHERE d.pk = r.pk AND j.key = $group)";
            command.Parameters.AddWithValue("$group", metadataKey);
        }

        command.CommandText =
            $"SELECT {Scan}, r.sum_p, r.sum_c, r.sum_t, r.sum_pc, r.sum_cc, r.sum_tc, r.sum_src, "
            + $"r.own_p, r.own_c, r.own_t, r.own_pc, r.own_cc, r.own_tc, r.own_src, {group} FROM {from} WHERE {where} ORDER BY r.is_root DESC";
        var rooted = new HashSet<Guid>();
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isRoot = row.GetInt32(0) != 0;
            var trace = Columns.ReadId(row, 7);
            var totals =
                isRoot ? RunReaderRows.ReadTotals(row, ScanColumns)
                : rooted.Contains(trace) || row.IsDBNull(ScanColumns + 7) ? TraceTotals.None
                : RunReaderRows.ReadTotals(row, ScanColumns + 7);
            if (isRoot)
            {
                rooted.Add(trace);
            }

            var start = Columns.ReadTime(row, 3);
            yield return (
                (
                    new Contribution(
                        0,
                        0,
                        isRoot,
                        (RunKind)row.GetInt32(1),
                        Columns.ReadText(row, 6) ?? "",
                        (RunStatus)row.GetInt32(2),
                        row.IsDBNull(4) ? null : TimeSpan.FromMicroseconds(row.GetInt64(4)),
                        row.IsDBNull(5) ? null : TimeSpan.FromMicroseconds(row.GetInt64(5)),
                        totals
                    ),
                    start
                ),
                row.IsDBNull(ScanColumns + 14)
                    ? ""
                    : Convert.ToString(row.GetValue(ScanColumns + 14), CultureInfo.InvariantCulture)
                        ?? ""
            );
        }
    }

    private IReadOnlyDictionary<string, FeedbackStats> Feedback(SqliteConnection db, RunQuery query)
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, query);
        command.CommandText =
            $"SELECT f.record FROM feedback f WHERE f.run IN (SELECT r.id FROM run r WHERE {where}) AND {(query.ThreadId is null && query.TraceId is null && query.RunIds.Count == 0 ? "" : "+")}f.workspace = $ws";
        command.Parameters.AddWithValue("$ws", Columns.Id(query.WorkspaceId));
        var found = new List<FeedbackRecord>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (JsonSerializer.Deserialize<FeedbackRecord>(reader.GetString(0)) is { } item)
            {
                found.Add(item);
            }
        }

        return FeedbackStats.Of(found);
    }
}
