using System.Text.Json;
using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Sums the parts of tokens and costs. As in the figures, a root stands for its whole trace and another run for itself unless its root is in
/// the set too. Thread-safe.
/// </summary>
internal sealed class UsagePartsReader(IndexDatabase index, RunReader runs)
{
    // Only rows that bear usage have their details read.
    private static string Usage(string alias) =>
        $"CASE WHEN {alias}.own_src IS NULL THEN NULL ELSE (SELECT d.usage FROM detail d WHERE d.pk = {alias}.pk) END, "
        + $"CASE WHEN {alias}.own_src IS NULL THEN NULL ELSE (SELECT d.cost FROM detail d WHERE d.pk = {alias}.pk) END";

    public UsageParts Read(RunQuery query, CancellationToken cancellationToken)
    {
        var parts = new UsageParts();
        using var reader = index.Read();
        var rooted =
            query.IsRoot == false ? [] : Traces(reader.Connection, query, parts, cancellationToken);
        if (query.IsRoot != true)
        {
            Others(reader.Connection, query, rooted, parts, cancellationToken);
        }

        return parts;
    }

    /// <summary>Adds the traces of the roots of the set; returns which they are.</summary>
    private HashSet<Guid> Traces(
        SqliteConnection db,
        RunQuery query,
        UsageParts parts,
        CancellationToken cancellationToken
    )
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, query with { IsRoot = true });
        // The roots outside, so that the runs of a trace come one after the other.
        command.CommandText =
            $"SELECT t.trace, t.project, t.id, t.parent, {Usage("t")} FROM (SELECT DISTINCT r.trace, r.project FROM run r WHERE {where} LIMIT -1) s "
            + "CROSS JOIN run t ON t.trace = s.trace AND t.project = s.project";
        var seen = new HashSet<Guid>();
        var trace = new List<(Guid, Guid?, TokenUsage?, RunCost?)>();
        (Guid Trace, int Project)? current = null;
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = (Columns.ReadId(rows, 0), rows.GetInt32(1));
            if (current != key)
            {
                parts.AddTrace(trace);
                trace.Clear();
                current = key;
                seen.Add(key.Item1);
            }

            trace.Add(
                (
                    Columns.ReadId(rows, 2),
                    Columns.ReadIdOrNull(rows, 3),
                    Json<TokenUsage>(rows, 4),
                    Json<RunCost>(rows, 5)
                )
            );
        }

        parts.AddTrace(trace);
        return seen;
    }

    private void Others(
        SqliteConnection db,
        RunQuery query,
        HashSet<Guid> rooted,
        UsageParts parts,
        CancellationToken cancellationToken
    )
    {
        using var command = db.CreateCommand();
        var where = runs.Where(command, query with { IsRoot = false });
        command.CommandText =
            $"SELECT r.trace, {Usage("r")} FROM run r WHERE {where} AND r.own_src IS NOT NULL";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!rooted.Contains(Columns.ReadId(rows, 0)))
            {
                parts.Add(Json<TokenUsage>(rows, 1), Json<RunCost>(rows, 2));
            }
        }
    }

    private static T? Json<T>(SqliteDataReader row, int column)
        where T : class =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize<T>(row.GetString(column));
}
