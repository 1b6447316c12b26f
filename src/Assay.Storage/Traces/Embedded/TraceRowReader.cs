using System.Text;
using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// All runs of one trace as narrow rows. A screen waits for 10,000 of them, so they are read without the driver's row objects, in as few calls
/// of the engine as there are figures (each costs as much as a column's decoding), and without a new text for each of the names that repeat.
/// </summary>
internal sealed class TraceRowReader
{
    private const int RowsPerCheck = 1_024;
    private const int MaxOnStack = 256;

    /// <summary>Says "no time" in a column that is a number otherwise.</summary>
    private const long NoTime = long.MinValue;

    private const string Columns =
        "r.pk, r.project, r.id, r.parent, r.is_root, r.kind, r.status, r.name, r.model, r.provider, r.thread, r.start_us, "
        + "ifnull(r.end_us, -9223372036854775808), ifnull(r.first_us, -9223372036854775808), r.example, r.dotted, "
        + "(r.sum_p | r.sum_c | r.sum_t | r.sum_pc | r.sum_cc | r.sum_tc | r.sum_src) <> 0, "
        + "r.sum_p, r.sum_c, r.sum_t, r.sum_pc, r.sum_cc, r.sum_tc, r.sum_src";

    private readonly ProjectNumbers _projects;
    private readonly Statement _rows;
    private readonly Guid _traceId;
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _known;
    private int _project = -1;
    private Guid _projectId;

    private TraceRowReader(ProjectNumbers projects, Statement rows, Guid traceId)
    {
        (_projects, _rows, _traceId) = (projects, rows, traceId);
        _known = _texts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <param name="connection">A reader on loan.</param>
    /// <param name="projects">Names the projects.</param>
    /// <param name="numbers">Projects to look in.</param>
    /// <param name="traceId">The trace.</param>
    /// <param name="cancellationToken">Cancels between rows.</param>
    public static List<Run> Read(
        SqliteConnection connection,
        ProjectNumbers projects,
        IReadOnlyList<int> numbers,
        Guid traceId,
        CancellationToken cancellationToken
    )
    {
        using var rows = new Statement(
            connection,
            $"SELECT {Columns} FROM run r WHERE r.trace = ?1 AND r.project IN ({string.Join(',', numbers)})"
        );
        rows.Bind(1, traceId);
        var reader = new TraceRowReader(projects, rows, traceId);
        var runs = new List<Run>();
        while (rows.Step())
        {
            if (runs.Count % RowsPerCheck == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            runs.Add(reader.Row());
        }

        return runs;
    }

    private Run Row()
    {
        var r = _rows;
        var id = r.Id(2);
        var start = UtcMicroseconds.FromMicroseconds(r.Long(11));
        return new Run
        {
            Sequence = r.Long(0),
            ProjectId = Project(r.Int(1)),
            Id = id,
            TraceId = _traceId,
            ParentRunId = Reference(3),
            IsRoot = r.Int(4) != 0,
            Kind = (RunKind)r.Int(5),
            Status = (RunStatus)r.Int(6),
            Name = Text(7) ?? "",
            Model = Text(8),
            Provider = Text(9),
            ThreadId = Text(10),
            StartTime = start,
            EndTime = Time(r.Long(12)),
            FirstTokenTime = Time(r.Long(13)),
            ReferenceExampleId = Reference(14),
            DottedOrder = r.Text(15) ?? RunNormalizer.OrderSegment(start, id),
            Totals = r.Int(16) == 0 ? TraceTotals.None : RunTable.ReadTotals(r, 17),
        };
    }

    private Guid Project(int number)
    {
        if (number != _project)
        {
            (_project, _projectId) = (number, _projects[number].Project);
        }

        return _projectId;
    }

    private Guid? Reference(int column) =>
        _rows.Blob(column) is { IsEmpty: false } bytes ? new Guid(bytes, bigEndian: true) : null;

    /// <summary>A text that most likely was met before; null when there is none.</summary>
    private string? Text(int column)
    {
        // As bytes: an empty text and none look alike then.
        var utf8 = _rows.Blob(column);
        if (utf8.IsEmpty)
        {
            return _rows.IsNull(column) ? null : "";
        }

        if (utf8.Length > MaxOnStack)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        Span<char> chars = stackalloc char[MaxOnStack];
        var text = chars[..Encoding.UTF8.GetChars(utf8, chars)];
        if (!_known.TryGetValue(text, out var known))
        {
            known = text.ToString();
            _texts.Add(known);
        }

        return known;
    }

    private static DateTimeOffset? Time(long micros) =>
        micros == NoTime ? null : UtcMicroseconds.FromMicroseconds(micros);
}
