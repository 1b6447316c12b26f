using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Assay.Core.Filters;
using Assay.Storage.Journals;
using Microsoft.Extensions.Logging;

namespace Assay.Storage.Traces.Search;

/// <summary>
/// The token index: which runs may contain a word. A projection of the runs, behind them by milliseconds, written by one task of its own and
/// never on the way to an acknowledgement. What it answers is a superset (a word that was replaced, a row that is gone, a document that still
/// waits), so the reader checks the text of what it returns. After a crash it goes on from the journal position of its last segment; when its
/// files are missing, damaged or of another version it is built again from the rows while searches read on. Thread-safe.
/// </summary>
internal sealed partial class SearchIndex : IAsyncDisposable
{
    /// <summary>Documents that are made a segment of.</summary>
    public const int DefaultDocs = 8_192;
    private const int MaxTokens = 2_000_000;
    private const int Fan = 8;

    /// <summary>So few candidates are looked at rather than narrowed further.</summary>
    private const int FewCandidates = 100;

    /// <summary>A value that one in so many runs has is met soon enough without the index.</summary>
    private const int CommonShare = 50;
    private readonly string _directory;
    private readonly Func<PayloadAddress, ReadOnlyMemory<byte>> _read;
    private readonly ILogger _logger;
    private readonly int _maxDocs;
    private readonly Channel<SearchBatch> _queue = Channel.CreateBounded<SearchBatch>(3);
    private readonly Lock _lock = new();
    private readonly RecentWords _recent = new();
    private readonly WordSet _words = new();
    private readonly List<uint> _tokens = [];
    private readonly SemaphoreSlim _mergeGate = new(1, 1);
    private readonly LinkedList<SearchBatch> _pending = [];
    private SearchSegment[] _segments = [];
    private JournalPosition _through;
    private long _lastNumber;
    private long _unbuiltFrom;
    private long _unbuiltTo;
    private Task _merging = Task.CompletedTask;
    private Task _loop = Task.CompletedTask;
    private volatile bool _isClosing;
    private bool _isMerging;

    private SearchIndex(
        string directory,
        Func<PayloadAddress, ReadOnlyMemory<byte>> read,
        int maxDocs,
        ILogger logger
    )
    {
        _maxDocs = maxDocs;
        _directory = directory;
        _read = read;
        _logger = logger;
    }

    /// <summary>Opens or creates the index in a directory.</summary>
    /// <param name="directory">Where its files lie.</param>
    /// <param name="read">Reads a payload.</param>
    /// <param name="lastPk">The largest row key there is: those rows must be in the index, or are built.</param>
    /// <param name="logger">Told about damage.</param>
    /// <param name="maxDocs">Documents that are made a segment of.</param>
    public static SearchIndex Open(
        string directory,
        Func<PayloadAddress, ReadOnlyMemory<byte>> read,
        long lastPk,
        ILogger logger,
        int maxDocs = DefaultDocs
    )
    {
        Directory.CreateDirectory(directory);
        var index = new SearchIndex(directory, read, maxDocs, logger);
        index.OpenSegments(lastPk);
        return index;
    }

    /// <summary>Everything of the journal up to here is in the segments; the start when they are to be built from the rows.</summary>
    public JournalPosition Through =>
        _segments.Length == 0 ? default : _segments.Max(s => s.Through);

    /// <summary>The row keys that a rebuild has still to read; empty when First is past Last.</summary>
    public (long First, long Last) Unbuilt
    {
        get
        {
            lock (_lock)
            {
                return (_unbuiltFrom, _unbuiltTo);
            }
        }
    }

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _segments.Sum(s => s.Bytes);

    /// <summary>Documents that wait to be searchable without being read.</summary>
    public int PendingDocs
    {
        get
        {
            lock (_lock)
            {
                return _pending.Sum(b => b.Docs.Count);
            }
        }
    }

    public void Start()
    {
        // What the last process did not get to, also when nothing new is written.
        MergeSoon();
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>Hands in documents: candidates of every search from now on, by their words soon. Waits when the index is behind.</summary>
    public ValueTask AddAsync(SearchBatch batch)
    {
        lock (_lock)
        {
            _pending.AddLast(batch);
        }

        return _queue.Writer.WriteAsync(batch);
    }

    /// <summary>The runs that may contain every word in the place; perhaps more.</summary>
    public PostingSet Find(SearchScope scope, IReadOnlyCollection<ulong> words)
    {
        var places = SearchPlaces.Of(scope).ToArray();
        return Find([
            .. words.Take(32).Select(w => places.Select(p => SearchPlaces.Token(w, p)).ToArray()),
        ]);
    }

    /// <summary>
    /// The runs that may have every one of the whole values, perhaps more; null when so many have them that looking at each run is as good.
    /// </summary>
    public PostingSet? FindValues(IEnumerable<long> values)
    {
        var most = _segments.Sum(s => (long)s.Docs) / CommonShare;
        var tokens = values.Select(v => (uint[])[SearchPlaces.Value(v)]).ToList();
        var rare = Undisturbed(() => tokens.FindAll(t => CountOf(t) <= most));
        return
            rare.Count > 0 && Find(rare) is { IsEverything: false } found && found.Count <= most * 2
            ? found
            : null;
    }

    private PostingSet Find(IReadOnlyList<uint[]> tokens)
    {
        try
        {
            return Undisturbed(() => FindIn(tokens));
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Log.Unreadable(_logger, e);
            return PostingSet.Everything();
        }
    }

    /// <summary>Looks again when a merge took a segment away between the look at the list and the look into it; each time, one merge is over.</summary>
    private T Undisturbed<T>(Func<T> look)
    {
        while (true)
        {
            try
            {
                return look();
            }
            catch (ObjectDisposedException) when (!_isClosing)
            {
                // The list of now has what was made of it.
            }
        }
    }

    /// <summary>Every byte of every segment compared with its checksum; the names of the damaged ones.</summary>
    public static IReadOnlyList<string> Damaged(string directory)
    {
        var damaged = new List<string>();
        foreach (
            var path in Directory.EnumerateFiles(directory, "*.words").Order(StringComparer.Ordinal)
        )
        {
            try
            {
                using var segment = SearchSegment.Open(path);
                if (!segment.IsSound())
                {
                    damaged.Add(Path.GetFileName(path));
                }
            }
            catch (InvalidDataException)
            {
                damaged.Add(Path.GetFileName(path));
            }
        }

        return damaged;
    }

    /// <summary>Waits until what was handed in before is searchable without being read, at most <paramref name="limit"/>.</summary>
    public async Task SettleAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        Task done;
        lock (_lock)
        {
            done = _pending.Last?.Value.Done.Task ?? Task.CompletedTask;
        }

        try
        {
            await done.WaitAsync(limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Then they are read.
        }
    }

    /// <summary>Writes what is in memory, so that <see cref="Through"/> is as far as the runs are.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var flush = new SearchBatch(null, [], IsFlush: true);
        await AddAsync(flush);
        await flush.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Takes rows out that are gone: whole segments at once, others when half of them is.</summary>
    /// <param name="alive">The row keys there are.</param>
    public async Task CompactAsync(PostingSet alive)
    {
        foreach (var segment in _segments)
        {
            uint[] docs;
            try
            {
                docs = segment.ReadDocs();
            }
            catch (ObjectDisposedException)
            {
                // Merged meanwhile: what it was made into is looked at next time.
                continue;
            }

            var live = docs.Count(d => alive.Contains(segment.First + d));
            if (live * 2 < docs.Length)
            {
                await MergeAsync([segment], alive);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isClosing = true;
        _queue.Writer.TryComplete();
        await _loop;
        await _merging;
        TryFlush();
        foreach (var segment in _segments)
        {
            segment.Dispose();
        }

        _mergeGate.Dispose();
    }

    private void OpenSegments(long lastPk)
    {
        var marker = Path.Combine(_directory, "rebuilding");
        var found = new List<SearchSegment>();
        try
        {
            foreach (var part in Directory.EnumerateFiles(_directory, "*.part"))
            {
                File.Delete(part);
            }

            foreach (var path in Names())
            {
                found.Add(SearchSegment.Open(path));
            }
        }
        catch (InvalidDataException e)
        {
            Log.Damaged(_logger, e);
            Drop(found);
        }

        if (File.Exists(marker))
        {
            Drop(found);
        }

        if (found.Count == 0 && lastPk > 0)
        {
            File.WriteAllText(marker, "");
            (_unbuiltFrom, _unbuiltTo) = (1, lastPk);
        }
        else
        {
            (_unbuiltFrom, _unbuiltTo) = (1, 0);
        }

        _segments = [.. found];
        _through = Through;
    }

    /// <summary>The files that stand: one made of others takes their place, which a crash between its naming and their deletion may have left undone.</summary>
    private List<string> Names()
    {
        var files = Directory
            .EnumerateFiles(_directory, "*.words")
            .Select(p => (Path: p, Range: Range(p)))
            .OrderBy(f => f.Range.First)
            .ThenByDescending(f => f.Range.Last)
            .ToList();
        var standing = new List<string>();
        foreach (var (path, range) in files)
        {
            if (range.Last <= _lastNumber)
            {
                File.Delete(path);
            }
            else
            {
                _lastNumber = range.Last;
                standing.Add(path);
            }
        }

        return standing;
    }

    private void Drop(List<SearchSegment> segments)
    {
        segments.ForEach(s => s.Dispose());
        segments.Clear();
        foreach (var path in Directory.EnumerateFiles(_directory, "*.words"))
        {
            File.Delete(path);
        }

        _lastNumber = 0;
    }

    private async Task LoopAsync()
    {
        await foreach (var batch in _queue.Reader.ReadAllAsync())
        {
            foreach (var doc in batch.Docs)
            {
                Index(doc);
            }

            lock (_lock)
            {
                _through = batch.End ?? _through;
                _pending.Remove(batch);
                if (batch.RebuiltTo > 0)
                {
                    _unbuiltFrom = batch.RebuiltTo + 1;
                }
            }

            if (batch.IsFlush || _recent.Docs >= _maxDocs || _recent.Tokens >= MaxTokens)
            {
                TryFlush();
            }

            batch.Done.TrySetResult();

            if (batch.RebuiltTo > 0 && batch.RebuiltTo >= _unbuiltTo)
            {
                TryFlush();
                File.Delete(Path.Combine(_directory, "rebuilding"));
                Log.Rebuilt(_logger, _unbuiltTo);
            }

            MergeSoon();
        }
    }

    private void Index(SearchDoc doc)
    {
        _tokens.Clear();
        foreach (var value in doc.Values)
        {
            _tokens.Add(SearchPlaces.Value(value));
        }

        Text(doc.Name, SearchScope.Name);
        Text(doc.Error, SearchScope.Error);
        foreach (var (place, address) in doc.Texts)
        {
            _words.Clear();
            try
            {
                SearchWords.AddJson(_read(address).Span, _words);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                Log.NoText(_logger, doc.Pk, e);
            }

            Put(place);
        }

        lock (_lock)
        {
            _recent.Add(CollectionsMarshal.AsSpan(_tokens), doc.Pk);
        }
    }

    private void Text(string? text, SearchScope place)
    {
        if (!string.IsNullOrEmpty(text))
        {
            _words.Clear();
            SearchWords.AddText(text, _words);
            Put(place);
        }
    }

    private void Put(SearchScope place)
    {
        foreach (var word in _words.Items)
        {
            _tokens.Add(SearchPlaces.Token(word, place));
        }
    }

    /// <summary>The runs that may have one token of each list.</summary>
    private PostingSet FindIn(IReadOnlyList<uint[]> tokens)
    {
        // What waits is noted before what is written is read: a document on its way from one to the other is seen in one of them.
        var waiting = new PostingSet();
        lock (_lock)
        {
            foreach (var doc in _pending.SelectMany(b => b.Docs))
            {
                waiting.Add(doc.Pk);
            }

            if (_unbuiltFrom <= _unbuiltTo)
            {
                waiting.AddRange(_unbuiltFrom, _unbuiltTo);
            }
        }

        PostingSet? found = null;
        foreach (var any in tokens.OrderBy(CountOf))
        {
            var of = new PostingSet();
            // Order matters: a segment is listed before the recent words it was made of are forgotten.
            foreach (var token in any)
            {
                lock (_lock)
                {
                    _recent.Find(token, of);
                }
            }

            foreach (var segment in _segments)
            {
                foreach (var token in any)
                {
                    segment.Find(token, of);
                }
            }

            if (found is null)
            {
                found = of;
            }
            else
            {
                found.IntersectWith(of);
            }

            if (found.Count <= FewCandidates)
            {
                break;
            }
        }

        found ??= PostingSet.Everything();
        foreach (var pk in waiting.Keys())
        {
            found.Add(pk);
        }

        return found;
    }

    private long CountOf(uint[] tokens)
    {
        long count = 0;
        foreach (var token in tokens)
        {
            count += _segments.Sum(s => (long)s.CountOf(token));
        }

        return count;
    }

    private void TryFlush()
    {
        try
        {
            Flush();
        }
        catch (IOException e)
        {
            // They stay in memory, answer from there, and are tried again with the next batch.
            Log.NotFlushed(_logger, e);
        }
    }

    private void Flush()
    {
        if (_recent.Docs == 0)
        {
            return;
        }

        var (docs, first, rented) = _recent.Sorted();
        using var _ = rented;
        var pairs = rented.Span;
        var number = _lastNumber + 1;
        using (var writer = new SearchSegmentWriter(PathOf(number, number), docs, first))
        {
            var of = new List<uint>();
            for (var i = 0; i < pairs.Length; )
            {
                var token = (uint)(pairs[i] >> 32);
                of.Clear();
                for (; i < pairs.Length && (uint)(pairs[i] >> 32) == token; i++)
                {
                    if (of.Count == 0 || of[^1] != (uint)pairs[i])
                    {
                        of.Add((uint)pairs[i]);
                    }
                }

                writer.Add(token, CollectionsMarshal.AsSpan(of));
            }

            writer.Finish(_through);
        }

        var written = SearchSegment.Open(PathOf(number, number));
        lock (_lock)
        {
            _lastNumber = number;
            _segments = [.. _segments, written];
            _recent.Clear();
        }
    }

    /// <summary>
    /// The oldest neighbours of the smallest size that have become as many as are merged at once. The oldest, so that the small ones stay
    /// together at the end and none is left alone between larger ones.
    /// </summary>
    private List<SearchSegment> Mergeable()
    {
        var segments = _segments;
        for (var level = 0; level < 2; level++)
        {
            var count = 0;
            for (var i = 0; i < segments.Length; i++)
            {
                count = Level(segments[i]) == level ? count + 1 : 0;
                if (count == Fan)
                {
                    return [.. segments[(i - Fan + 1)..(i + 1)]];
                }
            }
        }

        return [];
    }

    private int Level(SearchSegment segment) =>
        segment.Docs < _maxDocs * Fan / 2 ? 0
        : segment.Docs < _maxDocs * Fan * Fan / 2 ? 1
        : 2;

    /// <summary>Merging goes on, beside reading and writing, until nothing is left to merge.</summary>
    private void MergeSoon()
    {
        lock (_lock)
        {
            // Whoever merges looks again under the same lock before it ends: it sees what came meanwhile.
            if (_isMerging || _isClosing || Mergeable().Count == 0)
            {
                return;
            }

            _isMerging = true;
            _merging = Task.Run(MergeAllAsync);
        }
    }

    private async Task MergeAllAsync()
    {
        var isDone = false;
        while (true)
        {
            List<SearchSegment> segments;
            lock (_lock)
            {
                segments = isDone || _isClosing ? [] : Mergeable();
                if (segments.Count == 0)
                {
                    _isMerging = false;
                    return;
                }
            }

            // What cannot be written is tried again after the next batch.
            isDone = !await MergeAsync(segments, null);
        }
    }

    /// <summary>Makes one segment of several; false when it could not be written.</summary>
    private async Task<bool> MergeAsync(List<SearchSegment> old, PostingSet? alive)
    {
        await _mergeGate.WaitAsync();
        try
        {
            if (!old.TrueForAll(_segments.Contains))
            {
                return true;
            }

            var path = PathOf(Range(old[0].Path).First, Range(old[^1].Path).Last);
            var isEmpty = !SearchMerge.Write(path, old, alive);
            var merged = isEmpty ? null : SearchSegment.Open(path);
            lock (_lock)
            {
                var list = _segments.ToList();
                var at = list.IndexOf(old[0]);
                list.RemoveRange(at, old.Count);
                if (merged is not null)
                {
                    list.Insert(at, merged);
                }

                _segments = [.. list];
            }

            foreach (var segment in old)
            {
                segment.Dispose();
                if (segment.Path != merged?.Path)
                {
                    File.Delete(segment.Path);
                }
            }

            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // The old ones still stand and answer.
            Log.NotMerged(_logger, e);
            return false;
        }
        finally
        {
            _mergeGate.Release();
        }
    }

    private string PathOf(long first, long last) =>
        Path.Combine(
            _directory,
            string.Create(CultureInfo.InvariantCulture, $"{first:D8}-{last:D8}.words")
        );

    private static (long First, long Last) Range(string path) =>
        Path.GetFileNameWithoutExtension(path).Split('-') is [var first, var last]
        && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var a)
        && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var b)
            ? (a, b)
            : throw new InvalidDataException($"{path} is not named as a search segment is.");

    private static partial class Log
    {
        [LoggerMessage(
            2201,
            LogLevel.Warning,
            "The search index is damaged and is built again from the runs"
        )]
        public static partial void Damaged(ILogger logger, Exception error);

        [LoggerMessage(
            2202,
            LogLevel.Error,
            "The search index cannot be read: this search reads every run"
        )]
        public static partial void Unreadable(ILogger logger, Exception error);

        [LoggerMessage(
            2203,
            LogLevel.Warning,
            "A text of run row {Pk} cannot be read for the search index"
        )]
        public static partial void NoText(ILogger logger, long pk, Exception error);

        [LoggerMessage(2204, LogLevel.Error, "Segments of the search index could not be merged")]
        public static partial void NotMerged(ILogger logger, Exception error);

        [LoggerMessage(2206, LogLevel.Error, "A segment of the search index could not be written")]
        public static partial void NotFlushed(ILogger logger, Exception error);

        [LoggerMessage(
            2205,
            LogLevel.Information,
            "The search index is built again up to row {Pk}"
        )]
        public static partial void Rebuilt(ILogger logger, long pk);
    }
}
