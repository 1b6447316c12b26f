namespace Assay.Storage.Traces.Search;

/// <summary>The distinct words of one text, as 64-bit hashes; made to be cleared and filled again without allocating. Not thread-safe.</summary>
internal sealed class WordSet
{
    private ulong[] _slots = new ulong[1_024];
    private ulong[] _items = new ulong[512];

    public int Count { get; private set; }

    public ReadOnlySpan<ulong> Items => _items.AsSpan(0, Count);

    public void Add(ulong word)
    {
        // Zero marks a free slot.
        word = word == 0 ? 1 : word;
        var mask = (uint)_slots.Length - 1;
        for (var at = (uint)word & mask; ; at = (at + 1) & mask)
        {
            if (_slots[at] == word)
            {
                return;
            }

            if (_slots[at] == 0)
            {
                _slots[at] = word;
                _items[Count++] = word;
                if (Count * 2 >= _slots.Length)
                {
                    Grow();
                }

                return;
            }
        }
    }

    public bool Contains(ulong word)
    {
        word = word == 0 ? 1 : word;
        var mask = (uint)_slots.Length - 1;
        for (var at = (uint)word & mask; _slots[at] != 0; at = (at + 1) & mask)
        {
            if (_slots[at] == word)
            {
                return true;
            }
        }

        return false;
    }

    public void Clear()
    {
        if (Count * 8 < _slots.Length)
        {
            // Few words in a large table, as after one very long text: free their places alone.
            var mask = (uint)_slots.Length - 1;
            foreach (var word in Items)
            {
                for (var at = (uint)word & mask; _slots[at] != 0; at = (at + 1) & mask)
                {
                    _slots[at] = 0;
                }
            }
        }
        else
        {
            Array.Clear(_slots);
        }

        Count = 0;
    }

    private void Grow()
    {
        var items = _items;
        var count = Count;
        _slots = new ulong[_slots.Length * 2];
        _items = new ulong[items.Length * 2];
        Count = 0;
        for (var i = 0; i < count; i++)
        {
            Add(items[i]);
        }
    }
}
