using System.Text.Json;
using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Reads and writes whole rows of <c>run</c> and <c>detail</c> for the applier. Used by the one writer only.</summary>
internal sealed class RunTable : IDisposable
{
    private const string RunColumns =
        "pk, project, id, trace, parent, is_root, kind, status, name, model, provider, thread, start_us, end_us, latency_us, "
        + "first_us, ttft_us, example, dotted, own_p, own_c, own_t, own_pc, own_cc, own_tc, own_src, sum_p, sum_c, sum_t, sum_pc, sum_cc, sum_tc, sum_src";

    private const string DetailColumns =
        "pk, updated, refs, inputs_preview, outputs_preview, error, failed, tags, metadata, metadata_updated, attachments, usage, cost, warning";

    private readonly SqliteCommand _putRun;
    private readonly SqliteCommand _putDetail;
    private readonly SqliteCommand _byId;
    private readonly SqliteCommand _byTrace;

    public RunTable(SqliteConnection connection)
    {
        _putRun = Prepare(
            connection,
            $"INSERT OR REPLACE INTO run({RunColumns}) VALUES({Parameters(33)})",
            33
        );
        _putDetail = Prepare(
            connection,
            $"INSERT OR REPLACE INTO detail({DetailColumns}) VALUES({Parameters(14)})",
            14
        );
        _byId = Prepare(
            connection,
            $"SELECT {Prefixed("r", RunColumns)}, {Prefixed("d", DetailColumns)} FROM run r JOIN detail d ON d.pk = r.pk WHERE r.id = $p0 ORDER BY r.start_us DESC",
            1
        );
        _byTrace = Prepare(
            connection,
            $"SELECT {Prefixed("r", RunColumns)}, {Prefixed("d", DetailColumns)} FROM run r JOIN detail d ON d.pk = r.pk WHERE r.trace = $p0 AND r.project = $p1",
            2
        );
    }

    /// <summary>Every row with that run id, newest first, whatever its project.</summary>
    public List<RunRow> ById(Guid runId)
    {
        _byId.Parameters[0].Value = Columns.Id(runId);
        return Read(_byId);
    }

    public List<RunRow> ByTrace(Guid traceId, int project)
    {
        _byTrace.Parameters[0].Value = Columns.Id(traceId);
        _byTrace.Parameters[1].Value = project;
        return Read(_byTrace);
    }

    public void Put(RunRow row)
    {
        var state = row.State;
        var own = row.Own;
        var sum = row.Totals;
        Set(
            _putRun,
            row.Pk,
            row.Project,
            Columns.Id(state.RunId),
            Columns.Id(state.TraceId),
            Columns.Id(state.ParentRunId),
            row.IsRoot ? 1 : 0,
            (int)(state.Kind ?? RunKind.Chain),
            (int)state.Status,
            state.Name ?? "",
            Columns.Text(state.Model),
            Columns.Text(state.Provider),
            Columns.Text(state.ThreadId),
            Columns.Time(row.Start),
            Columns.Time(state.EndTime),
            Columns.Span(row.Latency),
            Columns.Time(state.FirstTokenTime),
            Columns.Span(state.FirstTokenTime - state.StartTime),
            Columns.Id(state.ReferenceExampleId),
            Columns.Text(state.DottedOrder),
            own is null ? DBNull.Value : own.PromptTokens,
            own is null ? DBNull.Value : own.CompletionTokens,
            own is null ? DBNull.Value : own.TotalTokens,
            own is null ? DBNull.Value : Columns.Nanos(own.PromptCost),
            own is null ? DBNull.Value : Columns.Nanos(own.CompletionCost),
            own is null ? DBNull.Value : Columns.Nanos(own.TotalCost),
            own is null ? DBNull.Value : (int)own.Source,
            sum.PromptTokens,
            sum.CompletionTokens,
            sum.TotalTokens,
            Columns.Nanos(sum.PromptCost),
            Columns.Nanos(sum.CompletionCost),
            Columns.Nanos(sum.TotalCost),
            (int)sum.Source
        );
        _putRun.ExecuteNonQuery();
        var touched = state.Metadata.Where(m => m.Value.Updated).Select(m => m.Key).ToList();
        Set(
            _putDetail,
            row.Pk,
            (int)state.Updated,
            (object?)PayloadRefs.Encode(row.Refs) ?? DBNull.Value,
            Columns.Text(state.InputsPreview),
            Columns.Text(state.OutputsPreview),
            Columns.Text(state.Error is { Length: > 4_096 } error ? error[..4_096] : state.Error),
            state.Failed ? 1 : 0,
            state.Tags.Count == 0 ? DBNull.Value : JsonSerializer.Serialize(state.Tags),
            state.Metadata.Count == 0
                ? DBNull.Value
                : JsonSerializer.Serialize(
                    state.Metadata.ToDictionary(m => m.Key, m => m.Value.Value)
                ),
            touched.Count == 0 ? DBNull.Value : JsonSerializer.Serialize(touched),
            state.Attachments.Count == 0
                ? DBNull.Value
                : JsonSerializer.Serialize(state.Attachments),
            state.Usage is null ? DBNull.Value : JsonSerializer.Serialize(state.Usage),
            row.Cost is null ? DBNull.Value : JsonSerializer.Serialize(row.Cost),
            Columns.Text(state.Warning)
        );
        _putDetail.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _putRun.Dispose();
        _putDetail.Dispose();
        _byId.Dispose();
        _byTrace.Dispose();
    }

    private static List<RunRow> Read(SqliteCommand command)
    {
        var rows = new List<RunRow>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add(ReadRow(reader));
        }

        return rows;
    }

    private static RunRow ReadRow(SqliteDataReader r)
    {
        const int d = 33;
        var state = new RunState
        {
            RunId = Columns.ReadId(r, 2),
            TraceId = Columns.ReadId(r, 3),
            ParentRunId = Columns.ReadIdOrNull(r, 4),
            Kind = (RunKind)r.GetInt32(6),
            Name = r.GetString(8),
            Model = Columns.ReadText(r, 9),
            Provider = Columns.ReadText(r, 10),
            ThreadId = Columns.ReadText(r, 11),
            StartTime = Columns.ReadTime(r, 12),
            EndTime = Columns.ReadTimeOrNull(r, 13),
            FirstTokenTime = Columns.ReadTimeOrNull(r, 15),
            ReferenceExampleId = Columns.ReadIdOrNull(r, 17),
            DottedOrder = Columns.ReadText(r, 18),
            Updated = (RunFields)r.GetInt32(d + 1),
            InputsPreview = Columns.ReadText(r, d + 3),
            OutputsPreview = Columns.ReadText(r, d + 4),
            Error = Columns.ReadText(r, d + 5),
            Failed = r.GetInt32(d + 6) != 0,
            Tags = Json<List<string>>(r, d + 7) ?? [],
            Usage = Json<TokenUsage>(r, d + 11),
            Warning = Columns.ReadText(r, d + 13),
        };
        var touched = (Json<List<string>>(r, d + 9) ?? []).ToHashSet();
        foreach (var (key, value) in Json<Dictionary<string, string>>(r, d + 8) ?? [])
        {
            state.Metadata[key] = (value, touched.Contains(key));
        }

        state.Attachments.AddRange(Json<List<Attachment>>(r, d + 10) ?? []);
        var row = new RunRow
        {
            Pk = r.GetInt64(0),
            Project = r.GetInt32(1),
            State = state,
            Refs = PayloadRefs.Decode(r.IsDBNull(d + 2) ? null : r.GetFieldValue<byte[]>(d + 2)),
            Cost = Json<RunCost>(r, d + 12),
            IsRoot = r.GetInt32(5) != 0,
            Totals = RunReaderRows.ReadTotals(r, 26),
        };
        row.Counted = row.Contribute();
        foreach (var value in Facets.Of(row))
        {
            row.Faceted.Add(value);
        }

        return row;
    }

    private static T? Json<T>(SqliteDataReader row, int column)
        where T : class =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize<T>(row.GetString(column));

    private static SqliteCommand Prepare(SqliteConnection connection, string sql, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter($"$p{i}", null));
        }

        return command;
    }

    private static void Set(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }
    }

    private static string Parameters(int count) =>
        string.Join(", ", Enumerable.Range(0, count).Select(i => $"$p{i}"));

    private static string Prefixed(string alias, string columns) =>
        string.Join(", ", columns.Split(", ").Select(c => $"{alias}.{c}"));
}
