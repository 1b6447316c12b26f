using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Brings what a run inherits from its trace up to date after a batch: totals of descendants, whether it is shown as a root (its parent has
/// not arrived), its order key when the client sent none, and its thread.
/// </summary>
internal static class TraceSums
{
    private const string Select = """
        SELECT pk, id, parent, is_root, kind, status, model, start_us, end_us, first_us, dotted, thread,
               own_p, own_c, own_t, own_pc, own_cc, own_tc, own_src, sum_p, sum_c, sum_t, sum_pc, sum_cc, sum_tc, sum_src
        FROM run WHERE trace = $t AND project = $p
        """;

    private const string Update = """
        UPDATE run SET is_root = $r, dotted = $d, thread = $th, sum_p = $a, sum_c = $b, sum_t = $c, sum_pc = $e, sum_cc = $f, sum_tc = $g, sum_src = $h
        WHERE pk = $pk
        """;

    public static void Refresh(
        SqliteConnection db,
        int project,
        Guid trace,
        HourlyAggregates hourly
    )
    {
        var rows = Load(db, project, trace);
        var totals = TraceRollup.Compute([
            .. rows.Select(r => new TraceRollup.Node(r.Id, r.Parent, r.Own)),
        ]);
        var byId = rows.ToDictionary(r => r.Id);
        var thread =
            rows.Where(r => r.Parent is null)
                .Select(r => r.Thread)
                .FirstOrDefault(t => t is not null)
            ?? rows.Select(r => r.Thread).FirstOrDefault(t => t is not null);
        using var update = db.CreateCommand();
        update.CommandText = Update;
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            var isRoot = row.Parent is not { } parent || !byId.ContainsKey(parent);
            var order = row.Dotted ?? Order(row, byId);
            var sums = totals[i];
            if (
                isRoot == row.IsRoot
                && sums == row.Sum
                && order == row.Dotted
                && (row.Thread ?? thread) == row.Thread
            )
            {
                continue;
            }

            hourly.Replace(
                row.Contribute(project, row.IsRoot, row.Sum),
                row.Contribute(project, isRoot, sums)
            );
            update.Parameters.Clear();
            update.Parameters.AddWithValue("$r", isRoot ? 1 : 0);
            update.Parameters.AddWithValue("$d", Columns.Text(order));
            update.Parameters.AddWithValue("$th", Columns.Text(row.Thread ?? thread));
            update.Parameters.AddWithValue("$a", sums.PromptTokens);
            update.Parameters.AddWithValue("$b", sums.CompletionTokens);
            update.Parameters.AddWithValue("$c", sums.TotalTokens);
            update.Parameters.AddWithValue("$e", Columns.Nanos(sums.PromptCost));
            update.Parameters.AddWithValue("$f", Columns.Nanos(sums.CompletionCost));
            update.Parameters.AddWithValue("$g", Columns.Nanos(sums.TotalCost));
            update.Parameters.AddWithValue("$h", (int)sums.Source);
            update.Parameters.AddWithValue("$pk", row.Pk);
            update.ExecuteNonQuery();
        }
    }

    /// <summary>The order key of a run whose client sent none: that of its parents, then its own segment; null while a parent is missing, so that it is made when the parent comes.</summary>
    private static string? Order(LeanRow row, Dictionary<Guid, LeanRow> byId)
    {
        var segments = new List<string>();
        var seen = new HashSet<Guid>();
        for (var at = row; seen.Add(at.Id); )
        {
            if (at != row && at.Dotted is { } known)
            {
                segments.Add(known);
                break;
            }

            segments.Add(RunNormalizer.OrderSegment(at.Start, at.Id));
            if (at.Parent is not { } parent)
            {
                break;
            }

            if (!byId.TryGetValue(parent, out at!))
            {
                return null;
            }
        }

        segments.Reverse();
        return string.Join('.', segments);
    }

    private static List<LeanRow> Load(SqliteConnection db, int project, Guid trace)
    {
        using var command = db.CreateCommand();
        command.CommandText = Select;
        command.Parameters.AddWithValue("$t", Columns.Id(trace));
        command.Parameters.AddWithValue("$p", project);
        var rows = new List<LeanRow>();
        using var r = command.ExecuteReader();
        while (r.Read())
        {
            rows.Add(
                new LeanRow(
                    r.GetInt64(0),
                    Columns.ReadId(r, 1),
                    Columns.ReadIdOrNull(r, 2),
                    r.GetInt32(3) != 0,
                    (RunKind)r.GetInt32(4),
                    (RunStatus)r.GetInt32(5),
                    Columns.ReadText(r, 6) ?? "",
                    Columns.ReadTime(r, 7),
                    Columns.ReadTimeOrNull(r, 8),
                    Columns.ReadTimeOrNull(r, 9),
                    Columns.ReadText(r, 10),
                    Columns.ReadText(r, 11),
                    r.IsDBNull(12) ? null : RunReaderRows.ReadTotals(r, 12),
                    RunReaderRows.ReadTotals(r, 19)
                )
            );
        }

        return rows;
    }

    private sealed record LeanRow(
        long Pk,
        Guid Id,
        Guid? Parent,
        bool IsRoot,
        RunKind Kind,
        RunStatus Status,
        string Model,
        DateTimeOffset Start,
        DateTimeOffset? End,
        DateTimeOffset? FirstToken,
        string? Dotted,
        string? Thread,
        TraceTotals? Own,
        TraceTotals Sum
    )
    {
        public Contribution Contribute(int project, bool isRoot, TraceTotals sum) =>
            new(
                project,
                Start.UtcTicks / TimeSpan.TicksPerHour,
                isRoot,
                Kind,
                Model,
                Status,
                End - Start,
                FirstToken - Start,
                isRoot ? sum : Own ?? TraceTotals.None
            );
    }
}
