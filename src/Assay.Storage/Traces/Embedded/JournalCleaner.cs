using Assay.Core.Traces;
using Assay.Storage.Journals;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// Gives the journal's disk back. A closed segment of whose payload bytes less than half belong to a run has those written again at the end of
/// the journal, as a <see cref="MoveRecord"/> that the applier turns into new addresses in one transaction with its position: a crash at any
/// point leaves either the old address and the old segment or the new ones. A segment is deleted when neither the counts nor a look at
/// every run it names know of a payload in it; one with a damaged frame that may still be somebody's stays.
/// </summary>
internal sealed partial class JournalCleaner(
    Journal journal,
    IndexDatabase index,
    Func<RunBatch, CancellationToken, ValueTask> append,
    Func<CancellationToken, Task> settle,
    ILogger logger
)
{
    private const int MaxPieces = 500;
    private const int MaxBytes = 2 << 20;

    /// <summary>Cleans the segments before a position.</summary>
    /// <returns>How many segments were deleted.</returns>
    public async Task<int> CleanAsync(int before, CancellationToken cancellationToken)
    {
        var deleted = 0;
        foreach (var segment in journal.Segments.Where(s => s.Number < before))
        {
            var (arrived, live) = Use(segment.Number);
            if (live * 2 > arrived && live > 0)
            {
                continue;
            }

            if (live > 0)
            {
                await MoveAsync(segment.Number, cancellationToken);
                await settle(cancellationToken);
            }

            if (Use(segment.Number).Live == 0 && !Living(segment.Number, cancellationToken).Any())
            {
                journal.DeleteSegment(segment.Number);
                Log.Deleted(logger, segment.Number, segment.Bytes);
                deleted++;
            }
        }

        return deleted;
    }

    private (long Arrived, long Live) Use(int segment)
    {
        using var reader = index.Read();
        return SegmentUse.Read(reader.Connection).GetValueOrDefault(segment);
    }

    private async Task MoveAsync(int segment, CancellationToken cancellationToken)
    {
        var workspace = Guid.Empty;
        var pieces = new List<RunWrite>();
        long bytes = 0;
        foreach (var (owner, run, payload) in Living(segment, cancellationToken))
        {
            if (
                pieces.Count > 0
                && (owner != workspace || pieces.Count >= MaxPieces || bytes >= MaxBytes)
            )
            {
                await SendAsync();
            }

            workspace = owner;
            try
            {
                pieces.Add(MoveRecord.Of(run, payload.Kind, journal.Read(payload.Address)));
                bytes += payload.Length;
            }
            catch (InvalidDataException e)
            {
                // It cannot be read where it is either; its segment stays, so that nothing is made worse.
                Log.Unreadable(logger, segment, e);
            }
        }

        if (pieces.Count > 0)
        {
            await SendAsync();
        }

        async Task SendAsync()
        {
            await append(new RunBatch(workspace, [.. pieces], []), cancellationToken);
            pieces.Clear();
            bytes = 0;
        }
    }

    /// <summary>The payloads of a segment that a run points to.</summary>
    private IEnumerable<(Guid Workspace, Guid Run, JournaledPayload Payload)> Living(
        int segment,
        CancellationToken cancellationToken
    )
    {
        foreach (var batch in journal.ReadSegment(segment))
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<(Guid, Guid, JournaledPayload)> living;
            // Borrowed per frame: a reader that stays open keeps the write-ahead log of the index from shrinking.
            using (var reader = index.Read())
            {
                using var command = reader.Connection.CreateCommand();
                command.CommandText =
                    "SELECT d.refs FROM run r JOIN detail d ON d.pk = r.pk JOIN project p ON p.no = r.project WHERE r.id = $id AND p.workspace = $w";
                command.Parameters.AddWithValue("$w", Columns.Id(batch.WorkspaceId));
                var id = command.Parameters.Add("$id", SqliteType.Blob);
                living = [];
                foreach (var run in batch.Runs)
                {
                    var inline = run.Payloads.Where(p => p.BlobKey is null).ToList();
                    if (inline.Count == 0)
                    {
                        continue;
                    }

                    id.Value = Columns.Id(run.Write.RunId);
                    var held = Held(command);
                    living.AddRange(
                        inline
                            .Where(p => held.Contains(p.Address))
                            .Select(p => (batch.WorkspaceId, run.Write.RunId, p))
                    );
                }
            }

            foreach (var item in living)
            {
                yield return item;
            }
        }
    }

    private static HashSet<PayloadAddress> Held(SqliteCommand command)
    {
        using var rows = command.ExecuteReader();
        var held = new HashSet<PayloadAddress>();
        while (rows.Read())
        {
            if (!rows.IsDBNull(0))
            {
                held.UnionWith(
                    PayloadRefs
                        .Decode(rows.GetFieldValue<byte[]>(0))
                        .Where(r => r.BlobKey is null)
                        .Select(r => r.Address)
                );
            }
        }

        return held;
    }

    private static partial class Log
    {
        [LoggerMessage(
            2301,
            LogLevel.Information,
            "Journal segment {Segment} held nothing of any run and is deleted: {Bytes} bytes"
        )]
        public static partial void Deleted(ILogger logger, int segment, long bytes);

        [LoggerMessage(
            2302,
            LogLevel.Error,
            "A payload of journal segment {Segment} cannot be read to be moved; the segment stays"
        )]
        public static partial void Unreadable(ILogger logger, int segment, Exception error);
    }
}
