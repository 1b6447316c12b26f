using System.Numerics;

namespace Assay.Storage.Traces.Search;

/// <summary>A set of row keys as bits, in chunks of 65,536 that exist where needed. Not thread-safe while it is filled.</summary>
internal sealed class PostingSet
{
    private const int ChunkBits = 16;
    private readonly List<ulong[]?> _chunks = [];

    /// <summary>Every row: what is not known is possible.</summary>
    public bool IsEverything { get; private init; }

    /// <summary>How many; counted by <see cref="Add"/>, exact after <see cref="IntersectWith"/> too.</summary>
    public long Count { get; private set; }

    public static PostingSet Everything() => new() { IsEverything = true, Count = long.MaxValue };

    public void Add(long pk)
    {
        var chunk = Chunk(pk);
        ref var word = ref chunk[(pk >> 6) & 1_023];
        var bit = 1UL << (int)(pk & 63);
        if ((word & bit) == 0)
        {
            word |= bit;
            Count++;
        }
    }

    /// <summary>Adds of the 64 keys from <paramref name="first"/> on those whose bit is set.</summary>
    public void AddWord(long first, ulong bits)
    {
        var shift = (int)(first & 63);
        Or(first, bits << shift);
        if (shift > 0)
        {
            Or(first + 64 - shift, bits >> (64 - shift));
        }
    }

    /// <summary>Adds the keys from <paramref name="first"/> to <paramref name="last"/>.</summary>
    public void AddRange(long first, long last)
    {
        for (var pk = first; pk <= last; )
        {
            if ((pk & 63) == 0 && pk + 63 <= last)
            {
                ref var word = ref Chunk(pk)[(pk >> 6) & 1_023];
                Count += 64 - BitOperations.PopCount(word);
                word = ulong.MaxValue;
                pk += 64;
            }
            else
            {
                Add(pk++);
            }
        }
    }

    public bool Contains(long pk)
    {
        if (IsEverything)
        {
            return true;
        }

        var chunk = pk >> ChunkBits;
        return chunk < _chunks.Count
            && _chunks[(int)chunk] is { } words
            && (words[(pk >> 6) & 1_023] & (1UL << (int)(pk & 63))) != 0;
    }

    public void IntersectWith(PostingSet other)
    {
        if (other.IsEverything)
        {
            return;
        }

        Count = 0;
        for (var i = 0; i < _chunks.Count; i++)
        {
            if (_chunks[i] is not { } mine)
            {
                continue;
            }

            if (i >= other._chunks.Count || other._chunks[i] is not { } theirs)
            {
                _chunks[i] = null;
                continue;
            }

            for (var w = 0; w < mine.Length; w++)
            {
                mine[w] &= theirs[w];
                Count += BitOperations.PopCount(mine[w]);
            }
        }
    }

    /// <summary>The key with <paramref name="skip"/> larger ones up to <paramref name="bound"/>; null when there are fewer.</summary>
    public long? FromTop(long bound, long skip)
    {
        for (var i = Math.Min(_chunks.Count - 1, bound >> ChunkBits); i >= 0; i--)
        {
            if (_chunks[(int)i] is not { } words)
            {
                continue;
            }

            for (var w = words.Length - 1; w >= 0; w--)
            {
                var first = (i << ChunkBits) + ((long)w << 6);
                if (first > bound)
                {
                    continue;
                }

                var bits = words[w];
                if (bound - first < 63)
                {
                    bits &= (1UL << (int)(bound - first + 1)) - 1;
                }

                var count = BitOperations.PopCount(bits);
                if (count <= skip)
                {
                    skip -= count;
                    continue;
                }

                for (; skip > 0; skip--)
                {
                    bits &= ~(1UL << BitOperations.Log2(bits));
                }

                return first + BitOperations.Log2(bits);
            }
        }

        return null;
    }

    /// <summary>The keys, ascending.</summary>
    public IEnumerable<long> Keys()
    {
        for (var i = 0; i < _chunks.Count; i++)
        {
            if (_chunks[i] is not { } words)
            {
                continue;
            }

            for (var w = 0; w < words.Length; w++)
            {
                for (var rest = words[w]; rest != 0; rest &= rest - 1)
                {
                    yield return ((long)i << ChunkBits)
                        + (w << 6)
                        + BitOperations.TrailingZeroCount(rest);
                }
            }
        }
    }

    private void Or(long pk, ulong bits)
    {
        if (bits != 0)
        {
            ref var word = ref Chunk(pk)[(pk >> 6) & 1_023];
            Count += BitOperations.PopCount(bits & ~word);
            word |= bits;
        }
    }

    private ulong[] Chunk(long pk)
    {
        var chunk = (int)(pk >> ChunkBits);
        while (_chunks.Count <= chunk)
        {
            _chunks.Add(null);
        }

        return _chunks[chunk] ??= new ulong[1_024];
    }
}
