using System.Buffers;

namespace Assay.Storage.Traces.Search;

/// <summary>The newest runs' tokens in order of arrival, until there are enough for a segment. Guarded by its owner's lock.</summary>
internal sealed class RecentWords
{
    private uint[] _tokens = new uint[4_096];
    private readonly List<int> _ends = [];
    private readonly List<long> _pks = [];

    public int Docs => _pks.Count;

    public int Tokens { get; private set; }

    public void Add(ReadOnlySpan<uint> tokens, long pk)
    {
        if (Tokens + tokens.Length > _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Max(_tokens.Length * 2, Tokens + tokens.Length));
        }

        tokens.CopyTo(_tokens.AsSpan(Tokens));
        Tokens += tokens.Length;
        _pks.Add(pk);
        _ends.Add(Tokens);
    }

    public void Find(uint token, PostingSet into)
    {
        var tokens = _tokens.AsSpan(0, Tokens);
        var doc = 0;
        for (var at = 0; ; )
        {
            var found = tokens[at..].IndexOf(token);
            if (found < 0)
            {
                return;
            }

            at += found;
            while (_ends[doc] <= at)
            {
                doc++;
            }

            into.Add(_pks[doc]);
            at = _ends[doc];
        }
    }

    /// <summary>The documents by key, and (token, document) pairs sorted by token, then document.</summary>
    public (uint[] Docs, long First, RentedPairs Pairs) Sorted()
    {
        var order = Enumerable.Range(0, Docs).ToArray();
        Array.Sort(order, (a, b) => _pks[a] != _pks[b] ? _pks[a].CompareTo(_pks[b]) : a - b);
        var first = _pks[order[0]];
        var docs = new List<uint>(Docs);
        var pairs = ArrayPool<ulong>.Shared.Rent(Tokens);
        var at = 0;
        foreach (var doc in order)
        {
            var pk = checked((uint)(_pks[doc] - first));
            if (docs.Count == 0 || docs[^1] != pk)
            {
                docs.Add(pk);
            }

            for (var i = doc == 0 ? 0 : _ends[doc - 1]; i < _ends[doc]; i++)
            {
                pairs[at++] = ((ulong)_tokens[i] << 32) | (uint)(docs.Count - 1);
            }
        }

        return ([.. docs], first, new RentedPairs(SortByToken(pairs, Tokens), Tokens));
    }

    public void Clear()
    {
        Tokens = 0;
        _ends.Clear();
        _pks.Clear();
    }

    /// <summary>Radix sort by the upper half; the documents are in order already and a stable sort leaves them so.</summary>
    private static ulong[] SortByToken(ulong[] pairs, int count)
    {
        const int bits = 11;
        var other = ArrayPool<ulong>.Shared.Rent(count);
        var counts = new int[1 << bits];
        for (var shift = 32; shift < 64; shift += bits)
        {
            Array.Clear(counts);
            foreach (var pair in pairs.AsSpan(0, count))
            {
                counts[(pair >> shift) & ((1 << bits) - 1)]++;
            }

            var sum = 0;
            for (var i = 0; i < counts.Length; i++)
            {
                (counts[i], sum) = (sum, sum + counts[i]);
            }

            foreach (var pair in pairs.AsSpan(0, count))
            {
                other[counts[(pair >> shift) & ((1 << bits) - 1)]++] = pair;
            }

            (pairs, other) = (other, pairs);
        }

        ArrayPool<ulong>.Shared.Return(other);
        return pairs;
    }
}

/// <summary>Pairs in rented memory: a segment's worth is tens of megabytes, several times a second under load.</summary>
internal readonly struct RentedPairs(ulong[] pairs, int count) : IDisposable
{
    public ReadOnlySpan<ulong> Span => pairs.AsSpan(0, count);

    public void Dispose() => ArrayPool<ulong>.Shared.Return(pairs);
}
