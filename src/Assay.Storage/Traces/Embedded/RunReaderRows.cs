using System.Text.Json;
using Assay.Core.Models;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>From columns to <see cref="Run"/>.</summary>
internal static class RunReaderRows
{
    /// <summary>Columns of <c>run r</c> that <see cref="Read"/> understands, in order.</summary>
    public const string RunColumns =
        "r.pk, r.project, r.id, r.trace, r.parent, r.is_root, r.kind, r.status, r.name, r.model, r.provider, r.thread, r.start_us, r.end_us, "
        + "r.first_us, r.example, r.dotted, r.sum_p, r.sum_c, r.sum_t, r.sum_pc, r.sum_cc, r.sum_tc, r.sum_src";

    /// <summary>Columns of <c>detail d</c> that follow.</summary>
    public const string DetailColumns =
        ", d.refs, d.inputs_preview, d.outputs_preview, d.error, d.tags, d.metadata, d.attachments, d.usage, d.cost, d.warning, d.received_us";

    private const int Detail = 24;

    public static Run Read(SqliteDataReader r, ProjectNumbers projects)
    {
        var refs = ReadRefs(r);
        return new Run
        {
            Sequence = r.GetInt64(0),
            ProjectId = projects[r.GetInt32(1)].Project,
            Id = Columns.ReadId(r, 2),
            TraceId = Columns.ReadId(r, 3),
            ParentRunId = Columns.ReadIdOrNull(r, 4),
            IsRoot = r.GetInt32(5) != 0,
            Kind = (RunKind)r.GetInt32(6),
            Status = (RunStatus)r.GetInt32(7),
            Name = r.GetString(8),
            Model = Columns.ReadText(r, 9),
            Provider = Columns.ReadText(r, 10),
            ThreadId = Columns.ReadText(r, 11),
            StartTime = Columns.ReadTime(r, 12),
            EndTime = Columns.ReadTimeOrNull(r, 13),
            FirstTokenTime = Columns.ReadTimeOrNull(r, 14),
            ReferenceExampleId = Columns.ReadIdOrNull(r, 15),
            DottedOrder =
                Columns.ReadText(r, 16)
                ?? RunNormalizer.OrderSegment(Columns.ReadTime(r, 12), Columns.ReadId(r, 2)),
            Totals = ReadTotals(r, 17),
            InputsPreview = Columns.ReadText(r, Detail + 1),
            OutputsPreview = Columns.ReadText(r, Detail + 2),
            Error = Columns.ReadText(r, Detail + 3),
            Tags = Json<List<string>>(r, Detail + 4) ?? [],
            Metadata = [.. Json<Dictionary<string, string>>(r, Detail + 5) ?? []],
            Attachments = Json<List<Attachment>>(r, Detail + 6) ?? [],
            Usage = Json<TokenUsage>(r, Detail + 7),
            Cost = Json<RunCost>(r, Detail + 8),
            Warning = Columns.ReadText(r, Detail + 9),
            ReceivedAt = Columns.ReadTimeOrNull(r, Detail + 10),
            PayloadLengths = refs.GroupBy(p => p.Kind)
                .ToDictionary(g => g.Key, g => g.Sum(p => p.Length)),
        };
    }

    public static List<PayloadRef> ReadRefs(SqliteDataReader r) =>
        PayloadRefs.Decode(r.IsDBNull(Detail) ? null : r.GetFieldValue<byte[]>(Detail));

    public static TraceTotals ReadTotals(SqliteDataReader r, int at) =>
        new(
            r.GetInt64(at),
            r.GetInt64(at + 1),
            r.GetInt64(at + 2),
            Columns.Dollars(r.GetInt64(at + 3)),
            Columns.Dollars(r.GetInt64(at + 4)),
            Columns.Dollars(r.GetInt64(at + 5)),
            (FigureSource)r.GetInt32(at + 6)
        );

    private static T? Json<T>(SqliteDataReader row, int column)
        where T : class =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize<T>(row.GetString(column));
}
