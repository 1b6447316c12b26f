using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Which traces of a project are past their time.</summary>
internal static class Expiry
{
    private const string Select = """
        SELECT r.trace FROM run r WHERE r.project = $p AND r.is_root = 1 AND r.start_us < $before
          AND ($errors IS NULL OR r.start_us < $errors
               OR NOT EXISTS(SELECT 1 FROM run e WHERE e.trace = r.trace AND e.project = r.project AND e.status = 2))
          AND ($feedback IS NULL OR r.start_us < $feedback
               OR NOT EXISTS(SELECT 1 FROM run m JOIN feedback f ON f.run = m.id WHERE m.trace = r.trace AND m.project = r.project))
        ORDER BY r.start_us LIMIT $limit
        """;

    /// <summary>Members of a parent cycle have no root: such a trace goes when the youngest of its runs is old enough.</summary>
    private const string Rootless = """
        SELECT DISTINCT r.trace FROM run r WHERE r.project = $p AND r.is_root = 0 AND r.start_us < $before
          AND ($errors IS NULL OR r.start_us < $errors) AND ($feedback IS NULL OR r.start_us < $feedback)
          AND NOT EXISTS(SELECT 1 FROM run o WHERE o.trace = r.trace AND o.project = r.project AND (o.is_root = 1 OR o.start_us >= $before))
        LIMIT $limit
        """;

    public static List<Guid> Traces(SqliteConnection db, int project, ExpireRequest request)
    {
        var traces = Traces(db, Select, project, request);
        return traces.Count > 0 ? traces : Traces(db, Rootless, project, request);
    }

    /// <summary>Some traces of a project, whatever their age.</summary>
    public static List<Guid> AnyTraces(SqliteConnection db, int project, int limit)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT trace FROM run WHERE project = $p ORDER BY start_us LIMIT $n";
        command.Parameters.AddWithValue("$p", project);
        command.Parameters.AddWithValue("$n", limit);
        return Read(command);
    }

    private static List<Guid> Traces(
        SqliteConnection db,
        string sql,
        int project,
        ExpireRequest request
    )
    {
        using var command = db.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$p", project);
        command.Parameters.AddWithValue("$before", Columns.Time(request.Before));
        command.Parameters.AddWithValue("$errors", Columns.Time(request.ErrorsBefore));
        command.Parameters.AddWithValue("$feedback", Columns.Time(request.FeedbackBefore));
        command.Parameters.AddWithValue("$limit", request.MaxTraces);
        return Read(command);
    }

    private static List<Guid> Read(SqliteCommand command)
    {
        using var reader = command.ExecuteReader();
        var traces = new List<Guid>();
        while (reader.Read())
        {
            traces.Add(Columns.ReadId(reader, 0));
        }

        return traces;
    }
}
