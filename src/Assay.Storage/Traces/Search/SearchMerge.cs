using System.Runtime.InteropServices;

namespace Assay.Storage.Traces.Search;

/// <summary>Makes one segment of the search index out of several, without holding more than a token's documents of them.</summary>
internal static class SearchMerge
{
    private const uint Gone = uint.MaxValue;

    /// <summary>Writes the merged segment; false when none of its documents is alive and there is nothing to write.</summary>
    public static bool Write(string path, IReadOnlyList<SearchSegment> segments, PostingSet? alive)
    {
        var through = segments.Max(s => s.Through);
        var (docs, first, maps) = Docs(segments, alive);
        if (docs.Length == 0)
        {
            return false;
        }

        using var writer = new SearchSegmentWriter(path, docs, first);
        var sources = segments.Select(s => s.All().GetEnumerator()).ToArray();
        var next = new PriorityQueue<int, ulong>();
        for (var i = 0; i < sources.Length; i++)
        {
            Advance(i);
        }

        var of = new List<uint>();
        while (next.TryPeek(out _, out var smallest))
        {
            var token = (uint)(smallest >> 32);
            of.Clear();
            var isSorted = true;
            while (next.TryPeek(out var i, out var key) && (uint)(key >> 32) == token)
            {
                next.Dequeue();
                foreach (var doc in sources[i].Current.Docs)
                {
                    var mapped = maps[i][doc];
                    if (mapped != Gone)
                    {
                        isSorted &= of.Count == 0 || of[^1] < mapped;
                        of.Add(mapped);
                    }
                }

                Advance(i);
            }

            if (!isSorted)
            {
                of.Sort();
                of = [.. of.Distinct()];
            }

            if (of.Count > 0)
            {
                writer.Add(token, CollectionsMarshal.AsSpan(of));
            }
        }

        writer.Finish(through);
        return true;

        // Among equal tokens the older segment comes first, which keeps the documents mostly in order.
        void Advance(int i)
        {
            if (sources[i].MoveNext())
            {
                next.Enqueue(i, ((ulong)sources[i].Current.Token << 32) | (uint)i);
            }
        }
    }

    private static (uint[] Docs, long First, uint[][] Maps) Docs(
        IReadOnlyList<SearchSegment> segments,
        PostingSet? alive
    )
    {
        var read = segments.Select(s => s.ReadDocs()).ToList();
        var all = new List<long>();
        for (var i = 0; i < read.Count; i++)
        {
            foreach (var doc in read[i])
            {
                if (alive is null || alive.Contains(segments[i].First + doc))
                {
                    all.Add(segments[i].First + doc);
                }
            }
        }

        all.Sort();
        var keys = new List<long>(all.Count);
        foreach (var key in all)
        {
            if (keys.Count == 0 || keys[^1] != key)
            {
                keys.Add(key);
            }
        }

        var maps = new uint[read.Count][];
        for (var i = 0; i < read.Count; i++)
        {
            maps[i] = new uint[read[i].Length];
            var at = 0;
            for (var d = 0; d < read[i].Length; d++)
            {
                var key = segments[i].First + read[i][d];
                while (at < keys.Count && keys[at] < key)
                {
                    at++;
                }

                maps[i][d] = at < keys.Count && keys[at] == key ? (uint)at : Gone;
            }
        }

        var first = keys.Count == 0 ? 0 : keys[0];
        return ([.. keys.Select(k => checked((uint)(k - first)))], first, maps);
    }
}
