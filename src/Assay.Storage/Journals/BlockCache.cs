namespace Assay.Storage.Journals;

/// <summary>Recently read blocks, at most 16 MiB, oldest out first. Thread-safe.</summary>
internal sealed class BlockCache
{
    private const long MaxBytes = 16L << 20;
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Segment, long Offset), byte[]> _blocks = [];
    private readonly Queue<(int Segment, long Offset)> _order = new();
    private long _bytes;

    public byte[] GetOrAdd((int Segment, long Offset) key, Func<byte[]> read)
    {
        lock (_lock)
        {
            if (_blocks.TryGetValue(key, out var known))
            {
                return known;
            }
        }

        var block = read();
        lock (_lock)
        {
            if (block.Length < MaxBytes / 4 && _blocks.TryAdd(key, block))
            {
                _order.Enqueue(key);
                _bytes += block.Length;
                while (_bytes > MaxBytes && _order.TryDequeue(out var oldest))
                {
                    _bytes -= _blocks[oldest].Length;
                    _blocks.Remove(oldest);
                }
            }
        }

        return block;
    }
}
