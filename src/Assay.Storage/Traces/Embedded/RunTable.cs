using System.Buffers;
using System.Text.Json;
using Assay.Core.Metadata;
using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>Reads and writes whole rows of <c>run</c> and <c>detail</c> for the applier. Used by the one writer only.</summary>
internal sealed class RunTable : IDisposable
{
    // The columns of the key come first: a change that leaves them alone spares their indexes.
    private const string KeyColumns = "pk, project, id, trace, start_us, example";

    private const string OtherColumns =
        "parent, is_root, kind, status, name, model, provider, thread, end_us, latency_us, first_us, ttft_us, dotted, "
        + "own_p, own_c, own_t, own_pc, own_cc, own_tc, own_src, sum_p, sum_c, sum_t, sum_pc, sum_cc, sum_tc, sum_src";

    private const string DetailColumns =
        "pk, updated, refs, inputs_preview, outputs_preview, error, failed, tags, metadata, metadata_updated, attachments, usage, cost, warning, received_us";

    private const int KeyCount = 6;
    private const int RunCount = 33;
    private const int DetailCount = 15;
    private readonly Statement _putRun;
    private readonly Statement _changeRun;
    private readonly Statement _putDetail;
    private readonly Statement _putRefs;
    private readonly Statement _deleteRun;
    private readonly Statement _deleteDetail;
    private readonly Statement _byId;
    private readonly Statement _byTrace;
    private readonly ArrayBufferWriter<byte> _buffer = new(4_096);
    private readonly Utf8JsonWriter _json;

    public RunTable(SqliteConnection connection)
    {
        _json = new Utf8JsonWriter(_buffer);
        _putRun = new Statement(
            connection,
            $"INSERT OR REPLACE INTO run({KeyColumns}, {OtherColumns}) VALUES({Marks(RunCount)})"
        );
        _changeRun = new Statement(
            connection,
            $"UPDATE run SET {string.Join(", ", OtherColumns.Split(", ").Select((c, i) => $"{c} = ?{KeyCount + 1 + i}"))} WHERE pk = ?1"
        );
        _putDetail = new Statement(
            connection,
            $"INSERT OR REPLACE INTO detail({DetailColumns}) VALUES({Marks(DetailCount)})"
        );
        _putRefs = new Statement(connection, "UPDATE detail SET refs = ?2 WHERE pk = ?1");
        _deleteRun = new Statement(connection, "DELETE FROM run WHERE pk = ?1");
        _deleteDetail = new Statement(connection, "DELETE FROM detail WHERE pk = ?1");
        var select =
            $"SELECT {Prefixed("r", KeyColumns)}, {Prefixed("r", OtherColumns)}, {Prefixed("d", DetailColumns)} FROM run r JOIN detail d ON d.pk = r.pk ";
        _byId = new Statement(connection, select + "WHERE r.id = ?1 ORDER BY r.start_us DESC");
        _byTrace = new Statement(connection, select + "WHERE r.trace = ?1 AND r.project = ?2");
    }

    /// <summary>Every row with that run id, newest first, whatever its project.</summary>
    public List<RunRow> ById(Guid runId)
    {
        _byId.Bind(1, runId);
        return Read(_byId);
    }

    public List<RunRow> ByTrace(Guid traceId, int project)
    {
        _byTrace.Bind(1, traceId);
        _byTrace.Bind(2, project);
        return Read(_byTrace);
    }

    public void Put(RunRow row)
    {
        PutRun(row);
        PutDetail(row);
        row.Stored = row.Key;
    }

    /// <summary>Writes where the payloads of a row lie, and nothing else of it.</summary>
    public void PutRefs(RunRow row)
    {
        _putRefs.Bind(1, row.Pk);
        _putRefs.BindBlob(2, PayloadRefs.Encode(row.Refs));
        _putRefs.Run();
    }

    public void Delete(RunRow row)
    {
        _deleteRun.Bind(1, row.Pk);
        _deleteRun.Run();
        _deleteDetail.Bind(1, row.Pk);
        _deleteDetail.Run();
    }

    public void Dispose()
    {
        _putRefs.Dispose();
        _deleteRun.Dispose();
        _deleteDetail.Dispose();
        _putRun.Dispose();
        _changeRun.Dispose();
        _putDetail.Dispose();
        _byId.Dispose();
        _byTrace.Dispose();
        _json.Dispose();
    }

    private void PutRun(RunRow row)
    {
        var state = row.State;
        var isChange = row.Stored == row.Key;
        var w = isChange ? _changeRun : _putRun;
        w.Bind(1, row.Pk);
        if (!isChange)
        {
            w.Bind(2, row.Project);
            w.Bind(3, state.RunId);
            w.Bind(4, state.TraceId);
            w.Bind(5, UtcMicroseconds.ToMicroseconds(row.Start));
            w.Bind(6, state.ReferenceExampleId);
        }

        w.Bind(7, state.ParentRunId);
        w.Bind(8, row.IsRoot ? 1 : 0);
        w.Bind(9, (int)(state.Kind ?? RunKind.Chain));
        w.Bind(10, (int)state.Status);
        w.Bind(11, state.Name ?? "");
        w.Bind(12, state.Model);
        w.Bind(13, state.Provider);
        w.Bind(14, state.ThreadId);
        w.Bind(15, Micros(state.EndTime));
        w.Bind(16, Micros(row.Latency));
        w.Bind(17, Micros(state.FirstTokenTime));
        w.Bind(18, Micros(state.FirstTokenTime - state.StartTime));
        w.Bind(19, state.DottedOrder);
        if (row.Own is { } own)
        {
            BindTotals(w, 20, own);
        }
        else
        {
            for (var i = 20; i < 27; i++)
            {
                w.Bind(i, (long?)null);
            }
        }

        BindTotals(w, 27, row.Totals);
        w.Run();
    }

    private void PutDetail(RunRow row)
    {
        var state = row.State;
        var w = _putDetail;
        w.Bind(1, row.Pk);
        w.Bind(2, (int)state.Updated);
        w.BindBlob(3, PayloadRefs.Encode(row.Refs));
        w.Bind(4, state.InputsPreview);
        w.Bind(5, state.OutputsPreview);
        w.Bind(6, state.Error is { Length: > 4_096 } error ? error[..4_096] : state.Error);
        w.Bind(7, state.Failed ? 1 : 0);
        w.BindUtf8(8, state.Tags.Count == 0 ? default : Serialize(state.Tags));
        w.BindUtf8(9, Metadata(state));
        w.BindUtf8(10, Touched(state));
        w.BindUtf8(11, state.Attachments.Count == 0 ? default : Serialize(state.Attachments));
        w.BindUtf8(12, state.Usage is null ? default : Serialize(state.Usage));
        w.BindUtf8(13, row.Cost is null ? default : Serialize(row.Cost));
        w.Bind(14, state.Warning);
        w.Bind(15, Micros(row.ReceivedAt));
        w.Run();
    }

    /// <summary>Binds the seven columns of totals from a position on.</summary>
    public static void BindTotals(Statement w, int at, TraceTotals totals)
    {
        w.Bind(at, totals.PromptTokens);
        w.Bind(at + 1, totals.CompletionTokens);
        w.Bind(at + 2, totals.TotalTokens);
        w.Bind(at + 3, Columns.Nanos(totals.PromptCost));
        w.Bind(at + 4, Columns.Nanos(totals.CompletionCost));
        w.Bind(at + 5, Columns.Nanos(totals.TotalCost));
        w.Bind(at + 6, (int)totals.Source);
    }

    /// <summary>Reads what <see cref="BindTotals"/> wrote.</summary>
    public static TraceTotals ReadTotals(Statement r, int at) =>
        new(
            r.Long(at),
            r.Long(at + 1),
            r.Long(at + 2),
            Columns.Dollars(r.Long(at + 3)),
            Columns.Dollars(r.Long(at + 4)),
            Columns.Dollars(r.Long(at + 5)),
            (FigureSource)r.Int(at + 6)
        );

    private static List<RunRow> Read(Statement statement)
    {
        var rows = new List<RunRow>(1);
        while (statement.Step())
        {
            rows.Add(ReadRow(statement));
        }

        return rows;
    }

    private static RunRow ReadRow(Statement r)
    {
        const int d = RunCount;
        var state = new RunState
        {
            RunId = r.Id(2),
            TraceId = r.Id(3),
            StartTime = UtcMicroseconds.FromMicroseconds(r.Long(4)),
            ReferenceExampleId = r.IdOrNull(5),
            ParentRunId = r.IdOrNull(6),
            Kind = (RunKind)r.Int(8),
            Name = r.Text(10),
            Model = r.Text(11),
            Provider = r.Text(12),
            ThreadId = r.Text(13),
            EndTime = Time(r, 14),
            FirstTokenTime = Time(r, 16),
            DottedOrder = r.Text(18),
            Updated = (RunFields)r.Int(d + 1),
            InputsPreview = r.Text(d + 3),
            OutputsPreview = r.Text(d + 4),
            Error = r.Text(d + 5),
            Failed = r.Int(d + 6) != 0,
            Tags = Json<List<string>>(r, d + 7) ?? [],
            Usage = Json<TokenUsage>(r, d + 11),
            Warning = r.Text(d + 13),
        };
        var touched = Json<HashSet<string>>(r, d + 9);
        if (!r.IsNull(d + 8))
        {
            var metadata = new Utf8JsonReader(r.Blob(d + 8));
            while (metadata.Read())
            {
                if (metadata.TokenType == JsonTokenType.PropertyName)
                {
                    var key = metadata.GetString() ?? "";
                    metadata.Read();
                    state.Metadata[key] = (
                        metadata.GetString() ?? "",
                        touched?.Contains(key) ?? false
                    );
                }
            }
        }

        if (Json<List<Attachment>>(r, d + 10) is { } attachments)
        {
            state.Attachments.AddRange(attachments);
        }

        var row = new RunRow
        {
            Pk = r.Long(0),
            Project = r.Int(1),
            State = state,
            Refs = PayloadRefs.Decode(r.Blob(d + 2)),
            Cost = Json<RunCost>(r, d + 12),
            IsRoot = r.Int(7) != 0,
            Totals = ReadTotals(r, 26),
            ReceivedAt = Time(r, d + 14),
        };
        row.Stored = row.Key;
        row.Counted = row.Contribute();
        return row;
    }

    private ReadOnlySpan<byte> Metadata(RunState state)
    {
        if (state.Metadata.Count == 0)
        {
            return default;
        }

        Begin();
        _json.WriteStartObject();
        foreach (var (key, value) in state.Metadata)
        {
            _json.WriteString(key, value.Value);
        }

        _json.WriteEndObject();
        return End();
    }

    private ReadOnlySpan<byte> Touched(RunState state)
    {
        if (!state.Metadata.Values.Any(v => v.Updated))
        {
            return default;
        }

        Begin();
        _json.WriteStartArray();
        foreach (var (key, value) in state.Metadata)
        {
            if (value.Updated)
            {
                _json.WriteStringValue(key);
            }
        }

        _json.WriteEndArray();
        return End();
    }

    private ReadOnlySpan<byte> Serialize<T>(T value)
    {
        Begin();
        JsonSerializer.Serialize(_json, value);
        return End();
    }

    private void Begin()
    {
        _buffer.ResetWrittenCount();
        _json.Reset(_buffer);
    }

    private ReadOnlySpan<byte> End()
    {
        _json.Flush();
        return _buffer.WrittenSpan;
    }

    public static T? Json<T>(Statement r, int column)
        where T : class => r.IsNull(column) ? null : JsonSerializer.Deserialize<T>(r.Blob(column));

    private static DateTimeOffset? Time(Statement r, int column) =>
        r.LongOrNull(column) is { } micros ? UtcMicroseconds.FromMicroseconds(micros) : null;

    private static long? Micros(DateTimeOffset? time) =>
        time is { } value ? UtcMicroseconds.ToMicroseconds(value) : null;

    private static long? Micros(TimeSpan? span) =>
        span is { } value ? value.Ticks / TimeSpan.TicksPerMicrosecond : null;

    private static string Marks(int count) =>
        string.Join(", ", Enumerable.Range(1, count).Select(i => $"?{i}"));

    private static string Prefixed(string alias, string columns) =>
        string.Join(", ", columns.Split(", ").Select(c => $"{alias}.{c}"));
}
