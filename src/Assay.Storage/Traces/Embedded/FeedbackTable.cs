using System.Text;
using System.Text.Json;
using Assay.Core.Feedback;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Rows of <c>feedback</c>: a few columns to filter by and the whole record as JSON.</summary>
internal static class FeedbackTable
{
    public static void Put(SqliteConnection db, Guid workspace, FeedbackRecord item)
    {
        using var command = db.CreateCommand();
        command.CommandText = """
            INSERT OR REPLACE INTO feedback(id, workspace, run, trace, project, key, score, value, comment, source, user, comparative, created_us, record)
            VALUES($id, $w, $run, $trace, $project, $key, $score, $value, $comment, $source, $user, $comparative, $created, $record)
            """;
        command.Parameters.AddWithValue("$id", Columns.Id(item.Id));
        command.Parameters.AddWithValue("$w", Columns.Id(workspace));
        command.Parameters.AddWithValue("$run", Columns.Id(item.RunId));
        command.Parameters.AddWithValue("$trace", Columns.Id(item.TraceId));
        command.Parameters.AddWithValue("$project", Columns.Id(item.ProjectId));
        command.Parameters.AddWithValue("$key", item.Key);
        command.Parameters.AddWithValue("$score", item.Score is { } score ? score : DBNull.Value);
        command.Parameters.AddWithValue("$value", Columns.Text(item.Label));
        command.Parameters.AddWithValue("$comment", Columns.Text(item.Comment));
        command.Parameters.AddWithValue("$source", item.SourceType);
        command.Parameters.AddWithValue("$user", Columns.Id(item.UserId));
        command.Parameters.AddWithValue("$comparative", Columns.Id(item.ComparativeExperimentId));
        command.Parameters.AddWithValue("$created", Columns.Time(item.CreatedAt));
        command.Parameters.AddWithValue("$record", JsonSerializer.Serialize(item));
        command.ExecuteNonQuery();
        if (item.RunId is not null)
        {
            // Where questions for runs with feedback of the key begin; a run that comes later is entered then.
            command.CommandText =
                "INSERT OR IGNORE INTO pair(project, hash, start_us, pk) SELECT r.project, $hash, r.start_us, r.pk FROM run r "
                + "JOIN project p ON p.no = r.project WHERE r.id = $run AND p.workspace = $w";
            command.Parameters.AddWithValue("$hash", RunPairs.OfFeedback(item.Key));
            command.ExecuteNonQuery();
        }
    }

    public static FeedbackRecord? Find(SqliteConnection db, Guid workspace, Guid id)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT record FROM feedback WHERE workspace = $w AND id = $id";
        command.Parameters.AddWithValue("$w", Columns.Id(workspace));
        command.Parameters.AddWithValue("$id", Columns.Id(id));
        return command.ExecuteScalar() is string json
            ? JsonSerializer.Deserialize<FeedbackRecord>(json)
            : null;
    }

    public static bool Delete(SqliteConnection db, Guid workspace, Guid id)
    {
        using var command = db.CreateCommand();
        command.CommandText = "DELETE FROM feedback WHERE workspace = $w AND id = $id";
        command.Parameters.AddWithValue("$w", Columns.Id(workspace));
        command.Parameters.AddWithValue("$id", Columns.Id(id));
        return command.ExecuteNonQuery() > 0;
    }

    public static List<FeedbackRecord> Query(SqliteConnection db, FeedbackQuery query)
    {
        using var command = db.CreateCommand();
        // The plus keeps the index of times out of it when runs are named: it would be walked from the newest feedback of all on.
        var sql = new StringBuilder(
            $"SELECT record FROM feedback WHERE {(query.RunIds.Count > 0 ? "+" : "")}workspace = $w"
        );
        command.Parameters.AddWithValue("$w", Columns.Id(query.WorkspaceId));
        One(command, sql, "id", query.Id);
        One(command, sql, "trace", query.TraceId);
        One(command, sql, "comparative", query.ComparativeExperimentId);
        Any(command, sql, "run", [.. query.RunIds.Select(i => Columns.Id(i))]);
        Any(command, sql, "project", [.. query.ProjectIds.Select(i => Columns.Id(i))]);
        Any(command, sql, "user", [.. query.UserIds.Select(i => Columns.Id(i))]);
        Any(command, sql, "key", [.. query.Keys]);
        Any(command, sql, "source", [.. query.SourceTypes]);
        if (query.IsOnRun is { } onRun)
        {
            sql.Append(onRun ? " AND run IS NOT NULL" : " AND run IS NULL");
        }

        if (query.HasComment is { } comment)
        {
            sql.Append(comment ? " AND comment IS NOT NULL" : " AND comment IS NULL");
        }

        if (query.HasScore is { } score)
        {
            sql.Append(score ? " AND score IS NOT NULL" : " AND score IS NULL");
        }

        if (query.From is { } from)
        {
            sql.Append(" AND created_us >= $from");
            command.Parameters.AddWithValue("$from", Columns.Time(from));
        }

        if (query.To is { } to)
        {
            sql.Append(" AND created_us <= $to");
            command.Parameters.AddWithValue("$to", Columns.Time(to));
        }

        sql.Append(" ORDER BY created_us DESC, id DESC LIMIT $limit OFFSET $offset");
        command.Parameters.AddWithValue("$limit", query.Limit);
        command.Parameters.AddWithValue("$offset", query.Offset);
        command.CommandText = sql.ToString();
        using var reader = command.ExecuteReader();
        var items = new List<FeedbackRecord>();
        while (reader.Read())
        {
            if (JsonSerializer.Deserialize<FeedbackRecord>(reader.GetString(0)) is { } item)
            {
                items.Add(item);
            }
        }

        return items;
    }

    private static void One(SqliteCommand command, StringBuilder sql, string column, Guid? id)
    {
        if (id is not null)
        {
            sql.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $" AND {column} = ${column}"
            );
            command.Parameters.AddWithValue($"${column}", Columns.Id(id));
        }
    }

    private static void Any(
        SqliteCommand command,
        StringBuilder sql,
        string column,
        object[] values
    )
    {
        if (values.Length == 0)
        {
            return;
        }

        var names = values.Select((_, i) => $"${column}{i}").ToList();
        sql.Append(
            System.Globalization.CultureInfo.InvariantCulture,
            $" AND {column} IN ({string.Join(", ", names)})"
        );
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue(names[i], values[i]);
        }
    }
}
