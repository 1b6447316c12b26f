using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Assay.Core.Access;
using Assay.Core.Evaluators.Judges;
using Assay.Core.Feedback;
using Assay.Core.Traces;

namespace Assay.UI.Traces;

/// <summary>A trace as it was read at one moment.</summary>
/// <param name="Runs">Its runs without payloads, parents before children.</param>
/// <param name="Feedback">Figures by key of the runs that have feedback; empty for traces too large for badges.</param>
/// <param name="Trust">Badges of the judges whose scores are among them, by key.</param>
/// <param name="Now">When it was read.</param>
public sealed record TraceReading(
    IReadOnlyList<Run> Runs,
    IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>> Feedback,
    IReadOnlyDictionary<string, TrustBadge> Trust,
    DateTimeOffset Now
);

/// <summary>
/// Reads traces for the screen, each opening once: the page takes its first rows from the reading, and the request for all rows, which the
/// browser sends a moment later, gets the same reading by a number nobody else has, in bytes that were made meanwhile. A reading that is not
/// asked for is dropped after <see cref="Kept"/>; readings of at most <see cref="MaxKeptRuns"/> runs are kept. Thread-safe.
/// </summary>
public sealed class TraceReadings(TraceQueries queries, JudgeTrust trust, TimeProvider time)
{
    /// <summary>Badges need one look-up per 500 runs; beyond this many runs they are left out of the tree.</summary>
    private const int MaxBadgedRuns = 5_000;

    /// <summary>About 20 MB of rows; a page that finds no room is followed by a reading of its own.</summary>
    private const int MaxKeptRuns = 300_000;
    private const int BytesPerRun = 96;
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, Entry> _kept = new();
    private int _keptRuns;

    /// <summary>The trace as it is now.</summary>
    public async Task<TraceReading> ReadAsync(
        Caller caller,
        Guid traceId,
        Guid? projectId,
        CancellationToken cancellationToken
    )
    {
        var runs = await queries.ReadTraceAsync(
            caller,
            traceId,
            projectId,
            RunParts.None,
            cancellationToken
        );
        var feedback = runs.Count is 0 or > MaxBadgedRuns
            ? []
            : await FeedbackAsync(caller, runs, cancellationToken);
        var keys = feedback
            .Values.SelectMany(f => f)
            .Where(f => f.Value.Evaluators.Count > 0)
            .Select(f => f.Key)
            .ToHashSet(StringComparer.Ordinal);
        var badges =
            keys.Count == 0
                ? []
                : (await trust.BadgesAsync(caller, cancellationToken)).Where(b =>
                    keys.Contains(b.Key)
                );
        return new TraceReading(
            runs,
            feedback,
            badges.ToDictionary(b => b.Key, b => b.Value, StringComparer.Ordinal),
            time.GetUtcNow()
        );
    }

    /// <summary>Keeps a reading for the request that follows; returns the number to ask with.</summary>
    public Guid Keep(Caller caller, Guid traceId, TraceReading reading)
    {
        var number = Guid.CreateVersion7(time.GetUtcNow());
        if (Interlocked.Add(ref _keptRuns, reading.Runs.Count) > MaxKeptRuns)
        {
            Interlocked.Add(ref _keptRuns, -reading.Runs.Count);
            return number;
        }

        // The timer begins after the entry is there: it must not miss it.
        var entry = new Entry(
            caller.WorkspaceId,
            traceId,
            reading.Runs.Count,
            Task.Run(() => Bytes(reading))
        );
        _kept[number] = entry;
        entry.Expiry = time.CreateTimer(_ => Drop(number), null, Kept, Timeout.InfiniteTimeSpan);
        return number;
    }

    /// <summary>The rows of a kept reading, once; null when it is not there, or was another's.</summary>
    public async Task<ReadOnlyMemory<byte>?> TakeAsync(Caller caller, Guid traceId, Guid number)
    {
        if (
            _kept.TryGetValue(number, out var entry)
            && entry.WorkspaceId == caller.WorkspaceId
            && entry.TraceId == traceId
            && Drop(number)
        )
        {
            return await entry.Rows;
        }

        return null;
    }

    private bool Drop(Guid number)
    {
        if (!_kept.TryRemove(number, out var entry))
        {
            return false;
        }

        Interlocked.Add(ref _keptRuns, -entry.Runs);
        entry.Expiry?.Dispose();
        return true;
    }

    private static ReadOnlyMemory<byte> Bytes(TraceReading reading)
    {
        var bytes = new ArrayBufferWriter<byte>(1024 + (reading.Runs.Count * BytesPerRun));
        using (var writer = new Utf8JsonWriter(bytes))
        {
            TraceRows.Write(writer, reading, withTextMarks: false);
        }

        return bytes.WrittenMemory;
    }

    private async Task<Dictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>>> FeedbackAsync(
        Caller caller,
        IReadOnlyList<Run> runs,
        CancellationToken cancellationToken
    )
    {
        var found = new List<FeedbackRecord>();
        foreach (var chunk in runs.Chunk(500))
        {
            found.AddRange(
                await queries.FeedbackAsync(
                    caller,
                    new FeedbackQuery
                    {
                        WorkspaceId = caller.WorkspaceId,
                        RunIds = [.. chunk.Select(r => r.Id)],
                        Limit = 10_000,
                    },
                    cancellationToken
                )
            );
        }

        return found
            .Where(f => f.RunId is not null)
            .GroupBy(f => f.RunId ?? Guid.Empty)
            .ToDictionary(g => g.Key, FeedbackStats.Of);
    }

    private sealed class Entry(
        Guid workspaceId,
        Guid traceId,
        int runs,
        Task<ReadOnlyMemory<byte>> rows
    )
    {
        public Guid WorkspaceId { get; } = workspaceId;

        public Guid TraceId { get; } = traceId;

        public int Runs { get; } = runs;

        public Task<ReadOnlyMemory<byte>> Rows { get; } = rows;

        public ITimer? Expiry { get; set; }
    }
}
