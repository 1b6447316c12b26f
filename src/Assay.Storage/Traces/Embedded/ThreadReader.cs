using System.Globalization;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Threads;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Threads: which there are, and the figures of each. Thread-safe.</summary>
internal sealed class ThreadReader(IndexDatabase index, RunReader runs, StatsReader figures)
{
    public async Task<ConversationPage> ConversationsAsync(
        ConversationQuery query,
        CancellationToken cancellationToken
    )
    {
        var roots = new RunQuery
        {
            WorkspaceId = query.WorkspaceId,
            ProjectIds = [query.ProjectId],
            IsRoot = true,
            ThreadId = query.ThreadId,
            Filter = query.Filter,
            TreeFilter = query.TreeFilter,
            From = query.From,
            To = query.To,
        };
        long total;
        var threads = new List<string>();
        using (var reader = index.Read())
        {
            if (query.ThreadFilter is { } whole)
            {
                var passing = Passing(reader.Connection, roots, whole, cancellationToken);
                total = passing.Count;
                threads.AddRange(passing.Skip(query.Offset).Take(query.Limit));
                return new ConversationPage(
                    await ConversationsAsync(roots, threads, query.ProjectId, cancellationToken),
                    total
                );
            }

            using var command = reader.Connection.CreateCommand();
            var where = runs.Where(command, roots).Append(" AND r.thread IS NOT NULL").ToString();
            command.CommandText = $"SELECT count(DISTINCT r.thread) FROM run r WHERE {where}";
            total = Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT r.thread FROM run r WHERE {where} GROUP BY r.thread ORDER BY max(r.start_us) DESC LIMIT {query.Limit} OFFSET {query.Offset}"
            );
            using var rows = command.ExecuteReader();
            while (rows.Read())
            {
                threads.Add(rows.GetString(0));
            }
        }

        return new ConversationPage(
            await ConversationsAsync(roots, threads, query.ProjectId, cancellationToken),
            total
        );
    }

    /// <summary>The threads of some root that is asked for whose whole passes the condition, last activity first.</summary>
    private List<string> Passing(
        SqliteConnection db,
        RunQuery roots,
        SummaryFilter<Conversation> whole,
        CancellationToken cancellationToken
    )
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, roots);
        command.CommandText =
            $"SELECT r.thread FROM run r WHERE {where} AND r.thread IS NOT NULL GROUP BY r.thread ORDER BY max(r.start_us) DESC";
        var wanted = new List<string>();
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                wanted.Add(rows.GetString(0));
            }
        }

        var all = new RunQuery
        {
            WorkspaceId = roots.WorkspaceId,
            ProjectIds = roots.ProjectIds,
            IsRoot = true,
            ThreadId = roots.ThreadId,
        };
        var summaries = wanted.ToDictionary(t => t, _ => new ThreadFigures());
        foreach (var (run, thread) in figures.Rows(db, all, "r.thread", cancellationToken))
        {
            if (summaries.TryGetValue(thread, out var summary))
            {
                summary.Add(run.Contribution, run.Start);
            }
        }

        var feedback = whole.ReadsFeedback ? FeedbackOfThreads(db, all) : null;
        return
        [
            .. wanted.Where(t =>
                whole.IsMatch(
                    summaries[t].Of(t, roots.ProjectIds[0]) with
                    {
                        Feedback = feedback is null
                            ? new Dictionary<string, FeedbackStats>()
                            : FeedbackStats.Of(feedback[t]),
                    }
                )
            ),
        ];
    }

    private ILookup<string, FeedbackRecord> FeedbackOfThreads(SqliteConnection db, RunQuery roots)
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, roots);
        command.CommandText =
            $"SELECT r.thread, f.record FROM run r JOIN feedback f ON f.run = r.id AND +f.workspace = $ws WHERE {where} AND r.thread IS NOT NULL";
        command.Parameters.AddWithValue("$ws", Columns.Id(roots.WorkspaceId));
        var found = new List<(string Thread, FeedbackRecord Item)>();
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            if (JsonSerializer.Deserialize<FeedbackRecord>(rows.GetString(1)) is { } item)
            {
                found.Add((rows.GetString(0), item));
            }
        }

        return found.ToLookup(f => f.Thread, f => f.Item);
    }

    private async Task<IReadOnlyList<Conversation>> ConversationsAsync(
        RunQuery roots,
        IReadOnlyList<string> threads,
        Guid project,
        CancellationToken cancellationToken
    )
    {
        var items = new List<Conversation>();
        foreach (var thread in threads)
        {
            items.Add(
                await ConversationAsync(
                    roots with
                    {
                        ThreadId = thread,
                    },
                    project,
                    thread,
                    cancellationToken
                )
            );
        }

        return items;
    }

    private async Task<Conversation> ConversationAsync(
        RunQuery roots,
        Guid project,
        string thread,
        CancellationToken cancellationToken
    )
    {
        var stats = figures.Stats(roots, cancellationToken);
        var first = await runs.QueryAsync(
            roots with
            {
                Ascending = true,
                Limit = 1,
                Parts = RunParts.Details,
            },
            cancellationToken
        );
        var last = await runs.QueryAsync(
            roots with
            {
                Limit = 1,
                Parts = RunParts.Details,
            },
            cancellationToken
        );
        return new Conversation
        {
            ThreadId = thread,
            ProjectId = project,
            TraceCount = stats.RunCount,
            ErrorCount = stats.ErrorCount,
            FirstStart = first.Runs[0].StartTime,
            LastStart = last.Runs[0].StartTime,
            LastEnd = last.Runs[0].EndTime,
            Totals = stats.Totals,
            Latency = stats.Latency,
            FirstInputsPreview = first.Runs[0].InputsPreview,
            LastOutputsPreview = last.Runs[0].OutputsPreview,
            LastError = last.Runs[0].Error,
            TraceIds = (first.Runs[0].TraceId, last.Runs[0].TraceId),
            Feedback = stats.Feedback,
        };
    }
}
