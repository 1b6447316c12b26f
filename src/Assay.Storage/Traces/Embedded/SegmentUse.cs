using System.Globalization;
using System.Runtime.InteropServices;
using Assay.Storage.Journals;
using Microsoft.Data.Sqlite;

namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// How many payload bytes of each journal segment there ever were and how many a run still points to: what says which segments are worth
/// rewriting. Kept in the transactions that change the runs. Used by the one writer only, but for <see cref="Read"/>.
/// </summary>
internal sealed class SegmentUse : IDisposable
{
    private readonly SqliteConnection _db;
    private readonly Dictionary<int, (long Arrived, long Live)> _changes = [];
    private readonly Statement _put;

    public SegmentUse(SqliteConnection db)
    {
        _db = db;
        _put = new Statement(
            db,
            "INSERT INTO segment_use(segment, arrived, live) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET arrived = arrived + ?2, live = live + ?3"
        );
    }

    /// <summary>A payload came.</summary>
    public void Arrive(JournaledPayload payload)
    {
        if (payload.BlobKey is null)
        {
            CollectionsMarshal
                .GetValueRefOrAddDefault(_changes, payload.Address.Segment, out _)
                .Arrived += payload.Length;
        }
    }

    /// <summary>What a run pointed to and what it points to now.</summary>
    public void Replace(IReadOnlyList<PayloadRef> before, IReadOnlyList<PayloadRef> after)
    {
        Add(before, -1);
        Add(after, 1);
    }

    /// <summary>Writes what was noted.</summary>
    public void Flush()
    {
        foreach (var (segment, (arrived, live)) in _changes)
        {
            _put.Bind(1, segment);
            _put.Bind(2, arrived);
            _put.Bind(3, live);
            _put.Run();
        }

        _changes.Clear();
    }

    /// <summary>Forgets what was noted, after a transaction was rolled back.</summary>
    public void Clear() => _changes.Clear();

    public static Dictionary<int, (long Arrived, long Live)> Read(SqliteConnection db)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT segment, arrived, live FROM segment_use";
        using var rows = command.ExecuteReader();
        var use = new Dictionary<int, (long, long)>();
        while (rows.Read())
        {
            use[rows.GetInt32(0)] = (rows.GetInt64(1), rows.GetInt64(2));
        }

        return use;
    }

    /// <summary>Live bytes by segment counted from the rows themselves.</summary>
    public static Dictionary<int, long> Count(SqliteConnection db)
    {
        using var command = db.CreateCommand();
        command.CommandText = "SELECT refs FROM detail WHERE refs IS NOT NULL";
        using var rows = command.ExecuteReader();
        var live = new Dictionary<int, long>();
        while (rows.Read())
        {
            foreach (var item in PayloadRefs.Decode(rows.GetFieldValue<byte[]>(0)))
            {
                if (item.BlobKey is null)
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(live, item.Address.Segment, out _) +=
                        item.Length;
                }
            }
        }

        return live;
    }

    /// <summary>An index of an earlier version gets its counts once.</summary>
    public void CountOnce()
    {
        using var known = _db.CreateCommand();
        known.CommandText = "SELECT count(*) FROM state WHERE key = 'segments_counted'";
        if (Convert.ToInt64(known.ExecuteScalar(), CultureInfo.InvariantCulture) > 0)
        {
            return;
        }

        IndexDatabase.Execute(_db, "BEGIN IMMEDIATE; DELETE FROM segment_use");
        foreach (var (segment, live) in Count(_db))
        {
            _changes[segment] = (live, live);
        }

        Flush();
        IndexDatabase.Execute(
            _db,
            "INSERT OR REPLACE INTO state(key, value) VALUES('segments_counted', '1'); COMMIT"
        );
    }

    public void Dispose() => _put.Dispose();

    private void Add(IReadOnlyList<PayloadRef> refs, int sign)
    {
        for (var i = 0; i < refs.Count; i++)
        {
            if (refs[i].BlobKey is null)
            {
                CollectionsMarshal
                    .GetValueRefOrAddDefault(_changes, refs[i].Address.Segment, out _)
                    .Live += sign * refs[i].Length;
            }
        }
    }
}
