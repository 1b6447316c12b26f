using Assay.Core.Metadata;
using Assay.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// All runs of one trace as narrow rows. Read without the driver's row objects: a screen waits for 10,000 of them, and through the driver
/// most of that time went into boxes and arrays.
/// </summary>
internal static class TraceRowReader
{
    private const int RowsPerCheck = 1_024;

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
            $"SELECT {RunReaderRows.RunColumns} FROM run r WHERE r.trace = ?1 AND r.project IN ({string.Join(',', numbers)})"
        );
        rows.Bind(1, traceId);
        var runs = new List<Run>();
        while (rows.Step())
        {
            if (runs.Count % RowsPerCheck == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            runs.Add(Row(rows, projects, traceId));
        }

        return runs;
    }

    private static Run Row(Statement r, ProjectNumbers projects, Guid traceId)
    {
        var id = r.Id(2);
        var start = UtcMicroseconds.FromMicroseconds(r.Long(12));
        return new Run
        {
            Sequence = r.Long(0),
            ProjectId = projects[r.Int(1)].Project,
            Id = id,
            TraceId = traceId,
            ParentRunId = r.IdOrNull(4),
            IsRoot = r.Int(5) != 0,
            Kind = (RunKind)r.Int(6),
            Status = (RunStatus)r.Int(7),
            Name = r.Text(8) ?? "",
            Model = r.Text(9),
            Provider = r.Text(10),
            ThreadId = r.Text(11),
            StartTime = start,
            EndTime = Time(r.LongOrNull(13)),
            FirstTokenTime = Time(r.LongOrNull(14)),
            ReferenceExampleId = r.IdOrNull(15),
            DottedOrder = r.Text(16) ?? RunNormalizer.OrderSegment(start, id),
            Totals = RunTable.ReadTotals(r, 17),
        };
    }

    private static DateTimeOffset? Time(long? micros) =>
        micros is { } known ? UtcMicroseconds.FromMicroseconds(known) : null;
}
