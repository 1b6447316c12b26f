using Assay.Core.Blobs;
using Assay.Core.Feedback;
using Assay.Core.Filters;
using Assay.Core.Models;
using Assay.Core.Threads;
using Assay.Core.Traces;
using Assay.Storage.Journals;
using Assay.Storage.Traces.Search;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// The run store of one machine: journal, then applier, then SQLite index. Opens and catches up in <see cref="StartAsync"/>, drains in
/// <see cref="StopAsync"/>.
/// </summary>
internal sealed partial class EmbeddedRunStore : IRunStore, IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(10);
    private readonly Journal _journal;
    private readonly IndexDatabase _index;
    private readonly ProjectNumbers _projects;
    private readonly Applier _applier;
    private readonly SearchIndex _search;
    private readonly IndexWriter _writer;
    private readonly ExperimentCache _experiments;
    private readonly StoreUpkeep _upkeep;
    private readonly CancellationTokenSource _closing = new();
    private readonly RunReader _runs;
    private readonly StatsReader _stats;
    private readonly ThreadReader _threads;
    private readonly UsagePartsReader _parts;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _waitLock = new();
    private readonly List<(JournalPosition Position, TaskCompletionSource Done)> _waiting = [];
    private JournalPosition _applied;
    private DateTimeOffset? _oldest;
    private string? _failure;
    private Task _loop = Task.CompletedTask;
    private Task _rebuild = Task.CompletedTask;
    private bool _isDisposed;

    public EmbeddedRunStore(
        string directory,
        IBlobStore blobs,
        PriceLookup price,
        TimeProvider time,
        ILoggerFactory loggers,
        long segmentBytes = JournalOptions.DefaultSegmentBytes
    )
    {
        _directory = directory;
        _time = time;
        _logger = loggers.CreateLogger<EmbeddedRunStore>();
        Directory.CreateDirectory(directory);
        PayloadReader? payloads = null;
        SearchSlots? slots = null;
        _index = new IndexDatabase(
            Path.Combine(directory, "runs.db"),
            db => Register(db, () => payloads, () => slots)
        );
        _applied = Applier.Position(_index.Writer);
        _journal = Journal.Open(
            new JournalOptions(Path.Combine(directory, "journal")) { SegmentBytes = segmentBytes },
            time,
            loggers.CreateLogger<Journal>(),
            _applied
        );
        payloads = new PayloadReader(_journal, blobs);
        _projects = new ProjectNumbers(_index.Writer);
        _applier = new Applier(_index.Writer, _projects, price, _journal);
        _search = SearchIndex.Open(
            Path.Combine(directory, "search"),
            new BlockReader(_journal).Read,
            _applier.LastPk,
            loggers.CreateLogger<SearchIndex>()
        );
        slots = new SearchSlots(_search);
        _runs = new RunReader(_index, _projects, payloads, slots);
        _experiments = new ExperimentCache(_index, _projects);
        _writer = new IndexWriter(_index, _applier, _experiments);
        _upkeep = new StoreUpkeep(
            _index,
            _writer,
            _applier,
            _projects,
            _search,
            blobs,
            new JournalCleaner(
                _journal,
                _index,
                AppendPatientlyAsync,
                SettleWhollyAsync,
                loggers.CreateLogger<JournalCleaner>()
            )
        );
        _stats = new StatsReader(_index, _projects, _runs);
        _threads = new ThreadReader(_index, _runs, _stats);
        _parts = new UsagePartsReader(_index, _runs);
    }

    public event Action<IReadOnlyList<RunsChanged>>? Changed;

    /// <summary>Ends when a search index that had to be built again has been given every run; at once for one that had not.</summary>
    public Task Rebuilding => _rebuild;

    public StoreHealth Health =>
        new()
        {
            Backlog = _journal.Durable.CanCount ? _journal.Durable.Count : 0,
            Lag = _oldest is { } since ? _time.GetUtcNow() - since : TimeSpan.Zero,
            DiskBytes = new Dictionary<string, long>
            {
                ["journal"] = _journal.Segments.Sum(s => s.Bytes),
                ["index"] = _index.Bytes,
                ["search"] = _search.Bytes,
            },
            DiskFree = new DriveInfo(Path.GetFullPath(_directory)).AvailableFreeSpace,
            RunCount = _applier.RunCount,
            DamagedFrames = _journal.DamagedFrames,
            Failure = _failure ?? _journal.Failure,
        };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _search.Start();
        var feeder = new SearchFeeder(_search, _index, _journal);
        await feeder.CatchUpAsync(_applied);
        foreach (var chunk in _journal.Replay(_applied).Chunk(64))
        {
            await ApplyAsync(chunk);
        }

        _rebuild = Task.Run(() => feeder.RebuildAsync(_closing.Token), CancellationToken.None);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public ValueTask AppendAsync(RunBatch batch, CancellationToken cancellationToken) =>
        _journal.AppendAsync(batch, cancellationToken);

    public async ValueTask<bool> SettleAsync(CancellationToken cancellationToken)
    {
        var end = _journal.End;
        TaskCompletionSource done;
        lock (_waitLock)
        {
            if (_applied >= end)
            {
                return true;
            }

            done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((end, done));
        }

        try
        {
            await done.Task.WaitAsync(SettleLimit, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public Task<RunPage> QueryAsync(RunQuery query, CancellationToken cancellationToken) =>
        _runs.QueryAsync(query, cancellationToken);

    public Task<Core.Experiments.ExperimentFigures> ExperimentFiguresAsync(
        Guid workspaceId,
        Guid experimentId,
        CancellationToken cancellationToken
    ) =>
        Task.Run(
            () => _experiments.Read(workspaceId, experimentId, cancellationToken),
            cancellationToken
        );

    public Task<Run?> FindAsync(
        Guid workspaceId,
        Guid runId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    ) => _runs.FindAsync(workspaceId, runId, projectId, parts, cancellationToken);

    public Task<IReadOnlyList<Run>> ReadTraceAsync(
        Guid workspaceId,
        Guid traceId,
        Guid? projectId,
        RunParts parts,
        CancellationToken cancellationToken
    ) => _runs.TraceAsync(workspaceId, traceId, projectId, parts, cancellationToken);

    public Task<Stream?> OpenPayloadAsync(
        Guid workspaceId,
        Guid runId,
        Guid? projectId,
        PayloadKind kind,
        CancellationToken cancellationToken
    ) => _runs.PayloadAsync(workspaceId, runId, projectId, kind, cancellationToken);

    public Task<RunStats> StatsAsync(RunQuery query, CancellationToken cancellationToken) =>
        Task.FromResult(_stats.Stats(query, cancellationToken));

    public Task<IReadOnlyDictionary<string, FeedbackStats>> FeedbackStatsAsync(
        RunQuery query,
        CancellationToken cancellationToken
    ) => Task.FromResult(_stats.Feedback(query));

    public Task<UsageParts> UsagePartsAsync(RunQuery query, CancellationToken cancellationToken) =>
        Task.FromResult(_parts.Read(query, cancellationToken));

    public Task<IReadOnlyDictionary<Guid, RunStats>> ProjectStatsAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> projectIds,
        DateTimeOffset? since,
        DateTimeOffset? until,
        bool rootsOnly,
        CancellationToken cancellationToken
    ) => Task.FromResult(_stats.Projects(workspaceId, projectIds, since, until, rootsOnly));

    public Task<IReadOnlyList<RunBucket>> SeriesAsync(
        RunSeriesQuery query,
        CancellationToken cancellationToken
    ) => Task.FromResult(_stats.Series(query, cancellationToken));

    public Task<IReadOnlyList<Facet>> FacetsAsync(
        Guid workspaceId,
        Guid projectId,
        DateTimeOffset? since,
        DateTimeOffset? until,
        int maxValues,
        CancellationToken cancellationToken
    ) => Task.FromResult(_stats.FacetsOf(workspaceId, projectId, since, until, maxValues));

    public Task<ConversationPage> ConversationsAsync(
        ConversationQuery query,
        CancellationToken cancellationToken
    ) => _threads.ConversationsAsync(query, cancellationToken);

    public async Task<(IReadOnlyList<Guid> Direct, IReadOnlyList<Guid> All)> ChildIdsAsync(
        Guid workspaceId,
        Guid traceId,
        Guid runId,
        CancellationToken cancellationToken
    )
    {
        var trace = await _runs.TraceAsync(
            workspaceId,
            traceId,
            null,
            RunParts.None,
            cancellationToken
        );
        var below = new HashSet<Guid> { runId };
        var all = new List<Guid>();
        foreach (var run in trace)
        {
            // Parents come before their children, so one pass finds every descendant.
            if (run.ParentRunId is { } parent && below.Contains(parent) && below.Add(run.Id))
            {
                all.Add(run.Id);
            }
        }

        return ([.. trace.Where(r => r.ParentRunId == runId).Select(r => r.Id)], all);
    }

    public Task<IReadOnlyList<FeedbackRecord>> FeedbackAsync(
        FeedbackQuery query,
        CancellationToken cancellationToken
    )
    {
        using var reader = _index.Read();
        return Task.FromResult<IReadOnlyList<FeedbackRecord>>(
            FeedbackTable.Query(reader.Connection, query)
        );
    }

    public async Task<FeedbackRecord?> UpdateFeedbackAsync(
        Guid workspaceId,
        Guid feedbackId,
        Func<FeedbackRecord, FeedbackRecord> change,
        CancellationToken cancellationToken
    )
    {
        var changed = await _writer.WriteAsync(
            () =>
            {
                if (FeedbackTable.Find(_index.Writer, workspaceId, feedbackId) is not { } old)
                {
                    return null;
                }

                var changed = change(old);
                FeedbackTable.Put(_index.Writer, workspaceId, changed);
                return changed;
            },
            cancellationToken
        );
        _experiments.Changed(workspaceId, changed is null ? [] : [changed]);
        return changed;
    }

    public async Task<bool> DeleteFeedbackAsync(
        Guid workspaceId,
        Guid feedbackId,
        CancellationToken cancellationToken
    )
    {
        var gone = await _writer.WriteAsync(
            () =>
                FeedbackTable.Find(_index.Writer, workspaceId, feedbackId) is { } old
                && FeedbackTable.Delete(_index.Writer, workspaceId, feedbackId)
                    ? old
                    : null,
            cancellationToken
        );
        _experiments.Changed(workspaceId, gone is null ? [] : [gone]);
        return gone is not null;
    }

    public Task<
        IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>>
    > ProjectFeedbackAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> projectIds,
        CancellationToken cancellationToken
    )
    {
        using var reader = _index.Read();
        var found = FeedbackTable
            .Query(
                reader.Connection,
                new FeedbackQuery
                {
                    WorkspaceId = workspaceId,
                    ProjectIds = projectIds,
                    Limit = int.MaxValue,
                }
            )
            .Where(f => f.RunId is null && f.ProjectId is not null);
        return Task.FromResult<
            IReadOnlyDictionary<Guid, IReadOnlyDictionary<string, FeedbackStats>>
        >(found.GroupBy(f => f.ProjectId ?? Guid.Empty).ToDictionary(g => g.Key, FeedbackStats.Of));
    }

    public Task<long> DeleteRunsAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> runIds,
        CancellationToken cancellationToken
    ) =>
        _upkeep.RemoveAsync(
            () => [.. runIds.Distinct().SelectMany(id => _applier.Rows(workspaceId, id))],
            cancellationToken
        );

    public Task<long> DeleteTracesAsync(
        Guid workspaceId,
        IReadOnlyList<Guid> traceIds,
        Guid? projectId,
        CancellationToken cancellationToken
    ) =>
        _upkeep.RemoveAsync(
            () =>
            {
                var rows = traceIds
                    .Distinct()
                    .SelectMany(id => _applier.TraceRows(workspaceId, id));
                return projectId is not { } id ? [.. rows]
                    : _projects.Find(workspaceId, id) is { } number
                        ? [.. rows.Where(r => r.Project == number)]
                    : [];
            },
            cancellationToken
        );

    public Task<long> DeleteProjectRunsAsync(
        Guid workspaceId,
        Guid projectId,
        CancellationToken cancellationToken
    ) => _upkeep.DeleteProjectAsync(workspaceId, projectId, cancellationToken);

    public Task<long> ExpireAsync(ExpireRequest request, CancellationToken cancellationToken) =>
        _upkeep.ExpireAsync(request, cancellationToken);

    public Task CompactAsync(CancellationToken cancellationToken) =>
        _upkeep.CompactAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _journal.StopAsync();
        await _loop;
        await _closing.CancelAsync();
        try
        {
            await _rebuild;
        }
        catch (OperationCanceledException)
        {
            // It begins again at the next start.
        }

        await _search.DisposeAsync();
        _closing.Dispose();
        _upkeep.Dispose();
        _applier.Dispose();
        _index.Dispose();
        // Last, since the applier and the search index read payloads until they have ended.
        await _journal.DisposeAsync();
    }

    private async Task LoopAsync()
    {
        var batches = new List<JournaledBatch>();
        while (await _journal.Durable.WaitToReadAsync())
        {
            batches.Clear();
            var runs = 0;
            while (runs < 4_000 && _journal.Durable.TryRead(out var batch))
            {
                batches.Add(batch);
                runs += batch.Runs.Count + batch.Feedback.Count;
            }

            _oldest = batches[0].AcceptedAt;
            await ApplyAsync(batches);
            batches.ForEach(_journal.Release);
            _oldest = null;
        }
    }

    private async Task ApplyAsync(IReadOnlyList<JournaledBatch> batches)
    {
        var alone = false;
        for (var attempt = 0; ; attempt++)
        {
            await _index.WriteLock.WaitAsync();
            try
            {
                var changes = _applier.Apply(batches);
                Forget(changes, batches);
                _failure = null;
                await _search.AddAsync(new SearchBatch(batches[^1].End, _applier.SearchDocs()));
                Advance(batches[^1].End);
                Changed?.Invoke(changes);
                return;
            }
            catch (Exception e) when (e is not SqliteException && batches.Count > 1)
            {
                Log.BatchFailed(_logger, e);
                alone = true;
            }
            catch (Exception e) when (e is not SqliteException)
            {
                // A defect of ours, met by this batch alone: it stays in the journal, the others go on.
                Log.BatchSkipped(_logger, batches[0].Start.Segment, batches[0].Start.Offset, e);
                _failure = $"A batch could not be applied: {e.Message}";
                _applier.Skip(batches[0]);
                Advance(batches[0].End);
                return;
            }
            catch (SqliteException e)
            {
                // The journal still holds the batches: nothing is lost while the disk recovers, and back-pressure stops the callers.
                _failure = e.Message;
                Log.ApplyFailed(_logger, e);
            }
            finally
            {
                _index.WriteLock.Release();
            }

            if (alone)
            {
                foreach (var batch in batches)
                {
                    await ApplyAsync([batch]);
                }

                return;
            }

            await Task.Delay(
                TimeSpan.FromMilliseconds(Math.Min(5_000, 100 << Math.Min(attempt, 6))),
                _time
            );
        }
    }

    /// <summary>Before anybody is told that the batches are applied.</summary>
    private void Forget(IReadOnlyList<RunsChanged> changes, IReadOnlyList<JournaledBatch> batches)
    {
        _experiments.Changed(changes);
        foreach (var batch in batches)
        {
            _experiments.Changed(batch.WorkspaceId, batch.Feedback);
        }
    }

    /// <summary>For work of the store's own: waits instead of being refused.</summary>
    private async ValueTask AppendPatientlyAsync(
        RunBatch batch,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                await _journal.AppendAsync(batch, cancellationToken);
                return;
            }
            catch (StoreBusyException e) when (!e.IsFailing)
            {
                await Task.Delay(e.RetryAfter, _time, cancellationToken);
            }
        }
    }

    private async Task SettleWhollyAsync(CancellationToken cancellationToken)
    {
        while (!await SettleAsync(cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Advance(JournalPosition position)
    {
        lock (_waitLock)
        {
            _applied = position;
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_waiting[i].Position <= position)
                {
                    _waiting[i].Done.TrySetResult();
                    _waiting.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>The functions of the index's connections, the first of which is open before what they ask.</summary>
    private static void Register(
        SqliteConnection db,
        Func<PayloadReader?> payloads,
        Func<SearchSlots?> slots
    )
    {
        db.CreateFunction<byte[]?, string?, string?, long, byte[], bool>(
            "assay_search",
            (refs, name, error, scope, words) =>
                payloads()?.Search(refs, name, error, scope, words) ?? false
        );
        // Asked of every row along the order of a page, so past the conversions of the provider.
        raw.sqlite3_create_function(
            db.Handle,
            "assay_candidate",
            2,
            raw.SQLITE_UTF8,
            null,
            (context, _, arguments) =>
                raw.sqlite3_result_int(
                    context,
                    slots()
                        ?.Contains(
                            raw.sqlite3_value_int64(arguments[0]),
                            raw.sqlite3_value_int64(arguments[1])
                        )
                        is false
                        ? 0
                        : 1
                )
        );
        db.CreateFunction<byte[]?, long, string>(
            "assay_pairs",
            (refs, kind) => payloads()?.Pairs(refs, kind) ?? "[]"
        );
        db.CreateFunction<byte[]?, string, bool>(
            "assay_contains",
            (refs, json) => payloads()?.Contains(refs, json) ?? false
        );
        db.CreateFunction<string?, double?>(
            "assay_number",
            FilterText.Number,
            isDeterministic: true
        );
    }

    private static partial class Log
    {
        [LoggerMessage(
            2101,
            LogLevel.Error,
            "The index cannot be written; the journal keeps everything until it can"
        )]
        public static partial void ApplyFailed(ILogger logger, Exception error);

        [LoggerMessage(
            2102,
            LogLevel.Error,
            "Batches could not be applied together; trying them one by one"
        )]
        public static partial void BatchFailed(ILogger logger, Exception error);

        [LoggerMessage(
            2103,
            LogLevel.Error,
            "The batch at segment {Segment}, offset {Offset} could not be applied and is passed over; it stays in the journal"
        )]
        public static partial void BatchSkipped(
            ILogger logger,
            int segment,
            long offset,
            Exception error
        );
    }
}
