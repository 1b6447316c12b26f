using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Assay.Core.Traces;
using Assay.Storage.Traces.Embedded;
using Assay.Storage.Traces.Search;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Maintenance;

/// <summary>
/// Looks at every byte of a data directory, or of a backup, and says what is wrong: databases, journal checksums, the address and content of
/// every payload, blobs, counts, and the kept aggregates against the rows they were made from. Changes nothing and may run beside the server.
/// </summary>
public static class StoreCheck
{
    private const int MaxDetails = 20;
    private const int Step = 2_000;

    /// <summary>Runs every check in turn and yields what each found.</summary>
    public static IEnumerable<CheckFinding> Run(string data)
    {
        var path = Path.Combine(data, "runs.db");
        if (!File.Exists(path))
        {
            yield return new CheckFinding("data directory", "no runs.db", [$"{path} is missing"]);
            yield break;
        }

        yield return Database(data, "metadata.db");
        yield return Database(data, "runs.db");
        using var db = StoreBackup.Connect(path, SqliteOpenMode.ReadWrite);
        IndexDatabase.Execute(db, "PRAGMA query_only = 1");
        using var journal = new JournalInspector(Path.Combine(data, "journal"));
        yield return Frames(db, journal);
        yield return Payloads(db, journal, data);
        // One snapshot for all that is compared with each other.
        using var snapshot = db.BeginTransaction(deferred: true);
        yield return Rows(db);
        yield return Cells(db);
        yield return Facets(db);
        yield return Use(db);
        yield return Search(data);
    }

    private static CheckFinding Database(string data, string name)
    {
        var path = Path.Combine(data, name);
        if (!File.Exists(path))
        {
            return new CheckFinding(name, "", ["the file is missing"]);
        }

        using var db = StoreBackup.Connect(path, SqliteOpenMode.ReadWrite);
        var problems = Texts(db, "PRAGMA quick_check(20)").Where(t => t != "ok").ToList();
        return new CheckFinding(name, "pages and indexes", problems);
    }

    private static CheckFinding Frames(SqliteConnection db, JournalInspector journal)
    {
        var applied = Applier.Position(db);
        var problems = new Problems();
        long frames = 0;
        foreach (var segment in journal.Segments)
        {
            // What the server has not applied yet may be half written at this moment.
            var until =
                segment < applied.Segment ? long.MaxValue
                : segment == applied.Segment ? applied.Offset
                : 0;
            var (sound, damage) = journal.Walk(segment, until);
            frames += sound;
            foreach (var offset in damage)
            {
                problems.Add($"segment {segment}: a damaged frame at {offset}");
            }
        }

        return new CheckFinding(
            "journal",
            $"{journal.Segments.Count} segments, {frames} frames",
            problems.All
        );
    }

    private static CheckFinding Payloads(SqliteConnection db, JournalInspector journal, string data)
    {
        var problems = new Problems();
        long payloads = 0;
        long blobs = 0;
        using var next = db.CreateCommand();
        next.CommandText =
            $"SELECT pk, refs, attachments FROM detail WHERE pk > $pk ORDER BY pk LIMIT {Step}";
        var from = next.Parameters.AddWithValue("$pk", 0L);
        while (true)
        {
            var rows = new List<(long Pk, List<PayloadRef> Refs, string? Files)>();
            using (var reader = next.ExecuteReader())
            {
                while (reader.Read())
                {
                    rows.Add((reader.GetInt64(0), Refs(reader, 1), Columns.ReadText(reader, 2)));
                }
            }

            if (rows.Count == 0)
            {
                break;
            }

            foreach (var (pk, refs, files) in rows)
            {
                payloads += refs.Count(r => r.BlobKey is null);
                foreach (var item in refs.Where(r => r.BlobKey is null))
                {
                    if (
                        journal.Problem(item.Address, item.Hash) is { } problem
                        && Current(db, pk).Contains(item)
                    )
                    {
                        problems.Add($"run row {pk}: {item.Kind} cannot be read: {problem}");
                    }
                }

                var attached = files is null
                    ? []
                    : JsonSerializer.Deserialize<List<Attachment>>(files) ?? [];
                foreach (
                    var (key, length) in refs.Where(r => r.BlobKey is not null)
                        .Select(r => (r.BlobKey ?? "", r.Length))
                        .Concat(attached.Select(a => (a.BlobKey, a.Length)))
                )
                {
                    blobs++;
                    var file = new FileInfo(Path.Combine(data, "blobs", key));
                    if (!file.Exists || file.Length != length)
                    {
                        problems.Add(
                            $"run row {pk}: blob {key} {(file.Exists ? "has another length" : "is missing")}"
                        );
                    }
                }
            }

            from.Value = rows[^1].Pk;
        }

        return new CheckFinding(
            "payloads",
            $"{payloads} in the journal, {blobs} blobs",
            problems.All
        );
    }

    private static CheckFinding Rows(SqliteConnection db)
    {
        var problems = new Problems();
        foreach (
            var (count, text) in new[]
            {
                (
                    Number(db, "SELECT count(*) FROM run WHERE pk NOT IN (SELECT pk FROM detail)"),
                    "runs without details"
                ),
                (
                    Number(db, "SELECT count(*) FROM detail WHERE pk NOT IN (SELECT pk FROM run)"),
                    "details without a run"
                ),
                (
                    Number(
                        db,
                        "SELECT count(*) FROM run WHERE project NOT IN (SELECT no FROM project)"
                    ),
                    "runs of a project that is not known"
                ),
                (
                    Number(
                        db,
                        "SELECT count(*) FROM (SELECT 1 FROM run GROUP BY id, project HAVING count(*) > 1)"
                    ),
                    "runs that are there twice"
                ),
            }
        )
        {
            if (count > 0)
            {
                problems.Add($"{count} {text}");
            }
        }

        return new CheckFinding(
            "runs",
            $"{Number(db, "SELECT count(*) FROM run")} rows",
            problems.All
        );
    }

    /// <summary>The hourly cells made anew from the rows.</summary>
    private static CheckFinding Cells(SqliteConnection db)
    {
        var truth = new Dictionary<(int, long, bool, RunKind, string), HourlyCell>();
        using (var command = db.CreateCommand())
        {
            command.CommandText = """
                SELECT project, start_us, is_root, kind, status, model, latency_us, ttft_us, sum_p, sum_c, sum_t, sum_pc, sum_cc, sum_tc, sum_src,
                       own_p, own_c, own_t, own_pc, own_cc, own_tc, own_src FROM run
                """;
            using var row = command.ExecuteReader();
            while (row.Read())
            {
                var isRoot = row.GetInt32(2) != 0;
                var run = new Contribution(
                    row.GetInt32(0),
                    Columns.ReadTime(row, 1).UtcTicks / TimeSpan.TicksPerHour,
                    isRoot,
                    (RunKind)row.GetInt32(3),
                    Columns.ReadText(row, 5) ?? "",
                    (RunStatus)row.GetInt32(4),
                    Span(row, 6),
                    Span(row, 7),
                    isRoot ? RunReaderRows.ReadTotals(row, 8)
                        : row.IsDBNull(15) ? TraceTotals.None
                        : RunReaderRows.ReadTotals(row, 15)
                );
                ref var cell = ref CollectionsMarshal.GetValueRefOrAddDefault(
                    truth,
                    (run.Project, run.Hour, run.IsRoot, run.Kind, run.Model),
                    out _
                );
                (cell ??= new HourlyCell()).Add(run, 1);
            }
        }

        var problems = new Problems();
        var count = truth.Count;
        using (var command = db.CreateCommand())
        {
            command.CommandText =
                $"SELECT {HourlyCell.ColumnNames}, project, hour, is_root, kind, model FROM hourly";
            using var row = command.ExecuteReader();
            while (row.Read())
            {
                var kept = new HourlyCell();
                kept.Merge(row, 0);
                var key = (
                    row.GetInt32(13),
                    row.GetInt64(14),
                    row.GetInt32(15) != 0,
                    (RunKind)row.GetInt32(16),
                    row.GetString(17)
                );
                if (!truth.Remove(key, out var made) || !kept.Agrees(made))
                {
                    problems.Add(
                        $"project {key.Item1}, hour {key.Item2}: {kept.Runs} runs are counted, {made?.Runs ?? 0} are there, or their figures differ"
                    );
                }
            }
        }

        foreach (var (key, cell) in truth)
        {
            problems.Add(
                $"project {key.Item1}, hour {key.Item2}: {cell.Runs} runs are not counted"
            );
        }

        return new CheckFinding("hourly figures", $"{count} cells", problems.All);
    }

    /// <summary>Counts of values where every run counts once: types and names.</summary>
    private static CheckFinding Facets(SqliteConnection db)
    {
        const string runs = """
            SELECT project, 'run_type' AS field, start_us / 86400000000 AS day, count(*) AS n FROM run GROUP BY 1, 3
            UNION ALL SELECT project, 'name', start_us / 86400000000, count(*) FROM run WHERE name <> '' GROUP BY 1, 3
            """;
        // Days of the facets count from the year 1, those of the rows from 1970.
        var offset = DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerDay;
        var problems = new Problems();
        using var command = db.CreateCommand();
        command.CommandText = $"""
            SELECT r.project, r.field, r.day, r.n, coalesce((SELECT sum(f.runs) FROM facet f WHERE f.project = r.project AND f.field = r.field AND f.day = r.day + {offset}), 0)
            FROM ({runs}) r
            """;
        using var row = command.ExecuteReader();
        var days = 0;
        while (row.Read())
        {
            days++;
            if (row.GetInt64(3) != row.GetInt64(4))
            {
                problems.Add(
                    $"project {row.GetInt32(0)}, {row.GetString(1)}: {row.GetInt64(4)} runs are counted on a day, {row.GetInt64(3)} are there"
                );
            }
        }

        return new CheckFinding("facets", $"{days} days", problems.All);
    }

    private static CheckFinding Use(SqliteConnection db)
    {
        var kept = SegmentUse.Read(db);
        var counted = SegmentUse.Count(db);
        var problems = new Problems();
        foreach (var segment in kept.Keys.Union(counted.Keys))
        {
            var (have, is_) = (
                kept.GetValueOrDefault(segment).Live,
                counted.GetValueOrDefault(segment)
            );
            if (have != is_)
            {
                problems.Add($"segment {segment}: {have} live bytes are counted, {is_} are there");
            }
        }

        return new CheckFinding("use of segments", $"{kept.Count} segments", problems.All);
    }

    private static CheckFinding Search(string data)
    {
        var directory = Path.Combine(data, "search");
        return !Directory.Exists(directory)
            ? new CheckFinding("search index", "none; it is built when the server starts", [])
            : new CheckFinding(
                "search index",
                $"{Directory.GetFiles(directory, "*.words").Length} segments",
                [.. SearchIndex.Damaged(directory).Select(f => $"{f} is damaged")]
            );
    }

    /// <summary>What a row points to now: a payload may have moved since its row was read.</summary>
    private static List<PayloadRef> Current(SqliteConnection db, long pk)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT refs FROM detail WHERE pk = $pk";
        command.Parameters.AddWithValue("$pk", pk);
        using var reader = command.ExecuteReader();
        return reader.Read() ? Refs(reader, 0) : [];
    }

    private static List<PayloadRef> Refs(SqliteDataReader row, int column) =>
        PayloadRefs.Decode(row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column));

    private static TimeSpan? Span(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : TimeSpan.FromMicroseconds(row.GetInt64(column));

    private static long Number(SqliteConnection db, string sql)
    {
        using var command = db.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static List<string> Texts(SqliteConnection db, string sql)
    {
        using var command = db.CreateCommand();
        command.CommandText = sql;
        using var rows = command.ExecuteReader();
        var texts = new List<string>();
        while (rows.Read())
        {
            texts.Add(rows.GetString(0));
        }

        return texts;
    }

    /// <summary>The first problems in full, the others by number.</summary>
    private sealed class Problems
    {
        private readonly List<string> _first = [];
        private long _more;

        public IReadOnlyList<string> All =>
            _more == 0 ? _first : [.. _first, $"and {_more} more like these"];

        public void Add(string problem)
        {
            if (_first.Count < MaxDetails)
            {
                _first.Add(problem);
            }
            else
            {
                _more++;
            }
        }
    }
}

/// <summary>What one check found.</summary>
/// <param name="Area">What was looked at.</param>
/// <param name="Extent">How much of it there is.</param>
/// <param name="Problems">What is wrong; empty when all is well.</param>
public sealed record CheckFinding(string Area, string Extent, IReadOnlyList<string> Problems);
