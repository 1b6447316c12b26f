using System.Globalization;
using System.Text;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Traces;
using Assay.Storage.Filters;
using Assay.Storage.Traces.Search;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Answers questions for runs from the index. Thread-safe: each question borrows a reader.</summary>
internal sealed class RunReader(
    IndexDatabase index,
    ProjectNumbers projects,
    PayloadReader payloads,
    SearchSlots search
)
{
    private const int MaxPage = 10_000;

    public async Task<RunPage> QueryAsync(RunQuery query, CancellationToken cancellationToken)
    {
        var limit = Math.Clamp(query.Limit, 1, MaxPage);
        if (SearchPlan.Split(query.Filter).Searches.Count > 0)
        {
            await search.SettleAsync(cancellationToken);
        }

        List<(Run Run, List<PayloadRef> Refs, object Key)> rows;
        using (var reader = index.Read())
        {
            using var command = reader.Connection.CreateCommand();
            var project = projects.Of(query.WorkspaceId, query.ProjectIds) is [var only]
                ? only
                : (int?)null;
            if (ExactValues.AreNowhere(reader.Connection, query, project))
            {
                return new RunPage([], null);
            }

            if (query.SortBy is { } sortBy)
            {
                command.CommandText = SortedRuns.Sql(
                    command,
                    Where(command, query).ToString(),
                    query,
                    sortBy,
                    limit
                );
                return await PageAsync(
                    Read(command, cancellationToken),
                    query,
                    limit,
                    cancellationToken
                );
            }

            var pair = ExactValues.RarestPair(reader.Connection, query, project);
            var order =
                query.InExecutionOrder ? "r.dotted"
                : pair is not null ? "p.start_us"
                : SqliteFilter.Order(query.OrderBy, "r");
            var direction = query.Ascending || query.InExecutionOrder ? "ASC" : "DESC";
            var checks = new List<string>();
            var where = Where(command, query, checks, pair is not null, out var isNarrow);
            if (query.Cursor is { } cursor)
            {
                where.Append(RunCursor.After(command, cursor, order, direction));
            }

            // Only for one known project: where the condition is empty or names several, SQLite finds no plan with this index and fails.
            var from =
                project is not null && !isNarrow && WalksRoots(query)
                    ? "run r INDEXED BY run_root"
                    : "run r";
            if (pair is { } hash)
            {
                from = "pair p CROSS JOIN run r ON r.pk = p.pk";
                where
                    .Append(
                        " AND p.hash = $pair AND p.project = r.project AND p.start_us = r.start_us"
                    )
                    .Append(PairBounds(query, project));
                command.Parameters.AddWithValue("$pair", hash);
            }

            var select =
                $"SELECT {RunReaderRows.RunColumns}{RunReaderRows.DetailColumns}, {order} FROM ";
            var sort =
                $"WHERE {where} ORDER BY {order} {direction}, {(pair is null ? "r" : "p")}.pk {direction} LIMIT ";
            // Texts are read last and in the order of the page, so that a page reads about as many as it shows: a LIMIT keeps the inner
            // question whole, CROSS JOIN keeps it outermost.
            command.CommandText =
                checks.Count == 0
                    ? $"{select} {from} JOIN detail d ON d.pk = r.pk {sort} {limit + 1}"
                    : $"{select} (SELECT r.pk AS found FROM {from} {sort} -1) k CROSS JOIN run r ON r.pk = k.found CROSS JOIN detail d ON d.pk = k.found "
                        + $"WHERE {string.Join(" AND ", checks)} LIMIT {limit + 1}";
            rows = Read(command, cancellationToken);
        }

        return await PageAsync(rows, query, limit, cancellationToken);
    }

    public async Task<Run?> FindAsync(
        Guid workspace,
        Guid runId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var page = await QueryAsync(
            new RunQuery
            {
                WorkspaceId = workspace,
                RunIds = [runId],
                ProjectIds = projectId is { } id ? [id] : [],
                Limit = 1,
                Parts = parts,
            },
            cancellationToken
        );
        return page.Runs.Count == 0 ? null : page.Runs[0];
    }

    /// <summary>All runs of a trace; parents before children, siblings by order key.</summary>
    public async Task<IReadOnlyList<Run>> TraceAsync(
        Guid workspace,
        Guid traceId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var numbers = projects.Of(workspace, projectId is { } id ? [id] : []);
        List<(Run Run, List<PayloadRef> Refs, object Key)> rows;
        using (var reader = index.Read())
        {
            // A tree of many runs needs the narrow rows only: reading the details of 100,000 runs would cost seconds.
            if (parts == RunParts.None)
            {
                return TraceOrder.Sort(
                    TraceRowReader.Read(
                        reader.Connection,
                        projects,
                        numbers,
                        traceId,
                        cancellationToken
                    )
                );
            }

            using var command = reader.Connection.CreateCommand();
            command.Parameters.AddWithValue("$t", Columns.Id(traceId));
            command.CommandText =
                $"SELECT {RunReaderRows.RunColumns}{RunReaderRows.DetailColumns}, r.start_us FROM run r JOIN detail d ON d.pk = r.pk "
                + $"WHERE r.trace = $t AND r.project IN ({string.Join(',', numbers)})";
            rows = Read(command, cancellationToken);
        }

        var runs = await CompleteAsync(rows, workspace, parts, cancellationToken);
        return TraceOrder.Sort(runs);
    }

    public async Task<Stream?> PayloadAsync(
        Guid workspace,
        Guid runId,
        Guid? projectId,
        PayloadKind kind,
        CancellationToken cancellationToken
    )
    {
        List<(Run Run, List<PayloadRef> Refs, object Key)> rows;
        using (var reader = index.Read())
        {
            using var command = reader.Connection.CreateCommand();
            var where = Where(
                command,
                new RunQuery
                {
                    WorkspaceId = workspace,
                    RunIds = [runId],
                    ProjectIds = projectId is { } id ? [id] : [],
                }
            );
            command.CommandText =
                $"SELECT {RunReaderRows.RunColumns}{RunReaderRows.DetailColumns}, r.start_us FROM run r JOIN detail d ON d.pk = r.pk WHERE {where} ORDER BY r.start_us DESC LIMIT 1";
            rows = Read(command, cancellationToken);
        }

        return rows.Count == 0
            ? null
            : await payloads.OpenAsync(rows[0].Refs, kind, cancellationToken);
    }

    /// <summary>The WHERE of a query over <c>run r</c>; parameters go into the command.</summary>
    public StringBuilder Where(SqliteCommand command, RunQuery query) =>
        Where(command, query, null, false, out _);

    /// <summary>The WHERE of a query over <c>run r</c>; parameters go into the command.</summary>
    /// <param name="command">Takes the parameters.</param>
    /// <param name="query">The question.</param>
    /// <param name="checks">Takes conditions that read texts, to be asked last; null to have them in the WHERE.</param>
    /// <param name="beginsAtPair">True when the question begins at <see cref="RunPairs"/> and needs no other beginning.</param>
    /// <param name="isNarrow">True when it begins at a few rows by their keys.</param>
    private StringBuilder Where(
        SqliteCommand command,
        RunQuery query,
        List<string>? checks,
        bool beginsAtPair,
        out bool isNarrow
    )
    {
        var numbers = projects.Of(query.WorkspaceId, query.ProjectIds);
        var searches = new SearchPlan(
            search,
            command,
            Walk(command, query, numbers, checks is not null)
        );
        var (rest, words) = query.RunIds.Count > 0 ? (null, []) : SearchPlan.Split(query.Filter);
        var found = words.Select(w => searches.Narrow(w, "r")).ToList();
        if (
            !beginsAtPair
            && rest is not null
            && ExactValues.Hashes(rest) is { Count: > 0 } values
            && searches.Narrow(values, "r") is { } valued
        )
        {
            found.Add(valued);
        }

        // With few candidates the question begins at them: the plus keeps the project's index out of it.
        isNarrow = found.Exists(f => f.IsFew);
        var sql = new StringBuilder(
            $"{(isNarrow ? "+" : "")}r.project IN ({string.Join(',', numbers)})"
        );
        if (query.RunIds.Count > 0)
        {
            return sql.Append(" AND r.id IN (").Append(Ids(command, "i", query.RunIds)).Append(')');
        }

        Equal("r.trace", query.TraceId);
        Equal("r.parent", query.ParentRunId);
        if (query.ReferenceExampleIds.Count > 0)
        {
            sql.Append(" AND r.example IN (")
                .Append(Ids(command, "x", query.ReferenceExampleIds))
                .Append(')');
        }

        if (query.IsRoot is { } isRoot)
        {
            sql.Append(isRoot ? " AND r.is_root = 1" : " AND r.is_root = 0");
        }

        if (query.Kind is { } kind)
        {
            sql.Append(CultureInfo.InvariantCulture, $" AND r.kind = {(int)kind}");
        }

        if (query.HasError is { } hasError)
        {
            sql.Append(hasError ? " AND r.status = 2" : " AND r.status <> 2");
        }

        if (query.ThreadId is { } thread)
        {
            sql.Append(" AND r.thread = $thread");
            command.Parameters.AddWithValue("$thread", thread);
        }

        if (query.From is { } from)
        {
            sql.Append(" AND r.start_us >= $from");
            command.Parameters.AddWithValue("$from", Columns.Time(from));
        }

        if (query.To is { } to)
        {
            sql.Append(" AND r.start_us <= $to");
            command.Parameters.AddWithValue("$to", Columns.Time(to));
        }

        var compiler = new SqliteFilter(
            command,
            id => projects.Find(query.WorkspaceId, id),
            searches
        );
        if (rest is not null)
        {
            sql.Append(" AND ").Append(compiler.Compile(rest, "r"));
        }

        if (query.TraceFilter is { } traceFilter)
        {
            sql.Append(
                    " AND EXISTS(SELECT 1 FROM run t WHERE t.trace = r.trace AND t.project = r.project AND t.is_root = 1 AND "
                )
                .Append(compiler.Compile(traceFilter, "t"))
                .Append(')');
        }

        if (query.TreeFilter is { } treeFilter)
        {
            sql.Append(
                    " AND EXISTS(SELECT 1 FROM run e WHERE e.trace = r.trace AND e.project = r.project AND "
                )
                .Append(compiler.Compile(treeFilter, "e"))
                .Append(')');
        }

        foreach (var (condition, _) in found)
        {
            sql.Append(" AND ").Append(condition);
        }

        foreach (var check in words.Select(w => searches.Check(w, "r")))
        {
            if (checks is null)
            {
                sql.Append(" AND ").Append(check);
            }
            else
            {
                checks.Add(check);
            }
        }

        return sql;

        void Equal(string column, Guid? id)
        {
            if (id is not null)
            {
                var name = "$" + column[2..];
                sql.Append(CultureInfo.InvariantCulture, $" AND {column} = {name}");
                command.Parameters.AddWithValue(name, Columns.Id(id));
            }
        }
    }

    /// <summary>How a search would meet its candidates without fetching them.</summary>
    private static SearchWalk Walk(
        SqliteCommand command,
        RunQuery query,
        IReadOnlyList<int> numbers,
        bool isPage
    )
    {
        var isNewestFirst =
            isPage
            && query
                is {
                    Ascending: false,
                    InExecutionOrder: false,
                    OrderBy: RunField.StartTime,
                    SortBy: null
                };
        // Other conditions let fewer candidates through.
        var isOnly =
            query is { IsRoot: null, Kind: null, HasError: null, ThreadId: null }
            && query.Filter is Filter.Search;
        return new SearchWalk(
            new Lazy<long>(() => From(command.Connection!, query, numbers)),
            isNewestFirst ? (query.Limit + 1) * (isOnly ? 1 : 4) : null
        );
    }

    /// <summary>The row key at which a page begins: about that of the newest run not younger than asked.</summary>
    private static long From(SqliteConnection db, RunQuery query, IReadOnlyList<int> numbers)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT coalesce(max(pk), 0) FROM run";
        if (query.To is { } to && numbers is [var project])
        {
            command.CommandText =
                "SELECT pk FROM run WHERE project = $p AND start_us <= $to ORDER BY start_us DESC, pk DESC LIMIT 1";
            command.Parameters.AddWithValue("$p", project);
            command.Parameters.AddWithValue("$to", Columns.Time(to));
        }

        return command.ExecuteScalar() is long pk ? pk : 0;
    }

    private async Task<RunPage> PageAsync(
        List<(Run Run, List<PayloadRef> Refs, object Key)> rows,
        RunQuery query,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var next =
            rows.Count > limit
                ? RunCursor.Of(rows[limit - 1].Key, rows[limit - 1].Run.Sequence)
                : null;
        var runs = await CompleteAsync(
            rows.Take(limit),
            query.WorkspaceId,
            query.Parts,
            cancellationToken
        );
        return new RunPage(runs, next);
    }

    /// <summary>A list for IN. A statement takes some 32,000 parameters, so a long one becomes a single parameter.</summary>
    private static string Ids(SqliteCommand command, string prefix, IReadOnlyList<Guid> ids)
    {
        if (ids.Count > 500)
        {
            command.Parameters.AddWithValue(
                "$" + prefix,
                JsonSerializer.Serialize(ids.Select(i => i.ToString("N")))
            );
            return $"SELECT unhex(value) FROM json_each(${prefix})";
        }

        for (var i = 0; i < ids.Count; i++)
        {
            command.Parameters.AddWithValue($"${prefix}{i}", Columns.Id(ids[i]));
        }

        return string.Join(',', ids.Select((_, i) => $"${prefix}{i}"));
    }

    /// <summary>
    /// Whether the page is found by walking the roots in order of start: said to the planner, which would walk all runs and look at each row.
    /// </summary>
    private static bool WalksRoots(RunQuery query) =>
        query
            is {
                IsRoot: true,
                InExecutionOrder: false,
                OrderBy: RunField.StartTime,
                SortBy: null,
                ThreadId: null,
                TraceId: null,
                ParentRunId: null,
                RunIds.Count: 0,
                ReferenceExampleIds.Count: 0
            }
        && SearchPlan.Split(query.Filter).Searches.Count == 0;

    /// <summary>The bounds that a search of <c>pair</c> begins and ends at; the same ones as those of the rows.</summary>
    private static string PairBounds(RunQuery query, int? project) =>
        $" AND p.project = {project}{(query.From is null ? "" : " AND p.start_us >= $from")}{(query.To is null ? "" : " AND p.start_us <= $to")}";

    private List<(Run Run, List<PayloadRef> Refs, object Key)> Read(
        SqliteCommand command,
        CancellationToken cancellationToken
    )
    {
        using var registration = cancellationToken.Register(command.Cancel);
        using var reader = command.ExecuteReader();
        var rows = new List<(Run, List<PayloadRef>, object)>();
        while (reader.Read())
        {
            rows.Add(
                (
                    RunReaderRows.Read(reader, projects),
                    RunReaderRows.ReadRefs(reader),
                    reader.GetValue(reader.FieldCount - 1)
                )
            );
        }

        cancellationToken.ThrowIfCancellationRequested();
        return rows;
    }

    private async Task<IReadOnlyList<Run>> CompleteAsync(
        IEnumerable<(Run Run, List<PayloadRef> Refs, object Key)> rows,
        Guid workspace,
        RunParts parts,
        CancellationToken cancellationToken
    )
    {
        var list = rows.ToList();
        var feedback = parts.HasFlag(RunParts.Feedback)
            ? Feedback(workspace, [.. list.Select(r => r.Run.Id)])
            : [];
        var runs = new List<Run>(list.Count);
        foreach (var (run, refs, _) in list)
        {
            var bodies = new Dictionary<PayloadKind, ReadOnlyMemory<byte>>();
            foreach (var kind in Wanted(parts))
            {
                if (await payloads.ReadAsync(refs, kind, cancellationToken) is { } bytes)
                {
                    bodies[kind] = bytes;
                }
            }

            var stats = feedback.TryGetValue(run.Id, out var found) ? found : run.FeedbackStats;
            runs.Add(
                bodies.Count == 0 && found is null
                    ? run
                    : run with
                    {
                        Error = bodies.Remove(PayloadKind.Error, out var whole)
                            ? JsonSerializer.Deserialize<string>(whole.Span)
                            : run.Error,
                        Payloads = bodies,
                        FeedbackStats = stats,
                    }
            );
        }

        return runs;
    }

    private Dictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>> Feedback(
        Guid workspace,
        IReadOnlyList<Guid> ids
    )
    {
        var found = new List<FeedbackRecord>();
        using var reader = index.Read();
        foreach (var chunk in ids.Chunk(500))
        {
            found.AddRange(
                FeedbackTable.Query(
                    reader.Connection,
                    new FeedbackQuery
                    {
                        WorkspaceId = workspace,
                        RunIds = chunk,
                        Limit = int.MaxValue,
                    }
                )
            );
        }

        return found.GroupBy(f => f.RunId ?? Guid.Empty).ToDictionary(g => g.Key, FeedbackStats.Of);
    }

    private static IEnumerable<PayloadKind> Wanted(RunParts parts)
    {
        if (parts.HasFlag(RunParts.Inputs))
        {
            yield return PayloadKind.Inputs;
        }

        if (parts.HasFlag(RunParts.Outputs))
        {
            yield return PayloadKind.Outputs;
        }

        if (parts.HasFlag(RunParts.Extra))
        {
            yield return PayloadKind.Extra;
        }

        if (parts.HasFlag(RunParts.Events))
        {
            yield return PayloadKind.Events;
        }

        if (parts.HasFlag(RunParts.Serialized))
        {
            yield return PayloadKind.Serialized;
        }

        if (parts.HasFlag(RunParts.FullError))
        {
            yield return PayloadKind.Error;
        }
    }
}
